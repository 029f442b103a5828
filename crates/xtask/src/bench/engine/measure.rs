//! What a child process costs, as the kernel counts it.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};
use wait4::Wait4;

/// Time and memory of a child and of its own children.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Cost {
    pub(super) wall: Duration,
    /// User and system time.
    pub(super) cpu: Duration,
    /// Peak of resident memory, in bytes.
    pub(super) memory: u64,
}

/// Runs a command that must succeed.
pub(super) fn run(command: &mut Command) -> Result<Cost> {
    let started = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut said = String::new();
    if let Some(stderr) = child.stderr.take() {
        said = std::io::read_to_string(stderr)?;
    }
    let used = child.wait4()?;
    let wall = started.elapsed();
    if !used.status.success() {
        bail!("{command:?} failed: {}", said.trim());
    }
    Ok(Cost {
        wall,
        cpu: used.rusage.utime + used.rusage.stime,
        memory: used.rusage.maxrss,
    })
}

/// Bytes in all files below a directory.
pub(super) fn size(directory: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() {
            size(&entry.path())?
        } else {
            metadata.len()
        };
    }
    Ok(bytes)
}

/// Whether two files have the same content.
pub(super) fn same_content(a: &Path, b: &Path) -> Result<bool> {
    let open = |path| Ok::<_, std::io::Error>(BufReader::with_capacity(1 << 20, File::open(path)?));
    let (mut a, mut b) = (open(a)?, open(b)?);
    loop {
        let (left, right) = (a.fill_buf()?, b.fill_buf()?);
        let length = left.len().min(right.len());
        if length == 0 {
            return Ok(left.len() == right.len());
        }
        if left[..length] != right[..length] {
            return Ok(false);
        }
        a.consume(length);
        b.consume(length);
    }
}
