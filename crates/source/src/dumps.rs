//! What the sources of database servers share of their backups: the description that is kept with
//! each, the names of the files in it, and which of them a restore is about.
//!
//! A logical backup has one file per database, `databases/NAME.SUFFIX`, so that one alone can be
//! restored and equal parts are stored once; `globals.sql` for what belongs to no database; and
//! `server.json`, the [`Description`].

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Read},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Command,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use strongroom_domain::{
    Annotations, DatabaseServer, FieldError,
    tree::{
        Content, Context, Entry, EntryError, EntryFailure, EntryKind, EntryPath, Metadata, Phase,
        RestoreReport, TreeReader,
    },
};

use crate::{
    Entries, Prepared, RestoreRequest, SourceError, Warnings,
    database::Mode,
    process::feed,
    tools::{Series, Version},
};

/// The file that describes the server and what was dumped of it.
const DESCRIPTION: &str = "server.json";
/// The file with what belongs to no database.
pub(crate) const GLOBALS: &str = "globals.sql";
/// No description is larger; a server with that many databases does not exist.
const MAX_DESCRIPTION: u64 = 64 << 20;

/// What is kept with a backup about the server it is of.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Description<D> {
    /// `MariaDB`, `MySQL` or `PostgreSQL`.
    pub(crate) product: String,
    /// The server's version.
    pub(crate) version: String,
    /// The version of the program that dumped.
    pub(crate) tool: String,
    /// When the backup began.
    pub(crate) time: Timestamp,
    /// How it was made.
    pub(crate) mode: Mode,
    /// Where the server's log stood when the backup began, as far as it says.
    pub(crate) position: serde_json::Value,
    /// What was dumped, sorted by name.
    pub(crate) databases: Vec<Listed<D>>,
}

/// One database in a [`Description`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Listed<D> {
    pub(crate) name: String,
    /// Bytes on the server's disk, if the server says.
    pub(crate) size_bytes: Option<u64>,
    /// What it takes to make the database anew, besides its dump.
    #[serde(flatten)]
    pub(crate) details: D,
}

impl<D: DeserializeOwned> Description<D> {
    /// What `prepare` found.
    pub(crate) fn of(prepared: &Prepared) -> Result<Self, SourceError> {
        serde_json::from_value(prepared.state.clone()).map_err(|error| {
            let what = format!("reading what was prepared of `{}`", prepared.resource);
            SourceError::failed(what, error)
        })
    }

    /// What a backup says of itself.
    pub(crate) fn stored(tree: &dyn TreeReader) -> Result<Self, SourceError> {
        let mut text = Vec::new();
        let what = format!("reading `{DESCRIPTION}` of the backup");
        tree.open(&entry_path(DESCRIPTION)?)?
            .take(MAX_DESCRIPTION)
            .read_to_end(&mut text)
            .map_err(|error| SourceError::failed(&what, error))?;
        serde_json::from_slice(&text).map_err(|error| SourceError::failed(what, error))
    }

    /// The version of the server that was backed up.
    pub(crate) fn major(&self) -> u32 {
        Version::parse(&self.version).map_or(0, |it| it.major)
    }

    /// The same with its second number.
    pub(crate) fn series(&self) -> Series {
        Series::of(&self.version)
    }

    /// Bytes on the server's disk, as far as is known.
    pub(crate) fn size_bytes(&self) -> Option<u64> {
        self.databases.iter().map(|it| it.size_bytes).sum()
    }
}

impl<D> Description<D> {
    /// What of it is worth knowing without the backup.
    pub(crate) fn about(self) -> Result<Annotations, SourceError> {
        let size_bytes = self.databases.iter().map(|it| it.size_bytes).sum();
        let server = DatabaseServer {
            product: self.product,
            version: self.version,
            tool: self.tool,
            mode: self.mode.as_str().to_owned(),
            position: self.position,
            databases: self.databases.len() as u64,
            size_bytes,
        };
        let server = serde_json::to_value(server);
        let server = server.map_err(|error| SourceError::failed("describing the server", error))?;
        let mut annotations = Annotations::default();
        annotations.set(DatabaseServer::KEY, server);
        Ok(annotations)
    }

    /// Drops the databases that are not asked for; fails if one that is asked for is not there.
    pub(crate) fn keep(&mut self, wanted: &BTreeSet<String>) -> Result<(), SourceError> {
        let found = |name: &String| self.databases.iter().any(|it| it.name == *name);
        if let Some(name) = wanted.iter().find(|name| !found(name)) {
            let reason = format!("`{name}`: the server has no such database that this user sees");
            return Err(SourceError::invalid("settings.databases", reason));
        }
        if !wanted.is_empty() {
            self.databases.retain(|it| wanted.contains(&it.name));
        }
        self.databases.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(())
    }
}

/// The path of a database's dump in the backup.
pub(crate) fn dump_path(database: &str, suffix: &str) -> Result<EntryPath, SourceError> {
    let mut name = String::new();
    for c in database.chars() {
        match c {
            '/' => name.push_str("%2F"),
            '%' => name.push_str("%25"),
            c => name.push(c),
        }
    }
    entry_path(&format!("databases/{name}.{suffix}"))
}

