//! The queue of jobs: who may run what now, and who holds it.
//!
//! A lease ends by the database's clock, so that servers need not agree on the time. Each lease
//! raises the job's fence; whatever a worker writes names the fence it got, and fails with
//! [`Error::FenceLost`] once the lease has ended or another worker has the job.

use std::time::Duration;

use jiff::Timestamp;
use strongroom_domain::{
    JobId, OperationId, TenantId,
    job::{Job, JobState, Lock},
    operation::Subject,
};
use uuid::Uuid;

use crate::{
    Conn, Error, Result, Store, Tx,
    db::{Reader, Value, sql},
    list::Conditions,
    operations::subject_parts,
    record::{Record, values},
};

/// PostgreSQL's advisory lock of whoever leases: jobs that exclude one another must not be leased
/// side by side.
const LEASE_LOCK: i64 = 0x5374_726f_6e67_0002;

/// What a worker learns when it renews its lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Renewal {
    /// Somebody asked to stop the job.
    pub cancel_requested: bool,
}

/// How an attempt at a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is done.
    Done,
    /// To be tried again.
    Retry {
        /// Not before this time.
        at: Timestamp,
        /// Why this attempt failed.
        error: String,
    },
    /// To be tried again because something it needs is in use; does not count as an attempt.
    Wait {
        /// Not before this time.
        at: Timestamp,
        /// What it waits for.
        reason: String,
    },
    /// Given up.
    Failed {
        /// Why.
        error: String,
    },
    /// Handed back untouched, e.g. when the server stops; does not count as an attempt.
    Released,
}

impl Record for Job {
    const TABLE: &'static str = "jobs";
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "tenant_id",
        "work",
        "locks",
        "priority",
        "state",
        "run_at",
        "attempts",
        "fence",
        "lease_until",
        "cancel_requested",
        "operation_id",
        "checkpoint",
        "last_error",
        "created_at",
    ];
    const UNIQUE: &'static str = "job id";

    fn values(&self) -> Vec<Value> {
        let Self {
            id,
            tenant_id,
            work,
            locks,
            priority,
            state,
            run_at,
            attempts,
            fence,
            lease_until,
            cancel_requested,
            operation_id,
            checkpoint,
            last_error,
            created_at,
        } = self;
        values![
            *id,
            *tenant_id,
            Value::json(work),
            Value::json(locks),
            *priority,
            state.as_str(),
            *run_at,
            *attempts,
            *fence,
            *lease_until,
            *cancel_requested,
            *operation_id,
            checkpoint.as_ref().map_or(Value::Text(None), Value::json),
            last_error.as_deref(),
            *created_at,
        ]
    }

    fn read(row: &mut Reader<'_>) -> Result<Self> {
        Ok(Self {
            id: row.id(JobId::from_uuid)?,
            tenant_id: row.id(TenantId::from_uuid)?,
            work: row.json()?,
            locks: row.json()?,
            priority: row.number()?,
            state: row.word()?,
            run_at: row.time()?,
            attempts: row.number()?,
            fence: row.int()?,
            lease_until: row.time_opt()?,
            cancel_requested: row.bool()?,
            operation_id: row.id_opt(OperationId::from_uuid)?,
            checkpoint: row.json_opt()?,
            last_error: row.text_opt()?,
            created_at: row.time()?,
        })
    }
}

impl Conn {
    /// One job.
    pub async fn job(&mut self, id: JobId) -> Result<Option<Job>> {
        self.find("WHERE id = $1", values![id]).await
    }

    /// The jobs about something that are not finished, oldest first.
    pub async fn unfinished_jobs_about(&mut self, subject: Subject) -> Result<Vec<Job>> {
        let rest = "WHERE subject_id = $1 AND state IN ('queued', 'leased') \
             ORDER BY created_at, id";
        let (_, id) = subject_parts(Some(subject));
        self.find_all(rest, values![id]).await
    }

    /// How many jobs wait and how many are leased.
    pub async fn queue_length(&mut self) -> Result<(u64, u64)> {
        let queued = "SELECT COUNT(*) FROM jobs WHERE state = 'queued'";
        let leased = "SELECT COUNT(*) FROM jobs WHERE state = 'leased'";
        let queued = self.count(sql(queued)).await?;
        let leased = self.count(sql(leased)).await?;
        Ok((
            u64::try_from(queued).unwrap_or(0),
            u64::try_from(leased).unwrap_or(0),
        ))
    }

