//! Between ZStack's scheduler and policies: a job bound to a trigger is a policy.

mod trigger;

use jiff::Timestamp;
use strongroom_domain::{
    Annotations, Backup, RepositoryId, ResourceId,
    object::FaceObject,
    policy::{Policy, PolicyCopy, PolicyTarget},
    retention::Retention,
};
use strongroom_service::policies::{CreatePolicy, SkippedRun, UpdatePolicy};

pub(crate) use self::trigger::*;
use crate::zstack::{
    error::{Code, Error},
    wire::{
        scheduler::{
            Bound, BoundGroup, JobBody, JobHistory, SchedulerJob, SchedulerJobGroup, TriggerBody,
        },
        timestamp, whole,
    },
};

/// The job of a policy, as an annotation.
pub(crate) const JOB: &str = "zstack.schedulerJob";
/// The trigger of a policy, as an annotation.
pub(crate) const TRIGGER: &str = "zstack.schedulerTrigger";

/// What the vendor calls a job that backs up databases.
pub(crate) const DATABASE_BACKUP: &str = "databaseBackup";
const CLASS: &str = "org.zstack.storage.backup.database.CreateDatabaseBackupJob";

/// Why a job that was due did nothing.
pub(crate) const NO_STORAGE: &str = "No available backup storage found, skip this job";

const DAY: u64 = 24 * 60 * 60;

/// The policy that a job bound to a trigger is, for a database.
pub(crate) fn policy(
    job: (&FaceObject, &JobBody),
    trigger: (&FaceObject, &TriggerBody),
    database: ResourceId,
) -> Result<CreatePolicy, Error> {
    let mut annotations = Annotations::default();
    annotations.set(JOB, job.0.id.simple());
    annotations.set(TRIGGER, trigger.0.id.simple());
    let name = |it: &Option<String>| -> String {
        it.as_deref()
            .unwrap_or_default()
            .chars()
            .take(100)
            .collect()
    };
    let (job_name, trigger_name) = (name(&job.1.name), name(&trigger.1.name));
    let (job_id, trigger_id) = (job.0.id.simple(), trigger.0.id.simple());
    Ok(CreatePolicy {
        // Names of jobs need not differ, those of policies do.
        name: format!(
            "{job_name} / {trigger_name} ({}-{})",
            &job_id[..8],
            &trigger_id[..8]
        ),
        description: job.1.description.clone(),
        enabled: !job.1.disabled,
        schedule: schedule(trigger.1)?,
        retention: retention(job.1)?,
        targets: vec![PolicyTarget::Resource(database)],
        repositories: Vec::new(),
        copy_to: remote(job.1)?,
        labels: Vec::new(),
        annotations,
    })
}

/// How a policy changes with its job.
pub(crate) fn change(job: &JobBody) -> Result<UpdatePolicy, Error> {
    Ok(UpdatePolicy {
        enabled: Some(!job.disabled),
        description: Some(job.description.clone()),
        retention: Some(retention(job)?),
        copy_to: Some(remote(job)?),
        ..UpdatePolicy::default()
    })
}

/// Checks a parameter of a job that must be given.
fn parameter<'a>(job: &'a JobBody, name: &str) -> Result<&'a str, Error> {
    let given = job.parameters.get(name).map(|it| it.trim());
    given
        .filter(|it| !it.is_empty())
        .ok_or_else(|| missing(name))
}

fn missing(name: &str) -> Error {
    let details = format!("missing '{name}' in job parameters");
    Error::api(Code::InvalidArgument, details)
}

/// What a job keeps.
pub(crate) fn retention(job: &JobBody) -> Result<Retention, Error> {
    let kind = ("retentionType", parameter(job, "retentionType")?);
    let value = ("retentionValue", parameter(job, "retentionValue")?);
    rules(kind, value)
}

