//! Telling a client that its operation has ended. The core keeps what is due; a face words the
//! message and sends it.

use std::time::Duration;

use strongroom_domain::{Face, callback::Callback, operation::Operation};

use crate::{Caller, Error, Result, Service};

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

    /// At most `most` calls of a face that are due. Each is the caller's to make for as long as
    /// `lease`; then it is due again, unless [`called_back`](Self::called_back) or
    /// [`call_back_later`](Self::call_back_later) says otherwise. Their `next_at` is now.
    pub async fn due_callbacks(
        &self,
        face: Face,
        lease: Duration,
        most: u32,
    ) -> Result<Vec<Callback>> {
        let now = self.now();
        let due = self.read().await?.due_callbacks(face, now, most).await?;
        let mut claimed = Vec::new();
        for mut callback in due {
            let again = now.checked_add(lease).unwrap_or(now);
            let mut tx = self.begin().await?;
            let mine = tx.claim_callback(&callback, again).await?;
            tx.commit().await?;
            if mine {
                callback.attempts += 1;
                callback.next_at = now;
                claimed.push(callback);
            }
        }
        Ok(claimed)
    }

    /// A call did not get through: it is due again `pause` after it was handed out.
    pub async fn call_back_later(&self, callback: &Callback, pause: Duration) -> Result<()> {
        let tried = callback.next_at;
        let again = tried.checked_add(pause).unwrap_or(tried);
        let mut tx = self.begin().await?;
        tx.put_off_callback(callback.operation_id, again).await?;
        Ok(tx.commit().await?)
    }

    /// A call was made, or is given up.
    pub async fn called_back(&self, callback: &Callback) -> Result<()> {
        let mut tx = self.begin().await?;
        tx.delete_callback(callback.operation_id).await?;
        Ok(tx.commit().await?)
    }
}
