//! A directory as an earlier backup stored it, in a form that is cheap to compare with.
//!
//! An entry is a head (name and all metadata) and ids (a file's blobs or a directory's tree). Two
//! entries are the same if their heads are the same bytes.

use jiff::Timestamp;
use strongroom_domain::tree::{DeviceKind, EntryKind, Metadata, Xattr};

use crate::format::node::Node;
use crate::format::tree::Tree;
use crate::id::Id;

/// Length of what a head begins with and a file's content is judged by: size, times of
/// modification and change, inode.
const JUDGED: usize = 8 + 12 + 12 + 8;
const ID: usize = 32;

/// The entries of one directory in the order of their names.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// The tree they are stored as.
    tree: Id,
    bytes: Vec<u8>,
    count: usize,
    /// Whether the tree has nothing else.
    complete: bool,
}

/// One entry of a record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'a> {
    /// Where in the record it is.
    pub(super) at: usize,
    head: &'a [u8],
    ids: &'a [u8],
    end: usize,
}

impl Record {
    /// The record of a tree that was read from the repository.
    pub(super) fn of_tree(tree: Id, content: &Tree) -> Self {
        let complete = content.refused.is_empty();
        Self {
            complete,
            ..Self::of_nodes(tree, &content.nodes)
        }
    }

    /// The record of a directory that is stored as `tree`.
    pub(super) fn of_nodes(tree: Id, nodes: &[Node]) -> Self {
        let mut bytes = Vec::with_capacity(192 * nodes.len());
        for node in nodes {
            let start = bytes.len();
            number(&mut bytes, 0);
            encode(&mut bytes, &node.name, &node.metadata);
            let length = small(bytes.len() - start - 4);
            bytes[start..start + 4].copy_from_slice(&length.to_le_bytes());
            number(
                &mut bytes,
                node.content.len() + usize::from(node.subtree.is_some()),
            );
            for id in node.content.iter().chain(&node.subtree) {
                bytes.extend_from_slice(id.as_bytes());
            }
        }
        Self {
            tree,
            bytes,
            count: nodes.len(),
            complete: true,
        }
    }

    /// Takes bytes that [`Record::bytes`] gave; `None` if they are something else.
    pub(super) fn from_bytes(tree: Id, bytes: Vec<u8>) -> Option<Self> {
        let mut record = Self {
            tree,
            bytes,
            count: 0,
            complete: true,
        };
        let mut at = 0;
        while at < record.bytes.len() {
            record.node(at)?;
            at = record.known(at)?.end;
            record.count += 1;
        }
        Some(record)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn tree(&self) -> Id {
        self.tree
    }

    /// Whether `count` different entries of it are all that is in the tree.
    pub(super) fn is_all(&self, count: usize) -> bool {
        self.complete && self.count == count
    }

    /// The entry called `name`, looked for from `at` on, which moves to where the next name is.
    pub(super) fn find(&self, at: &mut usize, name: &[u8]) -> Option<Known<'_>> {
        loop {
            let known = self.known(*at)?;
            match known.name()?.cmp(name) {
                std::cmp::Ordering::Less => *at = known.end,
                std::cmp::Ordering::Equal => return Some(known),
                std::cmp::Ordering::Greater => return None,
            }
        }
    }

    fn known(&self, at: usize) -> Option<Known<'_>> {
        let mut rest = Reader(self.bytes.get(at..)?);
        let head = rest.bytes()?;
        let count = usize::try_from(rest.u32()?).ok()?;
        let ids = rest.take(count.checked_mul(ID)?)?;
        let end = self.bytes.len() - rest.0.len();
        Some(Known { at, head, ids, end })
    }

    /// The entry at `at` in full.
    pub(super) fn node(&self, at: usize) -> Option<Node> {
        let known = self.known(at)?;
        let (name, metadata) = decode(known.head)?;
        let is_dir = metadata.is_dir();
        let subtree = if is_dir { Some(known.subtree()?) } else { None };
        let content = if is_dir {
            Vec::new()
        } else {
            known.content().collect()
        };
        Some(Node {
            name,
            metadata,
            content,
            subtree,
        })
    }
}

