//! Request lines as some clients write them: with `<`, `>` or `"` as they are, which RFC 3986
//! wants percent-encoded and the HTTP library refuses before any face sees them. ZStack's query
//! conditions (`q=size>100`) come so from curl and from its Python SDK.

mod head;

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use self::head::{Heads, Next};

/// How much is read at a time while a head is looked at.
const CHUNK: usize = 4096;

/// A connection whose request lines are encoded as they are read. Nothing else is changed.
#[derive(Debug)]
pub struct Lenient<S> {
    stream: S,
    heads: Heads,
    /// What was looked at and not read yet, from `read` on.
    ready: Vec<u8>,
    read: usize,
}

impl<S> Lenient<S> {
    /// Reads requests from `stream`.
    pub fn new(stream: S) -> Self {
        Self {
            stream,
            heads: Heads::default(),
            ready: Vec::new(),
            read: 0,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lenient<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            if let Some(rest) = this.ready.get(this.read..).filter(|it| !it.is_empty()) {
                let (now, _) = rest.split_at(rest.len().min(buf.remaining()));
                buf.put_slice(now);
                this.read += now.len();
                return Poll::Ready(Ok(()));
            }
            this.ready.clear();
            this.read = 0;
            match this.heads.next() {
                Next::Anything => return Pin::new(&mut this.stream).poll_read(cx, buf),
                Next::Body(left) => {
                    let most = usize::try_from(left).unwrap_or(usize::MAX);
                    let most = most.min(buf.remaining());
                    let mut part = ReadBuf::new(buf.initialize_unfilled_to(most));
                    ready!(Pin::new(&mut this.stream).poll_read(cx, &mut part))?;
                    let read = part.filled().len();
                    buf.advance(read);
                    this.heads.passed(read);
                    return Poll::Ready(Ok(()));
                }
                Next::Head => {
                    let mut chunk = [0; CHUNK];
                    let mut chunk = ReadBuf::new(&mut chunk);
                    ready!(Pin::new(&mut this.stream).poll_read(cx, &mut chunk))?;
                    if chunk.filled().is_empty() {
                        this.heads.end(&mut this.ready);
                        if this.ready.is_empty() {
                            return Poll::Ready(Ok(()));
                        }
                    } else {
                        this.heads.look(chunk.filled(), &mut this.ready);
                    }
                }
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Lenient<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    /// What is read of a connection that got `sent`, `step` bytes at a time.
    async fn read(sent: &[u8], step: usize) -> Vec<u8> {
        let (mut client, server) = tokio::io::duplex(step.max(1));
        let mut server = Lenient::new(server);
        let write = async {
            for part in sent.chunks(step.max(1)) {
                client.write_all(part).await.unwrap();
            }
            drop(client);
        };
        let mut got = Vec::new();
        let ((), end) = tokio::join!(write, server.read_to_end(&mut got));
        end.unwrap();
        got
    }

    #[tokio::test]
    async fn the_targets_of_all_requests_of_a_connection_are_encoded_and_nothing_else() {
        let sent = b"GET /a?q=size>1&q=a<b&q=\"c\" HTTP/1.1\r\nX: <>\r\n\r\n\
            PUT /b> HTTP/1.1\r\ncontent-length: 12\r\n\r\nGET /<> HTTP\r\n\
            GET /c< HTTP/1.1\r\n\r\n";
        let want = b"GET /a?q=size%3E1&q=a%3Cb&q=%22c%22 HTTP/1.1\r\nX: <>\r\n\r\n\
            PUT /b%3E HTTP/1.1\r\ncontent-length: 12\r\n\r\nGET /<> HTTP\r\n\
            GET /c%3C HTTP/1.1\r\n\r\n";
        // The body above is longer than it says by two bytes: an empty line, which is skipped.
        for step in [1, 2, 7, 64, 4096] {
            let got = read(sent, step).await;
            assert_eq!(
                String::from_utf8_lossy(&got),
                String::from_utf8_lossy(want),
                "{step}"
            );
        }
    }

    #[tokio::test]
    async fn what_is_no_plain_http_1_goes_through() {
        let long = [
            b"GET /".as_slice(),
            &b"<".repeat(100_000),
            b" HTTP/1.1\r\n\r\n",
        ]
        .concat();
        for sent in [
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nGET /<> HTTP/1.1\r\n\r\n".as_slice(),
            b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /< HTTP/1.1\r\n\r\n",
            b"PUT / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nGET /< HTTP/1.1\r\n",
            b"GET / HTTP/1.1\r\nUpgrade: x\r\n\r\nGET /< HTTP/1.1\r\n\r\n",
            b"<<<<",
            b"GET /<",
            b"",
            &long,
        ] {
            for step in [1, 5, 4096] {
                assert_eq!(read(sent, step).await, sent, "{}", sent.escape_ascii());
            }
        }
    }
}
