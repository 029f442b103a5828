//! Whether a dump that goes by is whole.

use std::io;

use crate::process::Watch;

/// Watches a dump that is text: it must end as a whole one does.
#[derive(Debug)]
pub(crate) struct Trailer {
    wanted: &'static str,
    tail: Vec<u8>,
}

/// How much of a dump's end is looked at for its last words.
const TAIL: usize = 512;

impl Trailer {
    pub(crate) fn new(wanted: &'static str) -> Self {
        let tail = Vec::new();
        Self { wanted, tail }
    }

    /// Whether the dump that went by is whole.
    pub(crate) fn check(&self) -> io::Result<()> {
        let start = self.tail.len().saturating_sub(TAIL);
        let end = &self.tail[start..];
        let wanted = self.wanted.as_bytes();
        if end.windows(wanted.len()).any(|it| it == wanted) {
            return Ok(());
        }
        let message = format!(
            "the dump does not end with `{}`: it is cut off",
            self.wanted
        );
        Err(io::Error::other(message))
    }
}

impl Watch for Trailer {
    fn see(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.tail
            .extend_from_slice(&bytes[bytes.len().saturating_sub(TAIL)..]);
        let excess = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..excess);
        Ok(())
    }

    fn end(&mut self, said: &str) -> io::Result<()> {
        complaint(said)?;
        self.check()
    }
}

/// Fails if a program that exited with 0 nevertheless complained.
pub(crate) fn complaint(said: &str) -> io::Result<()> {
    let is_bad = |line: &&str| {
        let line = line.to_ascii_lowercase();
        line.contains("error") || line.contains("fatal")
    };
    if let Some(line) = said.lines().find(is_bad) {
        return Err(io::Error::other(line.to_owned()));
    }
    if !said.is_empty() {
        tracing::warn!(said, "a dump succeeded with warnings");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_is_whole_if_its_last_words_are_there_and_nobody_complained() {
        let watch = |pieces: &[&[u8]], said: &str| {
            let mut trailer = Trailer::new("-- Dump completed");
            for it in pieces {
                trailer.see(it).unwrap();
            }
            trailer.end(said)
        };
        let filler = [b'x'; 5000];
        watch(&[&filler, b"-- Dump ", b"completed\n"], "").unwrap();
        watch(&[b"-- Dump completed"], "Warning: slow").unwrap();
        watch(&[b"-- Dump completed"], "mariadb-dump: Error 2013").unwrap_err();
        watch(&[b"-- Dump completed", &filler], "").unwrap_err();
        watch(&[], "").unwrap_err();
    }
}
