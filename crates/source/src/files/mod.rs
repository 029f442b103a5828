//! `files`: a directory tree (or one file) of the server's machine.
//!
//! Entries are relative to the directory that is protected, so a restore to a directory gives a
//! copy of it there.

mod directory;
mod owners;
mod walk;

use std::path::{Path, PathBuf};

use strongroom_domain::{
    FieldError, ResourceKind,
    resource::Settings,
    tree::{Context, Patterns, RestoreReport, TreeReader},
};

pub use walk::Walk;

use crate::{
    Entries, PrepareRequest, Prepared, RestoreRequest, RestoreTarget, Setting, Source, SourceError,
    Warnings,
    source::{check_absolute, restore_to_directory},
};

/// Protects a directory tree.
#[derive(Debug, Clone, Copy)]
pub struct FilesSource;

impl Source for FilesSource {
    fn kind(&self) -> ResourceKind {
        ResourceKind::Files
    }

    fn settings(&self) -> &'static [Setting] {
        &[
            Setting {
                name: "path",
                required: true,
                help: "absolute path of the directory",
            },
            Setting {
                name: "exclude",
                required: false,
                help: "shell patterns of what to leave out, one per line or comma",
            },
        ]
    }

    fn validate(&self, settings: &Settings) -> Vec<FieldError> {
        let mut faults: Vec<_> = check_absolute(settings, "path").into_iter().collect();
        if let Err(error) = excludes(settings) {
            faults.push(FieldError::new("settings.exclude", error));
        }
        faults
    }

    fn prepare(
        &self,
        request: PrepareRequest,
        _context: &Context,
    ) -> Result<Prepared, SourceError> {
        let root = root(&request.settings)?;
        let metadata = std::fs::metadata(&root).map_err(|error| unreachable(&root, &error))?;
        if !metadata.is_dir() {
            let reason = format!("`{}` is not a directory", root.display());
            return Err(SourceError::invalid("settings.path", reason));
        }
        Ok(Prepared::plain(request, None))
    }

    fn entries(&self, prepared: &Prepared, context: &Context) -> Result<Entries, SourceError> {
        let root = root(&prepared.settings)?;
        let exclude = excludes(&prepared.settings)
            .map_err(|error| SourceError::invalid("settings.exclude", error))?;
        let warnings = Warnings::default();
        let walk = Walk::new(&root, exclude, warnings.clone(), context.cancel.clone())
            .map_err(|error| unreachable(&root, &error))?;
        Ok(Entries {
            stream: Box::new(walk),
            whole: false,
            roots: vec![root.to_string_lossy().into_owned()],
            warnings,
        })
    }

    fn restore(
        &self,
        request: &RestoreRequest,
        tree: &dyn TreeReader,
        context: &Context,
    ) -> Result<RestoreReport, SourceError> {
        let directory = match &request.target {
            RestoreTarget::Directory(path) => path.clone(),
            RestoreTarget::Resource { settings, .. } => root(settings)?,
        };
        restore_to_directory(&directory, request, tree, context)
    }
}

fn root(settings: &Settings) -> Result<PathBuf, SourceError> {
    match settings.get("path") {
        Some(path) => Ok(PathBuf::from(path)),
        None => Err(SourceError::invalid("settings.path", "is required")),
    }
}

fn excludes(settings: &Settings) -> Result<Patterns, strongroom_domain::tree::PatternError> {
    let text = settings.get("exclude").unwrap_or_default();
    Patterns::new(
        text.split(['\n', ','])
            .map(str::trim)
            .filter(|it| !it.is_empty()),
    )
}

fn unreachable(path: &Path, error: &std::io::Error) -> SourceError {
    SourceError::path(format!("directory `{}`", path.display()), error)
}
