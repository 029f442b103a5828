//! JSON exactly as Go's `encoding/json` prints it, for what is addressed by its hash.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::tz::Offset;

/// Prints one object after the other into a buffer.
#[derive(Debug, Default)]
pub(crate) struct JsonWriter {
    out: String,
}

impl JsonWriter {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self {
            out: String::with_capacity(bytes),
        }
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.out.into_bytes()
    }

    /// Prints `text` as it is.
    pub(crate) fn raw(&mut self, text: &str) {
        self.out.push_str(text);
    }

    /// Prints a comma, unless at the beginning of an object, and a field's name.
    pub(crate) fn name(&mut self, name: &str) {
        self.comma();
        self.out.push('"');
        self.out.push_str(name);
        self.out.push_str("\":");
    }

    /// Prints a comma unless at the beginning of an object or array.
    pub(crate) fn comma(&mut self) {
        if !self.out.ends_with(['{', '[']) {
            self.out.push(',');
        }
    }

    /// Prints a string, escaping also `<`, `>`, `&` and the two line separators of JavaScript.
    pub(crate) fn string(&mut self, text: &str) {
        self.out.push('"');
        for c in text.chars() {
            match c {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                '\0'..' ' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                    self.display(format_args!("\\u{:04x}", u32::from(c)));
                }
                _ => self.out.push(c),
            }
        }
        self.out.push('"');
    }

    /// Prints bytes in base64, as Go prints a `[]byte`.
    pub(crate) fn base64(&mut self, bytes: &[u8]) {
        self.out.push('"');
        STANDARD.encode_string(bytes, &mut self.out);
        self.out.push('"');
    }

    /// Prints a time in UTC with as many digits as it needs.
    pub(crate) fn time(&mut self, time: Timestamp) {
        let text = rfc3339(time);
        self.display(format_args!("\"{text}\""));
    }

    pub(crate) fn display(&mut self, value: impl std::fmt::Display) {
        write!(self.out, "{value}").expect("a String takes everything");
    }
}

/// RFC 3339 in UTC without trailing zeros, years limited to 0 to 9999 as Go limits them.
pub(crate) fn rfc3339(time: Timestamp) -> String {
    let time = Offset::UTC.to_datetime(time);
    let (year, month, day) = (time.year().clamp(0, 9999), time.month(), time.day());
    let (hour, minute, second) = (time.hour(), time.minute(), time.second());
    let mut text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    let nanoseconds = time.subsec_nanosecond();
    if nanoseconds != 0 {
        let digits = format!("{nanoseconds:09}");
        text.push('.');
        text.push_str(digits.trim_end_matches('0'));
    }
    text.push('Z');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn string(text: &str) -> String {
        let mut json = JsonWriter::default();
        json.string(text);
        json.out
    }

    #[test]
    fn strings_are_escaped_as_go_does() {
        assert_eq!(string("a<b>&\"c\\"), r#""a\u003cb\u003e\u0026\"c\\""#);
        assert_eq!(
            string("\n\r\t\u{1}\u{8}\u{7f}"),
            "\"\\n\\r\\t\\u0001\\u0008\u{7f}\""
        );
        assert_eq!(string("\u{2028}é\u{2029}/"), "\"\\u2028é\\u2029/\"");
    }

    #[test]
    fn times_have_no_trailing_zeros() {
        let at = |text: &str| rfc3339(text.parse().unwrap());
        assert_eq!(at("2022-01-02T03:04:05.120Z"), "2022-01-02T03:04:05.12Z");
        assert_eq!(at("2022-01-02T03:04:05+01:00"), "2022-01-02T02:04:05Z");
        assert_eq!(
            at("1960-01-01T00:00:00.000000001Z"),
            "1960-01-01T00:00:00.000000001Z"
        );
    }
}
