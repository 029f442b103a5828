//! Walks the source's stream and the parent snapshot side by side.

use std::sync::Arc;

use strongroom_domain::tree::{
    Content, Entry, EntryFailure, EntryKind, EntryPath, EntryStream, Metadata, Phase,
};

use super::directory::Directory;
use super::file::FileJob;
use super::session::{Change, Session};
use crate::error::Result;
use crate::format::BlobKind;
use crate::format::node::Node;
use crate::format::snapshot::Snapshot;
use crate::format::tree::Tree;
use crate::id::Id;
use crate::repository::IndexedRepository;

/// Mode of directories that the stream implies but does not deliver.
const IMPLIED_MODE: u32 = 0o755;

pub(super) struct Driver<'a> {
    repository: &'a IndexedRepository,
    session: &'a Session<'a>,
    /// Directories that may get more entries, from the root down.
    open: Vec<Level>,
    /// The last entry, to see that the stream is in order.
    last: Option<(EntryPath, bool)>,
}

struct Level {
    path: EntryPath,
    directory: Arc<Directory>,
    /// The same directory in the parent snapshot.
    before: Option<Tree>,
}

impl Level {
    /// The entry `name` in the parent snapshot.
    fn before(&self, name: &[u8]) -> Option<Node> {
        self.before
            .as_ref()
            .and_then(|tree| tree.get(name))
            .cloned()
    }
}

impl<'a> Driver<'a> {
    pub(super) fn new(
        repository: &'a IndexedRepository,
        session: &'a Session<'a>,
        parent: Option<&Snapshot>,
    ) -> Self {
        let mut driver = Self {
            repository,
            session,
            open: Vec::new(),
            last: None,
        };
        let before = parent.map(|parent| parent.tree);
        driver.open.push(Level {
            path: EntryPath::root(),
            directory: Directory::root(before),
            before: driver.read_before(before),
        });
        driver
    }

    /// A tree of the parent snapshot. One that is damaged only costs time.
    fn read_before(&self, id: Option<Id>) -> Option<Tree> {
        id.and_then(|id| self.repository.read_tree(id).ok())
    }

    /// Takes the whole stream.
    pub(super) fn run(mut self, entries: Box<dyn EntryStream>) -> Result<()> {
        for entry in entries {
            self.session.check()?;
            match entry {
                Ok(entry) => self.entry(entry)?,
                Err(error) => self.session.entry_failed(error.into())?,
            }
        }
        while let Some(level) = self.open.pop() {
            level.directory.close(self.session)?;
        }
        Ok(())
    }

    fn entry(&mut self, entry: Entry) -> Result<()> {
        if let Some(reason) = self.disorder(&entry.path) {
            let message = format!("the source is out of order: {reason}");
            return self
                .session
                .entry_failed(EntryFailure::new(entry.path, Phase::List, message));
        }
        self.last = Some((entry.path.clone(), entry.metadata.is_dir()));
        self.enter_parent_of(&entry.path, &entry.metadata)?;
        let Some(name) = entry.path.name() else {
            return Ok(());
        };
        let before = self.top().before(name);
        let node = self.node(name.to_vec(), entry.metadata);
        match &node.metadata.kind {
            EntryKind::Directory => {
                self.enter(entry.path, node, before.as_ref());
                Ok(())
            }
            EntryKind::File => self.file(entry.path, node, entry.content, before, entry.comparable),
            _ => {
                self.session.count_other();
                self.top()
                    .directory
                    .reserve()
                    .finish(Some(node), self.session)
            }
        }
    }

    /// Why an entry cannot come after the last one.
    fn disorder(&self, path: &EntryPath) -> Option<String> {
        if path.is_root() {
            return Some("the root is not an entry".to_owned());
        }
        let (last, is_dir) = self.last.as_ref()?;
        if path <= last {
            return Some(format!("it comes after `{last}`"));
        }
        (path.starts_with(last) && !is_dir).then(|| format!("`{last}` is not a directory"))
    }

    fn top(&self) -> &Level {
        self.open
            .last()
            .expect("the root stays open until the end of the stream")
    }

    /// Closes directories that are complete and opens those on the way that were not delivered.
    fn enter_parent_of(&mut self, path: &EntryPath, metadata: &Metadata) -> Result<()> {
        while !path.starts_with(&self.top().path) {
            if let Some(level) = self.open.pop() {
                level.directory.close(self.session)?;
            }
        }
        let parents = path.depth() - 1;
        let known = self.top().path.depth();
        let missing: Vec<Vec<u8>> = path
            .components()
            .take(parents)
            .skip(known)
            .map(<[u8]>::to_vec)
            .collect();
        for name in missing {
            let Ok(path) = self.top().path.join(&name) else {
                continue;
            };
            let implied = Metadata::synthetic(EntryKind::Directory, IMPLIED_MODE, metadata.mtime);
            let before = self.top().before(&name);
            let node = Node {
                name,
                metadata: implied,
                content: Vec::new(),
                subtree: None,
            };
            self.enter(path, node, before.as_ref());
        }
        Ok(())
    }

    fn enter(&mut self, path: EntryPath, node: Node, before: Option<&Node>) {
        self.session.context.progress.current(&path);
        let before = before.and_then(|node| node.subtree);
        let directory = Directory::below(&self.top().directory, node, before);
        let before = self.read_before(before);
        self.open.push(Level {
            path,
            directory,
            before,
        });
    }

    fn node(&self, name: Vec<u8>, mut metadata: Metadata) -> Node {
        if !self.session.options.access_times {
            metadata.atime = metadata.mtime;
        }
        Node {
            name,
            metadata,
            content: Vec::new(),
            subtree: None,
        }
    }

    fn file(
        &self,
        path: EntryPath,
        mut node: Node,
        content: Content,
        before: Option<Node>,
        comparable: bool,
    ) -> Result<()> {
        let place = self.top().directory.reserve();
        let before = before.filter(|before| before.metadata.is_file());
        let change = if before.is_some() {
            Change::Changed
        } else {
            Change::New
        };
        if let Some(before) = before.filter(|b| comparable && self.is_unchanged(b, &node)) {
            node.content = before.content;
            let size = node.metadata.size;
            self.session.count_file(Change::Unmodified, size);
            self.session.context.progress.add(size, 1);
            return place.finish(Some(node), self.session);
        }
        let open = match content {
            Content::Reader(open) => open,
            Content::None => Box::new(|| Err(std::io::Error::other("the source gave no content"))),
        };
        self.session.queue.push_file(Box::new(FileJob {
            path,
            node,
            open,
            change,
            place,
        }));
        Ok(())
    }

    /// Whether a file is the same as in the parent snapshot, and all of it still stored.
    fn is_unchanged(&self, before: &Node, now: &Node) -> bool {
        let (old, new) = (&before.metadata, &now.metadata);
        old.size == new.size
            && old.mtime == new.mtime
            && old.ctime == new.ctime
            && old.inode == new.inode
            && {
                let index = self.repository.index();
                before
                    .content
                    .iter()
                    .all(|id| index.contains(BlobKind::Data, *id))
            }
    }
}
