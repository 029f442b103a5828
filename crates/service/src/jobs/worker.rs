//! The workers of a process: they lease jobs, carry them out, and stop in good order.

use std::{pin::pin, time::Duration};

use strongroom_domain::job::{Job, Work};
use tokio::{task::JoinSet, time};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::{
    Attempt, Stop, copy_backup, delete_backup, delete_copies, prune_repository, retention,
    run_backup, run_restore, scan_repository, verify_repository,
};
use crate::{Result, Service, error::chain, scheduler};

/// How long a worker that cannot reach the database waits before it tries again.
const PAUSE: Duration = Duration::from_secs(5);

/// The workers and the scheduler of this process.
#[derive(Debug)]
pub struct Workers {
    service: Service,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Service {
    /// Starts as many workers as configured, and the scheduler if wanted. `name` tells this
    /// process from others that use the same database.
    pub fn start(&self, name: &str, with_scheduler: bool) -> Workers {
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        for number in 1..=self.inner().config.workers {
            let owner = format!("{name}/{number}");
            tasks.spawn(self.clone().work(owner, stop.clone()));
        }
        if with_scheduler {
            tasks.spawn(scheduler::run(self.clone(), name.to_owned(), stop.clone()));
        }
        Workers {
            service: self.clone(),
            stop,
            tasks,
        }
    }

    async fn work(self, owner: String, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let mut woken = pin!(self.inner().jobs_waiting.notified());
            // From here on no wake-up is missed, also while the queue is looked at.
            woken.as_mut().enable();
            let (service, name) = (self.clone(), owner.clone());
            // On a task of its own, so that a job that panics does not take the worker with it.
            let next = tokio::spawn(async move { service.run_next_job(&name).await });
            let wait = match next.await {
                Ok(Ok(true)) => continue,
                Ok(Ok(false)) => self.inner().config.poll,
                Ok(Err(error)) => {
                    tracing::error!(error = chain(&error), "the queue of jobs cannot be read");
                    PAUSE
                }
                Err(error) => {
                    tracing::error!(%error, "a job panicked; its lease runs out");
                    PAUSE
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = woken => {}
                () = time::sleep(wait) => {}
            }
        }
    }

    /// Leases the next job that may run and carries it out; `false` if there was none.
    pub async fn run_next_job(&self, owner: &str) -> Result<bool> {
        let lease = self.inner().config.lease;
        let Some(job) = self.store().lease(owner, self.now(), lease).await? else {
            return Ok(false);
        };
        let span = tracing::info_span!(
            "job",
            job.id = %job.id,
            job.kind = job.work.kind(),
            job.attempt = job.attempts,
            tenant.id = %job.tenant_id,
            subject.id = %job.work.subject(),
        );
        self.run_job(job).instrument(span).await;
        Ok(true)
    }

    async fn run_job(&self, job: Job) {
        let attempt = Attempt::new(self.clone(), job);
        let (id, work) = (attempt.job.id, attempt.job.work);
        let running = &self.inner().running;
        running.add(id, work.subject(), attempt.signal.clone());
        let watch = tokio::spawn(attempt.clone().watch());
        let ended = match carry_out(&attempt, work).await {
            Ok(()) => Ok(()),
            Err(stop) => {
                report(&stop);
                attempt.settle(stop).await
            }
        };
        watch.abort();
        running.remove(id);
        if let Err(stop) = ended {
            // The lease runs out, and the next attempt finds what this one left.
            tracing::error!(?stop, "the end of the attempt could not be written down");
        }
    }
}

async fn carry_out(attempt: &Attempt, work: Work) -> Result<(), Stop> {
    match work {
        Work::RunBackup { backup } => run_backup::run(attempt, backup).await,
        Work::RunRestore {
            restore,
            from,
            safety,
            safety_may_fail,
        } => {
            let order = run_restore::Order {
                restore,
                from,
                safety,
                safety_may_fail,
            };
            run_restore::run(attempt, order).await
        }
        Work::DeleteBackup { backup } => delete_backup::run(attempt, backup).await,
        Work::CopyBackup { backup, from, to } => copy_backup::run(attempt, backup, from, to).await,
        Work::DeleteCopies { backup } => delete_copies::run(attempt, backup).await,
        Work::ApplyRetention { policy } => retention::run(attempt, policy).await,
        Work::VerifyRepository { repository } => verify_repository::run(attempt, repository).await,
        Work::ScanRepository { repository } => scan_repository::run(attempt, repository).await,
        Work::PruneRepository { repository } => prune_repository::run(attempt, repository).await,
    }
}

fn report(stop: &Stop) {
    match stop {
        Stop::Fail { code, reason } => tracing::warn!(code, reason, "job failed: {reason}"),
        Stop::Retry { reason } | Stop::Unopened { reason } => {
            tracing::warn!(reason, "job to be tried again: {reason}");
        }
        Stop::Lost => tracing::warn!("job lost to another worker"),
        Stop::Wait { reason, .. } => tracing::debug!(reason, "job waits"),
        Stop::Cancelled | Stop::HandBack => tracing::info!(?stop, "job stopped"),
    }
}

impl Workers {
    /// Takes no more work; waits for what runs, for `grace` at most, then hands back the rest.
    pub async fn shutdown(mut self, grace: Duration) {
        self.stop.cancel();
        let drained = time::timeout(grace, drain(&mut self.tasks)).await;
        if drained.is_err() {
            self.service.inner().running.hand_back_all();
            drain(&mut self.tasks).await;
        }
    }
}

async fn drain(tasks: &mut JoinSet<()>) {
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "a worker died");
        }
    }
}
