//! Indexes that lie: nothing they say may cost memory or give wrong content.

use std::fs;
use std::sync::Arc;

use jiff::Timestamp;
use rstest::rstest;
use strongroom_domain::Clock;
use strongroom_domain::tree::{
    Content, Context, Entry, EntryKind, EntryPath, Metadata, RestoreOptions,
};

use super::{CheckOptions, ReadData};
use crate::archive::BackupOptions;
use crate::backend::{FileKind, Handle, MemoryBackend};
use crate::crypto::kdf::KdfCost;
use crate::format::BlobKind;
use crate::format::index::{IndexBlob, IndexFile, IndexPack};
use crate::format::snapshot::Snapshot;
use crate::packs::PackList;
use crate::repository::{InitOptions, Repository};

#[derive(Debug)]
struct Epoch;

impl Clock for Epoch {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }
}

const FILES: [(&str, &str); 2] = [("a", "content of the first"), ("b", "what the second has")];

fn repository() -> (Repository, Snapshot) {
    let options = InitOptions {
        kdf: KdfCost::MACHINE,
        ..InitOptions::new("x")
    };
    let backend = Arc::new(MemoryBackend::new());
    let repository = Repository::init(backend, Arc::new(Epoch), &options).unwrap();
    let entry = |(name, text): (&str, &str)| {
        let mut metadata = Metadata::synthetic(EntryKind::File, 0o600, Timestamp::UNIX_EPOCH);
        metadata.size = text.len() as u64;
        let path = EntryPath::try_from(name).unwrap();
        Ok(Entry::file(path, metadata, Content::from_bytes(text)))
    };
    let entries = FILES.map(entry);
    let context = Context::default();
    let indexed = repository.clone().into_indexed(&context).unwrap();
    let (entries, options) = (Box::new(entries.into_iter()), BackupOptions::default());
    let outcome = indexed.backup(entries, &options, &context).unwrap();
    (repository, outcome.snapshot)
}

/// Replaces what the index says of the two data blobs.
fn lie(repository: &Repository, lie: fn(&mut [IndexBlob])) {
    let list = PackList::load(repository, &Context::default()).unwrap();
    let change = |(id, mut blobs): (_, Vec<IndexBlob>)| {
        if blobs[0].kind == BlobKind::Data {
            lie(&mut blobs);
        }
        IndexPack { id, blobs }
    };
    let file = IndexFile {
        packs: list.packs.into_iter().map(change).collect(),
        ..IndexFile::default()
    };
    for id in list.files {
        repository.delete(Handle::new(FileKind::Index, id)).unwrap();
    }
    repository.write_json(FileKind::Index, &file).unwrap();
}

#[rstest]
#[case::beyond_the_pack(|blobs: &mut [IndexBlob]| {
    blobs[0].offset = u32::MAX - 1;
    blobs[1].length = u32::MAX;
})]
#[case::more_than_there_is_memory(|blobs: &mut [IndexBlob]| {
    blobs[0].uncompressed_length = u32::MAX;
    blobs[1].uncompressed_length = 1 << 30;
})]
#[case::ids_swapped(|blobs: &mut [IndexBlob]| {
    let first = blobs[0].id;
    blobs[0].id = blobs[1].id;
    blobs[1].id = first;
})]
#[case::two_in_one_place(|blobs: &mut [IndexBlob]| {
    blobs[1] = IndexBlob { id: blobs[1].id, ..blobs[0] };
})]
#[case::overlapping(|blobs: &mut [IndexBlob]| {
    blobs[0].length += 7;
    blobs[1].offset -= 3;
})]
#[case::without_length(|blobs: &mut [IndexBlob]| {
    blobs[0].length = 0;
    blobs[1].length = 31;
})]
fn content_is_right_or_reported_whatever_the_index_says(#[case] lies: fn(&mut [IndexBlob])) {
    let (repository, snapshot) = repository();
    lie(&repository, lies);
    let context = Context::default();
    let read_data = ReadData::All;
    let report = repository
        .check(&CheckOptions { read_data }, &context)
        .unwrap();
    assert!(!report.is_ok());

    let target = tempfile::TempDir::new().unwrap();
    let indexed = repository.clone().into_indexed(&context).unwrap();
    let reader = indexed.reader(&snapshot);
    let report = reader
        .restore(target.path(), &RestoreOptions::default(), &context)
        .unwrap();
    let lost = |name| report.failures.iter().any(|it| it.path.as_bytes() == name);
    for (name, text) in FILES {
        let right = fs::read_to_string(target.path().join(name)).is_ok_and(|it| it == text);
        assert_ne!(
            right,
            lost(name.as_bytes()),
            "{name}: {:?}",
            report.failures
        );
    }
    assert!(!report.failures.is_empty());
    drop((reader, indexed));

    // The packs know better.
    repository.repair_index(true, &context).unwrap();
    let report = repository
        .check(&CheckOptions { read_data }, &context)
        .unwrap();
    assert!(report.is_ok(), "{:?}", report.errors);
}

#[test]
fn packs_that_were_swapped_are_both_named_and_nothing_wrong_is_restored() {
    let (repository, snapshot) = repository();
    let packs = repository.list(FileKind::Pack).unwrap();
    let handles = [0, 1].map(|at: usize| Handle::new(FileKind::Pack, packs[at].id));
    let [first, second] = handles.map(|handle| repository.backend().get(handle).unwrap());
    repository.put(handles[0], second.to_vec()).unwrap();
    repository.put(handles[1], first.to_vec()).unwrap();
    let context = Context::default();
    let read_data = ReadData::All;
    let report = repository
        .check(&CheckOptions { read_data }, &context)
        .unwrap();
    for handle in handles {
        let id = handle.id().to_hex();
        assert!(
            report
                .errors
                .iter()
                .any(|error| error.to_string().contains(&id))
        );
    }
    let target = tempfile::TempDir::new().unwrap();
    let reader = repository.into_indexed(&context).unwrap().reader(&snapshot);
    let options = RestoreOptions::default();
    let report = reader.restore(target.path(), &options, &context).unwrap();
    assert!(report.failures[0].path.is_root());
    assert_eq!(fs::read_dir(target.path()).unwrap().count(), 0);
}