impl<'a> Known<'a> {
    fn name(&self) -> Option<&'a [u8]> {
        Reader(self.head.get(JUDGED..)?).bytes()
    }

    /// Whether an entry with this head is the same.
    pub(super) fn is_same(&self, head: &[u8]) -> bool {
        self.head == head
    }

    /// The same for a head without extended attributes: whoever changes those also changes the
    /// time of change.
    pub(super) fn is_same_but_xattrs(&self, head: &[u8]) -> bool {
        self.head.starts_with(head)
    }

    /// Whether a file with this head has the same content, as far as metadata can tell.
    pub(super) fn has_same_content(&self, head: &[u8]) -> bool {
        self.is_file() && self.head.get(..JUDGED) == head.get(..JUDGED)
    }

    fn kind(&self) -> Option<u8> {
        let mut rest = Reader(self.head.get(JUDGED..)?);
        rest.bytes()?;
        rest.take(1).map(|kind| kind[0])
    }

    pub(super) fn is_file(&self) -> bool {
        self.kind() == Some(FILE)
    }

    /// The blobs of a file.
    pub(super) fn content(&self) -> impl Iterator<Item = Id> + 'a {
        let (ids, _) = self.ids.as_chunks::<ID>();
        ids.iter().map(|id| Id::from_bytes(*id))
    }

    /// The tree of a directory.
    pub(super) fn subtree(&self) -> Option<Id> {
        if self.kind() == Some(DIRECTORY) {
            self.content().next()
        } else {
            None
        }
    }
}

const FILE: u8 = 0;
const DIRECTORY: u8 = 1;
const SYMLINK: u8 = 2;
const BLOCK_DEVICE: u8 = 3;
const CHARACTER_DEVICE: u8 = 4;
const FIFO: u8 = 5;
const SOCKET: u8 = 6;

/// Appends a head.
pub(super) fn encode(out: &mut Vec<u8>, name: &[u8], metadata: &Metadata) {
    encode_stat(out, name, metadata);
    number(out, metadata.xattrs.len());
    for xattr in &metadata.xattrs {
        text(out, &xattr.name);
        text(out, &xattr.value);
    }
}

/// Appends a head up to the extended attributes.
pub(super) fn encode_stat(out: &mut Vec<u8>, name: &[u8], metadata: &Metadata) {
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

fn decode(head: &[u8]) -> Option<(Vec<u8>, Metadata)> {
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

fn small(length: usize) -> u32 {
    u32::try_from(length).expect("metadata of an entry has less than 4 GiB")
}

fn number(out: &mut Vec<u8>, value: usize) {
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

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::node::tests::file;
    use proptest::prelude::*;

    fn nodes() -> Vec<Node> {
        let mut link = file(b"b\xff");
        link.metadata.kind = EntryKind::Symlink {
            target: b"../x".to_vec(),
        };
        link.content.clear();
        let mut directory = file(b"c");
        directory.metadata.kind = EntryKind::Directory;
        directory.subtree = directory.content.pop();
        directory.content.clear();
        let mut device = file(b"d");
        let kind = DeviceKind::Character;
        device.metadata.kind = EntryKind::Device { kind, rdev: 261 };
        device.content.clear();
        vec![file(b"a"), link, directory, device]
    }

    #[test]
    fn entries_come_back_and_are_found_by_name() {
        let nodes = nodes();
        let tree = Id::of(b"tree");
        let record = Record::of_nodes(tree, &nodes);
        assert!(record.is_all(4) && !record.is_all(3));
        let again = Record::from_bytes(tree, record.bytes().to_vec()).unwrap();
        assert_eq!(again, record);
        let mut at = 0;
        for node in &nodes {
            let known = record.find(&mut at, &node.name).unwrap();
            let mut head = Vec::new();
            encode(&mut head, &node.name, &node.metadata);
            assert!(known.is_same(&head));
            assert_eq!(record.node(known.at).as_ref(), Some(node));
            assert!(record.find(&mut at, b"0").is_none());
        }
        assert!(record.find(&mut at, b"z").is_none());
    }

    #[test]
    fn a_change_of_mode_keeps_the_content_and_one_of_size_does_not() {
        let mut changed = file(b"a");
        let record = Record::of_nodes(Id::of(b""), &nodes());
        let judge = |node: &Node| {
            let mut head = Vec::new();
            encode(&mut head, &node.name, &node.metadata);
            let known = record.find(&mut 0, b"a").unwrap();
            (known.is_same(&head), known.has_same_content(&head))
        };
        assert_eq!(judge(&changed), (true, true));
        changed.metadata.mode ^= 1;
        assert_eq!(judge(&changed), (false, true));
        changed.metadata.size += 1;
        assert_eq!(judge(&changed), (false, false));
    }

    proptest! {
        #[test]
        fn damaged_bytes_never_panic(at in any::<proptest::sample::Index>(), byte: u8, cut: bool) {
            let mut bytes = Record::of_nodes(Id::of(b""), &nodes()).bytes().to_vec();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if cut {
                bytes.truncate(at);
            }
            if let Some(record) = Record::from_bytes(Id::of(b""), bytes) {
                prop_assert!(record.is_all(record.count));
            }
        }
    }
}
