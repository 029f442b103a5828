//! An entry's name and metadata as bytes.

use jiff::Timestamp;
use strongroom_domain::tree::{DeviceKind, EntryKind, Metadata, Xattr};

/// Length of what a head begins with and a file's content is judged by: size, times of
/// modification and change, inode.
pub(super) const JUDGED: usize = 8 + 12 + 12 + 8;

pub(super) const FILE: u8 = 0;
pub(super) const DIRECTORY: u8 = 1;
const SYMLINK: u8 = 2;
const BLOCK_DEVICE: u8 = 3;
const CHARACTER_DEVICE: u8 = 4;
const FIFO: u8 = 5;
const SOCKET: u8 = 6;

/// Appends a head.
pub(in super::super) fn encode(out: &mut Vec<u8>, name: &[u8], metadata: &Metadata) {
    encode_stat(out, name, metadata);
    number(out, metadata.xattrs.len());
    for xattr in &metadata.xattrs {
        text(out, &xattr.name);
        text(out, &xattr.value);
    }
}

/// Appends a head up to the extended attributes.
pub(in super::super) fn encode_stat(out: &mut Vec<u8>, name: &[u8], metadata: &Metadata) {
    out.extend_from_slice(&metadata.size.to_le_bytes());
    time(out, metadata.mtime);
    time(out, metadata.ctime);
    out.extend_from_slice(&metadata.inode.to_le_bytes());
    text(out, name);
    match &metadata.kind {
        EntryKind::File => out.push(FILE),
        EntryKind::Directory => out.push(DIRECTORY),
        EntryKind::Symlink { target } => {
            out.push(SYMLINK);
            text(out, target);
        }
        EntryKind::Device { kind, rdev } => {
            out.push(match kind {
                DeviceKind::Block => BLOCK_DEVICE,
                DeviceKind::Character => CHARACTER_DEVICE,
            });
            out.extend_from_slice(&rdev.to_le_bytes());
        }
        EntryKind::Fifo => out.push(FIFO),
        EntryKind::Socket => out.push(SOCKET),
    }
    for value in [metadata.mode, metadata.uid, metadata.gid] {
        out.extend_from_slice(&value.to_le_bytes());
    }
    time(out, metadata.atime);
    out.extend_from_slice(&metadata.device.to_le_bytes());
    out.extend_from_slice(&metadata.links.to_le_bytes());
    text(out, metadata.user.as_bytes());
    text(out, metadata.group.as_bytes());
}

pub(super) fn decode(head: &[u8]) -> Option<(Vec<u8>, Metadata)> {
    let mut rest = Reader(head);
    let size = rest.u64()?;
    let (mtime, ctime) = (rest.time()?, rest.time()?);
    let inode = rest.u64()?;
    let name = rest.bytes()?.to_vec();
    let kind = rest.kind()?;
    let [mode, uid, gid] = [rest.u32()?, rest.u32()?, rest.u32()?];
    let atime = rest.time()?;
    let (device, links) = (rest.u64()?, rest.u64()?);
    let (user, group) = (rest.string()?, rest.string()?);
    let xattrs = (0..rest.u32()?)
        .map(|_| rest.xattr())
        .collect::<Option<_>>()?;
    let metadata = Metadata {
        kind,
        mode,
        mtime,
        atime,
        ctime,
        uid,
        gid,
        user,
        group,
        size,
        inode,
        device,
        links,
        xattrs,
    };
    rest.0.is_empty().then_some((name, metadata))
}

pub(super) fn small(length: usize) -> u32 {
    u32::try_from(length).expect("metadata of an entry has less than 4 GiB")
}

pub(super) fn number(out: &mut Vec<u8>, value: usize) {
    out.extend_from_slice(&small(value).to_le_bytes());
}

fn text(out: &mut Vec<u8>, text: &[u8]) {
    number(out, text.len());
    out.extend_from_slice(text);
}

fn time(out: &mut Vec<u8>, time: Timestamp) {
    out.extend_from_slice(&time.as_second().to_le_bytes());
    out.extend_from_slice(&time.subsec_nanosecond().to_le_bytes());
}

/// Takes values off the front of bytes.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(super) fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.u32()?).ok()?;
        self.take(length)
    }

    fn string(&mut self) -> Option<String> {
        String::from_utf8(self.bytes()?.to_vec()).ok()
    }

    fn time(&mut self) -> Option<Timestamp> {
        let seconds = self.array().map(i64::from_le_bytes)?;
        let nanoseconds = self.array().map(i32::from_le_bytes)?;
        Timestamp::new(seconds, nanoseconds).ok()
    }

    fn kind(&mut self) -> Option<EntryKind> {
        let [kind] = self.array()?;
        Some(match kind {
            FILE => EntryKind::File,
            DIRECTORY => EntryKind::Directory,
            SYMLINK => EntryKind::Symlink {
                target: self.bytes()?.to_vec(),
            },
            BLOCK_DEVICE => EntryKind::Device {
                kind: DeviceKind::Block,
                rdev: self.u64()?,
            },
            CHARACTER_DEVICE => EntryKind::Device {
                kind: DeviceKind::Character,
                rdev: self.u64()?,
            },
            FIFO => EntryKind::Fifo,
            SOCKET => EntryKind::Socket,
            _ => return None,
        })
    }

    fn xattr(&mut self) -> Option<Xattr> {
        Some(Xattr {
            name: self.bytes()?.to_vec(),
            value: self.bytes()?.to_vec(),
        })
    }
}
