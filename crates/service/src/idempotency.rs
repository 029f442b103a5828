//! Requests that may be sent twice: the second gets the first one's answer.

use jiff::SignedDuration;
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use strongroom_store::{Idempotency, Tx};

use crate::{Caller, ConflictKind, Error, Result, Service};

/// How long an answer is remembered.
const LIFETIME: SignedDuration = SignedDuration::from_hours(24);
/// Longest key in bytes.
const MAX_KEY: usize = 255;

/// A key that came with a request, and what it was a key of.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    key: String,
    request_hash: String,
}

impl Key {
    /// The key of a request to `verb`, if it came with one.
    pub(crate) fn new(
        key: Option<&str>,
        verb: &str,
        request: &impl Serialize,
    ) -> Result<Option<Self>> {
        let Some(key) = key else { return Ok(None) };
        if key.is_empty() || key.len() > MAX_KEY {
            let reason = format!("must have between 1 and {MAX_KEY} characters");
            return Err(Error::invalid("idempotency_key", reason));
        }
        let json = serde_json::to_vec(request).map_err(Error::internal)?;
        let mut hasher = Sha256::new();
        hasher.update(verb);
        hasher.update([0]);
        hasher.update(json);
        Ok(Some(Self {
            key: key.to_owned(),
            request_hash: hex::encode(hasher.finalize()),
        }))
    }
}

impl Service {
    /// The first answer, if this request was answered before.
    pub(crate) async fn replay<T: DeserializeOwned>(
        &self,
        caller: &Caller,
        key: Option<&Key>,
    ) -> Result<Option<T>> {
        let Some(key) = key else { return Ok(None) };
        let found = self
            .read()
            .await?
            .idempotency(caller.tenant_id, &key.key, self.now())
            .await?;
        let Some(record) = found else { return Ok(None) };
        if record.request_hash != key.request_hash {
            let message = format!(
                "the idempotency key `{}` was used with another request",
                key.key
            );
            return Err(Error::conflict(ConflictKind::KeyReused, "request", message));
        }
        serde_json::from_value(record.answer)
            .map(Some)
            .map_err(Error::internal)
    }

    /// The first answer, after a request was found to be a repetition of one that was sent at the
    /// same time.
    pub(crate) async fn replay_of_another<T: DeserializeOwned>(
        &self,
        caller: &Caller,
        key: Option<&Key>,
    ) -> Result<Option<T>> {
        // Transactions that come close together are committed together: what stood in the way
        // can be read once one that came after it is committed.
        self.begin().await?.commit().await?;
        self.replay(caller, key).await
    }

    /// Remembers the answer in the transaction that the request made. Fails with a duplicate if
    /// the same request, sent at the same time, was faster.
    pub(crate) async fn remember(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        key: Option<Key>,
        answer: &impl Serialize,
    ) -> Result<()> {
        let Some(key) = key else { return Ok(()) };
        let record = Idempotency {
            tenant_id: caller.tenant_id,
            key: key.key,
            request_hash: key.request_hash,
            answer: serde_json::to_value(answer).map_err(Error::internal)?,
            created_at: self.now(),
            expires_at: self.now() + LIFETIME,
        };
        if tx.insert_idempotency(&record).await? {
            return Ok(());
        }
        let message = format!("the idempotency key `{}` is being used", record.key);
        Err(Error::conflict(
            ConflictKind::DuplicateName,
            "request",
            message,
        ))
    }
}
