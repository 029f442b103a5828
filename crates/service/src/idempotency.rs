//! Requests that may be sent twice: the second gets the first one's answer.

use std::future::Future;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use strongroom_domain::Secret;
use strongroom_store::{Idempotency, Tx};
use uuid::Uuid;

use crate::{Caller, ConflictKind, Error, Purpose, Result, Service};

/// How long an answer is remembered.
const LIFETIME: SignedDuration = SignedDuration::from_hours(24);
/// Longest key in bytes.
const MAX_KEY: usize = 255;

/// A key that came with a request, and what it was a key of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestKey {
    key: String,
    request: [u8; 32],
}

impl RequestKey {
    /// The key that came with the request made of these parts.
    pub fn new(key: &str, request: &[&[u8]]) -> Result<Self> {
        if key.is_empty() || key.len() > MAX_KEY {
            let reason = format!("must have between 1 and {MAX_KEY} characters");
            return Err(Error::invalid("idempotency-key", reason));
        }
        let mut hasher = Sha256::new();
        for part in request {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        Ok(Self {
            key: key.to_owned(),
            request: hasher.finalize().into(),
        })
    }
}

/// A secret as the record of an answer keeps it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Sealed(String);

impl Service {
    /// Does `make`, unless the caller's request was carried out before: then `again` looks up what
    /// that made. `make` calls [`remember`](Self::remember) in its transaction.
    pub(crate) fn once<A, T, F>(
        &self,
        caller: &Caller,
        make: impl Future<Output = Result<T>>,
        again: impl FnOnce(A) -> F,
    ) -> impl Future<Output = Result<T>>
    where
        A: DeserializeOwned,
        F: Future<Output = Result<T>>,
    {
        // On the heap, or every verb's future would hold it several times over.
        let make = Box::pin(make);
        async move {
            if let Some(answer) = self.replay(caller).await? {
                return again(answer).await;
            }
            match make.await {
                Err(error) if caller.key.is_some() => {
                    // Somebody may have sent the same request at the same time and been faster.
                    // Transactions that come close together are committed together: what stood
                    // in the way can be read once one that came after it is committed.
                    self.begin().await?.commit().await?;
                    match self.replay(caller).await? {
                        Some(answer) => again(answer).await,
                        None => Err(error),
                    }
                }
                done => done,
            }
        }
    }

    /// The first answer, if this request was answered before.
    async fn replay<A: DeserializeOwned>(&self, caller: &Caller) -> Result<Option<A>> {
        let Some(RequestKey { key, .. }) = &caller.key else {
            return Ok(None);
        };
        let found = self
            .read()
            .await?
            .idempotency(caller.tenant_id, key, self.now())
            .await?;
        let Some(record) = found else { return Ok(None) };
        if Some(record.request_hash) != self.request_hash(caller) {
            let message = format!("the idempotency key `{key}` was used with another request");
            return Err(Error::conflict(ConflictKind::KeyReused, "request", message));
        }
        serde_json::from_value(record.answer)
            .map(Some)
            .map_err(Error::internal)
    }

    /// Remembers the answer in the transaction that the request made. Fails with a duplicate if
    /// the same request, sent at the same time, was faster.
    pub(crate) async fn remember(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        answer: &impl Serialize,
    ) -> Result<()> {
        let (Some(RequestKey { key, .. }), Some(request_hash)) =
            (&caller.key, self.request_hash(caller))
        else {
            return Ok(());
        };
        let record = Idempotency {
            tenant_id: caller.tenant_id,
            key: key.clone(),
            request_hash,
            answer: serde_json::to_value(answer).map_err(Error::internal)?,
            created_at: self.now(),
            expires_at: self.now() + LIFETIME,
        };
        if tx.insert_idempotency(&record).await? {
            return Ok(());
        }
        let message = format!("the idempotency key `{key}` is being used");
        Err(Error::conflict(
            ConflictKind::DuplicateName,
            "request",
            message,
        ))
    }

    /// What is kept of the request: whether it is the same one by the same principal can be told,
    /// but no password that was in it can be guessed.
    fn request_hash(&self, caller: &Caller) -> Option<String> {
        let request = caller.key.as_ref()?.request;
        let principal = caller.principal_id.uuid();
        let keyring = &self.inner().keyring;
        Some(keyring.digest(&[principal.as_bytes(), &request[..]].concat()))
    }

    /// A secret for an answer that is remembered.
    pub(crate) fn seal_answer(&self, of: Uuid, secret: &Secret) -> Sealed {
        let plain = secret.expose().as_bytes();
        Sealed(hex::encode(self.inner().keyring.seal(
            Purpose::Answer,
            of,
            plain,
        )))
    }

    /// The secret of an answer that was remembered.
    pub(crate) fn open_answer(&self, of: Uuid, sealed: &Sealed) -> Result<Secret> {
        let sealed = hex::decode(&sealed.0).map_err(Error::internal)?;
        let opened = self.inner().keyring.open(Purpose::Answer, of, &sealed);
        let opened = opened.map_err(Error::internal)?;
        let text = std::str::from_utf8(&opened).map_err(Error::internal)?;
        Ok(Secret::new(text))
    }
}
