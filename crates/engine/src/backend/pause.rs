//! Waiting that ends early when the job is cancelled.

use std::io;
use std::time::Duration;

use strongroom_domain::tree::Cancel;

use super::FileKind;

/// How long a cancelled job may go on waiting.
pub(super) const NOTICE: Duration = Duration::from_millis(50);

/// The job that a storage works for was cancelled.
#[derive(Debug, thiserror::Error)]
#[error("cancelled")]
pub(crate) struct Cancelled;

impl Cancelled {
    pub(super) fn error() -> io::Error {
        io::Error::new(io::ErrorKind::Interrupted, Self)
    }

    /// Whether an error says that the job was cancelled.
    pub(crate) fn is_in(error: &io::Error) -> bool {
        error
            .get_ref()
            .and_then(|it| it.downcast_ref::<Self>())
            .is_some()
    }
}

/// Whether a cancelled job does without this kind of file. Its lock it still removes, but without
/// trying for long.
pub(super) fn may_stop(kind: FileKind) -> bool {
    kind != FileKind::Lock
}

/// Fails if the job was cancelled.
pub(super) fn check(cancel: &Cancel) -> io::Result<()> {
    if cancel.is_cancelled() {
        Err(Cancelled::error())
    } else {
        Ok(())
    }
}

/// Waits so long, or fails as soon as the job is cancelled.
pub(super) fn wait(mut time: Duration, cancel: &Cancel) -> io::Result<()> {
    check(cancel)?;
    while !time.is_zero() {
        let slice = time.min(NOTICE);
        std::thread::sleep(slice);
        time -= slice;
        check(cancel)?;
    }
    Ok(())
}
