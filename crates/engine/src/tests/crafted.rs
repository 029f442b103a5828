//! Repositories with trees that no honest program writes, for tests.

use std::sync::Arc;

use jiff::Timestamp;
use strongroom_domain::Clock;
use strongroom_domain::tree::{Context, EntryKind, Metadata};

use crate::backend::{Backend, FileKind, MemoryBackend};
use crate::crypto::kdf::KdfCost;
use crate::format::BlobKind;
use crate::format::node::Node;
use crate::format::snapshot::Snapshot;
use crate::id::Id;
use crate::repository::{IndexedRepository, InitOptions, Repository};
use crate::rewrite::with_store;

#[derive(Debug)]
struct Epoch;

impl Clock for Epoch {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }
}

/// What files have.
pub(crate) const CONTENT: &[u8] = b"written by a restore";

pub(crate) fn node(name: &[u8], kind: EntryKind, content: Vec<Id>, subtree: Option<Id>) -> Node {
    let mut metadata = Metadata::synthetic(kind, 0o644, Timestamp::UNIX_EPOCH);
    metadata.size = if content.is_empty() {
        0
    } else {
        CONTENT.len() as u64
    };
    Node {
        name: name.to_vec(),
        metadata,
        content,
        subtree,
    }
}

pub(crate) fn file(name: &[u8]) -> Node {
    node(name, EntryKind::File, vec![Id::of(CONTENT)], None)
}

pub(crate) fn directory(name: &[u8], tree: Id) -> Node {
    let mut node = node(name, EntryKind::Directory, Vec::new(), Some(tree));
    node.metadata.mode = 0o755;
    node
}

/// Stores trees as given, the last one being the root of a snapshot.
pub(crate) fn craft(trees: impl IntoIterator<Item = Vec<u8>>) -> (IndexedRepository, Snapshot) {
    craft_in(Arc::new(MemoryBackend::new()), trees)
}

/// The same in this storage.
pub(crate) fn craft_in(
    backend: Arc<dyn Backend>,
    trees: impl IntoIterator<Item = Vec<u8>>,
) -> (IndexedRepository, Snapshot) {
    let options = InitOptions {
        kdf: KdfCost::MACHINE,
        ..InitOptions::new("x")
    };
    let repository = Repository::init(backend, Arc::new(Epoch), &options).unwrap();
    let context = Context::default();
    let indexed = repository.into_indexed(&context).unwrap();
    let (root, _) = with_store(&indexed, &context, |store| {
        let content = store.save(BlobKind::Data, CONTENT);
        let mut trees = trees.into_iter();
        trees.try_fold(content?, |_, tree| store.save(BlobKind::Tree, &tree))
    })
    .unwrap();
    let json = format!(r#"{{"time":"2020-01-01T00:00:00Z","tree":"{root}"}}"#);
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    let id = indexed
        .repository()
        .write_json(FileKind::Snapshot, &value)
        .unwrap();
    let snapshot = indexed.repository().snapshot(id).unwrap();
    (indexed, snapshot)
}
