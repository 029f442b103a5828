//! Between ZStack's scheduler and policies: a job bound to a trigger is a policy.

use strongroom_domain::{
    Annotations, Backup, ResourceId,
    object::FaceObject,
    policy::{Policy, PolicyTarget},
    retention::Retention,
    schedule::{MissedRun, Recurrence, Schedule},
};
use strongroom_service::policies::{CreatePolicy, UpdatePolicy};

use crate::zstack::{
    error::{Code, Error},
    wire::{
        scheduler::{Bound, JobBody, JobHistory, SchedulerJob, SchedulerTrigger, TriggerBody},
        timestamp,
    },
};

/// The job of a policy, as an annotation.
pub(crate) const JOB: &str = "zstack.schedulerJob";
/// The trigger of a policy, as an annotation.
pub(crate) const TRIGGER: &str = "zstack.schedulerTrigger";

/// What the vendor calls a job that backs up databases.
pub(crate) const DATABASE_BACKUP: &str = "databaseBackup";
const CLASS: &str = "org.zstack.storage.backup.database.CreateDatabaseBackupJob";

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
        repository_id: None,
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
        ..UpdatePolicy::default()
    })
}

/// Checks a parameter of a job that must be given.
fn parameter<'a>(job: &'a JobBody, name: &str) -> Result<&'a str, Error> {
    let given = job.parameters.get(name).map(|it| it.trim());
    given.filter(|it| !it.is_empty()).ok_or_else(|| {
        let details = format!("missing '{name}' in job parameters");
        Error::api(Code::InvalidArgument, details)
    })
}

/// What a job keeps.
pub(crate) fn retention(job: &JobBody) -> Result<Retention, Error> {
    let kind = parameter(job, "retentionType")?;
    let value = parameter(job, "retentionValue")?;
    let bad = |name: &str, text: &str| {
        let details = format!("job parameter '{name}' is not valid: {text}");
        Error::api(Code::InvalidArgument, details)
    };
    let number: u32 = value.parse().map_err(|_| bad("retentionValue", value))?;
    if number == 0 {
        return Err(bad("retentionValue", value));
    }
    match kind {
        "Count" => Ok(Retention {
            last: Some(number),
            ..Retention::default()
        }),
        "Days" => Ok(Retention {
            within_seconds: Some(u64::from(number) * DAY),
            ..Retention::default()
        }),
        other => Err(bad("retentionType", other)),
    }
}

/// The storages that a job may use, in the order that they are tried in.
pub(crate) fn storages(job: &JobBody) -> Result<Vec<&str>, Error> {
    let Some(text) = job.parameters.get("backupStorageUuids") else {
        let details = "missing 'backupStorageUuids' in job parameters";
        return Err(Error::api(Code::InvalidArgument, details));
    };
    let uuids = text.split(',').map(str::trim).filter(|it| !it.is_empty());
    let uuids: Vec<_> = uuids.collect();
    if uuids.is_empty() {
        let details = "job parameter 'backupStorageUuids' is empty";
        return Err(Error::api(Code::InvalidArgument, details));
    }
    let remote = job.parameters.get("remoteBackupStorageUuid");
    if remote.is_some_and(|it| !it.trim().is_empty()) {
        let details = "job parameter 'remoteBackupStorageUuid' is not supported";
        return Err(Error::api(Code::InvalidArgument, details));
    }
    Ok(uuids)
}