    /// The earliest time at which a waiting job may run.
    pub async fn next_job_time(&mut self) -> Result<Option<Timestamp>> {
        let text = "SELECT MIN(run_at) FROM jobs WHERE state = 'queued'";
        match self.one(sql(text)).await? {
            Some(row) => row.reader(Job::TABLE).time_opt(),
            None => Ok(None),
        }
    }

    /// The database's clock in microseconds, as SQL.
    pub(crate) fn clock(&self) -> &'static str {
        if self.is_postgres() {
            "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)"
        } else {
            "CAST(unixepoch('subsec') * 1000000 AS INTEGER)"
        }
    }

    /// Whether a lease would have anything to look at.
    async fn has_work(&mut self, now: Timestamp) -> Result<bool> {
        let text = format!(
            "SELECT CASE WHEN EXISTS (SELECT 1 FROM jobs WHERE state = 'queued' AND run_at <= $1) \
             OR EXISTS (SELECT 1 FROM jobs WHERE state = 'leased' AND lease_until <= {}) \
             THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END",
            self.clock()
        );
        Ok(self.count(sql(text).bind(now)).await? > 0)
    }
}

impl Store {
    /// Leases a job in a transaction of its own; see [`Tx::lease`]. Does not write if nothing
    /// waits.
    pub async fn lease(
        &self,
        owner: &str,
        now: Timestamp,
        lease_for: Duration,
    ) -> Result<Option<Job>> {
        if !self.read().await?.has_work(now).await? {
            return Ok(None);
        }
        let mut tx = self.begin().await?;
        let job = tx.lease(owner, now, lease_for).await?;
        tx.commit().await?;
        Ok(job)
    }

    /// Renews a lease in a transaction of its own; see [`Tx::renew`].
    pub async fn renew(&self, job: JobId, fence: i64, lease_for: Duration) -> Result<Renewal> {
        let mut tx = self.begin().await?;
        let renewal = tx.renew(job, fence, lease_for).await?;
        tx.commit().await?;
        Ok(renewal)
    }

    /// Ends an attempt in a transaction of its own; see [`Tx::finish`].
    pub async fn finish(&self, job: JobId, fence: i64, outcome: &Outcome) -> Result<()> {
        let mut tx = self.begin().await?;
        tx.finish(job, fence, outcome).await?;
        tx.commit().await
    }

    /// Keeps what the next attempt needs, in a transaction of its own; see
    /// [`Tx::checkpoint_job`].
    pub async fn checkpoint_job(
        &self,
        job: JobId,
        fence: i64,
        value: &serde_json::Value,
    ) -> Result<()> {
        let mut tx = self.begin().await?;
        tx.checkpoint_job(job, fence, value).await?;
        tx.commit().await
    }
}

impl Tx {
    /// Puts a job into the queue.
    pub async fn enqueue(&mut self, job: &Job) -> Result<()> {
        let text = "INSERT INTO jobs (id, tenant_id, work, locks, priority, state, run_at, \
             attempts, fence, lease_until, cancel_requested, operation_id, checkpoint, \
             last_error, created_at, kind, subject_id, lane, place) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, \
             $18, $19)";
        let first = |exclusive| {
            let lock = job.locks.iter().find(|lock| lock.exclusive == exclusive);
            lock.map_or("", |lock| lock.key.as_str())
        };
        let statement = sql(text)
            .bind_all(job.values())
            .bind(job.work.kind())
            .bind(job.work.subject())
            .bind(first(true))
            .bind(first(false));
        let done = self.execute(statement).await;
        done.map_err(|error| Error::of_write(error, Job::TABLE, Job::UNIQUE))?;
        if matches!(job.state, JobState::Queued | JobState::Leased) {
            for lock in &job.locks {
                let text = "INSERT INTO job_locks (job_id, lock_key, exclusive) \
                     VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
                let statement = sql(text)
                    .bind(job.id)
                    .bind(lock.key.as_str())
                    .bind(lock.exclusive);
                self.execute(statement).await?;
            }
        }
        Ok(())
    }

