//! The edge between the engine's threads and asynchronous requests.

use std::io;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};

use strongroom_domain::tree::Cancel;
use tokio::runtime::{Builder, Runtime};

use super::super::pause::{self, NOTICE};

/// Encrypting for TLS and hashing for signatures keep a thread busy; one more keeps answers coming.
const THREADS: usize = 2;

/// A runtime that can be used and dropped anywhere, also on threads of another runtime.
pub(super) struct Io(Option<Runtime>);

impl Io {
    pub(super) fn start() -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("s3")
            .enable_all()
            .build()?;
        Ok(Self(Some(runtime)))
    }

    /// Waits for a future; gives it up when the job is cancelled, if there is a job.
    pub(super) fn run<T: Send + 'static>(
        &self,
        future: impl Future<Output = io::Result<T>> + Send + 'static,
        cancel: Option<&Cancel>,
    ) -> io::Result<T> {
        let check = || cancel.map_or(Ok(()), pause::check);
        check()?;
        let runtime = self.0.as_ref().expect("it is there until dropped");
        let (sender, receiver) = sync_channel(1);
        let task = runtime.spawn(async move {
            // Whoever waited may have gone.
            drop(sender.send(future.await));
        });
        loop {
            match receiver.recv_timeout(NOTICE) {
                Ok(result) => return result,
                Err(RecvTimeoutError::Timeout) => {
                    if let Err(cancelled) = check() {
                        task.abort();
                        return Err(cancelled);
                    }
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(io::Error::other("a request ended without an answer"));
                }
            }
        }
    }
}

impl Drop for Io {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
