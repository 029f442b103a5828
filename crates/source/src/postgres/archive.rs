//! Sees whether an archive that goes by is whole.
//!
//! An archive that is written to a pipe has no trailer. But it begins with its table of contents,
//! so `pg_restore`, which reads along and throws away what it makes of it, misses what is not
//! there.

use std::{
    io::{self, Write},
    path::Path,
    process::Command,
};

use strongroom_domain::tree::Cancel;

use crate::{
    process::{Feed, Watch},
    trailer::complaint,
};

/// What every archive begins with.
const MAGIC: &[u8] = b"PGDMP";

/// A reader of an archive.
pub(super) struct Archive {
    reader: Feed,
    start: Vec<u8>,
}

impl Archive {
    pub(super) fn new(pg_restore: &Path, cancel: Cancel) -> io::Result<Self> {
        let mut command = Command::new(pg_restore);
        command.arg("--file=/dev/null").env("LC_ALL", "C");
        let reader = Feed::start(command, cancel)?;
        let start = Vec::new();
        Ok(Self { reader, start })
    }
}

impl Watch for Archive {
    fn see(&mut self, bytes: &[u8]) -> io::Result<()> {
        let wanted = MAGIC.len() - self.start.len();
        self.start
            .extend_from_slice(&bytes[..wanted.min(bytes.len())]);
        match self.reader.write_all(bytes) {
            // It says itself why it reads no more.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.reader.finish()?;
                Err(io::Error::other("the dump goes on after its end"))
            }
            other => other,
        }
    }

    fn end(&mut self, said: &str) -> io::Result<()> {
        complaint(said)?;
        if self.start != MAGIC {
            return Err(io::Error::other("the dump is no archive"));
        }
        self.reader.finish().map(drop)
    }
}
