//! Many writers and a prune on one repository at the same time.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use jiff::Timestamp;
use strongroom_domain::Clock;
use strongroom_domain::tree::Context;
use strongroom_engine::{
    CheckOptions, Error, ErrorKind, InitOptions, KdfCost, MemoryBackend, PruneOptions, ReadData,
    Repository, Snapshot, SnapshotId, Tolerance,
};

use crate::support::*;

const WRITERS: u64 = 8;
/// Backups of each writer, if the prunes have come off by then.
const ROUNDS: u64 = 6;
/// After so many without that they never will.
const TOO_MANY: u64 = 400;

/// Names the seed to run with again.
const SEED: &str = "STRONGROOM_TEST_SEED";

/// Locks are judged by their age, so here time has to pass as it does.
#[derive(Debug)]
struct RealTime;

impl Clock for RealTime {
    fn now(&self) -> Timestamp {
        let since_epoch = std::time::UNIX_EPOCH.elapsed().unwrap();
        Timestamp::UNIX_EPOCH + jiff::SignedDuration::try_from(since_epoch).unwrap()
    }
}

/// Tries again for as long as others have the repository.
fn when_free<T>(mut attempt: impl FnMut() -> Result<T, Error>) -> T {
    loop {
        match attempt() {
            Err(error) if error.kind() == ErrorKind::Locked => thread::yield_now(),
            // Removed as stale, or released, between being listed and being read.
            Err(error) => panic!("{}", error.chain()),
            Ok(value) => return value,
        }
    }
}

/// A snapshot that must be there at the end, and the seed of each of its files.
type Kept = (Snapshot, Vec<u64>);

/// What the prunes and the writers tell each other.
#[derive(Default)]
struct Prunes {
    /// How many came off while all writers went on: without a grace time, and with one.
    done: [AtomicUsize; 2],
    /// All writers but the first let the next one in.
    waiting: AtomicBool,
    ended: AtomicBool,
}

impl Prunes {
    fn enough(&self) -> bool {
        self.done.iter().all(|it| it.load(Ordering::Acquire) > 0)
    }

