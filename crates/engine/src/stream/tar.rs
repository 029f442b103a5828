//! A tar archive in POSIX's format of 2001 (`pax`), which has no limits that matter here.

use std::io::{self, Write};

use strongroom_domain::tree::{DeviceKind, EntryKind, Metadata};

use super::Sink;
use crate::browse::BrowseNode;

const BLOCK: usize = 512;

/// Writes a tar archive to `W`.
#[derive(Debug)]
pub struct TarSink<W> {
    out: W,
    /// Bytes of the current file written so far.
    written: u64,
}

impl<W: Write> TarSink<W> {
    /// Writes to `out`, which should be buffered.
    pub fn new(out: W) -> Self {
        Self { out, written: 0 }
    }

    /// What it was written to.
    pub fn into_inner(self) -> W {
        self.out
    }

    /// Fills the last block of a file.
    fn pad(&mut self) -> io::Result<()> {
        let rest = usize::try_from(self.written % BLOCK as u64).unwrap_or(0);
        self.written = 0;
        if rest > 0 {
            self.out.write_all(&[0; BLOCK][rest..])?;
        }
        Ok(())
    }

    fn extended(&mut self, records: &[u8]) -> io::Result<()> {
        let header = Header {
            name: b"PaxHeaders/entry",
            link: b"",
            mode: 0o644,
            owner: (0, 0),
            size: records.len() as u64,
            time: 0,
            kind: b'x',
            device: (0, 0),
        };
        self.out.write_all(&header.print())?;
        self.out.write_all(records)?;
        self.written = records.len() as u64;
        self.pad()
    }
}

impl<W: Write> Sink for TarSink<W> {
    fn entry(&mut self, node: &BrowseNode) -> io::Result<()> {
        self.pad()?;
        let metadata = &node.metadata;
        let mut name = node.path.as_bytes().to_vec();
        if metadata.is_dir() {
            name.push(b'/');
        }
        let (kind, link, device) = kind(&metadata.kind);
        let Some(kind) = kind else {
            // A socket means nothing without its process; no archiver keeps one.
            return Ok(());
        };
        let records = records(&name, link, metadata);
        if !records.is_empty() {
            self.extended(&records)?;
        }
        let size = if metadata.is_file() { metadata.size } else { 0 };
        let header = Header {
            name: &name,
            link,
            mode: metadata.mode & 0o7777,
            owner: (metadata.uid, metadata.gid),
            size,
            time: metadata.mtime.as_second(),
            kind,
            device,
        };
        self.out.write_all(&header.print())
    }

    fn content(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.written += bytes.len() as u64;
        self.out.write_all(bytes)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.pad()?;
        self.out.write_all(&[0; 2 * BLOCK])?;
        self.out.flush()
    }
}

/// Letter of the kind, target of a link, numbers of a device.
fn kind(kind: &EntryKind) -> (Option<u8>, &[u8], (u32, u32)) {
    match kind {
        EntryKind::File => (Some(b'0'), b"", (0, 0)),
        EntryKind::Directory => (Some(b'5'), b"", (0, 0)),
        EntryKind::Symlink { target } => (Some(b'2'), target, (0, 0)),
        EntryKind::Fifo => (Some(b'6'), b"", (0, 0)),
        EntryKind::Socket => (None, b"", (0, 0)),
        EntryKind::Device { kind, rdev } => {
            let letter = match kind {
                DeviceKind::Character => b'3',
                DeviceKind::Block => b'4',
            };
            let numbers = (rustix::fs::major(*rdev), rustix::fs::minor(*rdev));
            (Some(letter), b"", numbers)
        }
    }
}

/// Largest numbers that fit into 7 and 11 octal digits.
const MAX_7: u64 = 0o7_777_777;
const MAX_11: u64 = 0o77_777_777_777;

/// Whatever does not fit into the header.
fn records(name: &[u8], link: &[u8], metadata: &Metadata) -> Vec<u8> {
    let mut records = Vec::new();
    if name.len() > 100 {
        record(&mut records, b"path", name);
    }
    if link.len() > 100 {
        record(&mut records, b"linkpath", link);
    }
    let size = if metadata.is_file() { metadata.size } else { 0 };
    for (key, value, max) in [
        (&b"size"[..], size, MAX_11),
        (b"uid", metadata.uid.into(), MAX_7),
        (b"gid", metadata.gid.into(), MAX_7),
    ] {
        if value > max {
            record(&mut records, key, value.to_string().as_bytes());
        }
    }
    let time = metadata.mtime;
    let fits = u64::try_from(time.as_second()).is_ok_and(|seconds| seconds <= MAX_11);
    if time.subsec_nanosecond() != 0 || !fits {
        record(
            &mut records,
            b"mtime",
            decimal(time.as_nanosecond()).as_bytes(),
        );
    }
    for xattr in &metadata.xattrs {
        let key = [b"SCHILY.xattr.", &xattr.name[..]].concat();
        record(&mut records, &key, &xattr.value);
    }
    records
}

/// Nanoseconds as seconds.
fn decimal(nanoseconds: i128) -> String {
    const SECOND: u128 = 1_000_000_000;
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let all = nanoseconds.unsigned_abs();
    format!("{sign}{}.{:09}", all / SECOND, all % SECOND)
}

/// `length key=value\n`, where the length counts itself.
fn record(records: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while rest + length.to_string().len() != length {
        length = rest + length.to_string().len();
    }
    records.extend_from_slice(length.to_string().as_bytes());
    records.push(b' ');
    records.extend_from_slice(key);
    records.push(b'=');
    records.extend_from_slice(value);
    records.push(b'\n');
}

struct Header<'a> {
    name: &'a [u8],
    link: &'a [u8],
    mode: u32,
    owner: (u32, u32),
    size: u64,
    time: i64,
    kind: u8,
    device: (u32, u32),
}

impl Header<'_> {
    fn print(&self) -> [u8; BLOCK] {
        let mut block = [0; BLOCK];
        text(&mut block[..100], self.name);
        octal(&mut block[100..108], self.mode.into());
        octal(&mut block[108..116], u64::from(self.owner.0).min(MAX_7));
        octal(&mut block[116..124], u64::from(self.owner.1).min(MAX_7));
        octal(&mut block[124..136], self.size.min(MAX_11));
        octal(
            &mut block[136..148],
            u64::try_from(self.time).unwrap_or(0).min(MAX_11),
        );
        block[156] = self.kind;
        text(&mut block[157..257], self.link);
        text(&mut block[257..265], b"ustar\x0000");
        octal(&mut block[329..337], u64::from(self.device.0).min(MAX_7));
        octal(&mut block[337..345], u64::from(self.device.1).min(MAX_7));
        // The sum is computed with spaces in its own place.
        block[148..156].fill(b' ');
        let sum = block.iter().map(|&byte| u64::from(byte)).sum();
        octal(&mut block[148..155], sum);
        block
    }
}

fn text(field: &mut [u8], value: &[u8]) {
    let length = value.len().min(field.len());
    field[..length].copy_from_slice(&value[..length]);
}

/// Octal digits with leading zeros and a zero byte at the end.
fn octal(field: &mut [u8], mut value: u64) {
    let Some((last, digits)) = field.split_last_mut() else {
        return;
    };
    *last = 0;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(value & 7).unwrap_or(0);
        value >>= 3;
    }
}
