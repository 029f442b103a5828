//! Login sessions: ZStack's, which slide, and Keystone's tokens, which do not.

use jiff::SignedDuration;
use strongroom_domain::{SessionId, credential::Session};

use super::{OpenedSession, authenticate::caller_of, secrets};
use crate::{Caller, ConflictKind, Error, Result, Service, error::AuthFailure};

/// A sliding session's end is written at most this often.
const WRITE_EVERY: SignedDuration = SignedDuration::from_mins(1);

impl Service {
    /// Opens a login session that lasts `lifetime`.
    pub async fn open_session(
        &self,
        caller: &Caller,
        lifetime: SignedDuration,
    ) -> Result<OpenedSession> {
        self.open_session_among(caller, lifetime, u64::MAX).await
    }

    /// The same; a conflict if the principal has `most` open sessions already.
    pub async fn open_session_among(
        &self,
        caller: &Caller,
        lifetime: SignedDuration,
        most: u64,
    ) -> Result<OpenedSession> {
        let id = SessionId::from_uuid(secrets::new_secret_uuid());
        let now = self.now();
        let session = Session {
            // The row's own id is not the secret one, which is kept as a hash only.
            id: SessionId::from_uuid(self.uuid()),
            lookup: secrets::lookup(&id.simple()),
            tenant_id: caller.tenant_id,
            principal_id: caller.principal_id,
            created_at: now,
            expires_at: now + lifetime,
        };
        let mut tx = self.begin().await?;
        if most < u64::MAX && tx.open_sessions(caller.principal_id, now).await? >= most {
            return Err(Error::conflict(
                ConflictKind::QuotaExceeded,
                "session",
                format!("the user has {most} open sessions, the most there may be"),
            ));
        }
        tx.insert_session(&session).await?;
        tx.commit().await?;
        let (created_at, expires_at) = (session.created_at, session.expires_at);
        Ok(OpenedSession {
            id,
            created_at,
            expires_at,
            caller: caller.clone(),
        })
    }

    /// The session that a client presents. With `extend`, its end moves to now + `extend`
    /// (ZStack's sliding sessions; written at most once a minute).
    pub async fn session(
        &self,
        id: SessionId,
        extend: Option<SignedDuration>,
    ) -> Result<OpenedSession> {
        let (lookup, now) = (secrets::lookup(&id.simple()), self.now());
        let known = &self.inner().known.sessions;
        let ((row, mut opened), era) = match known.get(lookup.as_str(), now) {
            Ok(found) => (found, None),
            Err(era) => (self.find_session(id, &lookup).await?, Some(era)),
        };
        if opened.expires_at <= now {
            return Err(Error::Unauthenticated(AuthFailure::Expired));
        }
        let end = extend.map(|extend| now + extend);
        if let Some(end) = end.filter(|end| *end >= opened.expires_at + WRITE_EVERY) {
            let mut tx = self.begin().await?;
            tx.extend_session(row, end).await?;
            tx.commit().await?;
            opened.expires_at = end;
            known.forget(lookup.as_str());
        } else if let Some(era) = era {
            known.put(lookup, (row, opened.clone()), now, era);
        }
        Ok(opened)
    }

    /// Ends a session; an unknown one is not an error.
    pub async fn close_session(&self, id: SessionId) -> Result<()> {
        let lookup = secrets::lookup(&id.simple());
        let found = self.read().await?.session_owner(&lookup).await?;
        let Some((session, _)) = found else {
            return Ok(());
        };
        let mut tx = self.begin().await?;
        tx.delete_session(session.id).await?;
        tx.commit().await?;
        self.inner().known.sessions.clear();
        Ok(())
    }

    /// The row's id and what the client sees of it.
    async fn find_session(
        &self,
        id: SessionId,
        lookup: &str,
    ) -> Result<(SessionId, OpenedSession)> {
        let found = self.read().await?.session_owner(lookup).await?;
        let (session, owner) = found.ok_or(Error::Unauthenticated(AuthFailure::Invalid))?;
        let caller = caller_of(&owner.tenant, &owner.principal);
        let (created_at, expires_at) = (session.created_at, session.expires_at);
        Ok((
            session.id,
            OpenedSession {
                id,
                created_at,
                expires_at,
                caller,
            },
        ))
    }
}
