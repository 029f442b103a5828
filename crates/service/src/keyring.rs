//! The server's key: seals the secrets that must be read again (secret keys of access keys,
//! master keys of repositories) before they reach the database.

use std::fmt;

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, MAX_TAG_LEN, NONCE_LEN, Nonce, RandomizedNonceKey},
    hmac, rand,
};
use sha2::{Digest, Sha256};
use uuid::Uuid;
use zeroize::Zeroizing;

/// First byte of everything sealed; rises if the layout changes.
const VERSION: u8 = 1;
const KEY_ID_LEN: usize = 4;
const HEADER_LEN: usize = 1 + KEY_ID_LEN + NONCE_LEN;

/// What a sealed secret is for. Part of what is authenticated, so that a sealed secret cannot be
/// moved to another column or row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The secret key of an access key; its id is the credential's.
    AccessKey,
    /// The master key of a repository; its id is the repository's.
    RepositoryKey,
    /// A secret that was answered with, to be answered with again; its id is whose secret it is.
    Answer,
}

impl Purpose {
    fn as_bytes(self) -> &'static [u8] {
        match self {
            Self::AccessKey => b"access-key",
            Self::RepositoryKey => b"repository-key",
            Self::Answer => b"answer",
        }
    }
}

/// A sealed secret cannot be opened: it was sealed with another key, for something else, or was
/// changed since.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnsealError {
    /// It was sealed with another server's key.
    #[error("sealed with key `{found}`, but the server's key is `{own}`")]
    OtherKey {
        /// Short id of the key it was sealed with.
        found: String,
        /// Short id of this server's key.
        own: String,
    },
    /// It is not what was sealed, or was sealed for something else.
    #[error("the sealed secret is damaged or belongs elsewhere")]
    Damaged,
}

/// AES-256-GCM under the server's key.
pub struct Keyring {
    key: RandomizedNonceKey,
    digests: hmac::Key,
    id: [u8; KEY_ID_LEN],
}

impl Keyring {
    /// Bytes in a server's key.
    pub const KEY_LEN: usize = 32;

    /// The keyring of the server's key, which the binary reads from a file.
    pub fn new(key: &[u8; Self::KEY_LEN]) -> Self {
        let digest = Sha256::digest([b"strongroom server key id".as_slice(), key].concat());
        let mut id = [0; KEY_ID_LEN];
        id.copy_from_slice(&digest[..KEY_ID_LEN]);
        let for_digests = Sha256::digest([b"strongroom digests".as_slice(), key].concat());
        let digests = hmac::Key::new(hmac::HMAC_SHA256, &for_digests);
        let key = RandomizedNonceKey::new(&AES_256_GCM, key).expect("the key has the right length");
        Self { key, digests, id }
    }

    /// A fresh random server's key.
    pub fn generate() -> Zeroizing<[u8; Self::KEY_LEN]> {
        let mut key = Zeroizing::new([0; Self::KEY_LEN]);
        random(&mut *key);
        key
    }

    /// A digest in hex that tells nothing of a guessable text to whoever lacks the server's key.
    pub(crate) fn digest(&self, data: &[u8]) -> String {
        hex::encode(hmac::sign(&self.digests, data))
    }

    /// Seals `plain` so that it opens only for the same purpose and id.
    pub fn seal(&self, purpose: Purpose, id: Uuid, plain: &[u8]) -> Vec<u8> {
        let mut data = Vec::with_capacity(plain.len() + MAX_TAG_LEN);
        data.extend_from_slice(plain);
        let nonce = self
            .key
            .seal_in_place_append_tag(Aad::from(context(purpose, id)), &mut data)
            .expect("a secret is far below the cipher's limit");
        let mut sealed = Vec::with_capacity(HEADER_LEN + data.len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&self.id);
        sealed.extend_from_slice(nonce.as_ref());
        sealed.append(&mut data);
        sealed
    }

    /// Opens what [`Keyring::seal`] made for the same purpose and id.
    pub fn open(
        &self,
        purpose: Purpose,
        id: Uuid,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, UnsealError> {
        let (header, body) = sealed
            .split_at_checked(HEADER_LEN)
            .ok_or(UnsealError::Damaged)?;
        if header[0] != VERSION {
            return Err(UnsealError::Damaged);
        }
        let (key_id, nonce) = header[1..].split_at(KEY_ID_LEN);
        if key_id != self.id {
            let (found, own) = (hex::encode(key_id), hex::encode(self.id));
            return Err(UnsealError::OtherKey { found, own });
        }
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| UnsealError::Damaged)?;
        let mut data = Zeroizing::new(body.to_vec());
        let aad = Aad::from(context(purpose, id));
        let length = self
            .key
            .open_in_place(nonce, aad, &mut data)
            .map_err(|_| UnsealError::Damaged)?
            .len();
        data.truncate(length);
        Ok(data)
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keyring({})", hex::encode(self.id))
    }
}

fn context(purpose: Purpose, id: Uuid) -> Vec<u8> {
    [purpose.as_bytes(), b":", id.as_bytes()].concat()
}

/// Fills `bytes` from the system's generator.
pub(crate) fn random(bytes: &mut [u8]) {
    rand::fill(bytes).expect("the system has a random number generator");
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: Uuid = Uuid::from_u128(7);

    #[test]
    fn what_was_sealed_opens_only_for_the_same_purpose_and_id() {
        let ring = Keyring::new(&[1; 32]);
        let sealed = ring.seal(Purpose::AccessKey, ID, b"secret");
        assert_eq!(
            ring.open(Purpose::AccessKey, ID, &sealed)
                .unwrap()
                .as_slice(),
            b"secret"
        );
        assert!(!sealed.windows(6).any(|it| it == b"secret"));
        for (purpose, id) in [
            (Purpose::RepositoryKey, ID),
            (Purpose::AccessKey, Uuid::from_u128(8)),
        ] {
            assert_eq!(ring.open(purpose, id, &sealed), Err(UnsealError::Damaged));
        }
    }

    #[test]
    fn a_changed_or_cut_secret_does_not_open() {
        let ring = Keyring::new(&[1; 32]);
        let sealed = ring.seal(Purpose::AccessKey, ID, b"secret");
        for length in 0..sealed.len() {
            assert!(
                ring.open(Purpose::AccessKey, ID, &sealed[..length])
                    .is_err(),
                "{length}"
            );
        }
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(ring.open(Purpose::AccessKey, ID, &changed).is_err(), "{at}");
        }
    }

    #[test]
    fn another_servers_key_is_named() {
        let sealed = Keyring::new(&[1; 32]).seal(Purpose::AccessKey, ID, b"secret");
        let opened = Keyring::new(&[2; 32]).open(Purpose::AccessKey, ID, &sealed);
        assert!(
            matches!(opened, Err(UnsealError::OtherKey { .. })),
            "{opened:?}"
        );
    }
}
