//! The rules for names and free texts.

use crate::cbr::error::{Error, Result};

/// The longest name in characters.
const LONGEST_NAME: usize = 64;

/// Checks a name: 1 to 64 Chinese characters, letters, digits, `_` and `-`.
pub(in crate::cbr) fn check_name(field: &str, name: &str) -> Result<()> {
    if !(1..=LONGEST_NAME).contains(&name.chars().count()) {
        let reason = format!("it must have 1 to {LONGEST_NAME} characters");
        return Err(Error::invalid(field, reason));
    }
    if let Some(bad) = name.chars().find(|c| !is_of_name(*c)) {
        return Err(Error::invalid(field, format!("`{bad}` is not allowed")));
    }
    Ok(())
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || matches!(c, '_' | '-' | '\u{4E00}'..='\u{9FA5}' | '\u{F900}'..='\u{FA2D}')
}

/// Checks a free text: at most `longest` characters, no `<` and `>`.
pub(in crate::cbr) fn check_description(text: Option<&str>, longest: usize) -> Result<()> {
    let text = text.unwrap_or_default();
    if text.chars().count() > longest {
        let reason = format!("it must have at most {longest} characters");
        return Err(Error::invalid("description", reason));
    }
    if text.contains(['<', '>']) {
        return Err(Error::invalid("description", "`<` and `>` are not allowed"));
    }
    Ok(())
}