/// When a trigger fires.
pub(crate) fn schedule(trigger: &TriggerBody) -> Result<Schedule, Error> {
    let invalid = |details: String| Error::api(Code::InvalidArgument, details);
    if trigger.start_time.is_some_and(|it| it < 0) {
        return Err(invalid(
            "startTime must be positive integer or 0".to_owned(),
        ));
    }
    let recurrence = match trigger.scheduler_type.as_deref().map(str::trim) {
        Some("cron") => {
            let cron = trigger
                .cron
                .as_deref()
                .map(str::trim)
                .filter(|it| !it.is_empty());
            let cron =
                cron.ok_or_else(|| invalid("cron must be set when use cron scheduler".to_owned()))?;
            let fields = five_fields(cron);
            Recurrence::Cron(
                fields.ok_or_else(|| invalid(format!("invalid cron expression[{cron}]")))?,
            )
        }
        Some("simple") => {
            // The vendor repeats without end unless it is told how often.
            if trigger.repeat_count.is_some_and(|it| it != 0) {
                let details = "repeatCount other than 0, which is without end, is not supported";
                return Err(invalid(details.to_owned()));
            }
            let interval = trigger
                .scheduler_interval
                .and_then(|it| u64::try_from(it).ok());
            let interval = interval.filter(|it| *it > 0).ok_or_else(|| {
                let details = "interval must be set when use simple scheduler when repeat more \
                               than once";
                invalid(details.to_owned())
            })?;
            Recurrence::Every(interval)
        }
        other => {
            let found = other.unwrap_or("null");
            return Err(invalid(format!(
                "valid value for field[schedulerType] of message[{TRIGGER_MESSAGE}] are \
                 [simple, cron], but {found} found"
            )));
        }
    };
    let schedule = Schedule {
        recurrences: vec![recurrence],
        zone: "UTC".to_owned(),
        missed: MissedRun::RunOnce,
    };
    match schedule.validate().into_iter().next() {
        None => Ok(schedule),
        Some(fault) if trigger.cron.is_some() => Err(invalid(format!(
            "invalid cron expression: {}",
            fault.reason
        ))),
        Some(fault) => Err(invalid(fault.to_string())),
    }
}

/// The message that creates a trigger.
pub(crate) const TRIGGER_MESSAGE: &str = "org.zstack.header.scheduler.APICreateSchedulerTriggerMsg";

/// A Quartz expression as five cron fields: without seconds (a backup begins with the minute) and
/// with days of the week from Sunday, 0.
fn five_fields(quartz: &str) -> Option<String> {
    let fields: Vec<_> = quartz.split_whitespace().collect();
    let (fields, year) = match fields.as_slice() {
        [fields @ .., year] if fields.len() == 6 => (fields, Some(*year)),
        fields => (fields, None),
    };
    let [second, minute, hour, day, month, weekday] = fields else {
        return None;
    };
    let every = |field: &str| matches!(field, "*" | "?");
    if !second.parse::<u8>().is_ok_and(|it| it < 60) || year.is_some_and(|it| !every(it)) {
        return None;
    }
    let (minute, hour) = (open_ended(minute, 59), open_ended(hour, 23));
    let (day, month) = (open_ended(day, 31), open_ended(month, 12));
    let weekday = days_from_zero(weekday)?;
    Some(format!("{minute} {hour} {day} {month} {weekday}"))
}

/// Quartz' `a/n`, which has no end, as `a-last/n`.
fn open_ended(field: &str, last: u8) -> String {
    let item = |it: &str| match it.split_once('/') {
        Some((from, step)) if from.parse::<u8>().is_ok() => format!("{from}-{last}/{step}"),
        _ => it.to_owned(),
    };
    match field {
        "?" => "*".to_owned(),
        field => field.split(',').map(item).collect::<Vec<_>>().join(","),
    }
}

