//! Looking into a snapshot: list, find, read one file.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::path::Path;
use std::vec;

use strongroom_domain::tree::{
    Context, EntryPath, Metadata, RestoreOptions, RestoreReport, TreeError, TreeNode, TreeReader,
};

use crate::ahead::Ahead;
use crate::backend::{FileKind, Handle};
use crate::error::{Error, Object, Result};
use crate::format::BlobKind;
use crate::format::node::Node;
use crate::format::snapshot::Snapshot;
use crate::id::Id;
use crate::repository::IndexedRepository;
use crate::trees;

/// One entry of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrowseNode {
    /// Where it is; never the root.
    pub path: EntryPath,
    /// What is known of it.
    pub metadata: Metadata,
    /// A file's blobs.
    pub(crate) content: Vec<Id>,
    subtree: Option<Id>,
}

impl From<BrowseNode> for TreeNode {
    fn from(node: BrowseNode) -> Self {
        Self {
            path: node.path,
            metadata: node.metadata,
        }
    }
}

/// Read access to one snapshot. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SnapshotReader {
    repository: IndexedRepository,
    snapshot: Snapshot,
}

impl IndexedRepository {
    /// Read access to a snapshot.
    pub fn reader(&self, snapshot: &Snapshot) -> SnapshotReader {
        SnapshotReader {
            repository: self.clone(),
            snapshot: snapshot.clone(),
        }
    }
}

impl SnapshotReader {
    /// The snapshot.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    pub(crate) fn repository(&self) -> &IndexedRepository {
        &self.repository
    }

    /// The entries directly in the directory `path`.
    pub fn children(&self, path: &EntryPath) -> Result<Vec<BrowseNode>> {
        let tree = self.repository.read_tree(self.tree_of(path)?)?;
        let nodes = tree.nodes.into_iter().map(|node| below(path, node));
        Ok(nodes.collect())
    }

    /// The entry at `path`.
    pub fn find(&self, path: &EntryPath) -> Result<BrowseNode> {
        let missing = || Error::NoEntry(path.clone());
        let (Some(parent), Some(name)) = (path.parent(), path.name()) else {
            return Err(missing());
        };
        let tree = self.repository.read_tree(self.tree_of(&parent)?)?;
        tree.get(name)
            .map(|node| below(&parent, node.clone()))
            .ok_or_else(missing)
    }

    fn tree_of(&self, path: &EntryPath) -> Result<Id> {
        let mut id = self.snapshot.tree;
        for name in path.components() {
            let tree = self.repository.read_tree(id)?;
            let subtree = tree.get(name).and_then(|node| node.subtree);
            id = subtree.ok_or_else(|| Error::NoEntry(path.clone()))?;
        }
        Ok(id)
    }

    /// Everything below the directory `path`, in tree order. A directory that is damaged gives an
    /// error after its node.
    pub fn walk(&self, path: &EntryPath) -> Result<Walk> {
        let root = self.tree_of(path)?;
        let enter = Some((path.clone(), root));
        Ok(Walk {
            repository: self.repository.clone(),
            enter,
            levels: Vec::new(),
            errors: VecDeque::new(),
        })
    }

    /// The content of the file at `path`.
    pub fn open_file(&self, path: &EntryPath) -> Result<FileReader> {
        let node = self.find(path)?;
        if !node.metadata.is_file() {
            return Err(Error::NotAFile(path.clone()));
        }
        Ok(FileReader {
            missing: node.metadata.size,
            blobs: Ahead::new(self.repository.clone(), node.content),
            current: io::Cursor::default(),
        })
    }

    /// Writes the content of the file at `path` to `out`; returns its length. A file of which less
    /// is stored than its size is an error after what there is.
    pub fn dump(&self, path: &EntryPath, out: &mut dyn Write, context: &Context) -> Result<u64> {
        let mut file = self.open_file(path)?;
        context.progress.total(file.missing, 1);
        let mut length = 0;
        while let Some(blob) = file.next_blob()? {
            if context.cancel.is_cancelled() {
                return Err(Error::Cancelled);
            }
            out.write_all(&blob).map_err(|source| Error::Target {
                path: "the output".to_owned(),
                source,
            })?;
            length += blob.len() as u64;
            context.progress.add(blob.len() as u64, 0);
        }
        if file.missing > 0 {
            let reason = format!(
                "{} bytes at the end of `{path}` are not stored",
                file.missing
            );
            let snapshot = Handle::new(FileKind::Snapshot, self.snapshot.id);
            return Err(Error::damaged(snapshot, reason));
        }
        context.progress.add(0, 1);
        Ok(length)
    }
}

