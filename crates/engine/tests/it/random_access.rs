//! Reading files of a snapshot anywhere.

use std::sync::Arc;

use proptest::prelude::*;
use strongroom_domain::tree::Context;
use strongroom_engine::{Error, MemoryBackend};

use crate::support::*;

#[test]
fn any_part_of_a_file_is_what_was_backed_up() {
    let content = noise(9 << 20, 3);
    let repository = init(Arc::new(MemoryBackend::new()));
    let context = Context::default();
    let indexed = repository.into_indexed(&context).unwrap();
    let files = made_up(&[("a", &content), ("empty", b"")]);
    let outcome = indexed.backup(files, &options(), &context).unwrap();
    let reader = indexed.reader(&outcome.snapshot);
    let file = reader.open_random(&path("a")).unwrap();
    assert_eq!(file.length(), content.len() as u64);
    proptest!(|(offset in 0_usize..10 << 20, length in 0_usize..3 << 20)| {
        let mut buffer = vec![0; length];
        let read = file.read_at(offset as u64, &mut buffer).unwrap();
        let from = offset.min(content.len());
        let expected = &content[from..content.len().min(from + length)];
        prop_assert!(&buffer[..read] == expected, "{offset} {length}");
    });
    let mut buffer = [0; 8];
    let empty = reader.open_random(&path("empty")).unwrap();
    assert_eq!(empty.read_at(0, &mut buffer).unwrap(), 0);
    assert_eq!(file.read_at(u64::MAX, &mut buffer).unwrap(), 0);
    let missing = reader.open_random(&path("b")).unwrap_err();
    assert!(matches!(missing, Error::NoEntry(_)), "{missing:?}");
}
