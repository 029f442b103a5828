//! Looking into a backup.

use strongroom_domain::{
    Backup, BackupId,
    principal::Permission,
    repository::Repository,
    tree::{Context, EntryKind, EntryPath, PathError},
};
use strongroom_engine::{BrowseNode, Error as EngineError, ErrorKind};

use super::{BrowseEntry, find_backup};
use crate::{
    Caller, ConflictKind, Error, Result, Service, engines, paths, repositories::find_repository,
};

impl Service {
    /// The entries directly below `path` (the root if empty) in a restorable backup.
    pub async fn browse_backup(
        &self,
        caller: &Caller,
        id: BackupId,
        path: &str,
    ) -> Result<Vec<BrowseEntry>> {
        caller.require(Permission::Read)?;
        let (backup, repository) = {
            let mut read = self.read().await?;
            let backup = find_backup(&mut read, caller.tenant_id, id).await?;
            let repository =
                find_repository(&mut read, caller.tenant_id, backup.repository_id).await?;
            (backup, repository)
        };
        if !backup.state.is_restorable() {
            let message = format!(
                "backup `{}` is {} and cannot be read",
                backup.name, backup.state
            );
            return Err(Error::conflict(ConflictKind::WrongState, "backup", message));
        }
        let path = path.to_owned();
        self.blocking(move |service| service.list_entries(&backup, &repository, &path))
            .await?
    }

    fn list_entries(
        &self,
        backup: &Backup,
        repository: &Repository,
        path: &str,
    ) -> Result<Vec<BrowseEntry>> {
        let invalid = |error: PathError| Error::invalid("path", error);
        let literal = paths::read(path, false).map_err(invalid)?;
        let found = match self.children(backup, repository, &literal) {
            Err(EngineError::NoEntry(_)) if path.contains("\\x") => {
                let unescaped = paths::read(path, true).map_err(invalid)?;
                self.children(backup, repository, &unescaped)
            }
            found => found,
        };
        match found {
            Ok(nodes) => Ok(nodes.iter().map(entry).collect()),
            Err(EngineError::NoEntry(path)) => Err(Error::not_found("path", paths::print(&path))),
            Err(error) if error.kind() == ErrorKind::Invalid => Err(Error::invalid("path", error)),
            Err(error) => Err(engines::unavailable(&repository.name, &error)),
        }
    }

    fn children(
        &self,
        backup: &Backup,
        repository: &Repository,
        path: &EntryPath,
    ) -> strongroom_engine::Result<Vec<BrowseNode>> {
        let snapshot = backup.snapshot.as_deref().unwrap_or_default();
        let opened = self.inner().engines.get(repository)?;
        let snapshot = opened.find_snapshot(snapshot)?;
        opened
            .into_indexed(&Context::default())?
            .reader(&snapshot)
            .children(path)
    }
}

fn entry(node: &BrowseNode) -> BrowseEntry {
    let metadata = &node.metadata;
    let (kind, link_target) = match &metadata.kind {
        EntryKind::File => ("file", None),
        EntryKind::Directory => ("directory", None),
        EntryKind::Symlink { target } => ("symlink", Some(paths::escape(target))),
        EntryKind::Device { .. } => ("device", None),
        EntryKind::Fifo => ("fifo", None),
        EntryKind::Socket => ("socket", None),
    };
    BrowseEntry {
        path: paths::print(&node.path),
        kind: kind.to_owned(),
        size: metadata.size,
        mode: metadata.mode,
        modified_at: Some(metadata.mtime),
        link_target,
    }
}