    /// Leases a job that may run at `now` (the caller's clock) to `owner` for `lease_for` (of the
    /// database's clock): the first by priority, then of the tenant that has the fewest leased,
    /// then the longest due, whose locks nobody holds. Jobs whose lease has ended count as
    /// waiting.
    pub async fn lease(
        &mut self,
        owner: &str,
        now: Timestamp,
        lease_for: Duration,
    ) -> Result<Option<Job>> {
        if self.is_postgres() {
            self.one(sql("SELECT pg_advisory_xact_lock($1)").bind(LEASE_LOCK))
                .await?;
        }
        let text = format!(
            "UPDATE jobs SET state = 'queued', lease_until = NULL, lease_owner = NULL \
             WHERE state = 'leased' AND lease_until <= {}",
            self.clock()
        );
        self.execute(sql(text)).await?;
        let held = self.held_locks().await?;
        let Some(id) = self.first_free_job(&held, now).await? else {
            return Ok(None);
        };
        let text = format!(
            "UPDATE jobs SET state = 'leased', attempts = attempts + 1, fence = fence + 1, \
             lease_owner = $2, lease_until = {} + $3 WHERE id = $1 AND state = 'queued' \
             RETURNING {}",
            self.clock(),
            Job::COLUMNS.join(", ")
        );
        let statement = sql(text).bind(id).bind(owner).bind(micros(lease_for));
        let row = self.one(statement).await?;
        row.map(|row| Job::read(&mut row.reader(Job::TABLE)))
            .transpose()
    }

    /// The locks of leased jobs.
    async fn held_locks(&mut self) -> Result<Vec<Lock>> {
        let text = "SELECT l.lock_key, l.exclusive FROM jobs j \
             JOIN job_locks l ON l.job_id = j.id WHERE j.state = 'leased'";
        let rows = self.all(sql(text)).await?;
        let mut locks = Vec::with_capacity(rows.len());
        for row in &rows {
            let mut row = row.reader("job_locks");
            locks.push(Lock {
                key: row.text()?,
                exclusive: row.bool()?,
            });
        }
        locks.sort_unstable();
        locks.dedup();
        Ok(locks)
    }

    async fn first_free_job(&mut self, held: &[Lock], now: Timestamp) -> Result<Option<Uuid>> {
        let mut free = Conditions::default();
        free.add("j.run_at <= ", now);
        let mut places = |exclusive_only: bool| {
            let wanted = held.iter().filter(|lock| lock.exclusive || !exclusive_only);
            wanted
                .map(|lock| free.bind(lock.key.as_str()))
                .collect::<Vec<_>>()
                .join(", ")
        };
        let (any, exclusive) = (places(false), places(true));
        if !held.is_empty() {
            free.push(format!("j.lane NOT IN ({any})"));
            let mut blocked = format!("(l.exclusive AND l.lock_key IN ({any}))");
            if !exclusive.is_empty() {
                free.push(format!("j.place NOT IN ({exclusive})"));
                blocked = format!("({blocked} OR l.lock_key IN ({exclusive}))");
            }
            free.push(format!(
                "NOT EXISTS (SELECT 1 FROM job_locks l WHERE l.job_id = j.id AND {blocked})"
            ));
        }
        let text = format!(
            "SELECT f.id FROM (SELECT (SELECT j.id FROM jobs j {} AND j.state = 'queued' \
               AND j.tenant_id = t.id ORDER BY j.priority, j.run_at, j.id LIMIT 1) AS id \
             FROM tenants t) h JOIN jobs f ON f.id = h.id \
             ORDER BY f.priority, (SELECT COUNT(*) FROM jobs o \
               WHERE o.state = 'leased' AND o.tenant_id = f.tenant_id), f.run_at, f.id LIMIT 1",
            free.text()
        );
        let row = self.one(sql(text).bind_all(free.values)).await?;
        row.map(|row| row.reader(Job::TABLE).id(|id| id))
            .transpose()
    }

    /// Extends a lease to `lease_for` from now.
    pub async fn renew(&mut self, job: JobId, fence: i64, lease_for: Duration) -> Result<Renewal> {
        let text = format!(
            "UPDATE jobs SET lease_until = {now} + $3 WHERE id = $1 AND fence = $2 \
             AND state = 'leased' AND lease_until > {now} RETURNING cancel_requested",
            now = self.clock()
        );
        let statement = sql(text).bind(job).bind(fence).bind(micros(lease_for));
        match self.one(statement).await? {
            Some(row) => Ok(Renewal {
                cancel_requested: row.reader(Job::TABLE).bool()?,
            }),
            None => Err(Error::FenceLost { job: job.uuid() }),
        }
    }

    /// Fails unless the lease is held; what is written in this transaction is then written by
    /// whoever holds it.
    pub async fn assert_fence(&mut self, job: JobId, fence: i64) -> Result<()> {
        // A write, so that nobody takes the job before this transaction ends.
        let set = "lease_owner = lease_owner";
        self.fenced(job, fence, set, Vec::new()).await
    }

