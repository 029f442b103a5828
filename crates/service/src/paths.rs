//! Paths of entries as text: what is not UTF-8 is shown as `\xNN`.

use strongroom_domain::tree::{EntryPath, PathError};

/// The path for people and programs.
pub(crate) fn print(path: &EntryPath) -> String {
    escape(path.as_bytes())
}

/// Bytes as text.
pub(crate) fn escape(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            text.push_str("\\x");
            text.push_str(&hex::encode([*byte]));
        }
    }
    text
}

/// The path that a text names: with `\xNN` read back if `escaped`, else literally.
pub(crate) fn read(text: &str, escaped: bool) -> Result<EntryPath, PathError> {
    if escaped {
        EntryPath::parse_lenient(&unescape(text.as_bytes()))
    } else {
        EntryPath::parse_lenient(text.as_bytes())
    }
}

fn unescape(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, tail)) = rest.split_first() {
        let digits = tail.strip_prefix(b"x").and_then(|it| it.get(..2));
        match digits.and_then(|it| hex::decode(it).ok()) {
            Some(byte) if first == b'\\' => {
                bytes.extend(byte);
                rest = &tail[3..];
            }
            _ => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_not_utf_8_come_back() {
        for bytes in [
            &b"a/b"[..],
            b"caf\xc3\xa9",
            b"caf\xe9/x",
            b"\xff\xfe",
            b"\\x",
            b"\\xg1",
        ] {
            let path = EntryPath::new(bytes).unwrap();
            assert_eq!(read(&print(&path), true).unwrap(), path, "{}", print(&path));
        }
        assert_eq!(escape(b"caf\xe9"), r"caf\xe9");
        assert_eq!(read(r"\x41", false).unwrap().as_bytes(), br"\x41");
    }
}
