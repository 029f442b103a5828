//! What to restore from which pack to where.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use strongroom_domain::tree::{EntryKind, EntryPath, Metadata, Overwrite, Phase};

use super::Session;
use super::attributes::seconds_and_nanoseconds;
use super::file::FilePlan;
use super::target::{self, Directories};
use crate::browse::{BrowseNode, SnapshotReader};
use crate::error::{Error, Result};
use crate::format::BlobKind;
use crate::format::index::IndexBlob;
use crate::id::{Id, IdMap};

/// A blob in a pack, and a place in a file that it belongs to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub(super) blob: IndexBlob,
    /// Number of the file.
    pub(super) file: usize,
    /// Where in the file.
    pub(super) at: u64,
}

/// Everything to be done, directories already made.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) directories: Vec<(EntryPath, Metadata)>,
    pub(super) files: Vec<FilePlan>,
    /// Packs in the order in which they are first needed.
    pub(super) packs: Vec<(Id, Vec<Part>)>,
    /// Links, devices, pipes and sockets.
    pub(super) others: Vec<(EntryPath, Metadata)>,
    /// Further names of files, each with the first.
    pub(super) links: Vec<(EntryPath, EntryPath)>,
    pub(super) skipped: u64,
}

impl Plan {
    pub(super) fn make(reader: &SnapshotReader, session: &Session<'_>) -> Result<Self> {
        let mut planner = Planner {
            session,
            plan: Self::default(),
            directories: Directories::new(session.target),
            above: Vec::new(),
            first_names: HashMap::new(),
            pack_numbers: IdMap::default(),
        };
        let mut walk = reader.walk(&EntryPath::root())?;
        while let Some(node) = walk.next() {
            session.check()?;
            match node {
                Ok(node) => {
                    if session.options.exclude.matches(&node.path) || !planner.node(node) {
                        walk.skip_directory();
                    }
                }
                Err(error) if error.source.is_damage() => {
                    session.failed(&error.path, Phase::Fetch, error.source.chain());
                }
                Err(error) => return Err(error.source),
            }
        }
        let mut plan = planner.plan;
        for (_, parts) in &mut plan.packs {
            parts.sort_by_key(|part| part.blob.offset);
        }
        Ok(plan)
    }

    /// Bytes of content to be written.
    pub(super) fn bytes(&self) -> u64 {
        self.packs
            .iter()
            .flat_map(|(_, parts)| parts)
            .map(|part| part.blob.plain_length())
            .sum()
    }

    pub(super) fn entries(&self) -> u64 {
        (self.directories.len() + self.files.len() + self.others.len() + self.links.len()) as u64
    }

    pub(super) fn files_written(&self) -> u64 {
        self.files.iter().filter(|file| file.created()).count() as u64
    }

    pub(super) fn bytes_written(&self) -> u64 {
        self.files
            .iter()
            .map(|file| file.written.load(Ordering::Relaxed))
            .sum()
    }
}

struct Planner<'a> {
    session: &'a Session<'a>,
    plan: Plan,
    directories: Directories<'a>,
    /// Directories on the way to the current entry, and whether they are in the plan.
    above: Vec<(EntryPath, Metadata, bool)>,
    first_names: HashMap<(u64, u64), EntryPath>,
    pack_numbers: IdMap<usize>,
}

impl Planner<'_> {
    /// Plans an entry; `false` if nothing below it can be restored.
    fn node(&mut self, node: BrowseNode) -> bool {
        while self
            .above
            .last()
            .is_some_and(|(path, ..)| !node.path.starts_with(path))
        {
            self.above.pop();
        }
        let options = self.session.options;
        let selected = options.include.is_empty() || options.include.matches(&node.path);
        if node.metadata.is_dir() {
            self.above.push((node.path, node.metadata, false));
            return !selected || self.make_directories();
        }
        if selected && self.make_directories() {
            self.leaf(node);
        }
        true
    }

    /// Makes the directories on the way that are not made yet; `false` if one cannot be.
    fn make_directories(&mut self) -> bool {
        for (path, metadata, made) in &mut self.above {
            if *made {
                continue;
            }
            if let Err(error) = self.directories.make(path) {
                self.session.target_failed(path, Phase::Create, error);
                return false;
            }
            *made = true;
            self.plan.directories.push((path.clone(), metadata.clone()));
        }
        true
    }

    fn leaf(&mut self, node: BrowseNode) {
        if let Some(key) = node.metadata.hard_link_key() {
            if let Some(first) = self.first_names.get(&key) {
                self.plan.links.push((node.path, first.clone()));
                return;
            }
            self.first_names.insert(key, node.path.clone());
        }
        match self.is_to_be_left(&node) {
            Ok(true) => {
                self.plan.skipped += 1;
                self.session.context.progress.add(0, 1);
            }
            Ok(false) if node.metadata.is_file() => self.file(node),
            Ok(false) => self.plan.others.push((node.path, node.metadata)),
            Err(error) => self.session.target_failed(&node.path, Phase::Create, error),
        }
    }

    /// Whether what is at the target stays, by the policy.
    fn is_to_be_left(&mut self, node: &BrowseNode) -> std::io::Result<bool> {
        let (directory, name) = self.directories.parent_of(&node.path)?;
        let Some(existing) = target::existing_file(&directory, name)? else {
            return Ok(false);
        };
        Ok(match self.session.options.overwrite {
            Overwrite::Never => true,
            Overwrite::Always => false,
            Overwrite::IfChanged => {
                let times = (existing.seconds, existing.nanoseconds);
                existing.is_file
                    && node.metadata.kind == EntryKind::File
                    && existing.size == node.metadata.size
                    && times == seconds_and_nanoseconds(node.metadata.mtime)
            }
        })
    }

    fn file(&mut self, node: BrowseNode) {
        let number = self.plan.files.len();
        let mut parts = 0;
        let mut at = 0_u64;
        for id in &node.content {
            let location = self.session.repository.index().get(BlobKind::Data, *id);
            let Some(location) = location else {
                let object = crate::error::Object::Blob {
                    kind: BlobKind::Data,
                    id: *id,
                    pack: None,
                };
                let message = format!(
                    "{}; nothing is restored from byte {at}",
                    Error::Missing(object)
                );
                self.session.failed(&node.path, Phase::Fetch, message);
                break;
            };
            let packs = &mut self.plan.packs;
            let pack = *self.pack_numbers.entry(location.pack).or_insert_with(|| {
                packs.push((location.pack, Vec::new()));
                packs.len() - 1
            });
            packs[pack].1.push(Part {
                blob: location.blob,
                file: number,
                at,
            });
            parts += 1;
            at = at.saturating_add(location.blob.plain_length());
        }
        let complete = parts == node.content.len();
        if complete && at != node.metadata.size {
            let message = format!("has {at} bytes stored instead of {}", node.metadata.size);
            self.session.failed(&node.path, Phase::Fetch, message);
        }
        self.plan
            .files
            .push(FilePlan::new(node.path, node.metadata, parts));
    }
}
