//! Downloads of exported backups: gzip, made while it is sent. The export's id is all that is
//! needed, so a URL can be handed to any program, and it appears in no log.

use std::io::{self, Write};

use axum::{
    Router,
    body::Body,
    extract::{Path, State},
    http::header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use futures_util::stream;
use strongroom_domain::{Export, ExportId};
use strongroom_service::{Error, Service, exports::Download};
use tokio::sync::mpsc;

use crate::{extract::Base, problem::Problem};

/// What the path of every download begins with.
pub(crate) const PREFIX: &str = "/exports/";

/// Pieces that are compressed and not sent yet.
const AHEAD: usize = 4;
/// The size of a piece in bytes.
const PIECE: usize = 1 << 18;

pub(crate) fn router() -> Router<Service> {
    Router::new().route("/exports/{id}/{name}", get(download))
}

/// Where an export can be downloaded by a client that reached us at `base`.
pub fn export_url(Base(base): &Base, export: &Export) -> String {
    format!("{base}{PREFIX}{}/{}", export.id.simple(), export.file_name)
}

async fn download(
    State(service): State<Service>,
    Path((id, _)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let id: ExportId = id.parse().map_err(|_| Error::not_found("export", "?"))?;
    let download = service.download(id).await?;
    let disposition = format!("attachment; filename=\"{}\"", download.file_name());
    let headers = [
        (CONTENT_TYPE, "application/gzip".to_owned()),
        (CONTENT_DISPOSITION, disposition),
    ];
    Ok((headers, Body::from_stream(compressed(download))).into_response())
}

/// The compressed file piece by piece. What cannot be read breaks it off, so that nobody takes a
/// part for the whole.
fn compressed(download: Download) -> impl stream::Stream<Item = io::Result<Bytes>> {
    let (send, receive) = mpsc::channel(AHEAD);
    tokio::task::spawn_blocking(move || {
        let out = Pieces {
            send: send.clone(),
            piece: Vec::with_capacity(PIECE),
        };
        let mut gzip = GzEncoder::new(out, Compression::default());
        let written = download
            .write_to(&mut gzip)
            .and_then(|()| gzip.finish()?.flush());
        if let Err(error) = written {
            tracing::warn!(%error, "a download broke off");
            // Whoever downloads may have gone.
            drop(send.blocking_send(Err(error)));
        }
    });
    stream::unfold(receive, async |mut receive| {
        let next = receive.recv().await?;
        Some((next, receive))
    })
}

/// Collects what is written into pieces of one size.
struct Pieces {
    send: mpsc::Sender<io::Result<Bytes>>,
    piece: Vec<u8>,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE));
        self.send
            .blocking_send(Ok(piece.into()))
            .map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}
