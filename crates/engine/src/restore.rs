//! Restore to a directory: planned by pack, written in any order, proven blob by blob.
//!
//! Every operation at the target goes through directory handles that were opened one component at
//! a time without following links, so nothing is written elsewhere whatever is in the repository
//! or at the target.

mod attributes;
mod fetch;
mod file;
mod plan;
mod target;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use strongroom_domain::tree::{
    Context, EntryFailure, EntryPath, Metadata, Phase, RestoreOptions, RestoreReport,
};

use crate::browse::SnapshotReader;
use crate::error::{Error, Result, out_of_space};
use crate::repository::IndexedRepository;

use plan::Plan;
use target::{Directories, Target};

/// What all threads of a restore share.
struct Session<'a> {
    repository: &'a IndexedRepository,
    target: &'a Target,
    options: &'a RestoreOptions,
    context: &'a Context,
    failures: Mutex<Vec<EntryFailure>>,
    /// What ends the restore: no room, or storage that does not answer.
    fatal: Mutex<Option<Error>>,
}

impl SnapshotReader {
    /// Restores to the directory `target`, which is created if missing. Goes on over damage; what
    /// could not be restored exactly is in the report.
    pub fn restore(
        &self,
        target: &Path,
        options: &RestoreOptions,
        context: &Context,
    ) -> Result<RestoreReport> {
        let at = target.display().to_string();
        let target = Target::open(target).map_err(|source| Error::Target { path: at, source })?;
        let session = Session {
            repository: self.repository(),
            target: &target,
            options,
            context,
            failures: Mutex::default(),
            fatal: Mutex::default(),
        };
        let mut plan = Plan::make(self, &session)?;
        context.progress.total(plan.bytes(), plan.entries());
        fetch::run(&mut plan, &session)?;
        session.finish(plan)
    }
}

impl Session<'_> {
    fn check(&self) -> Result<()> {
        if self.context.cancel.is_cancelled() || self.fatal().is_some() {
            return Err(Error::Cancelled);
        }
        Ok(())
    }

    fn fatal(&self) -> std::sync::MutexGuard<'_, Option<Error>> {
        self.fatal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, path: &EntryPath, phase: Phase, message: impl Into<String>) {
        let failure = EntryFailure::new(path.clone(), phase, message);
        self.context.progress.failed(&failure);
        self.failures
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(failure);
    }

    /// Notes what went wrong at the target; no room there ends the restore.
    fn target_failed(&self, path: &EntryPath, phase: Phase, error: std::io::Error) {
        self.failed(path, phase, error.to_string());
        if out_of_space(&error) {
            let path = path.to_string();
            self.fatal().get_or_insert(Error::Target {
                path,
                source: error,
            });
        }
    }

    /// Links, special files and directories' attributes, after all content.
    fn finish(self, plan: Plan) -> Result<RestoreReport> {
        let mut directories = Directories::new(self.target);
        let mut report = RestoreReport {
            skipped: plan.skipped,
            ..RestoreReport::default()
        };
        for (path, metadata) in &plan.others {
            self.check()?;
            match create_other(&mut directories, path, metadata) {
                Ok(()) => report.files += 1,
                Err(error) => self.target_failed(path, Phase::Create, error),
            }
            self.context.progress.add(0, 1);
        }
        for (path, first) in &plan.links {
            self.check()?;
            match self.target.link(first, path) {
                Ok(()) => report.files += 1,
                Err(error) => self.target_failed(path, Phase::Create, error),
            }
            self.context.progress.add(0, 1);
        }
        // From the leaves up: writing into a directory changes its time.
        for (path, metadata) in plan.directories.iter().rev() {
            self.check()?;
            if let Err(error) = directory_attributes(&mut directories, path, metadata) {
                self.target_failed(path, Phase::Attributes, error);
            }
            self.context.progress.add(0, 1);
        }
        report.directories = plan.directories.len() as u64;
        report.files += plan.files_written();
        report.bytes = plan.bytes_written();
        report.failures = self
            .failures
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        report.failures.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(report)
    }
}

fn create_other(
    directories: &mut Directories<'_>,
    path: &EntryPath,
    metadata: &Metadata,
) -> std::io::Result<()> {
    let (directory, name) = directories.parent_of(path)?;
    target::create_special(&directory, name, &metadata.kind)?;
    attributes::apply_by_name(&directory, name, metadata)
}

fn directory_attributes(
    directories: &mut Directories<'_>,
    path: &EntryPath,
    metadata: &Metadata,
) -> std::io::Result<()> {
    let directory = directories.open(path)?;
    attributes::apply(&*directory, metadata)
}
