//! Reading the blobs of one file before they are asked for.

use std::sync::mpsc::{Receiver, sync_channel};
use std::vec;

use strongroom_domain::tree::Limits;

use crate::error::{Error, Result};
use crate::format::BlobKind;
use crate::format::index::IndexBlob;
use crate::id::Id;
use crate::pieces::PackReader;
use crate::repository::IndexedRepository;

/// Blobs read and not asked for yet. With restic's chunks that is 16 MiB at most.
const AHEAD: usize = 2;

/// The blobs of a file in order; the next ones are read by a thread meanwhile.
#[derive(Debug)]
pub(crate) enum Ahead {
    /// Read when asked for: there is nothing to gain, or no thread.
    Direct(IndexedRepository, vec::IntoIter<Id>),
    /// Ends with the first error, and when nobody receives any more. With the number of blobs
    /// still to come.
    Thread(Receiver<Result<Vec<u8>>>, usize),
}

impl Ahead {
    pub(crate) fn new(repository: IndexedRepository, ids: Vec<Id>) -> Self {
        if ids.len() < 2 {
            return Self::Direct(repository, ids.into_iter());
        }
        let (send, receive) = sync_channel(AHEAD);
        let for_thread = (repository.clone(), ids.clone());
        let count = ids.len();
        let work = move || {
            let (repository, ids) = for_thread;
            // Fails only if nobody listens any more.
            let read = read_all(&repository, &ids, |blob| send.send(Ok(blob)).is_ok());
            if let Err(error) = read {
                drop(send.send(Err(error)));
            }
        };
        let name = "read-ahead".to_owned();
        match std::thread::Builder::new().name(name).spawn(work) {
            Ok(_) => Self::Thread(receive, count),
            Err(_) => Self::Direct(repository, ids.into_iter()),
        }
    }

    pub(crate) fn next(&mut self) -> Result<Option<Vec<u8>>> {
        match self {
            Self::Direct(repository, ids) => ids
                .next()
                .map(|id| repository.read_blob(BlobKind::Data, id))
                .transpose(),
            Self::Thread(receive, left) => match receive.recv() {
                Ok(received) => {
                    *left = received.as_ref().map_or(0, |_| left.saturating_sub(1));
                    received.map(Some)
                }
                // It has ended, so it holds the repository's lock no more.
                Err(_) if *left == 0 => Ok(None),
                // It died.
                Err(_) => {
                    *left = 0;
                    Err(Error::Internal)
                }
            },
        }
    }
}

/// Gives the blobs in order until `each` wants no more; reads together what lies together.
fn read_all(
    repository: &IndexedRepository,
    ids: &[Id],
    mut each: impl FnMut(Vec<u8>) -> bool,
) -> Result<()> {
    let mut reader = PackReader::new(repository, Limits::default());
    let mut rest = ids;
    while !rest.is_empty() {
        let (pack, run) = run(repository, rest)?;
        rest = &rest[run.len()..];
        let mut wanted = true;
        reader.read(
            pack,
            &run,
            |blob| blob,
            |blobs, content| {
                let plain = content?.plain;
                for _ in blobs {
                    wanted = wanted && each(plain.to_vec());
                }
                if wanted {
                    Ok(())
                } else {
                    Err(Error::Cancelled)
                }
            },
        )?;
    }
    Ok(())
}

/// The first blobs, as many as lie one after the other in one pack, and few enough to wait for.
fn run(repository: &IndexedRepository, ids: &[Id]) -> Result<(Id, Vec<IndexBlob>)> {
    const MOST: usize = 4;
    let index = repository.index();
    let mut found: Option<(Id, Vec<IndexBlob>)> = None;
    for &id in ids.iter().take(MOST) {
        let Some(location) = index.get(BlobKind::Data, id) else {
            break;
        };
        match &mut found {
            None => found = Some((location.pack, vec![location.blob])),
            Some((pack, run)) => {
                let follows = run
                    .last()
                    .is_some_and(|last| last.end() <= location.blob.offset.into());
                if *pack != location.pack || !follows {
                    break;
                }
                run.push(location.blob);
            }
        }
    }
    found.ok_or_else(|| Error::Missing(crate::error::Object::looked_for(BlobKind::Data, ids[0])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_died_is_an_error_and_not_the_end_of_the_file() {
        let (send, receive) = sync_channel(AHEAD);
        let mut blobs = Ahead::Thread(receive, 2);
        send.send(Ok(b"first".to_vec())).unwrap();
        drop(send);
        assert_eq!(blobs.next().unwrap().unwrap(), b"first");
        assert!(matches!(blobs.next(), Err(Error::Internal)));
        assert!(matches!(blobs.next(), Ok(None)));
    }
}