/// A path that this crate makes up.
pub(crate) fn entry_path(path: &str) -> Result<EntryPath, SourceError> {
    EntryPath::new(path).map_err(|error| SourceError::failed(format!("naming `{path}`"), error))
}

/// The files of a backup: these, and the description.
pub(crate) fn entries(
    prepared: &Prepared,
    roots: String,
    mut files: Vec<(EntryPath, Content)>,
) -> Result<Entries, SourceError> {
    let description = serde_json::to_vec_pretty(&prepared.state)
        .map_err(|error| SourceError::failed(format!("writing `{DESCRIPTION}`"), error))?;
    files.push((entry_path(DESCRIPTION)?, Content::from_bytes(description)));
    files.sort_by(|a, b| a.0.cmp(&b.0));
    let time = prepared.time;
    let stream = files.into_iter().map(move |(path, content)| {
        let metadata = Metadata::synthetic(EntryKind::File, 0o600, time);
        Ok::<_, EntryError>(Entry::stream(path, metadata, content))
    });
    Ok(Entries {
        stream: Box::new(stream),
        whole: true,
        roots: vec![roots],
        warnings: Warnings::default(),
    })
}

/// A database that is to be restored.
#[derive(Debug)]
pub(crate) struct Chosen<'a, D> {
    pub(crate) from: &'a Listed<D>,
    pub(crate) path: EntryPath,
    /// What it is to be called.
    pub(crate) name: &'a str,
}

/// The databases that a restore is about, with the names they get.
pub(crate) fn chosen<'a, D>(
    description: &'a Description<D>,
    request: &'a RestoreRequest,
    suffix: &str,
    longest: usize,
) -> Result<Vec<Chosen<'a, D>>, SourceError> {
    let mut all = Vec::new();
    for from in &description.databases {
        let path = dump_path(&from.name, suffix)?;
        if request.include.is_empty() || request.include.matches(&path) {
            let name = request.rename.get(&from.name).unwrap_or(&from.name);
            all.push(Chosen { from, path, name });
        }
    }
    let mut faults = Vec::new();
    for (old, new) in &request.rename {
        let mut fault = |reason: String| faults.push(FieldError::new("rename", reason));
        if all.iter().all(|it| it.from.name != *old) {
            fault(format!("`{old}` is not among the databases to restore"));
        }
        if new.is_empty() || new.len() > longest || new.contains(char::is_control) {
            fault(format!(
                "`{}` cannot be a database's name",
                new.escape_debug()
            ));
        }
    }
    let mut names = BTreeSet::new();
    for twice in all.iter().filter(|it| !names.insert(it.name)) {
        let reason = format!("two databases would be called `{}`", twice.name);
        faults.push(FieldError::new("rename", reason));
    }
    if faults.is_empty() {
        Ok(all)
    } else {
        Err(SourceError::Invalid(faults))
    }
}

/// Restores one after the other. What becomes of each is in the report, unless none succeeds.
pub(crate) fn restore_each<T>(
    parts: Vec<T>,
    path: impl Fn(&T) -> EntryPath,
    mut one: impl FnMut(&T) -> Result<Option<u64>, SourceError>,
) -> Result<RestoreReport, SourceError> {
    let mut report = RestoreReport::default();
    let mut last = None;
    for part in &parts {
        match one(part) {
            Ok(Some(bytes)) => {
                report.files += 1;
                report.bytes += bytes;
            }
            Ok(None) => report.skipped += 1,
            Err(SourceError::Cancelled) => return Err(SourceError::Cancelled),
            Err(error) => {
                let message = error.to_string();
                let failure = EntryFailure::new(path(part), Phase::Write, message);
                report.failures.push(failure);
                last = Some(error);
            }
        }
    }
    match last {
        Some(error) if report.files + report.skipped == 0 => Err(error),
        _ => Ok(report),
    }
}

/// Has `command` unpack a stream into a directory, which must be empty if it is there.
pub(crate) fn unpack(
    command: Command,
    directory: &Path,
    stream: impl Read,
    context: &Context,
) -> Result<RestoreReport, SourceError> {
    let what = format!("restoring into `{}`", directory.display());
    let failed = |error: io::Error| SourceError::failed(&what, error);
    fs::create_dir_all(directory).map_err(failed)?;
    if fs::read_dir(directory).map_err(failed)?.next().is_some() {
        let reason = format!("`{}` must be empty", directory.display());
        return Err(SourceError::invalid("target.path", reason));
    }
    // What servers insist on.
    let mode = fs::Permissions::from_mode(0o700);
    fs::set_permissions(directory, mode).map_err(failed)?;
    let bytes = feed(command, &what, stream, context)?;
    Ok(RestoreReport {
        files: 1,
        bytes,
        ..RestoreReport::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_of_any_name_has_a_file_of_its_own() {
        let name = |it: &str| dump_path(it, "sql").unwrap().to_string();
        assert_eq!(name("shop"), "databases/shop.sql");
        assert_eq!(name("../a/b%"), "databases/..%2Fa%2Fb%25.sql");
        assert_eq!(name("."), "databases/..sql");
    }
}