/// Where the copies of a job's backups go and which of them stay: all of them if type or value is
/// given as empty.
pub(crate) fn remote(job: &JobBody) -> Result<Option<PolicyCopy>, Error> {
    let Some(uuid) = remote_storage(job) else {
        return Ok(None);
    };
    let given = |name: &'static str| {
        let text = job.parameters.get(name);
        text.map(|it| (name, it.trim()))
            .ok_or_else(|| missing(name))
    };
    let (kind, value) = (
        given("remoteRetentionType")?,
        given("remoteRetentionValue")?,
    );
    let retention = if kind.1.is_empty() || value.1.is_empty() {
        Retention::default()
    } else {
        rules(kind, value)?
    };
    let id = super::uuid(uuid).ok_or_else(|| unexpected_storage(uuid))?;
    Ok(Some(PolicyCopy {
        repository_id: RepositoryId::from_uuid(id),
        retention,
    }))
}

/// The storage that a job's backups are copied to, if any.
pub(crate) fn remote_storage(job: &JobBody) -> Option<&str> {
    let given = job.parameters.get("remoteBackupStorageUuid");
    given.map(|it| it.trim()).filter(|it| !it.is_empty())
}

/// A job names a storage that it cannot use.
pub(crate) fn unexpected_storage(uuid: &str) -> Error {
    let details = format!("unexpected backup storage uuid: {uuid}");
    Error::api(Code::InvalidArgument, details)
}

/// The rules that two parameters of a job are.
fn rules(
    (kind_name, kind): (&str, &str),
    (value_name, value): (&str, &str),
) -> Result<Retention, Error> {
    let bad = |name: &str, text: &str| {
        let details = format!("job parameter '{name}' is not valid: {text}");
        Error::api(Code::InvalidArgument, details)
    };
    let number = whole(value).and_then(|it| u32::try_from(it).ok());
    let number = number.filter(|it| *it > 0);
    let number = number.ok_or_else(|| bad(value_name, value))?;
    match kind {
        "Count" => Ok(Retention {
            last: Some(number),
            ..Retention::default()
        }),
        "Days" => Ok(Retention {
            within_seconds: Some(u64::from(number) * DAY),
            ..Retention::default()
        }),
        other => Err(bad(kind_name, other)),
    }
}

/// The storages that a job may use, in the order that they are tried in.
pub(crate) fn storages(job: &JobBody) -> Result<Vec<&str>, Error> {
    let Some(text) = job.parameters.get("backupStorageUuids") else {
        return Err(missing("backupStorageUuids"));
    };
    let uuids = text.split(',').map(str::trim).filter(|it| !it.is_empty());
    let uuids: Vec<_> = uuids.collect();
    if uuids.is_empty() {
        let details = "job parameter 'backupStorageUuids' is empty";
        return Err(Error::api(Code::InvalidArgument, details));
    }
    Ok(uuids)
}

/// Whether a group is to be off.
pub(crate) fn is_disabled(state: &str) -> Result<bool, Error> {
    match state {
        "Enabled" => Ok(false),
        "Disabled" => Ok(true),
        other => {
            let details = format!(
                "valid value for field[state] of message[org.zstack.header.scheduler.\
                 APIUpdateSchedulerJobGroupMsg] are [Enabled, Disabled], but {other} found"
            );
            Err(Error::api(Code::InvalidArgument, details))
        }
    }
}

/// A job as ZStack lists it, with the triggers that it is bound to.
pub(crate) fn job(object: &FaceObject, body: &JobBody, policies: &[Policy]) -> SchedulerJob {
    let uuid = object.id.simple();
    SchedulerJob {
        target_resource_uuid: body.target_resource_uuid.clone(),
        name: body.name.clone().unwrap_or_default(),
        description: body.description.clone(),
        state: super::storage_state(!body.disabled),
        create_date: timestamp(object.created_at),
        last_op_date: timestamp(object.updated_at),
        job_data: serde_json::to_string(&body.parameters).unwrap_or_default(),
        job_class_name: CLASS,
        triggers_uuid: others(policies, (JOB, &uuid), TRIGGER),
        scheduler_job_group_uuids: Vec::new(),
        uuid,
    }
}

