//! A directory of the snapshot on its way to the target: made when something in it is wanted.

use std::sync::{Arc, OnceLock};

use strongroom_domain::tree::{EntryPath, Metadata, Phase};

use super::Session;
use super::attributes::Attributes;
use super::target::Directories;

/// How a directory came to be at the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Made {
    /// It could not be made, which was reported.
    Failed,
    /// It was there.
    Found,
    /// This restore made it, so it is empty.
    Anew,
    /// The same, and what is created in it has the owner of this process.
    AnewAndOurs,
}

/// One directory.
#[derive(Debug)]
pub(super) struct Directory {
    pub(super) path: EntryPath,
    /// The target itself has none.
    parent: Option<Arc<Self>>,
    attributes: Option<Attributes>,
    made: OnceLock<Made>,
}

impl Directory {
    /// The target; `ours` as in [`super::target::Target::owner_is_ours`].
    pub(super) fn root(ours: bool) -> Self {
        // Something may be in it; but it counts as made for what is made in it.
        let made = if ours { Made::AnewAndOurs } else { Made::Found };
        Self {
            path: EntryPath::root(),
            parent: None,
            attributes: None,
            made: OnceLock::from(made),
        }
    }

    pub(super) fn below(parent: &Arc<Self>, path: EntryPath, metadata: Metadata) -> Self {
        Self {
            path,
            parent: Some(Arc::clone(parent)),
            attributes: Some(Attributes::of(metadata)),
            made: OnceLock::new(),
        }
    }

    /// Makes it and those above it unless they are there; `false` if one cannot be made.
    pub(super) fn make(&self, session: &Session<'_>, directories: &mut Directories<'_>) -> bool {
        self.made(session, directories) != Made::Failed
    }

    /// From the highest that is not there down; by recursion it could be too deep for the stack.
    fn made(&self, session: &Session<'_>, directories: &mut Directories<'_>) -> Made {
        let mut missing = Vec::new();
        let mut next = Some(self);
        let mut made = Made::Found;
        while let Some(directory) = next {
            if let Some(known) = directory.made.get() {
                made = *known;
                break;
            }
            missing.push(directory);
            next = directory.parent.as_deref();
        }
        for directory in missing.into_iter().rev() {
            let make = || directory.make_below(made, session, directories);
            made = *directory.made.get_or_init(make);
        }
        made
    }

    fn make_below(
        &self,
        above: Made,
        session: &Session<'_>,
        directories: &mut Directories<'_>,
    ) -> Made {
        if above == Made::Failed {
            return Made::Failed;
        }
        match directories.make(&self.path) {
            Ok(true) if above == Made::AnewAndOurs => Made::AnewAndOurs,
            Ok(true) => Made::Anew,
            Ok(false) => Made::Found,
            Err(error) => {
                session.target_failed(&self.path, Phase::Create, error);
                Made::Failed
            }
        }
    }

    /// Whether something may be in it that this restore did not put there.
    pub(super) fn was_there(&self) -> bool {
        self.parent.is_none() || self.made.get() == Some(&Made::Found)
    }

    /// Whether what is created in it has the owner of this process.
    pub(super) fn gives_our_owner(&self) -> bool {
        self.made.get() == Some(&Made::AnewAndOurs)
    }

    /// Whether it is at the target and not the target itself.
    pub(super) fn is_restored(&self) -> bool {
        self.parent.is_some() && self.made.get().is_some_and(|made| *made != Made::Failed)
    }

    /// Sets its attributes, after everything in it is done: that changes its time.
    pub(super) fn finish(&self, session: &Session<'_>, directories: &mut Directories<'_>) {
        let Some(attributes) = &self.attributes else {
            return;
        };
        let applied = directories
            .open(&self.path)
            .and_then(|directory| attributes.apply(&*directory, true));
        if let Err(error) = applied {
            session.target_failed(&self.path, Phase::Attributes, error);
        }
        session.context.progress.add(0, 1);
    }
}

impl Drop for Directory {
    /// Those above it that nobody else has go one by one, not by recursion.
    fn drop(&mut self) {
        let mut above = self.parent.take();
        while let Some(mut directory) = above.and_then(Arc::into_inner) {
            above = directory.parent.take();
        }
    }
}
