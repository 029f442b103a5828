//! The attempts that this process works on, so that they can be stopped at once.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use strongroom_domain::{JobId, tree::Cancel};
use uuid::Uuid;

/// Why an attempt is to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// Somebody asked for it.
    Requested,
    /// Its lease is lost: somebody else works on it.
    LeaseLost,
    /// The process ends; somebody else shall go on.
    Shutdown,
}

/// How an attempt is told to stop. The first reason counts.
#[derive(Debug, Default)]
pub(crate) struct Signal {
    pub(crate) cancel: Cancel,
    why: OnceLock<Why>,
}

impl Signal {
    pub(crate) fn stop(&self, why: Why) {
        self.why.get_or_init(|| why);
        self.cancel.cancel();
    }

    pub(crate) fn why(&self) -> Option<Why> {
        self.why.get().copied()
    }
}

/// What runs in this process: by job, what it is about and how to stop it.
#[derive(Debug, Default)]
pub(crate) struct Running(Mutex<HashMap<JobId, (Uuid, Arc<Signal>)>>);

impl Running {
    pub(crate) fn add(&self, job: JobId, subject: Uuid, signal: Arc<Signal>) {
        self.lock().insert(job, (subject, signal));
    }

    pub(crate) fn remove(&self, job: JobId) {
        self.lock().remove(&job);
    }

    /// Asks the attempts about a backup or restore to stop.
    pub(crate) fn cancel(&self, subject: Uuid) {
        for (_, signal) in self.lock().values().filter(|(about, _)| *about == subject) {
            signal.stop(Why::Requested);
        }
    }

    /// Asks all attempts to stop so that somebody else can go on.
    pub(crate) fn hand_back_all(&self) {
        for (_, signal) in self.lock().values() {
            signal.stop(Why::Shutdown);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<JobId, (Uuid, Arc<Signal>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
