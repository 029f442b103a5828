//! Text that must not be printed.

use std::fmt;

/// A password, token or key. `Debug` hides it, nothing serialises it, and equality is left to
/// constant-time comparison where it matters.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Takes the secret text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself; callers must not log or store it in the clear.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
