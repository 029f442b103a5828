//! What can go wrong with a request, in the words of `io::Error`.
//!
//! Codes: <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>.

use std::error::Error as StdError;
use std::fmt;
use std::io::{self, ErrorKind};

/// Most of a server's message that is passed on.
const MESSAGE: usize = 300;

/// The server answered, and said no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    status: u16,
    /// Such as `NoSuchKey`; empty if the server did not say.
    code: String,
    message: String,
}

impl Refusal {
    /// From an answer's body: XML, or nothing.
    pub(super) fn parse(status: u16, body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        Self {
            status,
            code: element(&text, "Code"),
            message: element(&text, "Message"),
        }
    }

    fn kind(&self) -> ErrorKind {
        match (self.status, self.code.as_str()) {
            (_, "NoSuchBucket") => ErrorKind::InvalidInput,
            (_, "QuotaExceeded" | "StorageFull" | "XMinioStorageFull") => ErrorKind::QuotaExceeded,
            (_, "NotImplemented" | "MethodNotAllowed") => ErrorKind::Unsupported,
            (_, "RequestTimeout") => ErrorKind::TimedOut,
            // Signed, but the clock of one side is wrong: no attempt will be better.
            (401 | 403, _) => ErrorKind::PermissionDenied,
            (404, _) => ErrorKind::NotFound,
            (412, _) => ErrorKind::AlreadyExists,
            (416, _) => ErrorKind::UnexpectedEof,
            (405 | 501, _) => ErrorKind::Unsupported,
            (507, _) => ErrorKind::StorageFull,
            (408 | 504, _) => ErrorKind::TimedOut,
            // 409: others are at work on the same object.
            (409 | 425 | 429 | 503, _) => ErrorKind::ResourceBusy,
            (300..=499, _) => ErrorKind::InvalidInput,
            _ => ErrorKind::Other,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            status,
            code,
            message,
        } = self;
        write!(f, "the server answers {status}")?;
        if !code.is_empty() {
            write!(f, " {code}")?;
        }
        if !message.is_empty() {
            write!(f, ": {message}")?;
        }
        Ok(())
    }
}

impl StdError for Refusal {}

/// The text of the first element of this name, cut to a sensible length.
fn element(xml: &str, name: &str) -> String {
    let text = xml
        .split_once(&format!("<{name}>"))
        .and_then(|(_, rest)| rest.split_once(&format!("</{name}>")))
        .map_or("", |(text, _)| text);
    text.chars()
        .filter(|c| !c.is_control())
        .take(MESSAGE)
        .collect()
}

/// A failure of requests to a bucket.
#[derive(Debug)]
struct Failure {
    /// `https://host`, bucket `name`.
    place: String,
    reason: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.reason)
    }
}

impl StdError for Failure {}

/// Translates an error of the object store at `place`.
pub(super) fn translate(error: &object_store::Error, place: &str) -> io::Error {
    let (kind, reason) = classify(error);
    let place = place.to_owned();
    io::Error::new(kind, Failure { place, reason })
}

/// No answer in time.
pub(super) fn timed_out(place: &str) -> io::Error {
    let failure = Failure {
        place: place.to_owned(),
        reason: "no answer in time".to_owned(),
    };
    io::Error::new(ErrorKind::TimedOut, failure)
}

fn classify(error: &object_store::Error) -> (ErrorKind, String) {
    let first: &dyn StdError = error;
    let chain = || std::iter::successors(Some(first), |error| StdError::source(*error));
    if let Some(refusal) = chain().find_map(|it| it.downcast_ref::<Refusal>()) {
        return (refusal.kind(), refusal.to_string());
    }
    let deepest = chain().last().map_or_else(String::new, ToString::to_string);
    if let Some(error) = chain().find_map(|it| it.downcast_ref::<io::Error>()) {
        // The end of a connection, not of an object: only a refusal tells of that.
        let kind = match error.kind() {
            ErrorKind::UnexpectedEof => ErrorKind::ConnectionReset,
            kind => kind,
        };
        return (kind, deepest);
    }
    let kind = match error {
        object_store::Error::NotSupported { .. } | object_store::Error::NotImplemented { .. } => {
            ErrorKind::Unsupported
        }
        object_store::Error::InvalidPath { .. } => ErrorKind::InvalidInput,
        _ => ErrorKind::Other,
    };
    (kind, deepest)
}

/// Whether an error says that there is no such object.
pub(super) fn no_such_object(error: &io::Error) -> bool {
    error.kind() == ErrorKind::NotFound
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_told_apart_by_status_and_code() {
        let kind = |status, code: &str| {
            let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code></Error>");
            Refusal::parse(status, body.as_bytes()).kind()
        };
        assert_eq!(kind(404, "NoSuchKey"), ErrorKind::NotFound);
        assert_eq!(kind(404, ""), ErrorKind::NotFound, "an answer to HEAD");
        assert_eq!(kind(404, "NoSuchBucket"), ErrorKind::InvalidInput);
        assert_eq!(
            kind(403, "SignatureDoesNotMatch"),
            ErrorKind::PermissionDenied
        );
        assert_eq!(kind(403, "QuotaExceeded"), ErrorKind::QuotaExceeded);
        assert_eq!(kind(503, "SlowDown"), ErrorKind::ResourceBusy);
        assert_eq!(kind(500, "InternalError"), ErrorKind::Other);
        assert_eq!(kind(412, "PreconditionFailed"), ErrorKind::AlreadyExists);
        assert_eq!(
            kind(400, "AuthorizationHeaderMalformed"),
            ErrorKind::InvalidInput
        );
    }

    #[test]
    fn a_refusal_says_what_the_server_said_without_control_characters() {
        let body = b"<Error><Code>AccessDenied</Code><Message>no\x1b[2J way</Message></Error>";
        assert_eq!(
            Refusal::parse(403, body).to_string(),
            "the server answers 403 AccessDenied: no[2J way"
        );
        let nothing = Refusal::parse(502, b"<html>");
        assert_eq!(nothing.to_string(), "the server answers 502");
    }
}
