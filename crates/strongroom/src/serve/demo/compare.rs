//! Compares a directory with its restored copy.

use std::{
    fs::File,
    io::{BufReader, Read},
    os::unix::ffi::OsStrExt,
    path::Path,
};

use anyhow::{Context as _, Result, bail};
use strongroom_domain::tree::{Cancel, Entry, EntryKind, EntryPath, Patterns};
use strongroom_source::{Warnings, files::Walk};

/// What was compared.
#[derive(Debug, Default)]
pub(super) struct Compared {
    pub(super) entries: u64,
    pub(super) bytes: u64,
}

/// Fails with the first difference in names, kinds, modes, times, link targets or content.
pub(super) fn directories(original: &Path, exclude: &str, copy: &Path) -> Result<Compared> {
    let mut originals = walk(original, exclude)?;
    let mut copies = walk(copy, "")?;
    let mut compared = Compared::default();
    loop {
        match (originals.next().transpose()?, copies.next().transpose()?) {
            (None, None) => return Ok(compared),
            (Some(a), Some(b)) if a.path == b.path => {
                compared.entries += 1;
                compared.bytes += same(&a, &b, original, copy)?;
            }
            (Some(a), b) if b.as_ref().is_none_or(|b| a.path < b.path) => {
                bail!("`{}` is missing from the restored copy", a.path)
            }
            (_, Some(b)) => bail!("`{}` is in the restored copy only", b.path),
            (Some(_), None) => unreachable!("an original without a copy was handled above"),
        }
    }
}

fn walk(root: &Path, exclude: &str) -> Result<Walk> {
    let exclude = Patterns::new(exclude.lines())?;
    Walk::new(root, exclude, Warnings::default(), Cancel::new())
        .with_context(|| format!("cannot read `{}`", root.display()))
}

/// The number of bytes compared.
fn same(a: &Entry, b: &Entry, original: &Path, copy: &Path) -> Result<u64> {
    let (left, right) = (&a.metadata, &b.metadata);
    let link = matches!(left.kind, EntryKind::Symlink { .. });
    if left.kind != right.kind {
        bail!("`{}` is of another kind in the restored copy", a.path);
    }
    if left.mode != right.mode || left.mtime != right.mtime && !link {
        bail!("`{}` has another mode or time in the restored copy", a.path);
    }
    if left.is_file() {
        same_content(&a.path, original, copy)
    } else {
        Ok(0)
    }
}

fn same_content(path: &EntryPath, original: &Path, copy: &Path) -> Result<u64> {
    let open = |root: &Path| {
        let full = root.join(std::ffi::OsStr::from_bytes(path.as_bytes()));
        File::open(&full).with_context(|| format!("cannot open `{}`", full.display()))
    };
    let (mut a, mut b) = (BufReader::new(open(original)?), BufReader::new(open(copy)?));
    let (mut left, mut right) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let mut bytes = 0;
    loop {
        let read = a.read(&mut left)?;
        if read == 0 {
            if b.read(&mut right)? != 0 {
                bail!("`{path}` is longer in the restored copy");
            }
            return Ok(bytes);
        }
        b.read_exact(&mut right[..read])
            .with_context(|| format!("`{path}` is shorter in the restored copy"))?;
        if left[..read] != right[..read] {
            bail!("`{path}` differs in the restored copy");
        }
        bytes += read as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn differences_are_found_and_named() {
        let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let time = fs::FileTimes::new().set_modified(std::time::UNIX_EPOCH);
        let write = |dir: &Path, name: &str, content: &str| {
            fs::write(dir.join(name), content).unwrap();
            File::options()
                .write(true)
                .open(dir.join(name))
                .unwrap()
                .set_times(time)
                .unwrap();
        };
        let compare = || directories(a.path(), "/skip", b.path());
        for dir in [a.path(), b.path()] {
            write(dir, "one", "same");
        }
        write(a.path(), "skip", "not compared");
        assert_eq!(compare().unwrap().bytes, 4);
        write(b.path(), "one", "diff");
        assert_eq!(
            compare().unwrap_err().to_string(),
            "`one` differs in the restored copy"
        );
        write(b.path(), "one", "same");
        write(b.path(), "two", "more");
        assert_eq!(
            compare().unwrap_err().to_string(),
            "`two` is in the restored copy only"
        );
        write(a.path(), "two", "more");
        write(a.path(), "a", "more");
        assert_eq!(
            compare().unwrap_err().to_string(),
            "`a` is missing from the restored copy"
        );
    }
}
