//! The requests themselves.

use std::io;
use std::ops::Range;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use object_store::aws::AmazonS3;
use object_store::path::Path;
use object_store::{
    GetOptions, GetRange, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode,
    PutOptions, PutPayload,
};
use tokio::task::JoinSet;

use super::super::{Truncated, within};
use super::failure::{timed_out, translate};

/// How long an answer, or the next piece of one, may take.
const PATIENCE: Duration = Duration::from_mins(1);
/// A slower line is taken for a dead one; bytes per second.
const SLOWEST: u64 = 16 << 10;
/// Bytes per part of a large object. Servers want 5 MiB at least.
const PART: usize = 16 << 20;
/// Parts of one object that are sent at the same time.
const PARALLEL_PARTS: usize = 4;
/// Memory that is set aside before the bytes are there.
const TRUSTED: usize = 16 << 20;

/// Makes requests to one bucket. Cheap to clone.
#[derive(Clone)]
pub(super) struct Requests {
    /// Removes one object per request.
    pub(super) store: AmazonS3,
    /// The same, removing many per request.
    pub(super) bulk: AmazonS3,
    pub(super) multipart_from: usize,
    /// What errors call the bucket.
    pub(super) place: String,
}

impl Requests {
    fn failed(&self, error: object_store::Error) -> io::Error {
        translate(&error, &self.place)
    }

    /// A request that carries so many bytes.
    async fn timely<T>(
        &self,
        bytes: usize,
        request: impl Future<Output = object_store::Result<T>>,
    ) -> io::Result<T> {
        let limit = PATIENCE + Duration::from_secs(bytes as u64 / SLOWEST);
        match tokio::time::timeout(limit, request).await {
            Ok(answer) => answer.map_err(|error| self.failed(error)),
            Err(_) => Err(timed_out(&self.place)),
        }
    }

    /// Whether the bucket can be listed.
    pub(super) async fn look(self, prefix: Path) -> io::Result<()> {
        let mut list = self.store.list(Some(&prefix));
        match self
            .timely(0, async { list.next().await.transpose() })
            .await
        {
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn put(self, path: Path, data: Bytes, mode: PutMode) -> io::Result<()> {
        if data.len() >= self.multipart_from && mode == PutMode::Overwrite {
            return self.put_large(path, data).await;
        }
        let bytes = data.len();
        let payload = PutPayload::from(data);
        let request = self.store.put_opts(&path, payload, PutOptions::from(mode));
        self.timely(bytes, request).await.map(drop)
    }

    /// Several parts at once; the object appears when all are there.
    async fn put_large(self, path: Path, data: Bytes) -> io::Result<()> {
        let mut upload = self.timely(0, self.store.put_multipart(&path)).await?;
        let sent = self.send_parts(&mut *upload, data).await;
        let done = match sent {
            Ok(()) => self.timely(0, upload.complete()).await.map(drop),
            Err(error) => Err(error),
        };
        if done.is_err() {
            // Parts of no object cost money. If this fails a rule of the bucket must remove them.
            drop(self.timely(0, upload.abort()).await);
        }
        done
    }

    async fn send_parts(&self, upload: &mut dyn MultipartUpload, data: Bytes) -> io::Result<()> {
        let mut sending = JoinSet::new();
        for start in (0..data.len()).step_by(PART) {
            while sending.len() >= PARALLEL_PARTS {
                joined(sending.join_next().await)?;
            }
            let part = data.slice(start..data.len().min(start + PART));
            let bytes = part.len();
            let request = upload.put_part(PutPayload::from(part));
            let this = self.clone();
            sending.spawn(async move { this.timely(bytes, request).await });
        }
        while !sending.is_empty() {
            joined(sending.join_next().await)?;
        }
        Ok(())
    }

    /// An object of no more than `limit` bytes or a part of it. What there is of a part that goes beyond the end is
    /// `UnexpectedEof`; what arrived before a connection broke is in [`Truncated`].
    pub(super) async fn get(
        self,
        path: Path,
        range: Option<Range<u64>>,
        limit: u64,
    ) -> io::Result<Bytes> {
        let options = GetOptions {
            range: range.clone().map(GetRange::Bounded),
            ..GetOptions::default()
        };
        let answer = self.timely(0, self.store.get_opts(&path, options)).await?;
        let expected = answer.range.end.saturating_sub(answer.range.start);
        within(expected, limit)?;
        if range.is_some_and(|range| range.end - range.start != expected) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let capacity = usize::try_from(expected).unwrap_or(TRUSTED).min(TRUSTED);
        let mut received = BytesMut::with_capacity(capacity);
        let mut pieces = answer.into_stream();
        while (received.len() as u64) < expected {
            let piece = async { pieces.next().await.transpose() };
            match self.timely(0, piece).await {
                Ok(Some(piece)) => received.extend_from_slice(&piece),
                Err(error) if received.is_empty() => return Err(error),
                Ok(None) | Err(_) => return Err(Truncated::error(received.freeze(), expected)),
            }
        }
        Ok(received.freeze())
    }

    /// All objects below a prefix.
    pub(super) async fn list(self, prefix: Path) -> io::Result<Vec<ObjectMeta>> {
        let mut list = self.store.list(Some(&prefix));
        let mut found = Vec::new();
        loop {
            let next = async { list.next().await.transpose() };
            match self.timely(0, next).await? {
                Some(object) => found.push(object),
                None => return Ok(found),
            }
        }
    }

    pub(super) async fn delete(self, path: Path) -> io::Result<()> {
        self.timely(0, self.store.delete(&path)).await
    }

    /// Many per request, or one by one if the server cannot do that.
    pub(super) async fn delete_many(self, paths: Vec<Path>) -> io::Result<()> {
        match self.delete_by(&self.bulk, paths.clone()).await {
            Err(error) if error.kind() == io::ErrorKind::Unsupported => {
                self.delete_by(&self.store, paths).await
            }
            result => result,
        }
    }

    async fn delete_by(&self, store: &AmazonS3, paths: Vec<Path>) -> io::Result<()> {
        let paths = futures_util::stream::iter(paths.into_iter().map(Ok));
        let mut deleted = store.delete_stream(paths.boxed());
        while let Some(result) = self
            .timely(0, async { deleted.next().await.transpose() })
            .await
            .transpose()
        {
            match result {
                Ok(_) => {}
                Err(error) if super::no_such_object(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    pub(super) async fn head(self, path: Path) -> io::Result<()> {
        self.timely(0, self.store.head(&path)).await.map(drop)
    }
}

/// The result of a part that was sent.
fn joined(part: Option<Result<io::Result<()>, tokio::task::JoinError>>) -> io::Result<()> {
    match part {
        Some(Ok(result)) => result,
        Some(Err(error)) => Err(io::Error::other(error)),
        None => Ok(()),
    }
}
