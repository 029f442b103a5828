//! Progress of engine work on a terminal.

use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::{ProgressBar, ProgressStyle};
use strongroom_domain::tree::{EntryFailure, Progress};

use crate::ui;

/// A bar with rate and time to go on standard error; hidden unless that is a terminal.
#[derive(Debug)]
pub(super) struct Bar {
    bar: ProgressBar,
    entries: AtomicU64,
}

impl Bar {
    pub(super) fn new(what: &'static str) -> Self {
        let bar = if ui::interactive() {
            ProgressBar::no_length()
        } else {
            ProgressBar::hidden()
        };
        let style = "{spinner} {msg} {bytes}/{total_bytes} {bytes_per_sec} eta {eta}";
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        bar.set_message(what);
        Self {
            bar,
            entries: AtomicU64::new(0),
        }
    }

    /// Removes the bar so that results can be printed.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Bar {
    fn add(&self, bytes: u64, entries: u64) {
        self.bar.inc(bytes);
        self.entries.fetch_add(entries, Ordering::Relaxed);
    }

    fn total(&self, bytes: u64, _entries: u64) {
        self.bar.set_length(bytes);
    }

    fn failed(&self, failure: &EntryFailure) {
        self.bar
            .suspend(|| ui::note(format_args!("warning: {failure}")));
    }
}
