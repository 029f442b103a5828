//! The trait that every kind of resource implements.

use std::{collections::BTreeMap, path::PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strongroom_domain::{
    Annotations, Face, FieldError, ResourceKind, Secret,
    resource::Settings,
    tree::{Context, EntryStream, Overwrite, Patterns, RestoreReport, TreeReader},
};

use crate::{SourceError, Warnings};

/// A key that a kind's settings may have.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// The key, as in `--set key=value`.
    pub name: &'static str,
    /// Whether it must be given.
    pub required: bool,
    /// What it means, one line.
    pub help: &'static str,
}

/// Something that could be registered as a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// A name to suggest.
    pub name: String,
    /// The settings to register it with.
    pub settings: Settings,
    /// Its size in bytes, if known.
    pub size_bytes: Option<u64>,
}

/// What is to be prepared.
#[derive(Debug, Clone)]
pub struct PrepareRequest {
    /// The resource's name.
    pub resource: String,
    /// The resource's settings, validated.
    pub settings: Settings,
    /// The time that entries without times of their own get.
    pub time: Timestamp,
}

/// What `prepare` did, in a form that survives a crash: whoever takes the job over can release it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prepared {
    /// The resource's name.
    pub resource: String,
    /// The settings it was prepared with.
    pub settings: Settings,
    /// The time that entries without times of their own get.
    pub time: Timestamp,
    /// Bytes to read, if known beforehand.
    pub size_bytes: Option<u64>,
    /// What the source needs to remember: a snapshot's name, a frozen file system.
    pub state: serde_json::Value,
}

impl Prepared {
    /// Nothing had to be done.
    pub fn plain(request: PrepareRequest, size_bytes: Option<u64>) -> Self {
        let PrepareRequest {
            resource,
            settings,
            time,
        } = request;
        Self {
            resource,
            settings,
            time,
            size_bytes,
            state: serde_json::Value::Null,
        }
    }
}

/// What a source delivers.
pub struct Entries {
    /// The entries in tree order.
    pub stream: Box<dyn EntryStream>,
    /// Whether the backup is worthless unless every entry is complete (a dump, an image). A
    /// failed entry then fails the backup; otherwise it makes it `partial`.
    pub whole: bool,
    /// What the snapshot says it is of: absolute paths or a word for a stream.
    pub roots: Vec<String>,
    /// Entries that were read but changed meanwhile; complete once the stream has been read.
    pub warnings: Warnings,
}

impl std::fmt::Debug for Entries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entries")
            .field("whole", &self.whole)
            .field("roots", &self.roots)
            .finish_non_exhaustive()
    }
}

/// Where a restore writes.
#[derive(Debug, Clone)]
pub enum RestoreTarget {
    /// The resource with these settings: the one that was backed up, or another of its kind.
    Resource {
        /// Its name.
        name: String,
        /// Its settings.
        settings: Settings,
    },
    /// A directory, in the form that the source's entries have.
    Directory(PathBuf),
}

/// What is to be restored.
#[derive(Debug)]
pub struct RestoreRequest {
    /// Where it goes.
    pub target: RestoreTarget,
    /// What to restore; everything if empty.
    pub include: Patterns,
    /// What happens to what is in the way.
    pub overwrite: Overwrite,
    /// New names for parts that have names, by their old ones: the databases of a server. Empty
    /// for kinds whose parts are paths.
    pub rename: BTreeMap<String, String>,
}

/// A kind of resource that can be protected.
///
/// Life of a backup: `prepare` once, `entries` once, `release` always, also after a crash and
/// possibly twice. All methods block.
pub trait Source: Send + Sync + std::fmt::Debug {
    /// The kind it serves.
    fn kind(&self) -> ResourceKind;

    /// The settings it understands; any other key is refused before `validate` is called.
    fn settings(&self) -> &'static [Setting];

    /// Checks the values of the settings; all faults at once.
    fn validate(&self, settings: &Settings) -> Vec<FieldError>;

    /// The vendor API that shows a resource with these settings.
    fn face(&self, settings: &Settings) -> Option<Face> {
        let _ = settings;
        self.kind().face()
    }

    /// What is on this machine and could be registered.
    fn discover(&self) -> Result<Vec<Found>, SourceError> {
        Ok(Vec::new())
    }

    /// Brings what is protected into a state that can be read consistently.
    fn prepare(&self, request: PrepareRequest, context: &Context) -> Result<Prepared, SourceError>;

    /// Begins to read it.
    fn entries(&self, prepared: &Prepared, context: &Context) -> Result<Entries, SourceError>;

    /// Undoes `prepare`.
    fn release(&self, prepared: &Prepared) -> Result<(), SourceError> {
        let _ = prepared;
        Ok(())
    }

    /// Checks a restore's target before the restore is accepted; all faults at once.
    fn validate_target(&self, target: &RestoreTarget) -> Vec<FieldError> {
        match target {
            RestoreTarget::Directory(path) if !path.is_absolute() => {
                vec![FieldError::new("target.path", "must be an absolute path")]
            }
            RestoreTarget::Directory(_) => Vec::new(),
            RestoreTarget::Resource { settings, .. } => self.validate(settings),
        }
    }

    /// Whether `user` can log in to what these settings name with that password; an error if not.
    /// Kinds without log-ins have nothing to check.
    fn check_login(
        &self,
        settings: &Settings,
        user: &str,
        password: &Secret,
    ) -> Result<(), SourceError> {
        let _ = (settings, user, password);
        Ok(())
    }

    /// What a stored backup says of what it is of, for its record in the catalog; nothing unless a
    /// source keeps such things.
    fn about(&self, tree: &dyn TreeReader) -> Result<Annotations, SourceError> {
        let _ = tree;
        Ok(Annotations::default())
    }

    /// Finds out what `restore` would refuse, without changing anything that stays; what is about to
    /// be overwritten is backed up only after that. `restore` does not rely on it.
    fn check_restore(
        &self,
        request: &RestoreRequest,
        tree: &dyn TreeReader,
        context: &Context,
    ) -> Result<(), SourceError> {
        let _ = (request, tree, context);
        Ok(())
    }

    /// Brings a stored tree back.
    fn restore(
        &self,
        request: &RestoreRequest,
        tree: &dyn TreeReader,
        context: &Context,
    ) -> Result<RestoreReport, SourceError>;
}

/// Restores to a directory as the engine does it; what most sources need for
/// [`RestoreTarget::Directory`].
pub(crate) fn restore_to_directory(
    directory: &std::path::Path,
    request: &RestoreRequest,
    tree: &dyn TreeReader,
    context: &Context,
) -> Result<RestoreReport, SourceError> {
    let options = strongroom_domain::tree::RestoreOptions {
        include: request.include.clone(),
        overwrite: request.overwrite,
        sparse: true,
        ..Default::default()
    };
    Ok(tree.restore_to(directory, &options, context)?)
}

/// The fault of a path setting that is missing or not absolute, if any.
pub(crate) fn check_absolute(settings: &Settings, key: &str) -> Option<FieldError> {
    match settings.get(key) {
        None => Some(FieldError::new(format!("settings.{key}"), "is required")),
        Some(path) if !path.starts_with('/') => Some(FieldError::new(
            format!("settings.{key}"),
            "must be an absolute path",
        )),
        Some(path) if path.contains('\0') => Some(FieldError::new(
            format!("settings.{key}"),
            "must not contain NUL",
        )),
        Some(_) => None,
    }
}
