//! Storage in a storm: answers get lost, reads break off, whole series of requests fail, lists are
//! stale. What is backed up, pruned and restored is exact all the same.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use rstest::rstest;
use strongroom_domain::tree::{Context, Limits};
use strongroom_engine::backend::{
    FileKind, Handle, Listed, OwnWritesBackend, RetryBackend, RetryPolicy, Truncated,
};
use strongroom_engine::{
    Backend, BackupOptions, CheckOptions, MemoryBackend, Parent, PruneOptions, ReadData,
    Repository, Snapshot,
};

use crate::support::*;

/// Random numbers that are the same for the same seed.
#[derive(Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number from 0 up to, but not including, `sides`.
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % sides.max(1)
    }
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weather {
    Fine,
    /// It is not carried out.
    Refused,
    /// It is carried out, but the answer says otherwise.
    AnswerLost,
    /// So many bytes of the answer arrive, if it has more; a list is so many changes old.
    Broken(u64),
}

/// Decides about the request of this number.
type Forecast = Box<dyn FnMut(usize) -> Weather + Send>;

/// Storage in memory under this weather.
pub(crate) struct Storm {
    pub(crate) inner: MemoryBackend,
    forecast: Mutex<Forecast>,
    pub(crate) requests: AtomicUsize,
    /// What lists showed before each of the last few changes, newest first.
    past: Mutex<BTreeMap<FileKind, VecDeque<Vec<Listed>>>>,
}

pub(crate) fn unavailable() -> io::Error {
    io::Error::new(io::ErrorKind::ResourceBusy, "503 Slow Down")
}

impl Storm {
    pub(crate) fn new(forecast: impl FnMut(usize) -> Weather + Send + 'static) -> Arc<Self> {
        Arc::new(Self {
            inner: MemoryBackend::new(),
            forecast: Mutex::new(Box::new(forecast)),
            requests: AtomicUsize::new(0),
            past: Mutex::default(),
        })
    }

    /// Weather as the dice make it.
    fn random(seed: u64) -> Arc<Self> {
        let mut dice = Dice::new(seed);
        let mut refusing = 0;
        Self::new(move |_| {
            if refusing > 0 {
                refusing -= 1;
                return Weather::Refused;
            }
            match dice.roll(12) {
                0 => {
                    refusing = dice.roll(6);
                    Weather::Refused
                }
                1 => Weather::AnswerLost,
                2..=5 => Weather::Broken(dice.roll(1 << 20)),
                _ => Weather::Fine,
            }
        })
    }

    fn weather(&self) -> Weather {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        (self.forecast.lock().unwrap())(number)
    }

    fn change(&self, kind: FileKind, change: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let weather = self.weather();
        if weather == Weather::Refused {
            return Err(unavailable());
        }
        let mut past = self.past.lock().unwrap();
        let before = self.inner.list(kind)?;
        change()?;
        let states = past.entry(kind).or_default();
        states.push_front(before);
        states.truncate(4);
        match weather {
            Weather::AnswerLost => Err(io::ErrorKind::ConnectionReset.into()),
            _ => Ok(()),
        }
    }

    /// An answer with data, or what arrives of it.
    fn answer(&self, data: io::Result<Bytes>) -> io::Result<Bytes> {
        match (self.weather(), data) {
            (Weather::Refused | Weather::AnswerLost, _) => Err(unavailable()),
            (Weather::Broken(bytes), Ok(data)) if bytes < data.len() as u64 => {
                let length = data.len() as u64;
                let received = usize::try_from(bytes).unwrap();
                Err(Truncated::error(data.slice(..received), length))
            }
            (_, data) => data,
        }
    }
}

impl std::fmt::Debug for Storm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Storm")
    }
}

impl Backend for Storm {
    fn url(&self) -> String {
        self.inner.url()
    }

    fn create(&self) -> io::Result<()> {
        self.change(FileKind::Config, || self.inner.create())
    }

    fn put(&self, handle: Handle, data: Bytes) -> io::Result<()> {
        self.change(handle.kind(), || self.inner.put(handle, data))
    }

    fn put_new(&self, handle: Handle, data: Bytes) -> io::Result<()> {
        self.change(handle.kind(), || self.inner.put_new(handle, data))
    }

    fn get(&self, handle: Handle) -> io::Result<Bytes> {
        self.answer(self.inner.get(handle))
    }

