//! Tries again what failed for a reason that may pass.
//!
//! Every operation on a repository's files may be repeated: a file has one content for ever, and
//! removing it twice is removing it. So an operation that was carried out although its answer got
//! lost does no harm, and a read that broke off goes on where it stopped.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use strongroom_domain::tree::Cancel;

use super::pause::{self, Cancelled, may_stop};
use super::{Backend, FileKind, Handle, Listed, Truncated};
use crate::crypto::fill_random;

/// Told of every failure that will be tried again.
pub type Notice = Arc<dyn Fn(&str) + Send + Sync>;

/// How often and how patiently to try again.
#[derive(Clone)]
pub struct RetryPolicy {
    /// Attempts at one operation once the storage has answered.
    pub attempts: u32,
    /// Attempts before it has ever answered: a wrong address should be known soon.
    pub first_attempts: u32,
    /// Longest pause after the first failure; it doubles with each. The real pause is between
    /// half of it and all of it, so that many clients do not come back at the same time.
    pub pause: Duration,
    /// No pause is longer.
    pub longest_pause: Duration,
    /// Hears what failed.
    pub notice: Option<Notice>,
}

impl Default for RetryPolicy {
    /// About four minutes of trying, a good second for a storage that never answered.
    fn default() -> Self {
        Self {
            attempts: 20,
            first_attempts: 4,
            pause: Duration::from_millis(250),
            longest_pause: Duration::from_secs(20),
            notice: None,
        }
    }
}

impl RetryPolicy {
    /// The longest pause after so many failures.
    fn pause_after(&self, failures: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
        self.pause.saturating_mul(doubled).min(self.longest_pause)
    }
}

impl fmt::Debug for RetryPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryPolicy")
            .field("attempts", &self.attempts)
            .field("first_attempts", &self.first_attempts)
            .field("pause", &self.pause)
            .field("longest_pause", &self.longest_pause)
            .finish_non_exhaustive()
    }
}

/// Whether trying again may help.
fn may_pass(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    if Truncated::of(error).is_some() {
        return true;
    }
    !Cancelled::is_in(error)
        && !matches!(
            error.kind(),
            Kind::NotFound
                | Kind::AlreadyExists
                | Kind::PermissionDenied
                | Kind::InvalidInput
                | Kind::InvalidData
                | Kind::InvalidFilename
                | Kind::FileTooLarge
                | Kind::UnexpectedEof
                | Kind::Unsupported
                | Kind::StorageFull
                | Kind::QuotaExceeded
                | Kind::ReadOnlyFilesystem
        )
}

/// Another storage, with patience.
#[derive(Debug, Clone)]
pub struct RetryBackend {
    inner: Arc<dyn Backend>,
    policy: RetryPolicy,
    cancel: Cancel,
    /// Whether `inner` has ever answered, if only with a refusal.
    answered: Arc<AtomicBool>,
}

impl RetryBackend {
    /// `inner`, tried again as `policy` says.
    pub fn new(inner: Arc<dyn Backend>, policy: RetryPolicy) -> Self {
        Self {
            inner,
            policy,
            cancel: Cancel::new(),
            answered: Arc::default(),
        }
    }

    fn repeat<T>(
        &self,
        kind: FileKind,
        what: &dyn fmt::Display,
        mut attempt: impl FnMut() -> io::Result<T>,
    ) -> io::Result<T> {
        let mut failures = 0;
        loop {
            if may_stop(kind) {
                pause::check(&self.cancel)?;
            }
            let error = match attempt() {
                Err(error) if may_pass(&error) => error,
                answer => {
                    self.answered.store(true, Ordering::Relaxed);
                    return answer;
                }
            };
            failures += 1;
            let attempts = if self.answered.load(Ordering::Relaxed) {
                self.policy.attempts
            } else {
                self.policy.first_attempts
            };
            if failures >= attempts {
                return Err(error);
            }
            let pause = shortened(self.policy.pause_after(failures));
            if let Some(notice) = &self.policy.notice {
                let seconds = pause.as_secs_f32();
                notice(&format!("{what}: {error}; trying again in {seconds:.1} s"));
            }
            pause::wait(pause, &self.cancel)?;
        }
    }

