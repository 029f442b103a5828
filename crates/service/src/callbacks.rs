//! Telling a client that its operation has ended. The core keeps what is due; a face words the
//! message and sends it.

use std::time::Duration;

use strongroom_domain::{Face, callback::Callback, operation::Operation};

use crate::{Caller, Error, Result, Service};

/// How many due calls are handed out at a time.
const AT_ONCE: u32 = 32;

impl Service {
    /// Has `url` called when the operation has ended, which it may have already.
    pub async fn call_back(
        &self,
        caller: &Caller,
        operation: &Operation,
        url: String,
    ) -> Result<()> {
        let face = caller
            .face
            .ok_or_else(|| Error::internal("only a face calls back"))?;
        let callback = Callback {
            operation_id: operation.id,
            tenant_id: operation.tenant_id,
            url,
            attempts: 0,
            next_at: operation.created_at,
        };
        let mut tx = self.begin().await?;
        tx.insert_callback(face, &callback).await?;
        tx.commit().await?;
        self.changed();
        Ok(())
    }

    /// The calls of a face that are due. Each is the caller's to make, and comes again after
    /// `pause` unless [`called_back`](Self::called_back) says that it is over.
    pub async fn due_callbacks(&self, face: Face, pause: Duration) -> Result<Vec<Callback>> {
        let now = self.now();
        let due = self.read().await?.due_callbacks(face, now, AT_ONCE).await?;
        let mut claimed = Vec::new();
        for mut callback in due {
            let again = now.checked_add(pause).unwrap_or(now);
            let mut tx = self.begin().await?;
            let mine = tx.claim_callback(&callback, again).await?;
            tx.commit().await?;
            if mine {
                callback.attempts += 1;
                claimed.push(callback);
            }
        }
        Ok(claimed)
    }

    /// A call was made, or is given up.
    pub async fn called_back(&self, callback: &Callback) -> Result<()> {
        let mut tx = self.begin().await?;
        tx.delete_callback(callback.operation_id).await?;
        Ok(tx.commit().await?)
    }
}
