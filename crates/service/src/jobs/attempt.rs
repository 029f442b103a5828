//! One attempt at a job: its lease, how it is stopped, and how far it is.

use std::{sync::Arc, time::Duration};

use strongroom_domain::{
    job::{Job, MAX_ATTEMPTS, Work},
    operation::{Operation, OperationState},
    tree::Context,
};
use strongroom_store::{Outcome, Tx};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::{
    Stop,
    meter::Meter,
    running::{Signal, Why},
};
use crate::{Result, Service, error::chain};

/// How often progress is written and the lease renewed.
const TICK: Duration = Duration::from_secs(1);

/// One attempt at a job. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    pub(crate) service: Service,
    pub(crate) job: Arc<Job>,
    pub(crate) signal: Arc<Signal>,
    pub(crate) meter: Arc<Meter>,
}

impl Attempt {
    pub(crate) fn new(service: Service, job: Job) -> Self {
        let (signal, meter) = <(Arc<Signal>, Arc<Meter>)>::default();
        if job.cancel_requested {
            signal.stop(Why::Requested);
        }
        Self {
            service,
            job: Arc::new(job),
            signal,
            meter,
        }
    }

    /// What the engine and sources are given.
    pub(crate) fn context(&self) -> Context {
        Context {
            cancel: self.signal.cancel.clone(),
            progress: Arc::clone(&self.meter) as _,
            limits: self.service.inner().config.limits,
        }
    }

    /// The same for what is no progress.
    pub(crate) fn silent_context(&self) -> Context {
        Context {
            progress: Context::default().progress,
            ..self.context()
        }
    }

    /// Begins a transaction that counts only if the lease is still held.
    pub(crate) async fn begin(&self) -> Result<Tx, Stop> {
        let mut tx = self.service.store().begin().await?;
        tx.assert_fence(self.job.id, self.job.fence).await?;
        Ok(tx)
    }

    /// The job is done: keeps what the transaction wrote, with the end of the job and of what
    /// clients see of it.
    pub(crate) async fn complete(&self, mut tx: Tx) -> Result<(), Stop> {
        self.end_operation(&mut tx, OperationState::Succeeded, None)
            .await?;
        self.leave(tx).await
    }

    /// There is nothing more to do; whoever found that out has ended the operation.
    pub(crate) async fn leave(&self, mut tx: Tx) -> Result<(), Stop> {
        tx.finish(self.job.id, self.job.fence, &Outcome::Done)
            .await?;
        tx.commit().await?;
        self.service.nudge();
        Ok(())
    }

    /// Gives up a job that was taken too often by workers that could not say why they ended.
    pub(crate) fn check_attempts(&self) -> Result<(), Stop> {
        if self.job.attempts <= MAX_ATTEMPTS {
            return Ok(());
        }
        let last = self.job.last_error.as_deref();
        let last = last.unwrap_or("the worker died each time");
        let reason = format!("given up after {MAX_ATTEMPTS} attempts: {last}");
        Err(Stop::fail("unavailable", reason))
    }

    /// Fails if the attempt was told to stop.
    pub(crate) fn check(&self) -> Result<(), Stop> {
        match self.signal.why() {
            None => Ok(()),
            Some(why) => Err(why.into()),
        }
    }

    /// Runs blocking work; gives the reason for stopping if it was told to.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, Stop> + Send + 'static,
    ) -> Result<T, Stop> {
        self.check()?;
        let attempt = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&attempt)).await;
        let done = done.unwrap_or_else(|error| Err(Stop::fail("internal", error.to_string())));
        match (done, self.signal.why()) {
            // Whatever it failed of, it was most likely that it was told to stop.
            (Err(_), Some(why)) => Err(why.into()),
            (done, _) => done,
        }
    }

    /// The operation that clients see of it.
    pub(crate) async fn operation(&self, tx: &mut Tx) -> Result<Option<Operation>, Stop> {
        match self.job.operation_id {
            Some(id) => Ok(tx.operation(self.job.tenant_id, id).await?),
            None => Ok(None),
        }
    }

    /// Marks the operation as begun.
    pub(crate) async fn start_operation(&self, tx: &mut Tx) -> Result<(), Stop> {
        let Some(mut operation) = self.operation(tx).await? else {
            return Ok(());
        };
        let now = self.service.now();
        operation.state = OperationState::Running;
        operation.started_at.get_or_insert(now);
        operation.updated_at = now;
        Ok(tx.update_operation(&operation).await?)
    }

    /// Renews the lease, writes progress and hears of cancellations until the attempt is over.
    pub(crate) async fn watch(self) {
        let lease = self.service.inner().config.lease;
        let mut ticks = interval(TICK.min(lease / 4));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.tick().await;
        let mut renewed = Instant::now();
        let mut written = self.meter.read();
        loop {
            ticks.tick().await;
            match self
                .service
                .store()
                .renew(self.job.id, self.job.fence, lease)
                .await
            {
                Ok(renewal) => {
                    renewed = Instant::now();
                    if renewal.cancel_requested {
                        self.signal.stop(Why::Requested);
                    }
                }
                Err(strongroom_store::Error::FenceLost { .. }) => break,
                // Without the database nobody else can take the job before the lease has ended.
                Err(_) if renewed.elapsed() >= lease => break,
                Err(error) => {
                    tracing::warn!(job.id = %self.job.id, error = chain(&error), "lease not renewed");
                }
            }
            let progress = self.meter.read();
            if progress != written && self.write_progress().await.is_ok() {
                written = progress;
                self.service.changed();
            }
        }
        self.signal.stop(Why::LeaseLost);
    }

    async fn write_progress(&self) -> Result<(), Stop> {
        let progress = self.meter.read();
        let mut tx = self.begin().await?;
        match self.job.work {
            Work::RunBackup { backup } => tx.set_backup_progress(backup, &progress).await?,
            Work::RunRestore { restore, .. } => tx.set_restore_progress(restore, &progress).await?,
            _ => {}
        }
        if let Some(percent) = progress.percent()
            && let Some(mut operation) = self.operation(&mut tx).await?
            && operation.percent != percent
        {
            operation.percent = percent;
            operation.updated_at = self.service.now();
            tx.update_operation(&operation).await?;
        }
        Ok(tx.commit().await?)
    }
}
