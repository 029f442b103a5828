//! What is tried again, how often, and when not.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use rstest::rstest;
use strongroom_domain::tree::{Cancel, Context};
use strongroom_engine::backend::{FileKind, Handle, RetryBackend, RetryPolicy};
use strongroom_engine::{Backend, Error, Id, MemoryBackend};

use crate::storm::{Storm, Weather, unavailable};
use crate::support::*;

fn patient(inner: Arc<dyn Backend>, attempts: u32, first_attempts: u32) -> RetryBackend {
    let policy = RetryPolicy {
        attempts,
        first_attempts,
        pause: Duration::ZERO,
        ..RetryPolicy::default()
    };
    RetryBackend::new(inner, policy)
}

#[rstest]
fn what_will_not_pass_is_not_tried_again(
    #[values(
        io::ErrorKind::NotFound,
        io::ErrorKind::PermissionDenied,
        io::ErrorKind::StorageFull,
        io::ErrorKind::QuotaExceeded,
        io::ErrorKind::InvalidInput,
        io::ErrorKind::InvalidData,
        io::ErrorKind::UnexpectedEof
    )]
    kind: io::ErrorKind,
) {
    let requests = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&requests);
    let backend = FaultyBackend::new(Arc::new(MemoryBackend::new()), move |_, _| {
        counted.fetch_add(1, Ordering::Relaxed);
        Err(kind.into())
    });
    let error = patient(backend, 9, 9).get(Handle::CONFIG).unwrap_err();
    assert_eq!(error.kind(), kind);
    assert_eq!(requests.load(Ordering::Relaxed), 1);
}

#[test]
fn storage_that_never_answered_is_given_up_sooner() {
    let storm = Storm::new(|n| {
        if n == 3 {
            Weather::Fine
        } else {
            Weather::Refused
        }
    });
    let backend = patient(storm.clone(), 7, 3);
    assert!(backend.get(Handle::CONFIG).is_err());
    assert_eq!(storm.requests.load(Ordering::Relaxed), 3);
    let answer = backend.get(Handle::CONFIG).unwrap_err();
    assert_eq!(answer.kind(), io::ErrorKind::NotFound);
    assert!(backend.get(Handle::CONFIG).is_err());
    assert_eq!(storm.requests.load(Ordering::Relaxed), 4 + 7);
}

#[test]
fn every_failure_that_is_tried_again_is_told() {
    let storm = Storm::new(|n| {
        if n < 2 {
            Weather::Refused
        } else {
            Weather::Fine
        }
    });
    let (told, heard) = std::sync::mpsc::channel();
    let policy = RetryPolicy {
        pause: Duration::ZERO,
        notice: Some(Arc::new(move |text| told.send(text.to_owned()).unwrap())),
        ..RetryPolicy::default()
    };
    let backend = RetryBackend::new(storm, policy);
    backend.put(Handle::CONFIG, Bytes::new()).unwrap();
    drop(backend);
    let heard: Vec<String> = heard.iter().collect();
    let expected = "writing config: 503 Slow Down; trying again in 0.0 s";
    assert_eq!(heard, [expected, expected]);
}

#[test]
fn a_cancelled_job_stops_between_attempts_but_removes_its_lock() {
    let cancel = Cancel::new();
    let stop = cancel.clone();
    let storm = Storm::new(move |n| {
        if n == 1 {
            stop.cancel();
        }
        if n < 2 {
            Weather::Refused
        } else {
            Weather::Fine
        }
    });
    let backend = patient(storm.clone(), 9, 9).with_cancel(&cancel).unwrap();
    let error = backend.get(Handle::CONFIG).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::Interrupted);
    assert_eq!(storm.requests.load(Ordering::Relaxed), 2);
    assert!(backend.list(FileKind::Pack).is_err());
    let lock = Handle::new(FileKind::Lock, Id::of(b"lock"));
    backend.delete(lock).unwrap();
    assert_eq!(storm.requests.load(Ordering::Relaxed), 3);
}

#[test]
fn a_cancelled_backup_on_failing_storage_is_cancelled_and_leaves_no_lock() {
    let inner = Arc::new(MemoryBackend::new());
    init(inner.clone());
    let context = Context::default();
    let stop = context.cancel.clone();
    let faulty = FaultyBackend::new(inner.clone(), move |operation, handle| {
        if operation == "put" && handle.kind() == FileKind::Pack {
            stop.cancel();
            return Err(unavailable());
        }
        Ok(())
    });
    let indexed = open(Arc::new(patient(faulty, 9, 9)));
    let indexed = indexed.into_indexed(&context).unwrap();
    let content = noise(1 << 20, 1);
    let outcome = indexed.backup(made_up(&[("a", &content)]), &options(), &context);
    assert!(matches!(outcome, Err(Error::Cancelled)), "{outcome:?}");
    drop(indexed);
    assert_eq!(inner.list(FileKind::Lock).unwrap(), []);
}

#[test]
fn a_read_that_broke_off_goes_on_where_it_stopped() {
    let storm = Storm::new(|_| Weather::Broken(3));
    let text = Bytes::from_static(b"0123456789abcdef");
    storm.inner.put(Handle::CONFIG, text.clone()).unwrap();
    let backend = patient(storm.clone(), 9, 9);
    assert_eq!(backend.get(Handle::CONFIG).unwrap(), text);
    assert_eq!(storm.requests.swap(0, Ordering::Relaxed), 6);
    let part = backend.get_range(Handle::CONFIG, 2, 10).unwrap();
    assert_eq!(part, "23456789ab");
    assert_eq!(storm.requests.load(Ordering::Relaxed), 4);
}

#[test]
fn a_creation_whose_answer_got_lost_is_not_somebody_elses() {
    let storm = Storm::new(|n| {
        if n == 0 {
            Weather::AnswerLost
        } else {
            Weather::Fine
        }
    });
    let backend = patient(storm, 3, 3);
    backend.put_new(Handle::CONFIG, Bytes::from("a")).unwrap();
    let error = backend.put_new(Handle::CONFIG, Bytes::from("b"));
    assert_eq!(error.unwrap_err().kind(), io::ErrorKind::AlreadyExists);
}
