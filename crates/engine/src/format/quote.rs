//! Names in trees: restic stores them as Go's `strconv.Quote` prints them, so that any bytes
//! survive in JSON.

use std::fmt::Write;

/// The text is not what `strconv.Quote` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("name is not quoted correctly")]
pub(crate) struct InvalidQuote;

/// What Go's `strconv.Quote` prints, without the quotes around it.
pub(crate) fn quote(name: &[u8]) -> String {
    let mut out = String::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        chunk.valid().chars().for_each(|c| quote_char(&mut out, c));
        for byte in chunk.invalid() {
            push(&mut out, format_args!("\\x{byte:02x}"));
        }
    }
    out
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a String takes everything");
}

fn quote_char(out: &mut String, c: char) {
    match c {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        ' '..='~' => out.push(c),
        '\u{7}' => out.push_str("\\a"),
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\u{b}' => out.push_str("\\v"),
        '\0'..'\u{80}' => push(out, format_args!("\\x{:02x}", u32::from(c))),
        _ if is_printable(c) => out.push(c),
        '\u{80}'..'\u{10000}' => push(out, format_args!("\\u{:04x}", u32::from(c))),
        _ => push(out, format_args!("\\U{:08x}", u32::from(c))),
    }
}

/// Letters, marks, numbers, punctuation and symbols: what Go's `strconv.IsPrint` and Rust's
/// `escape_debug` agree on. The latter escapes combining marks too, but only at the beginning of a
/// string.
fn is_printable(c: char) -> bool {
    let mut buffer = [b'x'; 5];
    let length = 1 + c.encode_utf8(&mut buffer[1..]).len();
    let text = str::from_utf8(&buffer[..length]).expect("x and one character are UTF-8");
    text.escape_debug().nth(1) == Some(c)
}

/// Undoes [`quote`].
pub(crate) fn unquote(text: &str) -> Result<Vec<u8>, InvalidQuote> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.extend_from_slice(&rest.as_bytes()[..at]);
        rest = unquote_escape(&rest[at + 1..], &mut out)?;
    }
    out.extend_from_slice(rest.as_bytes());
    Ok(out)
}

/// Reads the escape after a backslash; returns what follows.
fn unquote_escape<'a>(text: &'a str, out: &mut Vec<u8>) -> Result<&'a str, InvalidQuote> {
    let mut chars = text.chars();
    let kind = chars.next().ok_or(InvalidQuote)?;
    let simple = match kind {
        'a' => 7,
        'b' => 8,
        'f' => 12,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 11,
        '\\' => b'\\',
        '"' => b'"',
        'x' => return digits(chars.as_str(), 2, 16).and_then(|(v, rest)| push_byte(out, v, rest)),
        'u' => return digits(chars.as_str(), 4, 16).and_then(|(v, rest)| push_char(out, v, rest)),
        'U' => return digits(chars.as_str(), 8, 16).and_then(|(v, rest)| push_char(out, v, rest)),
        '0'..='7' => return digits(text, 3, 8).and_then(|(v, rest)| push_byte(out, v, rest)),
        _ => return Err(InvalidQuote),
    };
    out.push(simple);
    Ok(chars.as_str())
}

fn digits(text: &str, count: usize, radix: u32) -> Result<(u32, &str), InvalidQuote> {
    let (number, rest) = text.split_at_checked(count).ok_or(InvalidQuote)?;
    if !number.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(InvalidQuote);
    }
    let value = u32::from_str_radix(number, radix).map_err(|_| InvalidQuote)?;
    Ok((value, rest))
}

fn push_byte<'a>(out: &mut Vec<u8>, value: u32, rest: &'a str) -> Result<&'a str, InvalidQuote> {
    out.push(u8::try_from(value).map_err(|_| InvalidQuote)?);
    Ok(rest)
}

fn push_char<'a>(out: &mut Vec<u8>, value: u32, rest: &'a str) -> Result<&'a str, InvalidQuote> {
    let c = char::from_u32(value).ok_or(InvalidQuote)?;
    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    Ok(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quotes_as_go_does() {
        let cases: [(&[u8], &str); 9] = [
            (b"plain name.txt", "plain name.txt"),
            (b"a\nb\tc", "a\\nb\\tc"),
            (b"quote\"back\\slash", "quote\\\"back\\\\slash"),
            (b"\xff\xfe", "\\xff\\xfe"),
            (b"\x01\x7f", "\\x01\\x7f"),
            ("ünïcödé 日本".as_bytes(), "ünïcödé 日本"),
            ("nb\u{a0}sp\u{200b}".as_bytes(), "nb\\u00a0sp\\u200b"),
            ("e\u{301}".as_bytes(), "e\u{301}"),
            ("\u{301}\u{e0001}".as_bytes(), "\u{301}\\U000e0001"),
        ];
        for (name, quoted) in cases {
            assert_eq!(quote(name), quoted);
            assert_eq!(unquote(quoted).unwrap(), name);
        }
    }

    #[test]
    fn refuses_what_go_refuses() {
        let bad = [
            "\\",
            "\\x1",
            "\\xg0",
            "\\u12",
            "\\ud800",
            "\\U00110000",
            "\\q",
            "\\777",
            "\\x+1",
        ];
        for text in bad {
            assert_eq!(unquote(text), Err(InvalidQuote), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_name_comes_back(name in proptest::collection::vec(any::<u8>(), 0..60)) {
            prop_assert_eq!(unquote(&quote(&name)).unwrap(), name);
        }

        #[test]
        fn what_unquotes_quotes_to_something_that_unquotes_to_the_same(text in "[\\\\a-z0-9é]{0,12}") {
            if let Ok(name) = unquote(&text) {
                prop_assert_eq!(unquote(&quote(&name)).unwrap(), name);
            }
        }
    }
}
