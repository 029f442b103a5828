//! Exports: a backup as one compressed file, for whoever knows the export's id.
//!
//! Nothing is written anywhere: the file is made of the repository's data while it is downloaded.

use std::io::{self, Write};

use strongroom_domain::{
    Backup, BackupId, Export, ExportId, RepositoryId,
    principal::Permission,
    tree::{Context, EntryPath},
};
use strongroom_engine::{SnapshotReader, StreamOptions, TarSink};

use crate::{
    Caller, ConflictKind, Error, Result, Service,
    backups::{copies::snapshot_in, find_backup},
    engines, paths,
    repositories::find_repository,
};

/// What the file holds.
enum Content {
    /// This file: the only one, but for descriptions of it.
    File(EntryPath),
    /// Everything, as a tar archive.
    Tar,
}

impl Service {
    /// Gives leave to download a backup from a repository that it is in: its own if none is named.
    pub async fn create_export(
        &self,
        caller: &Caller,
        id: BackupId,
        repository: Option<RepositoryId>,
    ) -> Result<Export> {
        caller.require(Permission::Write)?;
        let again = async |export: ExportId| {
            let found = self.read().await?.export(export).await?;
            found.ok_or_else(|| Error::not_found("export", id))
        };
        self.once(caller, self.insert_export(caller, id, repository), again)
            .await
    }

    async fn insert_export(
        &self,
        caller: &Caller,
        id: BackupId,
        repository: Option<RepositoryId>,
    ) -> Result<Export> {
        let tenant = caller.tenant_id;
        let mut read = self.read().await?;
        let backup = find_backup(&mut read, tenant, id).await?;
        drop(read);
        let repository = repository.unwrap_or(backup.repository_id);
        let reader = self.export_reader(&backup, repository).await?;
        let name = self
            .blocking(move |_| file_name(&backup.name, &reader))
            .await??;
        let export = Export {
            id: ExportId::from_uuid(self.uuid()),
            tenant_id: tenant,
            backup_id: id,
            repository_id: repository,
            file_name: name,
            created_at: self.now(),
        };
        let mut tx = self.begin().await?;
        tx.insert_export(&export)
            .await
            .map_err(|error| match error {
                strongroom_store::Error::Duplicate { .. } => {
                    let message = "the backup has been exported from that repository already";
                    Error::conflict(ConflictKind::AlreadyMember, "export", message)
                }
                other => other.into(),
            })?;
        let subject = Some(strongroom_domain::operation::Subject::Backup(id));
        tx.insert_event(&self.event(caller, "backup.exported", subject))
            .await?;
        self.remember(&mut tx, caller, &export.id).await?;
        tx.commit().await?;
        self.changed();
        Ok(export)
    }

    /// All exports of the tenant, oldest first.
    pub async fn list_exports(&self, caller: &Caller) -> Result<Vec<Export>> {
        caller.require(Permission::Read)?;
        Ok(self.read().await?.list_exports(caller.tenant_id).await?)
    }

    /// The exports of these backups, oldest first.
    pub async fn exports_of(&self, caller: &Caller, ids: &[BackupId]) -> Result<Vec<Export>> {
        caller.require(Permission::Read)?;
        Ok(self.read().await?.exports_of(caller.tenant_id, ids).await?)
    }

    /// Ends an export: from now on nobody can download it.
    pub async fn delete_export(
        &self,
        caller: &Caller,
        id: BackupId,
        repository: RepositoryId,
    ) -> Result<()> {
        caller.require(Permission::Write)?;
        let mut tx = self.begin().await?;
        let exports = tx.exports_of(caller.tenant_id, &[id]).await?;
        if exports.iter().all(|it| it.repository_id != repository) {
            return Err(Error::not_found("export", id));
        }
        tx.delete_exports(id, Some(repository)).await?;
        let subject = Some(strongroom_domain::operation::Subject::Backup(id));
        tx.insert_event(&self.event(caller, "backup.export_ended", subject))
            .await?;
        tx.commit().await?;
        self.changed();
        Ok(())
    }

