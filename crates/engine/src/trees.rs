//! Reading many directories on several threads.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use strongroom_domain::tree::{Context, EntryPath};

use crate::error::{Error, Object, Result};
use crate::format::BlobKind;
use crate::format::tree::Tree;
use crate::id::{Id, IdSet};
use crate::repository::IndexedRepository;

/// Levels of directories that are gone into. The system's limit for a path is 2,048 of them.
pub(crate) const MAX_DEPTH: usize = 4_096;
/// Longest path of a directory that is gone into, in bytes: the paths of all levels together take
/// as much again for each level.
const MAX_PATH: usize = 64 << 10;

/// Fails if a directory is deeper than anybody could have made it.
pub(crate) fn check_depth(path: &EntryPath, tree: Id) -> Result<()> {
    let length = path.as_bytes().len();
    if length <= MAX_PATH && (length <= MAX_DEPTH || path.depth() <= MAX_DEPTH) {
        return Ok(());
    }
    let object = Object::looked_for(BlobKind::Tree, tree);
    let reason = format!("it is {} levels deep", path.depth());
    Err(Error::damaged(object, reason))
}

/// Directories with directories in them that may occur again in what is planned at once. They hold
/// inode numbers and times, so that hardly any two are equal; but 40 of them that each name the
/// next one twice are 2^40 paths.
pub(crate) const MAX_REPEATS: usize = 1 << 18;

/// Counts directories that occur again.
#[derive(Debug, Default)]
pub(crate) struct Repeats {
    seen: IdSet,
    repeats: usize,
}

impl Repeats {
    /// Fails if there have been too many.
    pub(crate) fn count(&mut self, id: Id, tree: &Tree) -> Result<()> {
        if tree.nodes.iter().all(|node| node.subtree.is_none()) || self.seen.insert(id) {
            return Ok(());
        }
        self.repeats += 1;
        if self.repeats > MAX_REPEATS {
            let object = Object::looked_for(BlobKind::Tree, id);
            return Err(Error::damaged(object, "it occurs again and again"));
        }
        Ok(())
    }
}

/// A directory to be read, and what its visitor needs to know of it.
pub(crate) type Pending<J> = (Id, J);

/// What waits, newest last: going down before going on keeps it short.
struct Queue<J> {
    pending: Vec<Pending<J>>,
    /// Threads that may still add to `pending`.
    busy: usize,
    error: Option<Error>,
}

struct Shared<J> {
    queue: Mutex<Queue<J>>,
    changed: Condvar,
}

/// Reads the `roots`, and below them whatever `each` asks for, on as many threads as the context
/// allows. `each` is given the state of its thread, that `state` made; it decides what becomes of
/// a directory that cannot be read, and its first error ends the visit.
pub(crate) fn visit<S, J: Send>(
    repository: &IndexedRepository,
    context: &Context,
    roots: Vec<Pending<J>>,
    state: impl Fn() -> S + Sync,
    each: impl Fn(&mut S, Pending<J>, Result<Tree>) -> Result<Vec<Pending<J>>> + Sync,
) -> Result<()> {
    let shared = Shared {
        queue: Mutex::new(Queue {
            pending: roots,
            busy: 0,
            error: None,
        }),
        changed: Condvar::new(),
    };
    let work = || {
        let mut state = state();
        while let Some((id, job)) = shared.next() {
            let busy = Busy(&shared);
            let found = if context.cancel.is_cancelled() {
                Err(Error::Cancelled)
            } else {
                each(&mut state, (id, job), repository.read_tree(id))
            };
            busy.0.add(found);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..context.limits.threads {
            scope.spawn(work);
        }
        work();
    });
    shared.lock().error.take().map_or(Ok(()), Err)
}

impl<J> Shared<J> {
    fn lock(&self) -> MutexGuard<'_, Queue<J>> {
        // A thread that died has changed nothing by halves.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next directory; waits while others may still find some.
    fn next(&self) -> Option<Pending<J>> {
        let mut queue = self.lock();
        loop {
            if queue.error.is_some() {
                return None;
            }
            if let Some(next) = queue.pending.pop() {
                queue.busy += 1;
                return Some(next);
            }
            if queue.busy == 0 {
                return None;
            }
            let waited = self.changed.wait(queue);
            queue = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn add(&self, found: Result<Vec<Pending<J>>>) {
        let mut queue = self.lock();
        match found {
            Ok(found) => queue.pending.extend(found.into_iter().rev()),
            Err(error) => drop(queue.error.get_or_insert(error)),
        }
    }
}

/// One thread at work; also one that dies is at work no more.
struct Busy<'a, J>(&'a Shared<J>);

impl<J> Drop for Busy<'_, J> {
    fn drop(&mut self) {
        self.0.lock().busy -= 1;
        self.0.changed.notify_all();
    }
}