/// A group of jobs as ZStack lists it, with the triggers that it is bound to.
pub(crate) fn group(object: &FaceObject, body: &JobBody, policies: &[Policy]) -> SchedulerJobGroup {
    let SchedulerJob {
        uuid,
        name,
        description,
        state,
        create_date,
        last_op_date,
        job_data,
        triggers_uuid,
        ..
    } = job(object, body, policies);
    SchedulerJobGroup {
        uuid,
        name,
        description,
        state,
        create_date,
        last_op_date,
        job_type: DATABASE_BACKUP,
        job_data,
        triggers_uuid,
        jobs_uuid: Vec::new(),
    }
}

/// What is bound to the job or trigger `(key, uuid)`.
fn others(policies: &[Policy], (key, uuid): (&str, &str), other: &str) -> Vec<String> {
    let bound = policies
        .iter()
        .filter(|it| it.annotations.text(key) == Some(uuid));
    bound
        .filter_map(|it| it.annotations.text(other))
        .map(str::to_owned)
        .collect()
}

/// A job bound to a trigger, as ZStack lists it.
pub(crate) fn bound(policy: &Policy) -> Bound {
    let text = |key| policy.annotations.text(key).unwrap_or_default().to_owned();
    Bound {
        uuid: policy.id.simple(),
        scheduler_job_uuid: text(JOB),
        scheduler_trigger_uuid: text(TRIGGER),
        create_date: timestamp(policy.created_at),
        last_op_date: timestamp(policy.updated_at),
    }
}

/// A group of jobs bound to a trigger, as ZStack lists it.
pub(crate) fn bound_group(policy: &Policy) -> BoundGroup {
    let Bound {
        scheduler_job_uuid,
        scheduler_trigger_uuid,
        create_date,
        last_op_date,
        ..
    } = bound(policy);
    BoundGroup {
        scheduler_job_group_uuid: scheduler_job_uuid,
        scheduler_trigger_uuid,
        create_date,
        last_op_date,
    }
}

/// What a job did, as ZStack lists it, but for its number.
pub(crate) fn history(policy: &Policy, of_group: bool, backup: &Backup) -> JobHistory {
    let result = serde_json::json!({
        "uuid": backup.id.simple(), "name": backup.name, "status": super::status(backup.state),
        "reason": backup.reason,
    });
    let request = serde_json::json!({
        "name": policy.name, "targetResourceUuid": backup.resource_id.simple(),
        "backupStorageUuid": backup.repository_id.simple(),
    });
    let began = backup.started_at.unwrap_or(backup.created_at);
    let ended = backup.finished_at;
    JobHistory {
        execute_time: ended.map(|it| it.duration_since(began).as_secs()),
        request_dump: request.to_string(),
        result_dump: result.to_string(),
        // Whatever became of it since.
        success: ended.map(|_| backup.snapshot.is_some()),
        fire_instance_id: backup.id.simple(),
        ..run(policy, of_group, (backup.resource_id, backup.created_at))
    }
}

/// A run for which no storage was available, as ZStack lists it, but for its number.
pub(crate) fn skipped(policy: &Policy, of_group: bool, skipped: &SkippedRun) -> JobHistory {
    let request = serde_json::json!({
        "name": policy.name, "targetResourceUuid": skipped.resource_id.simple(),
    });
    let result = serde_json::json!({ "reason": NO_STORAGE });
    JobHistory {
        execute_time: Some(0),
        request_dump: request.to_string(),
        result_dump: result.to_string(),
        success: Some(false),
        fire_instance_id: skipped.id.simple(),
        ..run(policy, of_group, (skipped.resource_id, skipped.at))
    }
}

/// What is the same of every run.
fn run(policy: &Policy, of_group: bool, (target, at): (ResourceId, Timestamp)) -> JobHistory {
    let text = |key| policy.annotations.text(key).unwrap_or_default().to_owned();
    JobHistory {
        id: 0,
        trigger_uuid: text(TRIGGER),
        scheduler_job_uuid: text(JOB),
        scheduler_job_group_uuid: of_group.then(|| text(JOB)),
        job_type: DATABASE_BACKUP,
        start_time: timestamp(at),
        execute_time: None,
        target_resource_uuid: target.simple(),
        request_dump: String::new(),
        result_dump: String::new(),
        success: None,
        fire_instance_id: String::new(),
    }
}
