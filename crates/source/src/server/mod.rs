//! `server`: volumes and directories of one machine, backed up and restored as a group.
//!
//! All members are prepared before the first is read, and stand in one tree, each in a directory
//! of its own that is named after it. How a member is read and written back is the business of the
//! source of its kind, which the registry hands in. The group is as consistent as what is read: a
//! member that changes under the reader makes the backup `partial`, one that cannot be read makes
//! it fail if there is a volume in the group.

mod members;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use strongroom_domain::{
    FieldError, ResourceKind,
    resource::Settings,
    tree::{
        Context, Entry, EntryError, EntryFailure, EntryKind, EntryPath, Metadata, Patterns, Phase,
        RestoreReport, TreeReader,
    },
};

use self::members::members;
use crate::{
    Entries, PrepareRequest, Prepared, RestoreRequest, RestoreTarget, Setting, Source, SourceError,
    Warnings, source::restore_to_directory,
};

/// Protects a group of volumes and directories.
#[derive(Debug)]
pub struct ServerSource {
    /// By the setting that names members of that kind.
    kinds: [(&'static str, Box<dyn Source>); 2],
}

/// What was prepared of one member.
#[derive(Debug, Serialize, Deserialize)]
struct Held {
    key: String,
    name: String,
    prepared: Prepared,
}

impl ServerSource {
    /// Reads directories and volumes through these.
    pub fn new(paths: Box<dyn Source>, volumes: Box<dyn Source>) -> Self {
        Self {
            kinds: [("paths", paths), ("volumes", volumes)],
        }
    }

    fn source(&self, key: &str) -> Result<&dyn Source, SourceError> {
        let found = self.kinds.iter().find(|(name, _)| *name == key);
        let source = found.map(|(_, source)| source.as_ref());
        source.ok_or_else(|| SourceError::invalid(format!("settings.{key}"), "is not known"))
    }

    /// What was prepared, in tree order.
    fn held(prepared: &Prepared) -> Result<Vec<Held>, SourceError> {
        let state = prepared.state.clone();
        serde_json::from_value(state).map_err(|error| {
            let what = format!(
                "reading what was prepared of server `{}`",
                prepared.resource
            );
            SourceError::failed(what, error)
        })
    }

    fn release_all(&self, held: &[Held]) -> Result<(), SourceError> {
        let released = held
            .iter()
            .map(|it| self.source(&it.key)?.release(&it.prepared));
        // Each gets its turn, whatever became of the one before.
        released.fold(Ok(()), Result::and)
    }

    /// Writes the members back to where the settings say they are; all of them, or those that are
    /// asked for by name.
    fn restore_members(
        &self,
        settings: &Settings,
        request: &RestoreRequest,
        tree: &dyn TreeReader,
        context: &Context,
    ) -> Result<RestoreReport, SourceError> {
        let targets = members(settings).map_err(SourceError::Invalid)?;
        let mut report = RestoreReport::default();
        let mut wanted = 0;
        for name in stored(tree)? {
            if !request.include.is_empty() && !request.include.matches(&name) {
                continue;
            }
            wanted += 1;
            let Some(target) = targets.iter().find(|it| it.directory == name) else {
                let message = "the server has no such member to write to";
                report
                    .failures
                    .push(EntryFailure::new(name, Phase::Create, message));
                continue;
            };
            let one = RestoreRequest {
                target: RestoreTarget::Resource {
                    name: target.name.clone(),
                    settings: target.settings.clone(),
                },
                include: Patterns::default(),
                overwrite: request.overwrite,
                rename: BTreeMap::new(),
            };
            let member = tree.subtree(&name)?;
            let done = self.source(target.key)?.restore(&one, &*member, context)?;
            add(&mut report, done, &name);
        }
        if wanted == 0 {
            let reason = "names no member; files of a member are restored into a directory";
            return Err(SourceError::invalid("include", reason));
        }
        Ok(report)
    }
}

impl Source for ServerSource {
    fn kind(&self) -> ResourceKind {
        ResourceKind::Server
    }

    fn settings(&self) -> &'static [Setting] {
        &[
            Setting {
                name: "paths",
                required: false,
                help: "directories, one per line or comma: absolute paths, or name=path",
            },
            Setting {
                name: "volumes",
                required: false,
                help: "image files or block devices, one per line or comma, likewise",
            },
        ]
    }

    fn validate(&self, settings: &Settings) -> Vec<FieldError> {
        let members = match members(settings) {
            Ok(members) => members,
            Err(faults) => return faults,
        };
        let faults = members.iter().flat_map(|member| {
            let found = self.source(member.key);
            let faults = found.map_or_else(|_| Vec::new(), |it| it.validate(&member.settings));
            faults.into_iter().map(|fault| {
                let reason = format!("`{}` {}", member.name, fault.reason);
                FieldError::new(format!("settings.{}", member.key), reason)
            })
        });
        faults.collect()
    }

    fn prepare(&self, request: PrepareRequest, context: &Context) -> Result<Prepared, SourceError> {
        let mut held: Vec<Held> = Vec::new();
        for member in members(&request.settings).map_err(SourceError::Invalid)? {
            let one = PrepareRequest {
                resource: format!("{}/{}", request.resource, member.name),
                settings: member.settings,
                time: request.time,
            };
            match self
                .source(member.key)
                .and_then(|it| it.prepare(one, context))
            {
                Ok(prepared) => held.push(Held {
                    key: member.key.to_owned(),
                    name: member.name,
                    prepared,
                }),
                Err(error) => {
                    // What went wrong first is what to tell.
                    let _later = self.release_all(&held);
                    return Err(error);
                }
            }
        }
        let size = held.iter().map(|it| it.prepared.size_bytes).sum();
        let state = serde_json::to_value(&held);
        let state = state.map_err(|error| SourceError::failed("preparing the server", error))?;
        Ok(Prepared {
            state,
            ..Prepared::plain(request, size)
        })
    }

    fn entries(&self, prepared: &Prepared, context: &Context) -> Result<Entries, SourceError> {
        let (mut streams, mut roots, mut warnings) = (Vec::new(), Vec::new(), Vec::new());
        let mut whole = false;
        for Held {
            key,
            name,
            prepared: one,
        } in Self::held(prepared)?
        {
            let member = self.source(&key)?.entries(&one, context)?;
            let directory = EntryPath::new(name)
                .map_err(|error| SourceError::invalid(format!("settings.{key}"), error))?;
            whole |= member.whole;
            roots.extend(member.roots);
            warnings.push((directory.clone(), member.warnings));
            let metadata = Metadata::synthetic(EntryKind::Directory, 0o700, prepared.time);
            let first = Ok(Entry::other(directory.clone(), metadata));
            let rest = member.stream.map(move |it| below(&directory, it));
            streams.push(std::iter::once(first).chain(rest));
        }
        Ok(Entries {
            stream: Box::new(streams.into_iter().flatten()),
            whole,
            roots,
            warnings: Warnings::of_parts(warnings),
        })
    }

    fn release(&self, prepared: &Prepared) -> Result<(), SourceError> {
        self.release_all(&Self::held(prepared)?)
    }

    fn restore(
        &self,
        request: &RestoreRequest,
        tree: &dyn TreeReader,
        context: &Context,
    ) -> Result<RestoreReport, SourceError> {
        match &request.target {
            RestoreTarget::Directory(path) => restore_to_directory(path, request, tree, context),
            RestoreTarget::Resource { settings, .. } => {
                self.restore_members(settings, request, tree, context)
            }
        }
    }
}

/// An entry of a member, in the member's directory.
fn below(directory: &EntryPath, entry: Result<Entry, EntryError>) -> Result<Entry, EntryError> {
    match entry {
        Ok(entry) => Ok(Entry {
            path: directory.under(&entry.path),
            ..entry
        }),
        Err(error) => Err(EntryError {
            path: directory.under(&error.path),
            ..error
        }),
    }
}

/// The members' directories in a stored tree.
fn stored(tree: &dyn TreeReader) -> Result<Vec<EntryPath>, SourceError> {
    let mut found = Vec::new();
    for node in tree.nodes() {
        let path = node?.path;
        if path.depth() == 1 {
            found.push(path);
        }
    }
    Ok(found)
}

/// Adds what became of one member to what became of the whole.
fn add(report: &mut RestoreReport, one: RestoreReport, directory: &EntryPath) {
    report.files += one.files;
    report.directories += one.directories;
    report.bytes += one.bytes;
    report.skipped += one.skipped;
    let failures = one.failures.into_iter().map(|it| EntryFailure {
        path: directory.under(&it.path),
        ..it
    });
    report.failures.extend(failures);
    report.warnings.extend(one.warnings);
}
