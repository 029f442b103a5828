//! Restore to a directory: planned by pack, written in any order, proven blob by blob.
//!
//! Every operation at the target goes through directory handles that were opened one component at
//! a time without following links, so nothing is written elsewhere whatever is in the repository
//! or at the target.

mod attributes;
mod directory;
mod fetch;
mod file;
mod plan;
mod target;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use strongroom_domain::tree::{
    Context, EntryFailure, EntryPath, Phase, RestoreOptions, RestoreReport,
};

use crate::browse::SnapshotReader;
use crate::error::{Error, Result, out_of_space};
use crate::parallel;
use crate::repository::IndexedRepository;

use plan::{Plan, Special};
use target::{Directories, Target};

/// What all threads of a restore share.
struct Session<'a> {
    repository: &'a IndexedRepository,
    target: &'a Target,
    options: &'a RestoreOptions,
    context: &'a Context,
    /// Files created and bytes written so far.
    files: AtomicU64,
    bytes: AtomicU64,
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
            files: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            failures: Mutex::default(),
            fatal: Mutex::default(),
        };
        let mut plan = session.settle(Plan::make(self, &session))?;
        context.progress.total(plan.bytes(), plan.entries());
        fetch::run(&mut plan, &session)?;
        session.finish(&plan)
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

    /// As [`parallel::each`]; also what was noted as fatal ends it.
    fn in_parallel<T: Sync, S>(
        &self,
        memory: u64,
        items: &[T],
        state: impl Fn() -> S + Sync,
        each: impl Fn(&mut S, &T) -> Result<()> + Sync,
    ) -> Result<()> {
        let done = parallel::each(self.context, memory, items, state, |state, item| {
            self.check()?;
            each(state, item)
        });
        self.settle(done)
    }

    /// Says what ended the work: often it is what a thread noted as fatal.
    fn settle<T>(&self, result: Result<T>) -> Result<T> {
        match (result, self.fatal().take()) {
            (Ok(_) | Err(Error::Cancelled), Some(fatal)) => Err(fatal),
            (result, _) => result,
        }
    }

    /// Links, special files and directories' attributes, after all content.
    fn finish(self, plan: &Plan) -> Result<RestoreReport> {
        let directories = || Directories::new(self.target);
        self.in_parallel(0, &plan.specials, directories, |directories, special| {
            let created = create_special(directories, special);
            self.created(&special.path, created);
            Ok(())
        })?;
        self.in_parallel(0, &plan.links, directories, |_, (path, first)| {
            self.created(path, self.target.link(first, path));
            Ok(())
        })?;
        // From the leaves up: writing into a directory changes its time.
        let mut opened = directories();
        for directory in plan.directories.iter().rev() {
            self.settle(self.check())?;
            directory.finish(&self, &mut opened);
        }
        let mut report = RestoreReport {
            files: self.files.into_inner(),
            directories: plan.directories.len() as u64,
            bytes: self.bytes.into_inner(),
            skipped: plan.skipped,
            failures: self
                .failures
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner),
            warnings: Vec::new(),
        };
        report.failures.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(report)
    }

    fn created(&self, path: &EntryPath, result: std::io::Result<()>) {
        match result {
            Ok(()) => drop(self.files.fetch_add(1, Ordering::Relaxed)),
            Err(error) => self.target_failed(path, Phase::Create, error),
        }
        self.context.progress.add(0, 1);
    }
}

fn create_special(directories: &mut Directories<'_>, special: &Special) -> std::io::Result<()> {
    let (directory, name) = directories.parent_of(&special.path)?;
    target::create_special(&directory, name, &special.kind)?;
    special
        .attributes
        .apply_by_name(&directory, name, &special.kind)
}
