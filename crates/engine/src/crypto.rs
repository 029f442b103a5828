//! Sealing and opening: AES-256-CTR with a Poly1305-AES authenticator, as restic uses them.
//!
//! A sealed message is `IV (16) || ciphertext || MAC (16)`. The IV is random; the MAC key's second
//! half is the IV encrypted with AES-128.

pub(crate) mod kdf;

use std::fmt;

use aws_lc_rs::cipher::{AES_128, AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::constant_time;
use aws_lc_rs::iv::FixedLength;
use poly1305::Poly1305;
use poly1305::universal_hash::KeyInit;
use zeroize::Zeroizing;

/// Length of the IV before the ciphertext.
pub(crate) const IV_LEN: usize = 16;
const MAC_LEN: usize = 16;
/// By how much a sealed message is longer than its plaintext.
pub(crate) const OVERHEAD: usize = IV_LEN + MAC_LEN;

/// Length of a key in bytes: 32 for AES-256, 16 for AES-128 and 16 for Poly1305.
pub(crate) const KEY_LEN: usize = 64;

/// The key of a repository, exportable so that a server can keep it under a key of its own and
/// open the repository without a password. Erased from memory when dropped.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; KEY_LEN]>);

impl MasterKey {
    /// A fresh random key.
    pub(crate) fn random() -> Self {
        let mut bytes = Zeroizing::new([0; KEY_LEN]);
        fill_random(&mut *bytes);
        mask_r(&mut bytes);
        Self(bytes)
    }

    /// Takes what [`MasterKey::to_bytes`] gave.
    pub fn from_bytes(bytes: [u8; KEY_LEN]) -> Self {
        let mut bytes = Zeroizing::new(bytes);
        mask_r(&mut bytes);
        Self(bytes)
    }

    /// The raw key: encryption key, then both halves of the authentication key.
    pub fn to_bytes(&self) -> Zeroizing<[u8; KEY_LEN]> {
        self.0.clone()
    }

    pub(crate) fn encryption(&self) -> &[u8] {
        &self.0[..32]
    }

    pub(crate) fn mac_k(&self) -> &[u8] {
        &self.0[32..48]
    }

    pub(crate) fn mac_r(&self) -> &[u8] {
        &self.0[48..]
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

/// Clears the bits that Poly1305 requires to be clear in `r`, as restic does before storing it.
fn mask_r(key: &mut [u8; KEY_LEN]) {
    let r = &mut key[48..];
    for i in [3, 7, 11, 15] {
        r[i] &= 0x0f;
    }
    for i in [4, 8, 12] {
        r[i] &= 0xfc;
    }
}

/// Fills `bytes` from the system's source of randomness: directly, because a generator of our own
/// would gather entropy for some 40 ms first, and repeat itself if the machine is set back to an
/// earlier state.
pub(crate) fn fill_random(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the system has a source of randomness");
}

/// The message was not sealed with this key, or was changed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("authentication failed")]
pub(crate) struct Unauthentic;

/// A key made ready for use.
pub(crate) struct Cipher {
    data: EncryptingKey,
    nonce: EncryptingKey,
    r: Zeroizing<[u8; 16]>,
}

impl Cipher {
    pub(crate) fn new(key: &MasterKey) -> Self {
        let unbound = |algorithm, bytes| {
            UnboundCipherKey::new(algorithm, bytes).expect("key has the algorithm's length")
        };
        let data = EncryptingKey::ctr(unbound(&AES_256, key.encryption()));
        let nonce = EncryptingKey::ecb(unbound(&AES_128, key.mac_k()));
        let mut r = Zeroizing::new([0; 16]);
        r.copy_from_slice(key.mac_r());
        Self {
            data: data.expect("AES has counter mode"),
            nonce: nonce.expect("AES has block mode"),
            r,
        }
    }

    /// Appends the sealed `plaintext` to `out`.
    pub(crate) fn seal_into(&self, out: &mut Vec<u8>, plaintext: &[u8]) {
        let mut iv = [0; IV_LEN];
        fill_random(&mut iv);
        out.reserve(plaintext.len() + OVERHEAD);
        out.extend_from_slice(&iv);
        let start = out.len();
        out.extend_from_slice(plaintext);
        self.apply_key_stream(iv, &mut out[start..]);
        let mac = self.mac(iv, &out[start..]);
        out.extend_from_slice(&mac);
    }

    pub(crate) fn seal(&self, plaintext: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        self.seal_into(&mut out, plaintext);
        out
    }

    /// The plaintext of `sealed`.
    pub(crate) fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, Unauthentic> {
        let mut sealed = sealed.to_vec();
        let length = self.open_in_place(&mut sealed)?.len();
        sealed.drain(..IV_LEN);
        sealed.truncate(length);
        Ok(sealed)
    }

    /// Turns `sealed` into its plaintext where it lies; unchanged if it is not authentic.
    pub(crate) fn open_in_place<'s>(&self, sealed: &'s mut [u8]) -> Result<&'s [u8], Unauthentic> {
        let (iv, rest) = sealed
            .split_first_chunk_mut::<IV_LEN>()
            .ok_or(Unauthentic)?;
        let (text, mac) = rest.split_last_chunk_mut::<MAC_LEN>().ok_or(Unauthentic)?;
        constant_time::verify_slices_are_equal(&self.mac(*iv, text), mac)
            .map_err(|_| Unauthentic)?;
        self.apply_key_stream(*iv, text);
        Ok(text)
    }

    fn apply_key_stream(&self, iv: [u8; IV_LEN], data: &mut [u8]) {
        let context = EncryptionContext::Iv128(FixedLength::from(iv));
        self.data
            .less_safe_encrypt(data, context)
            .expect("counter mode takes any length");
    }

    fn mac(&self, iv: [u8; IV_LEN], ciphertext: &[u8]) -> [u8; MAC_LEN] {
        let mut key = Zeroizing::new([0; 32]);
        key[..16].copy_from_slice(&*self.r);
        key[16..].copy_from_slice(&iv);
        self.nonce
            .less_safe_encrypt(&mut key[16..], EncryptionContext::None)
            .expect("one block is a multiple of the block length");
        let mac = Poly1305::new((&*key).into()).compute_unpadded(ciphertext);
        mac.into()
    }
}

impl fmt::Debug for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cipher(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Two known answers of Poly1305-AES (D. J. Bernstein's paper, appendix B).
    #[test]
    fn mac_gives_the_published_answers() {
        let cases = [
            (
                "f3f6",
                "851fc40c3467ac0be05cc20404f3f700",
                "ec074c835580741701425b623235add6",
                "fb447350c4e868c52ac3275cf9d4327e",
                "f4c633c3044fc145f84f335cb81953de",
            ),
            (
                "",
                "a0f3080000f46400d0c7e9076c834403",
                "75deaa25c09f208e1dc4ce6b5cad3fbf",
                "61ee09218d29b0aaed7e154a2c5509cc",
                "dd3fab2251f11ac759f0887129cc2ee7",
            ),
        ];
        for (message, r, k, nonce, expected) in cases {
            let mut key = [0; KEY_LEN];
            hex::decode_to_slice(k, &mut key[32..48]).unwrap();
            hex::decode_to_slice(r, &mut key[48..]).unwrap();
            let mut iv = [0; 16];
            hex::decode_to_slice(nonce, &mut iv).unwrap();
            let cipher = Cipher::new(&MasterKey::from_bytes(key));
            assert_eq!(
                hex::encode(cipher.mac(iv, &hex::decode(message).unwrap())),
                expected
            );
        }
    }

    proptest! {
        #[test]
        fn opens_what_it_sealed_and_nothing_else(
            message in proptest::collection::vec(any::<u8>(), 0..200),
            at in any::<proptest::sample::Index>(),
            bit in 0_u32..8,
        ) {
            let cipher = Cipher::new(&MasterKey::random());
            let mut sealed = cipher.seal(&message);
            prop_assert_eq!(sealed.len(), message.len() + OVERHEAD);
            prop_assert_eq!(cipher.open(&sealed).unwrap(), message);
            let index = at.index(sealed.len());
            sealed[index] ^= 1_u8 << bit;
            prop_assert!(cipher.open(&sealed).is_err());
        }
    }

    #[test]
    fn a_message_shorter_than_the_overhead_is_refused() {
        let cipher = Cipher::new(&MasterKey::random());
        for length in 0..OVERHEAD {
            assert_eq!(cipher.open(&vec![0; length]), Err(Unauthentic));
        }
    }
}
