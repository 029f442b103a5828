//! The data that is backed up: a tree of real files, a database-like file and random bytes, and a
//! change of two per cent to each. The same machine gives the same data every time.

use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    os::unix::{fs::FileExt, fs::PermissionsExt},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};

/// One of the three.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Set {
    /// 100,000 files of the system and of Rust's registry
    A,
    /// One file of a database: pages half text, half random
    B,
    /// One file of random bytes
    C,
}

impl Set {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::A => "a",
            Self::B => "b",
            Self::C => "c",
        }
    }
}

/// Files and bytes at full scale.
const FILES: u64 = 100_000;
const BYTES: u64 = 2 << 30;
/// Larger files of the system are left out, so that both numbers are reached together; of a small
/// tree even smaller ones.
const LARGEST: u64 = 4 << 20;
const LARGEST_OF_SMALL: u64 = 64 << 10;
/// Page of the database.
const PAGE: usize = 8 << 10;
/// What a change writes in one place of a big file.
const EXTENT: usize = 648 << 10;

/// Makes the data in `target`, which must not exist.
pub(super) fn make(set: Set, target: &Path, scale: f64) -> Result<()> {
    fs::create_dir_all(target)?;
    match set {
        Set::A => tree(target, scale),
        Set::B => big(target, scale, page),
        Set::C => big(target, scale, Noise::fill),
    }
}

/// Changes about two per cent, the same each time for the same `round`.
pub(super) fn change(set: Set, target: &Path, scale: f64, round: u64) -> Result<()> {
    let mut noise = Noise::new(1000 + round);
    match set {
        Set::A => change_tree(target, scaled(400, scale), &mut noise),
        Set::B => change_big(target, scaled(64, scale), &mut noise, page),
        Set::C => change_big(target, scaled(64, scale), &mut noise, Noise::fill),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a number of files or pages, rounded"
)]
fn scaled(full: u64, scale: f64) -> u64 {
    ((full as f64 * scale) as u64).max(1)
}

/// Copies real files until there are enough.
fn tree(target: &Path, scale: f64) -> Result<()> {
    let home = std::env::home_dir().context("there is no home directory")?;
    let roots = [
        PathBuf::from("/usr/lib"),
        PathBuf::from("/usr/bin"),
        home.join(".cargo/registry/src"),
        PathBuf::from("/usr/include"),
        PathBuf::from("/usr/share"),
        home.join(".rustup/toolchains"),
    ];
    let (mut files, mut bytes) = (scaled(FILES, scale), scaled(BYTES, scale));
    for (number, root) in roots.iter().enumerate().filter(|(_, root)| root.is_dir()) {
        let largest = scaled(LARGEST, scale).max(LARGEST_OF_SMALL);
        let mut left = Left {
            files,
            bytes,
            largest,
        };
        copy(root, &target.join(number.to_string()), &mut left)?;
        (files, bytes) = (left.files, left.bytes);
    }
    ensure!(
        scaled(FILES, scale) - files >= scaled(FILES * 9 / 10, scale),
        "this machine lacks {files} files for the tree"
    );
    Ok(())
}

/// What may still be copied.
struct Left {
    files: u64,
    bytes: u64,
    /// Of one file.
    largest: u64,
}

fn copy(from: &Path, to: &Path, left: &mut Left) -> Result<()> {
    fs::create_dir(to)?;
    let mut entries = fs::read_dir(from)?.collect::<std::io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        if left.files == 0 {
            break;
        }
        let (metadata, to) = (entry.metadata()?, to.join(entry.file_name()));
        if metadata.is_dir() {
            copy(&entry.path(), &to, left)?;
        } else if metadata.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(entry.path())?, &to)?;
        } else if metadata.is_file() && metadata.len() <= left.largest.min(left.bytes) {
            fs::copy(entry.path(), &to)?;
            fs::set_permissions(&to, fs::Permissions::from_mode(0o644))?;
            left.files -= 1;
            left.bytes -= metadata.len();
        }
    }
    Ok(())
}

