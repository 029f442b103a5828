//! What to restore from which pack to where.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use strongroom_domain::tree::{EntryKind, EntryPath, Metadata, Overwrite, Phase};

use super::Session;
use super::attributes::{Attributes, seconds_and_nanoseconds};
use super::directory::Directory;
use super::file::FilePlan;
use super::target::{self, Directories};
use crate::browse::SnapshotReader;
use crate::error::{Error, Object, Result};
use crate::format::BlobKind;
use crate::format::index::IndexBlob;
use crate::format::node::Node;
use crate::format::tree::Tree;
use crate::id::{Id, IdMap};
use crate::index::Location;
use crate::trees::{self, Pending, Repeats};

/// A blob in a pack, and a place in a file that it belongs to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub(super) blob: IndexBlob,
    /// Number of the file.
    pub(super) file: usize,
    /// Where in the file.
    pub(super) at: u64,
}

/// A link, device, pipe or socket.
#[derive(Debug)]
pub(super) struct Special {
    pub(super) path: EntryPath,
    pub(super) kind: EntryKind,
    pub(super) attributes: Attributes,
}

/// Everything to be done, directories already made.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) directories: Vec<Arc<Directory>>,
    pub(super) files: Vec<FilePlan>,
    /// Packs in the order in which they are first needed.
    pub(super) packs: Vec<(Id, Vec<Part>)>,
    pub(super) specials: Vec<Special>,
    /// Further names of files, each with the first.
    pub(super) links: Vec<(EntryPath, EntryPath)>,
    pub(super) skipped: u64,
}

/// What one directory adds to the plan.
struct Found {
    directory: Arc<Directory>,
    files: Vec<(FilePlan, Vec<Location>)>,
    specials: Vec<Special>,
    links: Vec<(EntryPath, EntryPath)>,
    skipped: u64,
}

impl Plan {
    pub(super) fn make(reader: &SnapshotReader, session: &Session<'_>) -> Result<Self> {
        let planner = Planner {
            session,
            first_names: Mutex::default(),
            found: Mutex::default(),
            repeats: Mutex::default(),
        };
        let root = Arc::new(Directory::root(session.target.owner_is_ours()));
        trees::visit(
            session.repository,
            session.context,
            vec![(reader.snapshot().tree, root)],
            || Directories::new(session.target),
            |directories, (id, directory), tree| {
                let tree = trees::check_depth(&directory.path, id).and(tree);
                if let Ok(tree) = &tree {
                    planner.repeats().count(id, tree)?;
                }
                planner.tree(directories, directory, tree)
            },
        )?;
        let found = planner.found.into_inner();
        let mut found = found.unwrap_or_else(PoisonError::into_inner);
        // Threads find them in any order.
        found.sort_by(|a, b| a.directory.path.cmp(&b.directory.path));
        Ok(Self::assemble(found))
    }

    fn assemble(found: Vec<Found>) -> Self {
        let mut plan = Self::default();
        let mut numbers: IdMap<usize> = IdMap::default();
        for found in found {
            for (file, content) in found.files {
                let number = plan.files.len();
                plan.files.push(file);
                let mut at = 0_u64;
                for Location { pack, blob } in content {
                    let packs = &mut plan.packs;
                    let pack = *numbers.entry(pack).or_insert_with(|| {
                        packs.push((pack, Vec::new()));
                        packs.len() - 1
                    });
                    let file = number;
                    packs[pack].1.push(Part { blob, file, at });
                    at = at.saturating_add(blob.plain_length());
                }
            }
            plan.specials.extend(found.specials);
            plan.links.extend(found.links);
            plan.skipped += found.skipped;
            plan.directories.push(found.directory);
        }
        plan.directories.retain(|directory| directory.is_restored());
        for (_, parts) in &mut plan.packs {
            parts.sort_by_key(|part| (part.blob.offset, part.blob.id));
        }
        plan
    }

    /// Bytes of content to be written.
    pub(super) fn bytes(&self) -> u64 {
        let parts = self.packs.iter().flat_map(|(_, parts)| parts);
        parts.map(|part| part.blob.plain_length()).sum()
    }

    pub(super) fn entries(&self) -> u64 {
        let leaves = self.files.len() + self.specials.len() + self.links.len();
        (self.directories.len() + leaves) as u64
    }
}

struct Planner<'a> {
    session: &'a Session<'a>,
    first_names: Mutex<HashMap<(u64, u64), EntryPath>>,
    found: Mutex<Vec<Found>>,
    repeats: Mutex<Repeats>,
}

