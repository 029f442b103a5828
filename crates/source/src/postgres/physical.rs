//! Copies of a whole server's files, by `pg_basebackup`, with the log that makes them consistent.

use std::{
    fs, io,
    os::unix::fs::{MetadataExt, chown},
    path::Path,
    process::{Command, Stdio},
};

use strongroom_domain::tree::{Cancel, Content, Context, EntryPath, RestoreReport, TreeReader};

use super::client::{COMMON, Client, Facts};
use crate::{
    SourceError,
    dumps::{entry_path, unpack},
    process::{Dump, Watch},
    trailer::complaint,
};

/// The file in the backup.
const FILE: &str = "base.tar";

/// Fails if such a backup cannot be made of this server by this user.
pub(super) fn check(client: &Client, facts: &Facts) -> Result<(), SourceError> {
    let fail = |message: &str| {
        let what = format!("backing up {}", client.name());
        Err(SourceError::failed(what, message))
    };
    if facts.tablespaces > 0 {
        return fail("a server with tablespaces has no physical backups; use `mode=logical`");
    }
    if !facts.replicates {
        return fail("the user may not copy the server's files: it lacks REPLICATION");
    }
    Ok(())
}

/// The archive of all files.
pub(super) fn files(
    client: &Client,
    facts: &Facts,
    cancel: &Cancel,
) -> Result<Vec<(EntryPath, Content)>, SourceError> {
    let tool = client.tool("pg_basebackup", facts.major())?;
    let mut program = client.program(&tool, COMMON)?;
    program.command.args([
        "--pgdata=-",
        "--format=tar",
        // The log that is needed comes in the same archive.
        "--wal-method=fetch",
        "--checkpoint=fast",
        "--no-password",
    ]);
    let cancel = cancel.clone();
    let content = Content::from_opener(move || {
        let dump = Dump::start(program, Stdio::null(), cancel, Tar::default())?;
        Ok(Box::new(dump) as Box<dyn io::Read + Send>)
    });
    Ok(vec![(entry_path(FILE)?, content)])
}

/// Watches an archive: it ends with two empty blocks.
#[derive(Debug, Default)]
struct Tar {
    zeros: usize,
}

/// The length of the two blocks.
const END: usize = 1024;

impl Watch for Tar {
    fn see(&mut self, bytes: &[u8]) -> io::Result<()> {
        let zeros = bytes
            .iter()
            .rev()
            .take(END)
            .take_while(|it| **it == 0)
            .count();
        self.zeros = if zeros == bytes.len() {
            END.min(self.zeros + zeros)
        } else {
            zeros
        };
        Ok(())
    }

    fn end(&mut self, said: &str) -> io::Result<()> {
        complaint(said)?;
        if self.zeros == END {
            return Ok(());
        }
        Err(io::Error::other("the archive has no end: it is cut off"))
    }
}

/// Unpacks the archive; it is then a data directory that a server of that version starts on.
pub(super) fn restore(
    directory: &Path,
    tree: &dyn TreeReader,
    context: &Context,
) -> Result<RestoreReport, SourceError> {
    let mut command = Command::new("tar");
    command
        .args(["--extract", "--file=-", "--numeric-owner", "--directory"])
        .arg(directory);
    let report = unpack(command, directory, tree.open(&entry_path(FILE)?)?, context)?;
    // The archive does not hold the directory itself; the server must own it.
    let own = fs::metadata(directory.join("PG_VERSION"))
        .and_then(|it| chown(directory, Some(it.uid()), Some(it.gid())));
    own.map_err(|error| {
        SourceError::failed(format!("restoring into `{}`", directory.display()), error)
    })?;
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_ends_with_two_empty_blocks() {
        let watch = |pieces: &[&[u8]]| {
            let mut tar = Tar::default();
            for it in pieces {
                tar.see(it).unwrap();
            }
            tar.end("")
        };
        watch(&[b"x", &[0; 1000], &[0; 24]]).unwrap();
        watch(&[&[0; 2000]]).unwrap();
        watch(&[&[0; 1000], b"x", &[0; 1000]]).unwrap_err();
        watch(&[]).unwrap_err();
    }
}