    /// Reads a file and goes on where a read broke off.
    fn read(&self, handle: Handle, wanted: Wanted) -> io::Result<Bytes> {
        let (start, limit, mut wanted) = match wanted {
            Wanted::Range(start, length) => (start, u64::MAX, Some(length)),
            Wanted::Within(limit) => (0, limit, None),
        };
        let mut received = BytesMut::new();
        self.repeat(handle.kind(), &format_args!("reading {handle}"), || {
            let rest = wanted.map(|wanted| wanted.saturating_sub(received.len()));
            let read = match rest {
                Some(rest) => {
                    let from = start + received.len() as u64;
                    self.inner.get_range(handle, from, rest)
                }
                None => self.inner.get_within(handle, limit),
            };
            let data = match read {
                Err(error) => {
                    if let Some(part) = Truncated::of(&error) {
                        received.extend_from_slice(&part.received);
                        let total = usize::try_from(part.expected).ok();
                        wanted = wanted.or(total.filter(|total| *total >= received.len()));
                        if wanted.is_none() {
                            received.clear();
                        }
                    }
                    return Err(error);
                }
                Ok(data) => data,
            };
            let expected = rest.unwrap_or(data.len());
            if data.len() < expected {
                received.extend_from_slice(&data);
                return Err(Truncated::error(Bytes::new(), 0));
            }
            if received.is_empty() {
                return Ok(data);
            }
            received.extend_from_slice(&data);
            Ok(std::mem::take(&mut received).freeze())
        })
    }
}

/// What of a file is read.
enum Wanted {
    /// From here so many bytes.
    Range(u64, usize),
    /// All of it, if it has no more bytes than this.
    Within(u64),
}

/// Between half of it and all of it.
fn shortened(pause: Duration) -> Duration {
    let mut random = [0; 2];
    fill_random(&mut random);
    pause / 2 + pause / 2 * u32::from(u16::from_le_bytes(random)) / u32::from(u16::MAX)
}

impl Backend for RetryBackend {
    fn url(&self) -> String {
        self.inner.url()
    }

    fn create(&self) -> io::Result<()> {
        self.repeat(FileKind::Config, &"creating the repository", || {
            self.inner.create()
        })
    }

    fn put(&self, handle: Handle, data: Bytes) -> io::Result<()> {
        self.repeat(handle.kind(), &format_args!("writing {handle}"), || {
            self.inner.put(handle, data.clone())
        })
    }

    fn put_new(&self, handle: Handle, data: Bytes) -> io::Result<()> {
        let mut tried = false;
        self.repeat(handle.kind(), &format_args!("writing {handle}"), || {
            let again = std::mem::replace(&mut tried, true);
            match self.inner.put_new(handle, data.clone()) {
                // Perhaps an earlier attempt got through and only its answer was lost.
                Err(error) if again && error.kind() == io::ErrorKind::AlreadyExists => {
                    if self.inner.get(handle)? == data {
                        Ok(())
                    } else {
                        Err(error)
                    }
                }
                result => result,
            }
        })
    }

    fn get(&self, handle: Handle) -> io::Result<Bytes> {
        self.read(handle, Wanted::Within(u64::MAX))
    }

    fn get_within(&self, handle: Handle, limit: u64) -> io::Result<Bytes> {
        self.read(handle, Wanted::Within(limit))
    }

    fn get_range(&self, handle: Handle, offset: u64, length: usize) -> io::Result<Bytes> {
        self.read(handle, Wanted::Range(offset, length))
    }

    fn list(&self, kind: FileKind) -> io::Result<Vec<Listed>> {
        self.repeat(
            kind,
            &format_args!("listing `{}`", kind.directory()),
            || self.inner.list(kind),
        )
    }

    fn delete(&self, handle: Handle) -> io::Result<()> {
        self.repeat(handle.kind(), &format_args!("deleting {handle}"), || {
            self.inner.delete(handle)
        })
    }

    fn delete_many(&self, handles: &[Handle]) -> io::Result<()> {
        let count = handles.len();
        let kind = handles.first().map_or(FileKind::Pack, Handle::kind);
        self.repeat(kind, &format_args!("deleting {count} files"), || {
            self.inner.delete_many(handles)
        })
    }

    fn exists(&self, handle: Handle) -> io::Result<bool> {
        self.repeat(handle.kind(), &format_args!("looking for {handle}"), || {
            self.inner.exists(handle)
        })
    }

    fn with_cancel(&self, cancel: &Cancel) -> Option<Arc<dyn Backend>> {
        let inner = self.inner.with_cancel(cancel);
        Some(Arc::new(Self {
            inner: inner.unwrap_or_else(|| Arc::clone(&self.inner)),
            cancel: cancel.clone(),
            ..self.clone()
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let policy = RetryPolicy::default();
        let pauses = [1, 2, 3, 7, 8, 19, 500].map(|n| policy.pause_after(n).as_millis());
        assert_eq!(pauses, [250, 500, 1_000, 16_000, 20_000, 20_000, 20_000]);
    }

    #[test]
    fn a_pause_is_cut_by_half_at_most() {
        let pause = Duration::from_secs(8);
        for _ in 0..1_000 {
            let shorter = shortened(pause);
            assert!(shorter >= pause / 2 && shorter <= pause, "{shorter:?}");
        }
    }
}
