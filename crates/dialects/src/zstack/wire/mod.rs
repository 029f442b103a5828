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

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, de::Error as _};

/// A time as the vendor's JDK 8 server prints it: `Nov 14, 2017 10:20:57 PM`, in UTC.
pub(crate) fn timestamp(at: Timestamp) -> String {
    at.strftime("%b %-d, %Y %-I:%M:%S %p").to_string()
}

/// A value that is neither a list nor an object, as the vendor's reader takes it for any other.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a text, a number or a boolean")]
enum Scalar {
    Text(String),
    Number(serde_json::Number),
    Bool(bool),
}

impl Scalar {
    fn text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Number(number) => number.to_string(),
            Self::Bool(yes) => yes.to_string(),
        }
    }
}

/// A text member; the vendor's reader also takes numbers and booleans for it.
pub(crate) fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<Scalar>::deserialize(from)?.map(Scalar::text))
}

/// A list of texts, as [`text`] takes them; `null` is an empty one.
pub(crate) fn texts<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let list = Option::<Vec<Option<Scalar>>>::deserialize(from)?.unwrap_or_default();
    Ok(list.into_iter().flatten().map(Scalar::text).collect())
}

/// Texts by name, as [`text`] takes them; `null` is none.
pub(crate) fn named_texts<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    let map = Option::<BTreeMap<String, Option<Scalar>>>::deserialize(from)?;
    let texts = map.unwrap_or_default().into_iter();
    Ok(texts
        .filter_map(|(name, it)| Some((name, it?.text())))
        .collect())
}

/// A whole number; the vendor's reader also takes `3600.0` and a text that is one.
pub(crate) fn long<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    let Some(given) = Option::<Scalar>::deserialize(from)? else {
        return Ok(None);
    };
    let number = match given {
        Scalar::Bool(_) => None,
        Scalar::Text(text) => whole(&text),
        Scalar::Number(number) => whole(&number.to_string()),
    };
    let number = number.ok_or_else(|| D::Error::custom("expected a whole number"))?;
    Ok(Some(number))
}

/// A yes or no; the vendor's reader also takes it as a text.
pub(crate) fn flag<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    match Option::<Scalar>::deserialize(from)? {
        None => Ok(false),
        Some(Scalar::Bool(yes)) => Ok(yes),
        Some(Scalar::Text(text)) => Ok(text.eq_ignore_ascii_case("true")),
        Some(Scalar::Number(_)) => Err(D::Error::custom("expected a boolean")),
    }
}

/// Reads a whole number that may be written with a fraction of zeros.
pub(crate) fn whole(text: &str) -> Option<i64> {
    let text = text.trim();
    let number = || {
        // Above, not every whole number is one of these.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        let number: f64 = text.parse().ok()?;
        let exact = number.fract() == 0.0 && number.abs() <= EXACT;
        #[expect(clippy::cast_possible_truncation, reason = "it is whole and in range")]
        exact.then_some(number as i64)
    };
    text.parse().ok().or_else(number)
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
    #[test]
    fn numbers_are_read_however_they_are_written() {
        let read = |text: &str| {
            let mut json = serde_json::Deserializer::from_str(text);
            long(&mut json).map_err(drop)
        };
        for (text, number) in [
            ("3600", Ok(Some(3600))),
            ("3600.0", Ok(Some(3600))),
            ("\"3600\"", Ok(Some(3600))),
            ("\" 3600.0 \"", Ok(Some(3600))),
            ("-1", Ok(Some(-1))),
            ("null", Ok(None)),
            ("9223372036854775807", Ok(Some(i64::MAX))),
            ("3600.5", Err(())),
            ("1e300", Err(())),
            ("true", Err(())),
            ("\"soon\"", Err(())),
            ("\"inf\"", Err(())),
            ("[1]", Err(())),
        ] {
            assert_eq!(read(text), number, "{text}");
        }
    }

    #[test]
    fn texts_are_read_from_any_scalar() {
        let mut json = serde_json::Deserializer::from_str(r#"["a", 5, 3.5, true, null]"#);
        assert_eq!(texts(&mut json).unwrap(), ["a", "5", "3.5", "true"]);
        let mut json = serde_json::Deserializer::from_str(r#"{"a": 3, "b": null}"#);
        let read = named_texts(&mut json).unwrap();
        assert_eq!(read, [("a".to_owned(), "3".to_owned())].into());
        let mut json = serde_json::Deserializer::from_str(r#"[["a"]]"#);
        texts(&mut json).unwrap_err();
    }
}
