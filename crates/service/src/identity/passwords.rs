//! Passwords: Argon2id on threads of their own, so many at a time.

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use strongroom_domain::Secret;
use tokio::sync::Semaphore;

use super::{PasswordForm, secrets::sha512_hex};
use crate::{Error, Result};

/// Hashes and checks passwords. Each takes 19 MiB and some 20 ms of a core, hence the limit.
#[derive(Debug)]
pub(crate) struct Passwords {
    turns: Semaphore,
}

impl Passwords {
    /// At most `at_once` hashes at the same time.
    pub(crate) fn new(at_once: usize) -> Self {
        Self {
            turns: Semaphore::new(at_once.max(1)),
        }
    }

    /// What is stored of a password.
    pub(crate) async fn hash(&self, password: PasswordForm) -> Result<String> {
        self.run(move || {
            let hash: PasswordHash = Argon2::default()
                .hash_password(digest(&password).expose().as_bytes())
                .map_err(|error| Error::internal(error.to_string()))?;
            Ok(hash.to_string())
        })
        .await
    }

    /// Whether the password is the one that `stored` was made of. Without a stored one it takes
    /// as long and fails, so that a caller cannot tell an unknown name by the clock.
    pub(crate) async fn verify(
        &self,
        password: PasswordForm,
        stored: Option<String>,
    ) -> Result<bool> {
        self.run(move || {
            let given = digest(&password);
            let Some(stored) = stored else {
                let spent: Result<PasswordHash, _> =
                    Argon2::default().hash_password(given.expose().as_bytes());
                drop(spent);
                return Ok(false);
            };
            let hash = PasswordHash::new(&stored)
                .map_err(|error| Error::internal(format!("stored password hash: {error}")))?;
            Ok(Argon2::default()
                .verify_password(given.expose().as_bytes(), &hash)
                .is_ok())
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let _turn = self.turns.acquire().await.map_err(Error::internal)?;
        tokio::task::spawn_blocking(work)
            .await
            .map_err(Error::internal)?
    }
}

/// What is hashed: the SHA-512 hex of the plain text, the one form that every face can produce.
fn digest(password: &PasswordForm) -> Secret {
    match password {
        PasswordForm::Plain(plain) => Secret::new(sha512_hex(plain.expose())),
        PasswordForm::Sha512Hex(hex) => Secret::new(hex.expose().to_ascii_lowercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn both_forms_of_the_right_password_are_accepted_and_no_other() {
        let passwords = Passwords::new(1);
        let plain = |text: &str| PasswordForm::Plain(Secret::new(text));
        let stored = passwords.hash(plain("pässword")).await.unwrap();
        assert!(stored.starts_with("$argon2id$"), "{stored}");
        let hex = PasswordForm::Sha512Hex(Secret::new(sha512_hex("pässword").to_uppercase()));
        for (given, right) in [
            (plain("pässword"), true),
            (hex, true),
            (plain("password"), false),
        ] {
            assert_eq!(
                passwords.verify(given, Some(stored.clone())).await.unwrap(),
                right
            );
        }
        assert!(!passwords.verify(plain("pässword"), None).await.unwrap());
    }
}
