//! The one listener, with or without TLS.

use std::{io, net::SocketAddr, time::Duration};

use anyhow::{Context as _, Result, anyhow};
use axum::Router;
use axum_server::{
    Handle,
    accept::{Accept, DefaultAcceptor},
    tls_rustls::{RustlsAcceptor, RustlsConfig},
};
use futures_util::{FutureExt as _, future::BoxFuture};
use strongroom_http::lenient::Lenient;
use tokio::task::JoinHandle;

use crate::{config::Tls, ui::Hint};

/// A running HTTP server.
#[derive(Debug)]
pub(super) struct Listener {
    address: SocketAddr,
    handle: Handle<SocketAddr>,
    task: JoinHandle<io::Result<()>>,
}

impl Listener {
    /// Binds and begins to serve `router`.
    pub(super) async fn start(
        address: SocketAddr,
        tls: Option<&Tls>,
        router: Router,
    ) -> Result<Self> {
        // Bound here and not by the task, so that an address in use is an error of this call.
        let socket = std::net::TcpListener::bind(address)
            .and_then(|it| it.set_nonblocking(true).map(|()| it))
            .map_err(|error| in_use(address, error))?;
        let handle = Handle::new();
        let service = router.into_make_service();
        let task = match tls {
            None => {
                let server = axum_server::from_tcp(socket)?
                    .acceptor(Leniently(DefaultAcceptor))
                    .handle(handle.clone());
                tokio::spawn(server.serve(service))
            }
            Some(Tls { cert, key }) => {
                let config = RustlsConfig::from_pem_file(cert, key)
                    .await
                    .with_context(|| {
                        let (cert, key) = (cert.display(), key.display());
                        format!("cannot use the certificate `{cert}` with the key `{key}`")
                    })?;
                let server = axum_server::from_tcp(socket)?
                    .acceptor(Leniently(RustlsAcceptor::new(config)))
                    .handle(handle.clone());
                tokio::spawn(server.serve(service))
            }
        };
        let address = handle
            .listening()
            .await
            .context("the listener stopped at once")?;
        Ok(Self {
            address,
            handle,
            task,
        })
    }

    /// The address that was bound.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts nothing more and waits for what is being answered.
    pub(super) async fn stop(self, within: Duration) -> Result<()> {
        self.handle.graceful_shutdown(Some(within));
        self.task
            .await
            .context("the listener failed")?
            .context("the listener failed")
    }
}

/// Accepts as `A` does, and reads request lines leniently.
#[derive(Debug, Clone)]
struct Leniently<A>(A);

impl<A, I, S> Accept<I, S> for Leniently<A>
where
    A: Accept<I, S>,
    A::Future: Send + 'static,
{
    type Stream = Lenient<A::Stream>;
    type Service = A::Service;
    type Future = BoxFuture<'static, io::Result<(Self::Stream, Self::Service)>>;

    fn accept(&self, stream: I, service: S) -> Self::Future {
        let accepted = self.0.accept(stream, service);
        accepted
            .map(|it| it.map(|(stream, service)| (Lenient::new(stream), service)))
            .boxed()
    }
}

fn in_use(address: SocketAddr, error: io::Error) -> anyhow::Error {
    let taken = error.kind() == io::ErrorKind::AddrInUse;
    let error = anyhow!(error).context(format!("cannot listen on {address}"));
    if taken {
        let hint = "another server runs there; choose an address with `--listen`";
        return error.context(Hint(hint.to_owned()));
    }
    error
}
