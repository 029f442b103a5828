//! Files that several workers cut.

use std::sync::Arc;

use strongroom_domain::tree::{Context, Limits};
use strongroom_engine::{BackupOptions, MemoryBackend, Parent};

use crate::support::*;

#[test]
fn a_large_file_is_cut_alike_by_one_worker_and_by_many() {
    let repository = init(Arc::new(MemoryBackend::new()));
    let data = noise(65 << 20, 3);
    let back_up = |threads| {
        let limits = Limits {
            threads,
            ..Limits::default()
        };
        let context = Context {
            limits,
            ..Context::default()
        };
        let options = BackupOptions {
            parent: Parent::None,
            ..options()
        };
        let indexed = repository.clone().into_indexed(&context).unwrap();
        let files: [(&str, &[u8]); 2] = [("large", &data), ("small", b"text")];
        indexed.backup(made_up(&files), &options, &context).unwrap()
    };
    let alone = back_up(1);
    assert!(alone.summary.data_blobs > 8);
    let helped = back_up(8);
    assert_eq!(helped.summary.data_blobs, 0);
    assert_eq!(helped.snapshot.tree, alone.snapshot.tree);
}