    /// The export with that id, ready to be written. Takes no caller: the id is the secret.
    pub async fn download(&self, id: ExportId) -> Result<Download> {
        let not_found = || Error::not_found("export", id);
        let mut read = self.read().await?;
        let export = read.export(id).await?.ok_or_else(not_found)?;
        let backup = find_backup(&mut read, export.tenant_id, export.backup_id).await?;
        drop(read);
        let reader = self.export_reader(&backup, export.repository_id).await?;
        Ok(Download {
            file_name: export.file_name,
            reader,
        })
    }

    async fn export_reader(
        &self,
        backup: &Backup,
        repository: RepositoryId,
    ) -> Result<SnapshotReader> {
        let mut read = self.read().await?;
        let snapshot = snapshot_in(&mut read, backup, repository).await?;
        let row = find_repository(&mut read, backup.tenant_id, repository).await?;
        drop(read);
        self.blocking(move |service| {
            let open = || {
                let opened = service.inner().engines.get(&row)?;
                let snapshot = opened.find_snapshot(&snapshot)?;
                Ok(opened.into_indexed(&Context::default())?.reader(&snapshot))
            };
            open().map_err(|error| engines::unavailable(&row.name, &error))
        })
        .await?
    }
}

/// A file that is about to be downloaded.
#[derive(Debug)]
pub struct Download {
    file_name: String,
    reader: SnapshotReader,
}

impl Download {
    /// What the file is called.
    pub fn file_name(&self) -> &str {
        &self.file_name
    }

    /// Writes the file's content before its compression. Blocks. Anything that cannot be read is
    /// an error: a file that was received whole is whole.
    pub fn write_to(&self, out: &mut dyn Write) -> io::Result<()> {
        let context = Context::default();
        let content = content(&self.reader).map_err(io::Error::other)?;
        match content {
            Content::File(path) => {
                let written = self.reader.dump(&path, out, &context);
                written.map(drop).map_err(io::Error::other)
            }
            Content::Tar => {
                let mut sink = TarSink::new(out);
                let options = StreamOptions::default();
                let report = self
                    .reader
                    .stream(&options, &mut sink, &context)
                    .map_err(io::Error::other)?;
                match report.failures.first() {
                    None => Ok(()),
                    Some(first) => Err(io::Error::other(first.to_string())),
                }
            }
        }
    }
}

fn content(reader: &SnapshotReader) -> strongroom_engine::Result<Content> {
    let mut only = None;
    for node in reader.walk(&EntryPath::default())? {
        let node = node.map_err(|error| error.source)?;
        // A server's dump comes with a description that is no part of it.
        let path = paths::print(&node.path);
        let description = path.rsplit_once('.').is_some_and(|(_, it)| it == "json");
        if node.metadata.is_dir() || description {
            continue;
        }
        if !node.metadata.is_file() || only.replace(node.path).is_some() {
            return Ok(Content::Tar);
        }
    }
    Ok(only.map_or(Content::Tar, Content::File))
}

fn file_name(backup: &str, reader: &SnapshotReader) -> Result<String> {
    let content = content(reader).map_err(|error| Error::Unavailable {
        what: format!("backup `{backup}`"),
        message: error.chain(),
    })?;
    let safe = |c: char| {
        if c.is_ascii_alphanumeric() || "-_.".contains(c) {
            c
        } else {
            '_'
        }
    };
    let stem: String = backup.chars().map(safe).take(100).collect();
    Ok(match content {
        Content::Tar => format!("{stem}.tar.gz"),
        Content::File(path) => match paths::print(&path).rsplit_once('.') {
            Some((_, extension)) if extension.len() <= 8 && extension.chars().all(safe_in_name) => {
                format!("{stem}.{extension}.gz")
            }
            _ => format!("{stem}.gz"),
        },
    })
}

fn safe_in_name(c: char) -> bool {
    c.is_ascii_alphanumeric()
}