    fn get_range(&self, handle: Handle, offset: u64, length: usize) -> io::Result<Bytes> {
        self.answer(self.inner.get_range(handle, offset, length))
    }

    fn list(&self, kind: FileKind) -> io::Result<Vec<Listed>> {
        let fresh = self.inner.list(kind)?;
        match self.weather() {
            Weather::Refused => Err(unavailable()),
            Weather::Broken(age) => {
                let past = self.past.lock().unwrap();
                let states = past.get(&kind).into_iter().flatten();
                let stale = states
                    .clone()
                    .cycle()
                    .nth(usize::try_from(age % 4).unwrap());
                Ok(stale.cloned().unwrap_or(fresh))
            }
            _ => Ok(fresh),
        }
    }

    fn delete(&self, handle: Handle) -> io::Result<()> {
        self.change(handle.kind(), || self.inner.delete(handle))
    }

    fn exists(&self, handle: Handle) -> io::Result<bool> {
        match self.weather() {
            Weather::Refused => Err(unavailable()),
            _ => self.inner.exists(handle),
        }
    }
}

fn patient() -> RetryPolicy {
    RetryPolicy {
        attempts: 60,
        first_attempts: 60,
        pause: Duration::ZERO,
        ..RetryPolicy::default()
    }
}

/// Files that share much of their content with those of the version before.
fn version(seed: u64, number: u64) -> Vec<(String, Vec<u8>)> {
    let mut dice = Dice::new(seed + number / 2);
    let file = |n: u64| {
        let length = usize::try_from(dice.roll(1 << 21)).unwrap();
        let content = noise(length, seed * 100 + n + dice.roll(2) * number);
        (format!("file {n:02}"), content)
    };
    (0..12).map(file).collect()
}

fn assert_exact(repository: &Repository, snapshot: &Snapshot, files: &[(String, Vec<u8>)]) {
    let context = Context::default();
    let indexed = repository.clone().into_indexed(&context).unwrap();
    for (name, content) in files {
        let mut read = Vec::new();
        let reader = indexed.reader(snapshot);
        reader.dump(&path(name), &mut read, &context).unwrap();
        assert!(read == *content, "{name}");
    }
}

fn check(repository: &Repository) {
    let options = CheckOptions {
        read_data: ReadData::All,
    };
    let report = repository.check(&options, &Context::default()).unwrap();
    assert!(report.is_ok(), "{:?}", report.errors);
}

#[rstest]
fn everything_is_exact_in_a_storm(#[values(1, 2, 3, 4, 5, 6, 7, 8)] seed: u64) {
    println!("seed {seed}");
    let storm = Storm::random(seed);
    let patient = Arc::new(RetryBackend::new(storm.clone(), patient()));
    let repository = init(Arc::new(OwnWritesBackend::new(patient)));
    let context = Context {
        limits: Limits {
            threads: 4,
            ..Limits::default()
        },
        ..Context::default()
    };
    let mut kept = Vec::new();
    for number in 0..4 {
        let files = version(seed, number);
        let entries: Vec<_> = files.iter().map(|it| (&it.0[..], &it.1[..])).collect();
        let indexed = repository.clone().into_indexed(&context).unwrap();
        // Files that look unchanged are not: all are read.
        let options = BackupOptions {
            parent: Parent::None,
            ..options()
        };
        let outcome = indexed.backup(made_up(&entries), &options, &context);
        let outcome = outcome.unwrap();
        assert_eq!(outcome.failures, []);
        kept.push((outcome.snapshot, files));
        drop(indexed);
        check(&repository);
        if number % 2 == 1 {
            let (forgotten, _) = kept.remove(0);
            repository.forget(&[forgotten.id]).unwrap();
            let plan = repository.plan_prune(&PruneOptions::default(), &context);
            plan.unwrap().execute(&context).unwrap();
            check(&repository);
        }
        let there = repository.snapshots().unwrap().snapshots;
        assert_eq!(there.len(), kept.len());
    }
    for (snapshot, files) in &kept {
        assert_exact(&repository, snapshot, files);
    }
    // What the storm left behind is sound on its own.
    let calm = open(Arc::new(storm.inner.snapshot()));
    check(&calm);
    for (snapshot, files) in &kept {
        assert_exact(&calm, snapshot, files);
    }
}
