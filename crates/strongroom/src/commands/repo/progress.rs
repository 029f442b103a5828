//! Progress of engine work on a terminal.

use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::{ProgressBar, ProgressStyle};
use strongroom_domain::tree::{EntryFailure, Progress};

use crate::ui;

/// A bar with rate and time to go on standard error; hidden unless that is a terminal.
#[derive(Debug)]
pub(super) struct Bar {
    bar: ProgressBar,
    counts_entries: AtomicBool,
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
            counts_entries: AtomicBool::new(false),
        }
    }

    /// Removes the bar so that results can be printed.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Bar {
    fn add(&self, bytes: u64, entries: u64) {
        let entries_count = self.counts_entries.load(Ordering::Relaxed);
        self.bar.inc(if entries_count { entries } else { bytes });
    }

    fn total(&self, bytes: u64, entries: u64) {
        if bytes > 0 {
            self.bar.set_length(bytes);
            return;
        }
        // Work that is not counted in bytes.
        let style = "{spinner} {msg} {pos}/{len} {per_sec} eta {eta}";
        if let Ok(style) = ProgressStyle::with_template(style) {
            self.bar.set_style(style);
        }
        self.counts_entries.store(true, Ordering::Relaxed);
        self.bar.set_length(entries);
    }

    fn failed(&self, failure: &EntryFailure) {
        self.bar
            .suspend(|| ui::note(format_args!("warning: {failure}")));
    }
}
