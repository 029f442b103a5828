//! restic's lock files, so that programs do not work against one another.
//!
//! Backup, restore and check share a repository; forget and prune need it alone. A lock is written
//! anew every five minutes; one that is older than thirty, or whose process on this machine is
//! gone, counts for nothing and is removed by whoever comes next.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::backend::{FileKind, Handle};
use crate::error::{Error, Result};
use crate::format::lock::LockFile;
use crate::id::Id;
use crate::repository::Repository;

/// How often a lock is written anew.
const REFRESH: Duration = Duration::from_mins(5);
/// Age at which a lock counts for nothing.
const STALE: SignedDuration = SignedDuration::from_mins(30);

/// Alone or with others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LockMode {
    Shared,
    Exclusive,
}

/// Who holds locks: this process.
#[derive(Debug, Clone)]
pub(crate) struct Owner {
    pub(crate) hostname: String,
    pub(crate) username: String,
    pid: i64,
    uid: u32,
    gid: u32,
}

impl Owner {
    pub(crate) fn this_process() -> Self {
        let hostname = rustix::system::uname()
            .nodename()
            .to_string_lossy()
            .into_owned();
        let uid = rustix::process::getuid().as_raw();
        Self {
            hostname,
            username: if uid == 0 {
                "root".to_owned()
            } else {
                format!("uid {uid}")
            },
            pid: i64::from(std::process::id()),
            uid,
            gid: rustix::process::getgid().as_raw(),
        }
    }

    fn lock_file(&self, mode: LockMode, time: Timestamp) -> LockFile {
        LockFile {
            time,
            exclusive: mode == LockMode::Exclusive,
            hostname: self.hostname.clone(),
            username: self.username.clone(),
            pid: self.pid,
            uid: Some(self.uid),
            gid: Some(self.gid),
        }
    }
}

/// Whether nobody can be at work under this lock any more.
fn is_stale(lock: &LockFile, owner: &Owner, now: Timestamp) -> bool {
    if now.duration_since(lock.time) > STALE {
        return true;
    }
    lock.hostname == owner.hostname && lock.pid != owner.pid && !process_exists(lock.pid)
}

fn process_exists(pid: i64) -> bool {
    let Some(pid) = i32::try_from(pid)
        .ok()
        .and_then(rustix::process::Pid::from_raw)
    else {
        return false;
    };
    // No permission to signal it means that it is there.
    rustix::process::test_kill_process(pid) != Err(rustix::io::Errno::SRCH)
}

/// A lock held until dropped.
pub(crate) struct Lock {
    shared: Arc<Shared>,
    refresher: Option<JoinHandle<()>>,
}

struct Shared {
    repository: Repository,
    mode: LockMode,
    state: Mutex<State>,
    wake: Condvar,
}

struct State {
    /// The lock file there is now.
    id: Id,
    written: Timestamp,
    /// Somebody removed it.
    lost: bool,
    released: bool,
}

impl Lock {
    /// Takes a lock or says who holds one against it.
    pub(crate) fn acquire(repository: &Repository, mode: LockMode) -> Result<Self> {
        check_others(repository, mode, None)?;
        let (id, written) = write(repository, mode)?;
        // Two that looked at the same time both see the other's now.
        if let Err(error) = check_others(repository, mode, Some(id)) {
            repository.delete(Handle::new(FileKind::Lock, id))?;
            return Err(error);
        }
        let shared = Arc::new(Shared {
            repository: repository.clone(),
            mode,
            state: Mutex::new(State {
                id,
                written,
                lost: false,
                released: false,
            }),
            wake: Condvar::new(),
        });
        let for_thread = Arc::clone(&shared);
        let refresher = std::thread::Builder::new()
            .name("lock-refresh".to_owned())
            .spawn(move || for_thread.keep_fresh())
            .map_err(|source| Error::Storage {
                action: "refresh",
                object: "lock".to_owned(),
                source,
            })?;
        Ok(Self {
            shared,
            refresher: Some(refresher),
        })
    }

    /// Fails if the lock is not there any more, or could not be kept fresh, so that others may
    /// have taken it for dead. To be called before anything is written that makes earlier writes
    /// count, and before anything is deleted.
    pub(crate) fn ensure_held(&self) -> Result<()> {
        let repository = &self.shared.repository;
        let state = self.shared.state.lock();
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        let handle = Handle::new(FileKind::Lock, state.id);
        let age = repository.clock().now().duration_since(state.written);
        state.lost = state.lost || age > STALE || !is_there(repository, handle)?;
        if state.lost {
            return Err(Error::LockLost(handle.into()));
        }
        Ok(())
    }
}

