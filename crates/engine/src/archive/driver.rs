//! Walks the source's stream and the parent snapshot side by side.

use std::sync::Arc;

use strongroom_domain::tree::{
    Content, Entry, EntryError, EntryFailure, EntryKind, EntryPath, Metadata, Phase,
};

use super::cache::Cache;
use super::directory::{Before, Directory, Slot};
use super::file::FileJob;
use super::record::{self, Record};
use super::session::{Change, Session};
use crate::error::Result;
use crate::format::BlobKind;
use crate::format::node::Node;
use crate::format::snapshot::Snapshot;
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
    cache: Option<Cache>,
    /// The entry at hand as records have it.
    head: Vec<u8>,
}

struct Level {
    path: EntryPath,
    directory: Arc<Directory>,
    /// The same directory in the parent snapshot.
    before: Option<Arc<Record>>,
    /// Where in it the next entry is.
    at: usize,
}

/// What the parent snapshot says of an entry.
struct Judged {
    is_file: bool,
    /// The tree it has there.
    subtree: Option<Id>,
    /// Where it is in the record, if nothing but content or tree can be different.
    same_at: Option<usize>,
    /// Whether it is a file that seems to have the same content, all of which is stored.
    is_stored: bool,
    /// The blobs of such a file, unless it is the same.
    content: Vec<Id>,
}

impl Judged {
    /// Whether nothing more of the entry need be read.
    fn is_known(&self) -> bool {
        self.same_at.is_some() && (self.is_stored || !self.is_file)
    }
}

impl<'a> Driver<'a> {
    pub(super) fn new(
        repository: &'a IndexedRepository,
        session: &'a Session<'a>,
        parent: Option<&Snapshot>,
        cache: Option<Cache>,
    ) -> Self {
        let mut driver = Self {
            repository,
            session,
            open: Vec::new(),
            last: None,
            cache,
            head: Vec::new(),
        };
        let before = driver.before(parent.map(|parent| parent.tree), None);
        driver.open.push(Level {
            path: EntryPath::root(),
            before: before.record.clone(),
            directory: Directory::root(before),
            at: 0,
        });
        driver
    }

    /// A directory of the parent snapshot. One that is damaged only costs time.
    fn before(&mut self, tree: Option<Id>, same_at: Option<usize>) -> Before {
        let record = tree.and_then(|tree| {
            let cached = self.cache.as_mut().and_then(|cache| cache.get(tree));
            cached.or_else(|| {
                let content = self.repository.read_tree(tree).ok()?;
                Some(Record::of_tree(tree, &content))
            })
        });
        Before {
            tree,
            record: record.map(Arc::new),
            same_at,
        }
    }

    /// Looks up an entry in the parent snapshot. `late` tells that its extended attributes have
    /// not been read.
    fn judge(&mut self, name: &[u8], metadata: &Metadata, late: bool) -> Option<Judged> {
        let level = self.open.last_mut()?;
        let record = level.before.as_ref()?;
        let known = record.find(&mut level.at, name)?;
        self.head.clear();
        let same = if late {
            record::encode_stat(&mut self.head, name, metadata);
            known.is_same_but_xattrs(&self.head)
        } else {
            record::encode(&mut self.head, name, metadata);
            known.is_same(&self.head)
        };
        let stored = || {
            let index = self.repository.index();
            known.content().all(|id| index.contains(BlobKind::Data, id))
        };
        let stored = known.has_same_content(&self.head) && stored();
        Some(Judged {
            is_file: known.is_file(),
            subtree: known.subtree(),
            same_at: same.then_some(known.at),
            is_stored: stored,
            content: if stored && !same {
                known.content().collect()
            } else {
                Vec::new()
            },
        })
    }

    /// Takes the whole stream.
    pub(super) fn run(
        mut self,
        entries: impl Iterator<Item = Result<Entry, EntryError>>,
    ) -> Result<()> {
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

    fn entry(&mut self, mut entry: Entry) -> Result<()> {
        if let Some(reason) = self.disorder(&entry.path) {
            let message = format!("the source is out of order: {reason}");
            return self
                .session
                .entry_failed(EntryFailure::new(entry.path, Phase::List, message));
        }
        self.last = Some((entry.path.clone(), entry.metadata.is_dir()));
        self.enter_parent_of(&entry.path, &entry.metadata)?;
        if !self.session.options.access_times {
            entry.metadata.atime = entry.metadata.mtime;
        }
        let Some(name) = entry.path.name().map(<[u8]>::to_vec) else {
            return Ok(());
        };
        let late = entry.late_xattrs.is_pending();
        let before = self.judge(&name, &entry.metadata, late);
        let is_known = before.as_ref().is_some_and(Judged::is_known);
        if let Err(error) = if is_known { Ok(()) } else { entry.complete() } {
            let failure = EntryFailure::new(entry.path, Phase::Metadata, error.to_string());
            return self.session.entry_failed(failure);
        }
        let node = Node {
            name,
            metadata: entry.metadata,
            content: Vec::new(),
            subtree: None,
        };
        match &node.metadata.kind {
            EntryKind::Directory => {
                self.enter(entry.path, node, before);
                Ok(())
            }
            EntryKind::File => self.file(entry.path, node, entry.content, before, entry.comparable),
            _ => {
                self.session.count_other();
                let slot = match before.and_then(|before| before.same_at) {
                    Some(at) => Slot::Same(at),
                    None => Slot::New(Box::new(node)),
                };
                self.top().directory.reserve().finish(slot, self.session)
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
            let node = Node {
                name,
                metadata: implied,
                content: Vec::new(),
                subtree: None,
            };
            let before = self.judge(&node.name, &node.metadata, false);
            self.enter(path, node, before);
        }
        Ok(())
    }

    fn enter(&mut self, path: EntryPath, node: Node, judged: Option<Judged>) {
        self.session.context.progress.current(&path);
        let before = match judged {
            Some(Judged {
                subtree: Some(tree),
                same_at,
                ..
            }) => self.before(Some(tree), same_at),
            _ => Before::default(),
        };
        let record = before.record.clone();
        let directory = Directory::below(&self.top().directory, node, before);
        self.open.push(Level {
            path,
            directory,
            before: record,
            at: 0,
        });
    }

    fn file(
        &self,
        path: EntryPath,
        mut node: Node,
        content: Content,
        before: Option<Judged>,
        comparable: bool,
    ) -> Result<()> {
        let place = self.top().directory.reserve();
        let before = before.filter(|before| before.is_file);
        let change = match before {
            Some(_) => Change::Changed,
            None => Change::New,
        };
        if let Some(before) = before.filter(|before| comparable && before.is_stored) {
            let size = node.metadata.size;
            self.session.count_file(Change::Unmodified, size);
            self.session.context.progress.add(size, 1);
            node.content = before.content;
            let slot = match before.same_at {
                Some(at) => Slot::Same(at),
                None => Slot::New(Box::new(node)),
            };
            return place.finish(slot, self.session);
        }
        let open = match content {
            Content::Reader(open) => open,
            Content::None => Box::new(|| Err(std::io::Error::other("the source gave no content"))),
        };
        self.session.queue.push_file(FileJob {
            path,
            node,
            open,
            change,
            place,
        });
        Ok(())
    }
}
