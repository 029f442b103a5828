//! Temporary files that a killed writer left behind, ours and restic's.

use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::{TEMPORARY, read_directory};
use crate::id::Id;

/// Age at which no writer can be at work on a file any more: each is written in one go. Generous,
/// because the clock of the machine that writes may differ from ours.
const STALE: Duration = Duration::from_hours(24);

/// Removes what is stale in a directory and, if `below`, in those in it; gives the number.
pub(super) fn remove(directory: &Path, below: bool, now: SystemTime) -> io::Result<u64> {
    let mut removed = 0;
    for entry in read_directory(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            if below {
                removed += remove(&entry.path(), false, now)?;
            }
        } else if is_temporary(entry.file_name().as_encoded_bytes()) {
            match is_stale(&entry, now).and_then(|stale| {
                if stale {
                    fs::remove_file(entry.path())?;
                }
                Ok(stale)
            }) {
                Ok(stale) => removed += u64::from(stale),
                // Renamed or removed by whoever wrote it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(removed)
}

/// Whether this is the name of a repository's file with our suffix or restic's.
fn is_temporary(name: &[u8]) -> bool {
    let id = name.get(..64).and_then(|id| str::from_utf8(id).ok());
    id.is_some_and(|id| id.parse::<Id>().is_ok()) && name[64..].starts_with(TEMPORARY.as_bytes())
}

fn is_stale(entry: &fs::DirEntry, now: SystemTime) -> io::Result<bool> {
    let age = now.duration_since(entry.metadata()?.modified()?);
    Ok(age.is_ok_and(|age| age > STALE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_old_files_with_a_temporary_name_go() {
        let root = tempfile::TempDir::new().unwrap();
        let inner = root.path().join("ab");
        fs::create_dir(&inner).unwrap();
        let (now, id) = (SystemTime::UNIX_EPOCH + 500 * STALE, Id::of(b"x").to_hex());
        let old = now - STALE - Duration::from_mins(1);
        for (name, time, stays) in [
            (id.clone(), old, true),
            (format!("{id}-tmp-1-0"), now, true),
            (format!("{id}-tmp-1-1"), old, false),
            (format!("{id}-tmp-4711"), old, false),
            (format!("{id}.bak"), old, true),
            ("notes-tmp-1".to_owned(), old, true),
        ] {
            let path = inner.join(name);
            fs::write(&path, "").unwrap();
            fs::File::open(&path).unwrap().set_modified(time).unwrap();
            let expected = u64::from(!stays);
            assert_eq!(
                remove(root.path(), true, now).unwrap(),
                expected,
                "{path:?}"
            );
            assert_eq!(path.exists(), stays, "{path:?}");
        }
    }
}