impl Shared {
    fn keep_fresh(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while !state.released && !state.lost {
            let waited = self.wake.wait_timeout(state, REFRESH);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            if state.released {
                return;
            }
            let now = self.repository.clock().now();
            // Woken for another reason than the time that has passed.
            if now.duration_since(state.written) < SignedDuration::from_mins(1) {
                continue;
            }
            // Whoever removed it may have let others in: a new one would not keep them out.
            let handle = Handle::new(FileKind::Lock, state.id);
            state.lost = is_there(&self.repository, handle).is_ok_and(|there| !there);
            if state.lost {
                return;
            }
            // A failure is tried again next time; `ensure_held` notices if it lasts.
            if let Ok((id, written)) = write(&self.repository, self.mode) {
                let old = std::mem::replace(&mut state.id, id);
                state.written = written;
                drop(self.repository.delete(Handle::new(FileKind::Lock, old)));
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let id = {
            let mut state = self
                .shared
                .state
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            state.released = true;
            state.id
        };
        self.shared.wake.notify_all();
        if let Some(refresher) = self.refresher.take() {
            drop(refresher.join());
        }
        // If this fails the lock goes stale by itself.
        drop(
            self.shared
                .repository
                .delete(Handle::new(FileKind::Lock, id)),
        );
    }
}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock")
            .field("mode", &self.shared.mode)
            .finish_non_exhaustive()
    }
}

fn is_there(repository: &Repository, handle: Handle) -> Result<bool> {
    let found = repository.backend().exists(handle);
    found.map_err(|error| Error::storage("read", handle, error))
}

fn write(repository: &Repository, mode: LockMode) -> Result<(Id, Timestamp)> {
    let now = repository.clock().now();
    let file = repository.owner().lock_file(mode, now);
    Ok((repository.write_json(FileKind::Lock, &file)?, now))
}

/// Fails if somebody else's lock excludes one of this `mode`; removes stale ones.
fn check_others(repository: &Repository, mode: LockMode, own: Option<Id>) -> Result<()> {
    let now = repository.clock().now();
    for (id, lock) in read_all(repository)? {
        let lock = lock?;
        if Some(id) == own {
            continue;
        }
        if is_stale(&lock, repository.owner(), now) {
            repository.delete(Handle::new(FileKind::Lock, id))?;
        } else if lock.exclusive || mode == LockMode::Exclusive {
            let LockFile {
                username,
                hostname,
                pid,
                time,
                ..
            } = lock;
            let owner = format!("{username}@{hostname}, process {pid}, since {time}");
            return Err(Error::Locked { owner, lock: id });
        }
    }
    Ok(())
}

/// All locks there are; ones that vanish meanwhile are passed over.
fn read_all(repository: &Repository) -> Result<Vec<(Id, Result<LockFile>)>> {
    let mut locks = Vec::new();
    for listed in repository.list(FileKind::Lock)? {
        match repository.read_json(Handle::new(FileKind::Lock, listed.id)) {
            Err(Error::Missing(_)) => {}
            read => locks.push((listed.id, read)),
        }
    }
    Ok(locks)
}

impl Repository {
    /// Removes stale and unreadable locks, or `all` of them. Removing the lock of a process that is
    /// at work endangers what it does. Returns how many were removed.
    pub fn unlock(&self, all: bool) -> Result<usize> {
        let now = self.clock().now();
        let mut removed = 0;
        for (id, lock) in read_all(self)? {
            if all || lock.map_or(true, |lock| is_stale(&lock, self.owner(), now)) {
                self.delete(Handle::new(FileKind::Lock, id))?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use strongroom_domain::Clock;

    use super::*;
    use crate::backend::MemoryBackend;
    use crate::crypto::kdf::KdfCost;
    use crate::repository::InitOptions;

    #[derive(Debug, Default)]
    struct Minutes(AtomicI64);

    impl Clock for Minutes {
        fn now(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH + SignedDuration::from_mins(self.0.load(Ordering::Acquire))
        }
    }

    #[test]
    fn a_lock_is_written_anew_before_it_goes_stale() {
        let clock = Arc::new(Minutes::default());
        let options = InitOptions {
            kdf: KdfCost::MACHINE,
            ..InitOptions::new("x")
        };
        let backend = Arc::new(MemoryBackend::new());
        let repository = Repository::init(backend, clock.clone(), &options).unwrap();
        let lock = Lock::acquire(&repository, LockMode::Exclusive).unwrap();
        let locks = || repository.list(FileKind::Lock).unwrap();
        let first = locks()[0].id;

        clock.0.store(20, Ordering::Release);
        // Until there is exactly one lock and it is another one.
        while !matches!(locks()[..], [only] if only.id != first) {
            lock.shared.wake.notify_all();
            std::thread::yield_now();
        }
        clock.0.store(45, Ordering::Release);
        lock.ensure_held().unwrap();
        drop(lock);
        assert_eq!(locks(), []);
    }

    #[test]
    fn a_lock_that_is_old_or_whose_process_is_gone_is_stale() {
        let owner = Owner::this_process();
        let now = Timestamp::UNIX_EPOCH;
        let mine = owner.lock_file(LockMode::Shared, now);
        assert!(!is_stale(
            &mine,
            &owner,
            now + SignedDuration::from_mins(30)
        ));
        assert!(is_stale(&mine, &owner, now + SignedDuration::from_mins(31)));
        // The highest process id that Linux gives is 2^22.
        let dead = LockFile {
            pid: 1 << 30,
            ..mine.clone()
        };
        assert!(is_stale(&dead, &owner, now));
        let elsewhere = LockFile {
            hostname: "another".to_owned(),
            ..dead
        };
        assert!(!is_stale(&elsewhere, &owner, now));
        let alive = LockFile { pid: 1, ..mine };
        assert!(!is_stale(&alive, &owner, now));
    }
}
