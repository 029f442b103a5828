//! Rules that several verbs' inputs share. All faults are collected, so that a client sees them
//! at once.

use std::fmt;

use strongroom_domain::{FieldError, Label};

use crate::{ConflictKind, Error, Result};

/// Longest name in characters; the longest that any face allows.
const MAX_NAME: usize = 255;
/// Longest free text in characters.
const MAX_DESCRIPTION: usize = 4096;
/// Most labels on one thing.
const MAX_LABELS: usize = 128;

/// Collects what is wrong with a request.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<FieldError>);

impl Faults {
    /// Adds one.
    pub(crate) fn add(&mut self, field: impl Into<String>, reason: impl fmt::Display) {
        self.0.push(FieldError::new(field, reason));
    }

    /// Adds several.
    pub(crate) fn extend(&mut self, faults: impl IntoIterator<Item = FieldError>) {
        self.0.extend(faults);
    }

    /// Checks a name that must be given.
    pub(crate) fn name(&mut self, field: &str, name: &str) {
        if name.trim().is_empty() {
            self.add(field, "must not be empty");
        }
        self.text(field, name, MAX_NAME);
    }

    /// Checks a free text.
    pub(crate) fn description(&mut self, text: Option<&str>) {
        let text = text.unwrap_or_default();
        if text.chars().count() > MAX_DESCRIPTION {
            self.add(
                "description",
                format!("must not be longer than {MAX_DESCRIPTION} characters"),
            );
        }
        if text.contains('\0') {
            self.add("description", "must not contain NUL");
        }
    }

    /// Checks labels.
    pub(crate) fn labels(&mut self, labels: &[Label]) {
        if labels.len() > MAX_LABELS {
            self.add("labels", format!("must not be more than {MAX_LABELS}"));
        }
        for (at, label) in labels.iter().enumerate() {
            self.name(&format!("labels[{at}].name"), &label.name);
            self.text(&format!("labels[{at}].value"), &label.value, MAX_NAME);
        }
    }

    fn text(&mut self, field: &str, text: &str, longest: usize) {
        if text.chars().count() > longest {
            self.add(
                field,
                format!("must not be longer than {longest} characters"),
            );
        }
        if text.chars().any(char::is_control) {
            self.add(field, "must not contain control characters");
        }
    }

    /// Fails if anything was wrong.
    pub(crate) fn check(self) -> Result<()> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Error::Invalid(self.0))
        }
    }
}

/// Fails unless the caller read the version there is, or did not say which it read.
pub(crate) fn check_version(
    noun: &'static str,
    id: &dyn fmt::Display,
    wanted: Option<i64>,
    found: i64,
) -> Result<()> {
    match wanted {
        Some(wanted) if wanted != found => {
            let message = format!("{noun} `{id}` changed since it was read");
            Err(Error::conflict(
                ConflictKind::VersionMismatch,
                noun,
                message,
            ))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_named_at_once() {
        let mut faults = Faults::default();
        faults.name("name", " ");
        faults.description(Some(&"x".repeat(5000)));
        faults.labels(&[Label {
            name: "a\nb".to_owned(),
            value: "é".repeat(255),
        }]);
        let Err(Error::Invalid(faults)) = faults.check() else {
            panic!("accepted")
        };
        let fields: Vec<_> = faults.iter().map(|it| it.field.as_str()).collect();
        assert_eq!(fields, ["name", "description", "labels[0].name"]);
    }
}
