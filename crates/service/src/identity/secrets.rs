//! The texts of tokens, access keys and passwords: how they are made and what is kept of them.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use sha2::{Digest, Sha256, Sha512};
use strongroom_domain::Secret;
use uuid::Uuid;

use crate::keyring::random;

/// Begins every API token, so that one is recognised where it should not be (logs, commits).
const TOKEN_PREFIX: &str = "srt_";
/// Random bytes in a token.
const TOKEN_BYTES: usize = 32;
/// Bytes of checksum in a token: three, so that they are four characters without padding.
const CHECKSUM_BYTES: usize = 3;

/// A fresh token: prefix, 32 random bytes, checksum.
pub(crate) fn new_token() -> Secret {
    let mut bytes = [0; TOKEN_BYTES + CHECKSUM_BYTES];
    random(&mut bytes[..TOKEN_BYTES]);
    let checksum = Sha256::digest(&bytes[..TOKEN_BYTES]);
    bytes[TOKEN_BYTES..].copy_from_slice(&checksum[..CHECKSUM_BYTES]);
    Secret::new(format!("{TOKEN_PREFIX}{}", BASE64.encode(bytes)))
}

/// Whether the text can be a token at all: keeps typing errors and scanners off the database.
pub(crate) fn is_token(text: &str) -> bool {
    let decoded = text
        .strip_prefix(TOKEN_PREFIX)
        .and_then(|it| BASE64.decode(it).ok());
    decoded.is_some_and(|bytes| {
        bytes.len() == TOKEN_BYTES + CHECKSUM_BYTES
            && Sha256::digest(&bytes[..TOKEN_BYTES])[..CHECKSUM_BYTES] == bytes[TOKEN_BYTES..]
    })
}

/// What is stored of a text that is looked up but never shown: its SHA-256 in hex.
pub(crate) fn lookup(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

/// A fresh access key id: 20 upper-case letters and digits, as vendors' clients expect.
pub(crate) fn new_access_key_id() -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut bytes = [0; 18];
    random(&mut bytes);
    let tail = bytes
        .iter()
        .map(|byte| char::from(ALPHABET[usize::from(byte % 32)]));
    "SR".chars().chain(tail).collect()
}

/// A fresh secret: `bytes` random bytes in base64url.
pub(crate) fn new_secret(bytes: usize) -> Secret {
    let mut buffer = zeroize::Zeroizing::new(vec![0; bytes]);
    random(&mut buffer);
    Secret::new(BASE64.encode(&*buffer))
}

/// A fresh random (version 4) UUID that is itself a secret: a session's id.
pub(crate) fn new_secret_uuid() -> Uuid {
    let mut bytes = [0; 16];
    random(&mut bytes);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

/// Lower-case hex SHA-512, the form in which ZStack's clients send passwords.
pub(crate) fn sha512_hex(text: &str) -> String {
    hex::encode(Sha512::digest(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_told_from_one_with_a_wrong_letter() {
        let token = new_token();
        let token = token.expose();
        assert!(is_token(token));
        assert_eq!(token.len(), 4 + 47);
        for at in 4..token.len() {
            let mut wrong = token.as_bytes().to_vec();
            wrong[at] = if wrong[at] == b'A' { b'B' } else { b'A' };
            assert!(!is_token(std::str::from_utf8(&wrong).unwrap()), "{at}");
        }
        for bad in ["", "srt_", "srt_abc", &token[4..]] {
            assert!(!is_token(bad), "{bad}");
        }
    }

    #[test]
    fn access_key_ids_have_twenty_plain_characters() {
        let id = new_access_key_id();
        assert_eq!(id.len(), 20);
        assert!(
            id.bytes()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        );
        assert_ne!(id, new_access_key_id());
    }
}
