//! Events, and the progress of active work.

use strongroom_domain::{Backup, event::Event, restore::Restore};

use super::common::progress;
use crate::v1::wire::{self, ActiveWork};

impl From<Event> for wire::Event {
    fn from(event: Event) -> Self {
        let Event {
            id,
            tenant_id: _,
            at,
            name,
            subject,
            principal_id,
            details,
        } = event;
        Self {
            id,
            at,
            name,
            subject: subject.map(wire::Subject::from),
            principal_id,
            details,
        }
    }
}

impl From<&Backup> for ActiveWork {
    fn from(backup: &Backup) -> Self {
        Self {
            id: backup.id.uuid(),
            state: backup.state.to_string(),
            progress: progress(backup.progress, backup.percent()),
            reason: backup.reason.clone(),
        }
    }
}

impl From<&Restore> for ActiveWork {
    fn from(restore: &Restore) -> Self {
        Self {
            id: restore.id.uuid(),
            state: restore.state.to_string(),
            progress: progress(restore.progress, restore.percent()),
            reason: restore.reason.clone(),
        }
    }
}
