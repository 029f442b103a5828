//! Key files: the master key sealed with a key derived from a password.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use crate::crypto::kdf::{self, KdfCost};
use crate::crypto::{Cipher, KEY_LEN, MasterKey, fill_random};

/// The clear part of a key file.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct KeyFile {
    #[serde(default)]
    pub(crate) hostname: String,
    #[serde(default)]
    pub(crate) username: String,
    kdf: String,
    #[serde(rename = "N")]
    n: u64,
    r: u32,
    p: u32,
    pub(crate) created: Timestamp,
    data: String,
    salt: String,
}

/// The sealed part.
#[derive(Serialize, Deserialize)]
struct RawMasterKey {
    mac: RawMac,
    encrypt: String,
}

#[derive(Serialize, Deserialize)]
struct RawMac {
    k: String,
    r: String,
}

impl Drop for RawMasterKey {
    fn drop(&mut self) {
        self.mac.k.zeroize();
        self.mac.r.zeroize();
        self.encrypt.zeroize();
    }
}

/// Why a key file does not give the master key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeyError {
    /// The password is another one's.
    WrongPassword,
    /// The file makes no sense.
    Malformed(String),
}

impl KeyFile {
    /// Seals `key` with `password`.
    pub(crate) fn create(
        key: &MasterKey,
        password: &[u8],
        cost: KdfCost,
        (hostname, username): (String, String),
        created: Timestamp,
    ) -> Option<Self> {
        let mut salt = [0; 64];
        fill_random(&mut salt);
        let user_key = kdf::derive(password, &salt, cost)?;
        let raw = RawMasterKey {
            mac: RawMac {
                k: STANDARD.encode(key.mac_k()),
                r: STANDARD.encode(key.mac_r()),
            },
            encrypt: STANDARD.encode(key.encryption()),
        };
        let json = Zeroizing::new(serde_json::to_vec(&raw).ok()?);
        Some(Self {
            hostname,
            username,
            kdf: "scrypt".to_owned(),
            n: 1 << cost.log_n,
            r: cost.r,
            p: cost.p,
            created,
            data: STANDARD.encode(Cipher::new(&user_key).seal(&json)),
            salt: STANDARD.encode(salt),
        })
    }

    /// The master key, if `password` is the right one.
    pub(crate) fn open(&self, password: &[u8]) -> Result<MasterKey, KeyError> {
        let malformed = |what: &str| KeyError::Malformed(what.to_owned());
        if self.kdf != "scrypt" {
            return Err(malformed("unknown key derivation"));
        }
        let cost = KdfCost::from_file(self.n, self.r, self.p);
        let cost = cost.ok_or_else(|| malformed("unusable cost of key derivation"))?;
        let salt = STANDARD
            .decode(&self.salt)
            .map_err(|_| malformed("salt is not base64"))?;
        let data = STANDARD
            .decode(&self.data)
            .map_err(|_| malformed("data is not base64"))?;
        let user_key = kdf::derive(password, &salt, cost)
            .ok_or_else(|| malformed("unusable cost of key derivation"))?;
        let json = Cipher::new(&user_key)
            .open(&data)
            .map_err(|_| KeyError::WrongPassword)?;
        let json = Zeroizing::new(json);
        let raw: RawMasterKey =
            serde_json::from_slice(&json).map_err(|_| malformed("master key is not JSON"))?;
        raw.decode()
            .ok_or_else(|| malformed("master key has a wrong length"))
    }
}

impl RawMasterKey {
    fn decode(&self) -> Option<MasterKey> {
        let mut key = Zeroizing::new([0; KEY_LEN]);
        for (text, range) in [
            (&self.encrypt, 0..32),
            (&self.mac.k, 32..48),
            (&self.mac.r, 48..KEY_LEN),
        ] {
            let part = Zeroizing::new(STANDARD.decode(text).ok()?);
            if part.len() != range.len() {
                return None;
            }
            key[range].copy_from_slice(&part);
        }
        Some(MasterKey::from_bytes(*key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_password_opens_a_key() {
        let key = MasterKey::random();
        let who = (String::new(), String::new());
        let file = KeyFile::create(&key, b"pw", KdfCost::MACHINE, who, Timestamp::UNIX_EPOCH);
        let file = file.unwrap();
        assert_eq!(*file.open(b"pw").unwrap().to_bytes(), *key.to_bytes());
        assert_eq!(file.open(b"other").unwrap_err(), KeyError::WrongPassword);
    }
}