    /// Prunes with and without a grace time in turn until the writers have ended.
    fn run(&self, repository: &Repository) -> Result<(), Error> {
        let mut grace = false;
        while !self.ended.load(Ordering::Acquire) {
            match prune(repository, grace, || {
                self.waiting.store(false, Ordering::Release);
            }) {
                // No writer ends before it has seen both.
                Ok(()) if !self.ended.load(Ordering::Acquire) => {
                    self.done[usize::from(grace)].fetch_add(1, Ordering::AcqRel);
                    grace = !grace;
                }
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::Locked => {
                    self.waiting.store(true, Ordering::Release);
                    thread::yield_now();
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Backs up a few of the same twenty files in each round, and sometimes forgets an earlier one.
fn write(repository: &Repository, seed: u64, steps_aside: bool, prunes: &Prunes) -> Vec<Kept> {
    let context = Context::default();
    let mut kept: Vec<Kept> = Vec::new();
    let mut forgotten: Vec<SnapshotId> = Vec::new();
    let mut random = seed;
    let mut next = |limit: u64| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % limit
    };
    for _ in (0..TOO_MANY).take_while(|round| *round < ROUNDS || !prunes.enough()) {
        let waits = || steps_aside && prunes.waiting.load(Ordering::Acquire);
        while waits() && !prunes.ended.load(Ordering::Acquire) {
            thread::yield_now();
        }
        let mut seeds: Vec<u64> = (0..=next(4)).map(|_| next(20)).collect();
        seeds.sort_unstable();
        seeds.dedup();
        let contents: Vec<(String, Vec<u8>)> = seeds
            .iter()
            .map(|&seed| (format!("file {seed:02}"), noise(30_000, seed)))
            .collect();
        let files: Vec<(&str, &[u8])> = contents
            .iter()
            .map(|(name, data)| (&name[..], &data[..]))
            .collect();
        let outcome = when_free(|| {
            let indexed = repository.clone().into_indexed(&context)?;
            indexed.backup(made_up(&files), &options(), &context)
        });
        kept.push((outcome.snapshot, seeds));
        if next(2) == 0 {
            let at = usize::try_from(next(kept.len() as u64)).unwrap();
            let (snapshot, _) = kept.swap_remove(at);
            when_free(|| repository.forget(&[snapshot.id]));
            forgotten.push(snapshot.id);
        }
    }
    kept.retain(|(snapshot, _)| !forgotten.contains(&snapshot.id));
    kept
}

/// Says when it has the repository for itself.
fn prune(repository: &Repository, grace: bool, alone: impl FnOnce()) -> Result<(), Error> {
    let context = Context::default();
    let options = PruneOptions {
        tolerance: Tolerance::Bytes(0),
        grace: grace.then_some(jiff::SignedDuration::ZERO),
    };
    let plan = repository.plan_prune(&options, &context)?;
    alone();
    plan.execute(&context)?;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "to run a failure again by hand")]
fn given_seed() -> Option<u64> {
    let seed = std::env::var(SEED).ok()?;
    Some(seed.parse().unwrap())
}

#[test]
fn eight_writers_and_a_prune_lose_nothing() {
    let now = || RealTime.now().as_microsecond().unsigned_abs();
    let seed = given_seed().unwrap_or_else(now);
    eprintln!("{SEED}={seed}");
    let backend = Arc::new(MemoryBackend::new());
    let options = InitOptions {
        kdf: KdfCost::MACHINE,
        ..InitOptions::new(PASSWORD)
    };
    let repository = Repository::init(backend, Arc::new(RealTime), &options).unwrap();
    let prunes = Prunes::default();
    let kept = Mutex::new(Vec::new());
    thread::scope(|scope| {
        let pruner = scope.spawn(|| {
            let pruned = prunes.run(&repository);
            // Nobody waits for a prune that will not come.
            prunes.waiting.store(false, Ordering::Release);
            pruned
        });
        let writers: Vec<_> = (0..WRITERS)
            .map(|number| {
                let (repository, kept, prunes) = (&repository, &kept, &prunes);
                scope.spawn(move || {
                    let mine = write(repository, seed.wrapping_add(number), number > 0, prunes);
                    kept.lock().unwrap().extend(mine);
                })
            })
            .collect();
        let ended: Vec<bool> = writers.into_iter().map(|it| it.join().is_ok()).collect();
        prunes.ended.store(true, Ordering::Release);
        let pruned = pruner.join().unwrap();
        pruned.unwrap_or_else(|error| panic!("{SEED}={seed}: {}", error.chain()));
        assert!(ended.iter().all(|ok| *ok), "{SEED}={seed}");
    });
    let done = prunes.done.map(AtomicUsize::into_inner);
    assert!(
        done.iter().all(|prunes| *prunes > 0),
        "{SEED}={seed}: {done:?}"
    );
    prune(&repository, false, || {}).unwrap();

    let context = Context::default();
    let read_data = ReadData::All;
    let report = repository
        .check(&CheckOptions { read_data }, &context)
        .unwrap();
    assert!(report.is_ok(), "{SEED}={seed}: {:?}", report.errors);
    assert_eq!(report.unreferenced_packs, [], "{SEED}={seed}");
    let kept = kept.into_inner().unwrap();
    assert_eq!(report.snapshots, kept.len() as u64, "{SEED}={seed}");
    let indexed = repository.into_indexed(&context).unwrap();
    for (snapshot, seeds) in &kept {
        for file in seeds {
            let mut content = Vec::new();
            let name = path(&format!("file {file:02}"));
            let reader = indexed.reader(snapshot);
            reader.dump(&name, &mut content, &context).unwrap();
            assert!(content == noise(30_000, *file), "{SEED}={seed}");
        }
    }
}