/// Writes a few bytes into every fortieth file and adds some files.
fn change_tree(target: &Path, new: u64, noise: &mut Noise) -> Result<()> {
    let mut files = Vec::new();
    list(target, &mut files)?;
    for path in files.iter().step_by(40) {
        let file = File::options().write(true).open(path)?;
        let mut bytes = [0; 64];
        noise.fill(&mut bytes);
        file.write_all_at(&bytes, file.metadata()?.len() / 2)?;
    }
    let directory = target.join(format!("new-{}", noise.next()));
    fs::create_dir(&directory)?;
    for number in 0..new {
        let mut content = vec![0; 4096 + usize::try_from(noise.below(60_000))?];
        noise.fill(&mut content);
        fs::write(directory.join(number.to_string()), content)?;
    }
    Ok(())
}

/// Writes new pages over old ones in `extents` places.
fn change_big(
    target: &Path,
    extents: u64,
    noise: &mut Noise,
    fill: fn(&mut Noise, &mut [u8]),
) -> Result<()> {
    let file = File::options().write(true).open(target.join("file"))?;
    let pages = (file.metadata()?.len().saturating_sub(EXTENT as u64)) / PAGE as u64;
    let mut extent = vec![0; EXTENT];
    for _ in 0..extents {
        extent.chunks_mut(PAGE).for_each(|page| fill(noise, page));
        file.write_all_at(&extent, noise.below(pages + 1) * PAGE as u64)?;
    }
    Ok(())
}

/// All regular files below `directory`, sorted.
pub(super) fn list(directory: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    let mut entries = fs::read_dir(directory)?.collect::<std::io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let kind = entry.file_type()?;
        if kind.is_dir() {
            list(&entry.path(), found)?;
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
    Ok(())
}

/// Writes one big file page by page.
fn big(target: &Path, scale: f64, fill: fn(&mut Noise, &mut [u8])) -> Result<()> {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(target.join("file"))?);
    let (mut noise, mut bytes) = (Noise::new(7), [0; PAGE]);
    for _ in 0..scaled(BYTES / PAGE as u64, scale) {
        fill(&mut noise, &mut bytes);
        file.write_all(&bytes)?;
    }
    Ok(file.flush()?)
}

/// A leaf of a table as SQLite lays it out: header, cell pointers, free space, then rows from the
/// end, each half text and half random.
fn page(noise: &mut Noise, page: &mut [u8]) {
    const ROW: usize = 480;
    const ROWS: usize = 16;
    page.fill(0);
    page[0] = 13;
    page[3..5].copy_from_slice(&16_u16.to_be_bytes());
    for row in 0..ROWS {
        let start = PAGE - (row + 1) * ROW;
        let [.., high, low] = start.to_be_bytes();
        page[8 + 2 * row] = high;
        page[9 + 2 * row] = low;
        let (blob, text) = page[start..start + ROW].split_at_mut(ROW / 2);
        noise.fill(blob);
        noise.words(text);
    }
}

/// Pseudo-random bytes (xorshift).
pub(super) struct Noise(u64);

impl Noise {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let next = self.next().to_le_bytes();
            chunk.copy_from_slice(&next[..chunk.len()]);
        }
    }

    /// Text as a log or a list of addresses has it.
    fn words(&mut self, text: &mut [u8]) {
        const WORDS: [&[u8]; 16] = [
            b"select ",
            b"account ",
            b"2026-11-",
            b"street ",
            b"user ",
            b"error ",
            b"order ",
            b"the ",
            b"customer ",
            b"status=",
            b"ready ",
            b"id=",
            b"value ",
            b"null ",
            b"of ",
            b"42 ",
        ];
        let mut rest = text;
        while !rest.is_empty() {
            let word = WORDS[usize::try_from(self.below(16)).expect("less than sixteen")];
            let length = word.len().min(rest.len());
            let (now, later) = rest.split_at_mut(length);
            now.copy_from_slice(&word[..length]);
            rest = later;
        }
    }
}