fn below(parent: &EntryPath, node: Node) -> BrowseNode {
    let path = parent
        .join(&node.name)
        .expect("names in parsed trees were checked");
    BrowseNode {
        path,
        metadata: node.metadata,
        content: node.content,
        subtree: node.subtree,
    }
}

/// An error of [`Walk`]: the directory is damaged, or some of its entries are.
#[derive(Debug, thiserror::Error)]
#[error("cannot list `{path}`")]
pub struct WalkError {
    /// The directory.
    pub path: EntryPath,
    /// What is wrong.
    pub source: Error,
}

/// The entries below a directory, in tree order.
#[derive(Debug)]
pub struct Walk {
    repository: IndexedRepository,
    /// A directory to go into next.
    enter: Option<(EntryPath, Id)>,
    levels: Vec<(EntryPath, vec::IntoIter<Node>)>,
    errors: VecDeque<WalkError>,
}

impl Walk {
    /// Does not go into the directory that was returned last.
    pub fn skip_directory(&mut self) {
        self.enter = None;
    }

    fn open_next(&mut self) {
        let Some((path, id)) = self.enter.take() else {
            return;
        };
        match trees::check_depth(&path, id).and_then(|()| self.repository.read_tree(id)) {
            Ok(tree) => {
                let object = Object::looked_for(BlobKind::Tree, id);
                let errors = tree.refused.into_iter().map(|reason| WalkError {
                    path: path.clone(),
                    source: Error::damaged(object, reason),
                });
                self.errors.extend(errors);
                self.levels.push((path, tree.nodes.into_iter()));
            }
            Err(source) => self.errors.push_back(WalkError { path, source }),
        }
    }
}

impl Iterator for Walk {
    type Item = Result<BrowseNode, WalkError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.open_next();
        if let Some(error) = self.errors.pop_front() {
            return Some(Err(error));
        }
        while let Some((path, nodes)) = self.levels.last_mut() {
            if let Some(node) = nodes.next() {
                let node = below(path, node);
                self.enter = node
                    .subtree
                    .filter(|_| node.metadata.is_dir())
                    .map(|id| (node.path.clone(), id));
                return Some(Ok(node));
            }
            self.levels.pop();
        }
        None
    }
}

/// The content of a file, each blob proven by its hash. While one is used the next are read.
#[derive(Debug)]
pub struct FileReader {
    blobs: Ahead,
    current: io::Cursor<Vec<u8>>,
    /// Bytes the file should still have.
    missing: u64,
}

impl FileReader {
    fn next_blob(&mut self) -> Result<Option<Vec<u8>>> {
        let Some(blob) = self.blobs.next()? else {
            return Ok(None);
        };
        self.missing = self.missing.saturating_sub(blob.len() as u64);
        Ok(Some(blob))
    }
}

impl Read for FileReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.current.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            match self.next_blob()? {
                Some(blob) => self.current = io::Cursor::new(blob),
                None if self.missing > 0 => {
                    let message = format!("{} bytes of the file are not stored", self.missing);
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, message));
                }
                None => return Ok(0),
            }
        }
    }
}

impl TreeReader for SnapshotReader {
    fn nodes(&self) -> Box<dyn Iterator<Item = Result<TreeNode, TreeError>> + Send + '_> {
        match self.walk(&EntryPath::root()) {
            Ok(walk) => Box::new(walk.map(|node| {
                node.map(TreeNode::from)
                    .map_err(|error| TreeError::Storage(Box::new(error)))
            })),
            Err(error) => Box::new(std::iter::once(Err(error.into()))),
        }
    }

    fn open(&self, path: &EntryPath) -> Result<Box<dyn Read + Send + '_>, TreeError> {
        Ok(Box::new(self.open_file(path)?))
    }

    fn subtree(&self, path: &EntryPath) -> Result<Box<dyn TreeReader + '_>, TreeError> {
        let tree = self.tree_of(path)?;
        Ok(Box::new(Self {
            repository: self.repository.clone(),
            snapshot: Snapshot {
                tree,
                ..self.snapshot.clone()
            },
        }))
    }

    fn restore_to(
        &self,
        target: &Path,
        options: &RestoreOptions,
        context: &Context,
    ) -> Result<RestoreReport, TreeError> {
        Ok(self.restore(target, options, context)?)
    }
}
