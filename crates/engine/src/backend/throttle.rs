//! Limits on the bytes sent and received per second.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use jiff::Timestamp;
use strongroom_domain::tree::Cancel;

use super::{Backend, FileKind, Handle, Listed, pause};

/// Most bytes per second, over all threads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bandwidth {
    /// Of what is written; no limit if `None`.
    pub upload: Option<u64>,
    /// Of what is read; no limit if `None`.
    pub download: Option<u64>,
}

/// What may pass at once without a pause.
const BURST: Duration = Duration::from_secs(1);

/// Turns bytes into time: each takes its share of a second on a line that is used by one at a time.
#[derive(Debug)]
struct Line {
    bytes_per_second: u64,
    start: Instant,
    /// When the line has carried all that it was given, counted from `start`.
    busy_until: Mutex<Duration>,
}

impl Line {
    fn new(bytes_per_second: u64) -> Self {
        Self {
            bytes_per_second: bytes_per_second.max(1),
            start: Instant::now(),
            busy_until: Mutex::default(),
        }
    }

    /// How long to pause for these bytes.
    fn take(&self, bytes: usize, now: Duration) -> Duration {
        let millis = (bytes as u64).saturating_mul(1_000) / self.bytes_per_second;
        // Nothing here can panic with the lock held.
        let mut busy_until = self
            .busy_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *busy_until = (*busy_until).max(now) + Duration::from_millis(millis);
        busy_until.saturating_sub(now + BURST)
    }

    fn carry(&self, bytes: usize, cancel: &Cancel) -> io::Result<()> {
        pause::wait(self.take(bytes, self.start.elapsed()), cancel)
    }
}

/// Another storage, with bandwidth limits. The limits hold on average: one file is sent as fast as
/// the line is, after or before a pause.
#[derive(Debug, Clone)]
pub struct ThrottledBackend {
    inner: Arc<dyn Backend>,
    upload: Option<Arc<Line>>,
    download: Option<Arc<Line>>,
    cancel: Cancel,
}

impl ThrottledBackend {
    /// `inner`, with limits.
    pub fn new(inner: Arc<dyn Backend>, limits: Bandwidth) -> Self {
        let line = |rate: u64| Arc::new(Line::new(rate));
        Self {
            inner,
            upload: limits.upload.map(line),
            download: limits.download.map(line),
            cancel: Cancel::new(),
        }
    }

    fn sending(&self, data: &Bytes) -> io::Result<()> {
        let upload = self.upload.as_ref();
        upload.map_or(Ok(()), |line| line.carry(data.len(), &self.cancel))
    }

    fn received(&self, data: Bytes) -> io::Result<Bytes> {
        if let Some(line) = &self.download {
            line.carry(data.len(), &self.cancel)?;
        }
        Ok(data)
    }
}

impl Backend for ThrottledBackend {
    fn url(&self) -> String {
        self.inner.url()
    }

    fn create(&self) -> io::Result<()> {
        self.inner.create()
    }

    fn put(&self, handle: Handle, data: Bytes) -> io::Result<()> {
        self.sending(&data)?;
        self.inner.put(handle, data)
    }

    fn put_new(&self, handle: Handle, data: Bytes) -> io::Result<()> {
        self.sending(&data)?;
        self.inner.put_new(handle, data)
    }

    fn get(&self, handle: Handle) -> io::Result<Bytes> {
        self.received(self.inner.get(handle)?)
    }

    fn get_within(&self, handle: Handle, limit: u64) -> io::Result<Bytes> {
        self.received(self.inner.get_within(handle, limit)?)
    }

    fn get_range(&self, handle: Handle, offset: u64, length: usize) -> io::Result<Bytes> {
        self.received(self.inner.get_range(handle, offset, length)?)
    }

    fn list(&self, kind: FileKind) -> io::Result<Vec<Listed>> {
        self.inner.list(kind)
    }

    fn delete(&self, handle: Handle) -> io::Result<()> {
        self.inner.delete(handle)
    }

    fn delete_many(&self, handles: &[Handle]) -> io::Result<()> {
        self.inner.delete_many(handles)
    }

    fn exists(&self, handle: Handle) -> io::Result<bool> {
        self.inner.exists(handle)
    }

    fn remove_stale(&self, now: Timestamp) -> io::Result<u64> {
        self.inner.remove_stale(now)
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

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn all_that_is_carried_takes_its_time_but_for_a_second() {
        let line = Line::new(1_000);
        let at = |seconds| SECOND * seconds;
        assert_eq!(line.take(1_000, at(0)), at(0), "a burst");
        assert_eq!(line.take(500, at(0)), SECOND / 2);
        assert_eq!(line.take(10_000, at(1)), SECOND * 19 / 2);
        assert_eq!(line.take(0, at(11)), at(0), "the debt is paid");
    }

    #[test]
    fn a_line_that_was_idle_saves_up_no_more_than_a_second() {
        let line = Line::new(1_000);
        assert_eq!(line.take(3_000, 100 * SECOND), 2 * SECOND);
    }
}
