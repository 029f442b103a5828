//! What goes over the wire, exactly as ZStack writes it: one file per noun. Members that are null
//! are left out everywhere.

pub(crate) mod account;
pub(crate) mod backup;
pub(crate) mod long_job;
pub(crate) mod progress;
pub(crate) mod reply;
pub(crate) mod scheduler;
pub(crate) mod session;
pub(crate) mod storage;
pub(crate) mod tags;
pub(crate) mod zql;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

/// A time as the vendor's JDK 8 server prints it: `Nov 14, 2017 10:20:57 PM`, in UTC.
pub(crate) fn timestamp(at: Timestamp) -> String {
    at.strftime("%b %-d, %Y %-I:%M:%S %p").to_string()
}

/// A text member; the vendor's reader also takes numbers and booleans for it.
pub(crate) fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected a string")]
    enum Scalar {
        Text(String),
        Number(serde_json::Number),
        Bool(bool),
    }
    Ok(Option::<Scalar>::deserialize(from)?.map(|it| match it {
        Scalar::Text(text) => text,
        Scalar::Number(number) => number.to_string(),
        Scalar::Bool(yes) => yes.to_string(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_is_written_as_the_vendor_does() {
        for (at, written) in [
            ("2017-11-14T22:20:57Z", "Nov 14, 2017 10:20:57 PM"),
            ("2026-01-02T00:03:04.999Z", "Jan 2, 2026 12:03:04 AM"),
            ("2026-12-31T12:00:00Z", "Dec 31, 2026 12:00:00 PM"),
        ] {
            assert_eq!(timestamp(at.parse().unwrap()), written);
        }
    }
}
