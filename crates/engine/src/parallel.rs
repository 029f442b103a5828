//! A fixed list of things to do, on several threads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use strongroom_domain::tree::Context;

use crate::budget;
use crate::error::{Error, Result};

/// Gives the items to as many threads as the context allows if each takes `memory` bytes; each has
/// a `state` of its own. The first error, or a cancellation, ends it.
pub(crate) fn each<T: Sync, S>(
    context: &Context,
    memory: u64,
    items: &[T],
    state: impl Fn() -> S + Sync,
    each: impl Fn(&mut S, &T) -> Result<()> + Sync,
) -> Result<()> {
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(None);
    let failed = || failed.lock().unwrap_or_else(PoisonError::into_inner);
    let work = || {
        let mut state = state();
        while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
            let done = if context.cancel.is_cancelled() {
                Err(Error::Cancelled)
            } else {
                each(&mut state, item)
            };
            if let Err(error) = done {
                failed().get_or_insert(error);
                next.store(items.len(), Ordering::Relaxed);
                return;
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..budget::threads(context.limits, memory).min(items.len()) {
            scope.spawn(work);
        }
        work();
    });
    failed().take().map_or(Ok(()), Err)
}
