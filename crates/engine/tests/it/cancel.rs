//! Long work stops soon after it is asked to: no thread begins another pack.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rstest::rstest;
use strongroom_domain::tree::{Cancel, Context, RestoreOptions};
use strongroom_engine::backend::FileKind;
use strongroom_engine::{
    CheckOptions, Error, ErrorKind, MemoryBackend, PruneOptions, ReadData, Repository, Snapshot,
    StreamOptions, TarSink, Tolerance,
};
use tempfile::TempDir;

use crate::support::*;

#[derive(Debug, Clone, Copy)]
enum Work {
    Restore,
    Check,
    Verify,
    Prune,
    Copy,
    Stream,
}

fn carry_out(
    work: Work,
    repository: &Repository,
    snapshot: &Snapshot,
    context: &Context,
) -> Result<(), Error> {
    let unaware = Context::default();
    let indexed = || repository.clone().into_indexed(&unaware);
    match work {
        Work::Restore => {
            let target = TempDir::new().unwrap();
            let options = RestoreOptions::default();
            let reader = indexed()?.reader(snapshot);
            reader.restore(target.path(), &options, context).map(drop)
        }
        Work::Check => {
            let read_data = ReadData::All;
            let report = repository.check(&CheckOptions { read_data }, context);
            report.map(drop)
        }
        Work::Verify => indexed()?
            .verify_snapshot(snapshot.id, None, 1.0, context)
            .map(drop),
        Work::Prune => {
            let options = PruneOptions {
                tolerance: Tolerance::Bytes(0),
                grace: None,
            };
            let plan = repository.plan_prune(&options, context)?;
            plan.execute(context).map(drop)
        }
        Work::Copy => {
            let other = init(Arc::new(MemoryBackend::new())).into_indexed(&unaware)?;
            indexed()?.copy(snapshot, &other, context).map(drop)
        }
        Work::Stream => {
            let reader = indexed()?.reader(snapshot);
            let sink = &mut TarSink::new(io::sink());
            reader
                .stream(&StreamOptions::default(), sink, context)
                .map(drop)
        }
    }
}

#[rstest]
fn work_that_is_cancelled_reads_no_further(
    #[values(
        Work::Restore,
        Work::Check,
        Work::Verify,
        Work::Prune,
        Work::Copy,
        Work::Stream
    )]
    work: Work,
) {
    let backend = Arc::new(MemoryBackend::new());
    let repository = init(backend.clone());
    let context = Context::default();
    let data: Vec<Vec<u8>> = (0..12).map(|seed| noise(6 << 20, seed)).collect();
    let names: Vec<String> = (0..12).map(|number| format!("{number:02}")).collect();
    let files = |from: usize| -> Vec<(&str, &[u8])> {
        let all = names.iter().zip(&data).skip(from);
        all.map(|(name, data)| (&name[..], &data[..])).collect()
    };
    let back_up = |files: &[(&str, &[u8])]| {
        let indexed = repository.clone().into_indexed(&context).unwrap();
        indexed
            .backup(made_up(files), &options(), &context)
            .unwrap()
            .snapshot
    };
    let first = back_up(&files(0));
    // Every pack but the last few has something that the second does not need.
    let second = back_up(&files(1));
    if matches!(work, Work::Prune) {
        repository.forget(&[first.id]).unwrap();
    }

    let cancel = Cancel::new();
    let (reads, after) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
    let (asked, counted) = (cancel.clone(), Arc::clone(&after));
    let watched = FaultyBackend::new(backend, move |operation, handle| {
        if operation == "get" && handle.kind() == FileKind::Pack {
            if asked.is_cancelled() {
                counted.fetch_add(1, Ordering::Relaxed);
            } else if reads.fetch_add(1, Ordering::Relaxed) == 1 {
                asked.cancel();
            }
        }
        Ok(())
    });
    let context = Context {
        cancel,
        ..Context::default()
    };
    let error = carry_out(work, &open(watched), &second, &context).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled, "{}", error.chain());
    // Each thread may have been about to read one.
    let after = after.load(Ordering::Relaxed);
    assert!(after <= context.limits.threads, "{after} reads");
}
