//! A directory as an earlier backup stored it, in a form that is cheap to compare with.
//!
//! An entry is a head (name and all metadata) and ids (a file's blobs or a directory's tree). Two
//! entries are the same if their heads are the same bytes.

mod head;

use crate::format::node::Node;
use crate::format::tree::Tree;
use crate::id::Id;

use head::{DIRECTORY, FILE, JUDGED, Reader, decode, number, small};
pub(super) use head::{encode, encode_stat};

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::node::tests::file;
    use proptest::prelude::*;
    use strongroom_domain::tree::{DeviceKind, EntryKind};

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
