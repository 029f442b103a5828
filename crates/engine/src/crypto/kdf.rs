//! From a password to a key: scrypt.

use zeroize::Zeroizing;

use super::{KEY_LEN, MasterKey};

/// Cost of deriving a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KdfCost {
    /// Work factor as a power of two; memory is `128 * r * 2^log_n` bytes.
    pub log_n: u8,
    /// Block size.
    pub r: u32,
    /// Repetitions.
    pub p: u32,
}

impl KdfCost {
    /// For passwords that people choose: restic's order of magnitude, about a third of a second.
    pub const HUMAN: Self = Self {
        log_n: 15,
        r: 8,
        p: 5,
    };
    /// For secrets with the entropy of a key, which nobody can guess anyway, and for tests.
    pub const MACHINE: Self = Self {
        log_n: 10,
        r: 8,
        p: 1,
    };

    /// Reads what a key file says. Refuses what would take more than 1 GiB of memory: a key file
    /// is read before anything proves that it is genuine.
    pub(crate) fn from_file(n: u64, r: u32, p: u32) -> Option<Self> {
        const MAX_MEMORY: u64 = 1 << 30;
        let memory = n.checked_mul(u64::from(r))?.checked_mul(128)?;
        let sane = n.is_power_of_two() && n > 1 && (1..=64).contains(&r) && (1..=64).contains(&p);
        let log_n = u8::try_from(n.trailing_zeros()).ok()?;
        (sane && memory <= MAX_MEMORY).then_some(Self { log_n, r, p })
    }
}

/// Derives a key; `None` if the cost is not one that scrypt takes.
pub(crate) fn derive(password: &[u8], salt: &[u8], cost: KdfCost) -> Option<MasterKey> {
    let params = scrypt::Params::new(cost.log_n, cost.r, cost.p).ok()?;
    let mut key = Zeroizing::new([0; KEY_LEN]);
    scrypt::scrypt(password, salt, &params, &mut *key).ok()?;
    Some(MasterKey::from_bytes(*key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_costs_that_would_exhaust_memory() {
        assert!(KdfCost::from_file(32768, 8, 5).is_some());
        assert!(KdfCost::from_file(1 << 40, 8, 1).is_none());
        assert!(KdfCost::from_file(u64::MAX, 8, 1).is_none());
        assert!(KdfCost::from_file(0, 8, 1).is_none());
        assert!(KdfCost::from_file(32768, 0, 1).is_none());
    }
}