impl Planner<'_> {
    fn repeats(&self) -> MutexGuard<'_, Repeats> {
        self.repeats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Plans what is in a directory; returns the directories in it.
    fn tree(
        &self,
        directories: &mut Directories<'_>,
        directory: Arc<Directory>,
        tree: Result<Tree>,
    ) -> Result<Vec<Pending<Arc<Directory>>>> {
        let mut found = Found {
            directory,
            files: Vec::new(),
            specials: Vec::new(),
            links: Vec::new(),
            skipped: 0,
        };
        let below = match tree {
            Ok(tree) => self.nodes(directories, tree, &mut found)?,
            Err(error) if error.is_damage() => {
                let path = &found.directory.path;
                self.session.failed(path, Phase::Fetch, error.chain());
                Vec::new()
            }
            Err(error) => return Err(error),
        };
        self.found
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(found);
        Ok(below)
    }

    fn nodes(
        &self,
        directories: &mut Directories<'_>,
        tree: Tree,
        found: &mut Found,
    ) -> Result<Vec<Pending<Arc<Directory>>>> {
        let (session, options) = (self.session, self.session.options);
        for reason in tree.refused {
            session.failed(&found.directory.path, Phase::Fetch, reason);
        }
        let mut below = Vec::new();
        for node in tree.nodes {
            session.check()?;
            let path = found.directory.path.join(&node.name);
            let path = path.expect("names in parsed trees were checked");
            if options.exclude.matches(&path) {
                continue;
            }
            let selected = options.include.is_empty() || options.include.matches(&path);
            if let Some(subtree) = node.subtree.filter(|_| node.metadata.is_dir()) {
                let directory = Directory::below(&found.directory, path, node.metadata);
                if !selected || directory.make(session, directories) {
                    below.push((subtree, Arc::new(directory)));
                }
            } else if selected && found.directory.make(session, directories) {
                self.leaf(directories, path, node, found);
            }
        }
        Ok(below)
    }

    fn leaf(
        &self,
        directories: &mut Directories<'_>,
        path: EntryPath,
        node: Node,
        found: &mut Found,
    ) {
        if let Some(key) = node.metadata.hard_link_key() {
            let names = self.first_names.lock();
            let mut names = names.unwrap_or_else(PoisonError::into_inner);
            if let Some(first) = names.get(&key) {
                found.links.push((path, first.clone()));
                return;
            }
            names.insert(key, path.clone());
        }
        match self.is_to_be_left(directories, &found.directory, &path, &node.metadata) {
            Ok(true) => found.skipped += 1,
            Ok(false) if node.metadata.is_file() => self.file(&path, node, found),
            Ok(false) => found.specials.push(Special {
                path,
                kind: node.metadata.kind.clone(),
                attributes: Attributes::of(node.metadata),
            }),
            Err(error) => self.session.target_failed(&path, Phase::Create, error),
        }
    }

    /// Whether what is at the target stays, by the policy.
    fn is_to_be_left(
        &self,
        directories: &mut Directories<'_>,
        directory: &Directory,
        path: &EntryPath,
        metadata: &Metadata,
    ) -> std::io::Result<bool> {
        if !directory.was_there() {
            return Ok(false);
        }
        let (directory, name) = directories.parent_of(path)?;
        let Some(existing) = target::existing_file(&directory, name)? else {
            return Ok(false);
        };
        Ok(match self.session.options.overwrite {
            Overwrite::Never => true,
            Overwrite::Always => false,
            Overwrite::IfChanged => {
                let times = (existing.seconds, existing.nanoseconds);
                existing.is_file
                    && metadata.kind == EntryKind::File
                    && existing.size == metadata.size
                    && times == seconds_and_nanoseconds(metadata.mtime)
            }
        })
    }

    fn file(&self, path: &EntryPath, node: Node, found: &mut Found) {
        let mut content = Vec::with_capacity(node.content.len());
        let mut length = 0_u64;
        for id in &node.content {
            let location = self.session.repository.index().get(BlobKind::Data, *id);
            let Some(location) = location else {
                let object = Object::Blob {
                    kind: BlobKind::Data,
                    id: *id,
                    pack: None,
                };
                let missing = Error::Missing(object);
                let message = format!("{missing}; nothing is restored from byte {length}");
                self.session.failed(path, Phase::Fetch, message);
                break;
            };
            length = length.saturating_add(location.blob.plain_length());
            content.push(location);
        }
        let size = node.metadata.size;
        if content.len() == node.content.len() && length != size {
            let message = format!("has {length} bytes stored instead of {size}");
            self.session.failed(path, Phase::Fetch, message);
        }
        let attributes = Attributes::of(node.metadata);
        let (directory, parts) = (&found.directory, content.len());
        let file = FilePlan::new(directory, node.name, attributes, size, parts);
        found.files.push((file, content));
    }
}