    /// Keeps what the next attempt needs to clean up or go on.
    pub async fn checkpoint_job(
        &mut self,
        job: JobId,
        fence: i64,
        value: &serde_json::Value,
    ) -> Result<()> {
        let value = vec![Value::json(value)];
        self.fenced(job, fence, "checkpoint = $3", value).await
    }

    /// Ends an attempt and gives up its lease.
    pub async fn finish(&mut self, job: JobId, fence: i64, outcome: &Outcome) -> Result<()> {
        let now = self.clock();
        let last = format!("lease_until = NULL, lease_owner = NULL, finished_at = {now}");
        let again = "state = 'queued', lease_until = NULL, lease_owner = NULL";
        match outcome {
            Outcome::Done => {
                let set = format!("state = 'done', last_error = NULL, {last}");
                self.fenced(job, fence, &set, Vec::new()).await?;
            }
            Outcome::Failed { error } => {
                let set = format!("state = 'failed', last_error = $3, {last}");
                self.fenced(job, fence, &set, values![error.as_str()])
                    .await?;
            }
            Outcome::Retry { at, error } => {
                let set = format!("{again}, run_at = $3, last_error = $4");
                return self
                    .fenced(job, fence, &set, values![*at, error.as_str()])
                    .await;
            }
            Outcome::Wait { at, reason } => {
                let set = format!("{again}, run_at = $3, last_error = $4, attempts = attempts - 1");
                return self
                    .fenced(job, fence, &set, values![*at, reason.as_str()])
                    .await;
            }
            Outcome::Released => {
                let set = format!("{again}, attempts = attempts - 1");
                return self.fenced(job, fence, &set, Vec::new()).await;
            }
        }
        let statement = sql("DELETE FROM job_locks WHERE job_id = $1").bind(job);
        self.execute(statement).await.map(drop)
    }

    async fn fenced(
        &mut self,
        job: JobId,
        fence: i64,
        set: &str,
        values: Vec<Value>,
    ) -> Result<()> {
        let text = format!(
            "UPDATE jobs SET {set} WHERE id = $1 AND fence = $2 AND state = 'leased' \
             AND lease_until > {}",
            self.clock()
        );
        match self
            .execute(sql(text).bind(job).bind(fence).bind_all(values))
            .await?
        {
            0 => Err(Error::FenceLost { job: job.uuid() }),
            _ => Ok(()),
        }
    }

    /// Asks the jobs that make this backup or carry out this restore to stop, and lets those that
    /// wait to be tried again run at `now` so that they can; gives their number.
    pub async fn request_cancel(&mut self, subject: Subject, now: Timestamp) -> Result<u64> {
        let text = "UPDATE jobs SET cancel_requested = TRUE, \
             run_at = CASE WHEN run_at > $2 THEN $2 ELSE run_at END \
             WHERE subject_id = $1 AND state IN ('queued', 'leased') \
             AND kind IN ('run_backup', 'run_restore')";
        let (_, id) = subject_parts(Some(subject));
        self.execute(sql(text).bind(id).bind(now)).await
    }

    /// The same for the jobs of an operation.
    pub async fn request_cancel_of_operation(
        &mut self,
        operation: OperationId,
        now: Timestamp,
    ) -> Result<u64> {
        let text = "UPDATE jobs SET cancel_requested = TRUE, \
             run_at = CASE WHEN run_at > $2 THEN $2 ELSE run_at END \
             WHERE operation_id = $1 AND state IN ('queued', 'leased')";
        self.execute(sql(text).bind(operation).bind(now)).await
    }

    /// Removes jobs that were finished before `before`; gives their number.
    pub async fn purge_jobs(&mut self, before: Timestamp) -> Result<u64> {
        let text = "DELETE FROM jobs WHERE finished_at IS NOT NULL AND finished_at < $1";
        self.execute(sql(text).bind(before)).await
    }

    /// Frees whatever a process that is gone had leased; only where there can be no other.
    pub(crate) async fn free_all_leases(&mut self) -> Result<()> {
        let text = "UPDATE jobs SET state = 'queued', lease_until = NULL, lease_owner = NULL \
             WHERE state = 'leased'";
        self.execute(sql(text)).await?;
        self.execute(sql("DELETE FROM leases")).await.map(drop)
    }
}

pub(crate) fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX / 4)
}