/// Quartz counts the days of the week from Sunday, 1.
fn days_from_zero(field: &str) -> Option<String> {
    if matches!(field, "*" | "?") {
        return Some("*".to_owned());
    }
    let mut out = String::new();
    let mut rest = field;
    let mut after_slash_or_hash = false;
    while let Some(c) = rest.chars().next() {
        if c.is_ascii_digit() {
            let end = rest
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(rest.len());
            let (digits, left) = rest.split_at(end);
            let number: u8 = digits.parse().ok()?;
            let number = if after_slash_or_hash {
                number
            } else {
                number.checked_sub(1).filter(|it| *it < 7)?
            };
            out += &number.to_string();
            rest = left;
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
        after_slash_or_hash = matches!(c, '/' | '#');
    }
    Some(out)
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

/// A trigger as ZStack lists it, with the jobs that are bound to it.
pub(crate) fn trigger(
    object: &FaceObject,
    body: &TriggerBody,
    policies: &[Policy],
    groups: &[String],
) -> SchedulerTrigger {
    let uuid = object.id.simple();
    let bound = others(policies, (TRIGGER, &uuid), JOB);
    let (job_groups_uuid, jobs_uuid) = bound.into_iter().partition(|it| groups.contains(it));
    let start = body.start_time.filter(|it| *it > 0);
    let start = start.and_then(|it| jiff::Timestamp::from_second(it).ok());
    SchedulerTrigger {
        name: body.name.clone().unwrap_or_default(),
        description: body.description.clone(),
        cron: body.cron.clone(),
        scheduler_type: body.scheduler_type.clone().unwrap_or_default(),
        scheduler_interval: body.scheduler_interval,
        repeat_count: body.repeat_count,
        start_time: start.map(timestamp),
        create_date: timestamp(object.created_at),
        last_op_date: timestamp(object.updated_at),
        jobs_uuid,
        job_groups_uuid,
        uuid,
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

/// What a job did, as ZStack lists it.
pub(crate) fn history(number: u64, policy: &Policy, backup: &Backup) -> JobHistory {
    let text = |key| policy.annotations.text(key).unwrap_or_default().to_owned();
    let result = serde_json::json!({
        "uuid": backup.id.simple(), "name": backup.name, "status": super::status(backup.state),
        "reason": backup.reason,
    });
    let began = backup.started_at.unwrap_or(backup.created_at);
    JobHistory {
        id: number,
        trigger_uuid: text(TRIGGER),
        scheduler_job_uuid: text(JOB),
        job_type: DATABASE_BACKUP,
        start_time: timestamp(backup.created_at),
        execute_time: backup
            .finished_at
            .map(|it| it.duration_since(began).as_secs()),
        target_resource_uuid: backup.resource_id.simple(),
        result_dump: result.to_string(),
        success: backup.finished_at.map(|_| backup.state.is_restorable()),
        fire_instance_id: backup.id.simple(),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("0 0 3 * * ?", Some("0 3 * * *"))]
    #[case("30 15 10 ? * 6L", Some("15 10 * * 5L"))]
    #[case("0 0 12 ? * MON-FRI", Some("0 12 * * MON-FRI"))]
    #[case("0 0/5 14 * * ?", Some("0-59/5 14 * * *"))]
    #[case("0 15 10 ? * 6#3", Some("15 10 * * 5#3"))]
    #[case("0 0 2 ? * 1,7", Some("0 2 * * 0,6"))]
    #[case("0 0 3 * * ? *", Some("0 3 * * *"))]
    #[case("0 0 3 * * ? 2030", None)]
    #[case("* 0 3 * * ?", None)]
    #[case("0 3 * * ?", None)]
    #[case("0 0 3 ? * 8", None)]
    #[case("", None)]
    fn a_quartz_expression_becomes_five_fields(#[case] quartz: &str, #[case] fields: Option<&str>) {
        assert_eq!(five_fields(quartz).as_deref(), fields, "{quartz}");
    }

    fn trigger(body: serde_json::Value) -> Result<Vec<Recurrence>, String> {
        let body: TriggerBody = serde_json::from_value(body).unwrap();
        let schedule = schedule(&body);
        schedule
            .map(|it| it.recurrences)
            .map_err(|it| it.code().unwrap().details)
    }

    #[test]
    fn triggers_fire_as_they_say_or_are_refused() {
        use serde_json::json;
        assert_eq!(
            trigger(json!({"schedulerType": "cron", "cron": "0 0 3 * * ?"})),
            Ok(vec![Recurrence::Cron("0 3 * * *".to_owned())])
        );
        assert_eq!(
            trigger(json!({"schedulerType": "simple", "schedulerInterval": 3600, "startTime": 0})),
            Ok(vec![Recurrence::Every(3600)])
        );
        for (body, text) in [
            (
                json!({"schedulerType": "cron"}),
                "cron must be set when use cron scheduler",
            ),
            (
                json!({"schedulerType": "cron", "cron": "0 0 31 2 * ?"}),
                "invalid cron expression",
            ),
            (json!({"schedulerType": "simple"}), "interval must be set"),
            (
                json!({"schedulerType": "simple", "schedulerInterval": 5}),
                "60",
            ),
            (
                json!({"schedulerType": "simple", "schedulerInterval": 60, "repeatCount": 3}),
                "repeatCount",
            ),
            (
                json!({"schedulerType": "cron", "startTime": -1}),
                "startTime must be positive integer or 0",
            ),
            (json!({}), "valid value for field[schedulerType]"),
        ] {
            let refused = trigger(body.clone()).unwrap_err();
            assert!(refused.contains(text), "{body}: {refused}");
        }
    }
}
