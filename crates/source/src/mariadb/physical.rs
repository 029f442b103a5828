//! Copies of a whole server's files, by `mariadb-backup`, which must run where the server runs and
//! may read its data directory.

use std::{
    io,
    path::Path,
    process::{Command, Stdio},
};

use strongroom_domain::tree::{Cancel, Content, Context, EntryPath, RestoreReport, TreeReader};

use super::{
    client::{Client, Facts},
    grants::Grants,
};
use crate::{
    SourceError,
    dumps::{entry_path, unpack},
    process::{Dump, Watch, ask},
    tools::{Series, Tools},
};

/// The file in the backup.
const FILE: &str = "backup.mbstream";

/// Fails if the user may not make such a backup, or nobody can.
pub(super) fn check(facts: &Facts, grants: &Grants, name: &str) -> Result<(), SourceError> {
    let what = format!("backing up {name}");
    if facts.product() != "MariaDB" {
        let message = "a MySQL server has no physical backups; use `mode=logical`";
        return Err(SourceError::failed(what, message));
    }
    let wanted = ["RELOAD", "PROCESS", "LOCK TABLES", "BINLOG MONITOR"];
    let missing: Vec<_> = wanted
        .into_iter()
        .filter(|it| !grants.has_everywhere(it))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let message = format!("the user lacks {} on *.*", missing.join(", "));
    Err(SourceError::failed(what, message))
}

/// The stream of all files.
pub(super) fn files(
    tools: &Tools,
    client: &Client,
    facts: &Facts,
    cancel: &Cancel,
) -> Result<Vec<(EntryPath, Content)>, SourceError> {
    let tool = Client::copy_tool(tools, facts.series())?;
    let mut program = client.program(&tool)?;
    program
        .command
        .args(["--backup", "--stream=mbstream"])
        .current_dir("/");
    let cancel = cancel.clone();
    let content = Content::from_opener(move || {
        let dump = Dump::start(program, Stdio::null(), cancel, Copied::default())?;
        Ok(Box::new(dump) as Box<dyn io::Read + Send>)
    });
    Ok(vec![(entry_path(FILE)?, content)])
}

/// Watches a copy: its first bytes and the program's last words.
#[derive(Debug, Default)]
struct Copied {
    start: Vec<u8>,
}

/// What every chunk of such a stream begins with.
const MAGIC: &[u8] = b"XBSTCK01";

impl Watch for Copied {
    fn see(&mut self, bytes: &[u8]) -> io::Result<()> {
        let wanted = MAGIC.len() - self.start.len();
        self.start
            .extend_from_slice(&bytes[..wanted.min(bytes.len())]);
        Ok(())
    }

    fn end(&mut self, said: &str) -> io::Result<()> {
        if self.start != MAGIC {
            return Err(io::Error::other("the copy is no stream of files"));
        }
        if said.ends_with("completed OK!") {
            return Ok(());
        }
        let last = said.lines().last().unwrap_or_default();
        Err(io::Error::other(format!(
            "the copy is not complete: {last}"
        )))
    }
}

/// Unpacks a copy and makes it a data directory that a server of that version starts on.
pub(super) fn restore(
    tools: &Tools,
    series: Series,
    directory: &Path,
    tree: &dyn TreeReader,
    context: &Context,
) -> Result<RestoreReport, SourceError> {
    let copier = Client::copy_tool(tools, series)?;
    // Of the same package; it does not tell its version.
    let mut command = Command::new(tools.path("mbstream"));
    command.arg("-x").arg("-C").arg(directory);
    let report = unpack(command, directory, tree.open(&entry_path(FILE)?)?, context)?;
    let mut command = Command::new(copier.program);
    command
        .args(["--no-defaults", "--prepare"])
        .arg(format!("--target-dir={}", directory.display()));
    ask(command, b"", &context.cancel).map_err(|error| {
        if context.cancel.is_cancelled() {
            return SourceError::Cancelled;
        }
        SourceError::failed(format!("preparing `{}`", directory.display()), error)
    })?;
    Ok(report)
}
