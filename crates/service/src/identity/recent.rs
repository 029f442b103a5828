//! A small memory of who was behind a credential a moment ago.
//!
//! Lists are asked for many times a second with the same token; looking it up each time would
//! cost more than the list. What is remembered is forgotten after a few seconds, so that a
//! credential revoked by another server process stops working soon; one revoked here stops at
//! once.

use std::{
    borrow::Borrow,
    collections::HashMap,
    hash::Hash,
    sync::{PoisonError, RwLock},
};

use jiff::{SignedDuration, Timestamp};
use strongroom_domain::{Secret, SessionId};

use super::OpenedSession;
use crate::Caller;

/// How long a looked-up credential is believed.
const LIFETIME: SignedDuration = SignedDuration::from_secs(5);
/// Entries held at most; beyond it everything is forgotten and looked up again.
const MAX_ENTRIES: usize = 10_000;

/// Who was behind what a moment ago.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// By the hash of a token.
    pub(crate) tokens: Recent<String, (Caller, Option<Timestamp>)>,
    /// By access key id.
    pub(crate) access_keys: Recent<String, (Caller, Secret)>,
    /// By the hash of a session's id; with the id of its row.
    pub(crate) sessions: Recent<String, (SessionId, OpenedSession)>,
}

impl Known {
    /// Forgets everybody; after something was revoked.
    pub(crate) fn clear(&self) {
        self.tokens.clear();
        self.access_keys.clear();
        self.sessions.clear();
    }
}

/// Remembers values for a few seconds.
#[derive(Debug)]
pub(crate) struct Recent<K, V>(RwLock<Memory<K, V>>);

#[derive(Debug)]
struct Memory<K, V> {
    values: HashMap<K, (Timestamp, V)>,
    era: Era,
}

/// Changes whenever everything is forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Era(u64);

impl<K, V> Default for Recent<K, V> {
    fn default() -> Self {
        Self(RwLock::new(Memory {
            values: HashMap::new(),
            era: Era(0),
        }))
    }
}

impl<K: Eq + Hash, V: Clone> Recent<K, V> {
    /// The value if it was put in a moment ago, else the era to [`put`](Self::put) it with.
    pub(crate) fn get<Q>(&self, key: &Q, now: Timestamp) -> Result<V, Era>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let memory = self.0.read().unwrap_or_else(PoisonError::into_inner);
        match memory.values.get(key) {
            // A clock that was set back must not make an entry live on.
            Some((at, value)) if now.duration_since(*at).abs() <= LIFETIME => Ok(value.clone()),
            _ => Err(memory.era),
        }
    }

    /// Remembers what was looked up, unless something was revoked since the look-up began.
    pub(crate) fn put(&self, key: K, value: V, now: Timestamp, era: Era) {
        let mut memory = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if memory.era != era {
            return;
        }
        if memory.values.len() >= MAX_ENTRIES {
            memory.values.clear();
        }
        memory.values.insert(key, (now, value));
    }

    /// Forgets one value.
    pub(crate) fn forget<Q>(&self, key: &Q)
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .values
            .remove(key);
    }

    /// Forgets everything; after something was revoked.
    pub(crate) fn clear(&self) {
        let mut memory = self.0.write().unwrap_or_else(PoisonError::into_inner);
        memory.era = Era(memory.era.0 + 1);
        memory.values.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_believed_for_a_moment_only() {
        let recent = Recent::default();
        let start = Timestamp::UNIX_EPOCH;
        let era = recent.get("a", start).unwrap_err();
        recent.put("a", 1, start, era);
        assert_eq!(recent.get("a", start + LIFETIME), Ok(1));
        assert!(recent.get("a", start + LIFETIME * 2).is_err());
        assert!(recent.get("a", start - LIFETIME * 2).is_err());
    }

    #[test]
    fn what_was_looked_up_before_a_revocation_is_not_remembered_after_it() {
        let recent = Recent::default();
        let now = Timestamp::UNIX_EPOCH;
        let era = recent.get("a", now).unwrap_err();
        recent.clear();
        recent.put("a", 1, now, era);
        assert!(recent.get("a", now).is_err());
    }
}
