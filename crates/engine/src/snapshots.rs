//! Listing, finding and forgetting snapshots.

use crate::backend::{FileKind, Handle};
use crate::error::{Error, Result};
use crate::format::snapshot::Snapshot;
use crate::id::SnapshotId;
use crate::lock::LockMode;
use crate::repository::Repository;

/// The snapshots of a repository.
#[derive(Debug, Default)]
pub struct SnapshotList {
    /// Readable ones, oldest first.
    pub snapshots: Vec<Snapshot>,
    /// One error for each that cannot be read.
    pub damaged: Vec<Error>,
}

impl Repository {
    /// All snapshots. A damaged one does not hide the others.
    pub fn snapshots(&self) -> Result<SnapshotList> {
        let mut list = SnapshotList::default();
        for listed in self.list(FileKind::Snapshot)? {
            match self.read_snapshot(listed.id) {
                Ok(snapshot) => list.snapshots.push(snapshot),
                // Forgotten since it was listed.
                Err(Error::Missing(_)) => {}
                Err(error) if error.is_damage() => list.damaged.push(error),
                Err(error) => return Err(error),
            }
        }
        list.snapshots
            .sort_by_key(|snapshot| (snapshot.time, snapshot.id));
        Ok(list)
    }

    /// The snapshot with this id.
    pub fn snapshot(&self, id: SnapshotId) -> Result<Snapshot> {
        match self.read_snapshot(id) {
            Err(Error::Missing(_)) => Err(Error::NoSnapshot(id.to_string())),
            result => result,
        }
    }

    /// The snapshot whose id is, or begins with, `name`; or the newest if `name` is `latest`.
    pub fn find_snapshot(&self, name: &str) -> Result<Snapshot> {
        if let Ok(id) = name.parse() {
            return self.snapshot(id);
        }
        if name == "latest" {
            let newest = self.snapshots()?.snapshots.pop();
            return newest.ok_or_else(|| Error::NoSnapshot(name.to_owned()));
        }
        let listed = self.list(FileKind::Snapshot)?;
        let mut matching = listed.iter().filter(|l| l.id.to_hex().starts_with(name));
        match (matching.next(), matching.next()) {
            (Some(only), None) if !name.is_empty() => self.snapshot(only.id),
            (Some(_), Some(_)) => Err(Error::AmbiguousSnapshot(name.to_owned())),
            _ => Err(Error::NoSnapshot(name.to_owned())),
        }
    }

    /// Whether the snapshot is there, without reading it.
    pub fn has_snapshot(&self, id: SnapshotId) -> Result<bool> {
        let handle = Handle::new(FileKind::Snapshot, id);
        self.backend()
            .exists(handle)
            .map_err(|error| Error::storage("read", handle, error))
    }

    /// Removes snapshots; the data stays until [`Repository::plan_prune`] finds it unused. Ids that
    /// do not exist are fine, so that this can be repeated. Needs the repository alone.
    pub fn forget(&self, ids: &[SnapshotId]) -> Result<()> {
        self.forget_under(LockMode::Exclusive, ids)
    }

    /// The same beside others that use the repository, as a service needs it that is never idle.
    /// No data goes, so whoever reads or builds on a snapshot meanwhile finds it all; pruning is
    /// kept out.
    pub fn forget_shared(&self, ids: &[SnapshotId]) -> Result<()> {
        self.forget_under(LockMode::Shared, ids)
    }

    fn forget_under(&self, mode: LockMode, ids: &[SnapshotId]) -> Result<()> {
        let lock = self.lock(mode)?;
        for &id in ids {
            lock.ensure_held()?;
            self.delete(Handle::new(FileKind::Snapshot, id))?;
        }
        Ok(())
    }

    fn read_snapshot(&self, id: SnapshotId) -> Result<Snapshot> {
        let handle = Handle::new(FileKind::Snapshot, id);
        let json = self.read_file(handle)?;
        Snapshot::parse(id, &json).map_err(|error| Error::damaged(handle, error))
    }
}
