//! Small repositories in memory, and what is done to them in several tests.

use strongroom_domain::tree::Context;
use strongroom_engine::backend::{FileKind, Handle};
use strongroom_engine::{Backend, CheckOptions, MemoryBackend, ReadData, Repository, Snapshot};

use crate::support::*;

pub(crate) fn back_up(repository: &Repository, files: &[(&str, &[u8])]) -> Snapshot {
    let context = Context::default();
    let indexed = repository.clone().into_indexed(&context).unwrap();
    let outcome = indexed.backup(made_up(files), &options(), &context);
    outcome.unwrap().snapshot
}

pub(crate) fn content(repository: &Repository, snapshot: &Snapshot, name: &str) -> Vec<u8> {
    let context = Context::default();
    let indexed = repository.clone().into_indexed(&context).unwrap();
    let mut content = Vec::new();
    let reader = indexed.reader(snapshot);
    reader.dump(&path(name), &mut content, &context).unwrap();
    content
}

pub(crate) fn assert_sound(repository: &Repository) {
    let read_data = ReadData::All;
    let report = repository
        .check(&CheckOptions { read_data }, &Context::default())
        .unwrap();
    assert!(report.is_ok(), "{:?}", report.errors);
    assert_eq!(report.unreferenced_packs, []);
}

pub(crate) fn packs(backend: &MemoryBackend) -> Vec<Handle> {
    let mut listed = backend.list(FileKind::Pack).unwrap();
    listed.sort_by_key(|pack| pack.size);
    let handles = listed
        .iter()
        .map(|pack| Handle::new(FileKind::Pack, pack.id));
    handles.collect()
}

pub(crate) fn overwrite(backend: &MemoryBackend, handle: Handle, at: usize) {
    let mut data = backend.get(handle).unwrap().to_vec();
    data[at..at + 4].iter_mut().for_each(|byte| *byte = !*byte);
    backend.put(handle, data.into()).unwrap();
}
