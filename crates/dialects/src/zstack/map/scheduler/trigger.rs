//! Triggers: when a policy runs.

use jiff::{SignedDuration, Timestamp};
use strongroom_domain::{
    object::FaceObject,
    policy::Policy,
    schedule::{MissedRun, Recurrence, Schedule},
};

use super::{JOB, TRIGGER, others};
use crate::zstack::{
    error::{Code, Error},
    map::mandatory_of,
    wire::{
        scheduler::{SchedulerTrigger, TriggerBody},
        timestamp,
    },
};

/// The message that creates a trigger.
pub(crate) const TRIGGER_MESSAGE: &str = "org.zstack.header.scheduler.APICreateSchedulerTriggerMsg";

/// The fewest seconds between two runs.
const LEAST: i64 = 60;

/// The last second that the vendor's database can hold.
const LAST: i64 = i32::MAX as i64;

/// Checks a trigger that is new or changed; nobody needs one that has ended.
pub(crate) fn check(trigger: &TriggerBody, now: Timestamp) -> Result<(), Error> {
    schedule(trigger)?;
    match stop(trigger) {
        Some(stop) if stop <= now => Err(invalid("stopTime has been passed")),
        Some(stop) if stop.as_second() > LAST => {
            Err(invalid("stopTime out of mysql timestamp range"))
        }
        _ => Ok(()),
    }
}

/// When a trigger fires.
pub(crate) fn schedule(trigger: &TriggerBody) -> Result<Schedule, Error> {
    match trigger.start_time {
        Some(start) if start < 0 => {
            return Err(invalid("startTime must be positive integer or 0"));
        }
        Some(start) if start > LAST => return Err(invalid("startTime out of range")),
        _ => {}
    }
    check_interval(trigger)?;
    let kind = mandatory_of(
        TRIGGER_MESSAGE,
        "schedulerType",
        trigger.scheduler_type.clone(),
    )?;
    let recurrence = match kind.as_str() {
        "cron" => cron(trigger)?,
        "simple" => series(trigger)?,
        other => {
            return Err(invalid(format!(
                "valid value for field[schedulerType] of message[{TRIGGER_MESSAGE}] are \
                 [simple, cron], but {other} found"
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
        Some(fault) if kind == "cron" => {
            let reason = fault.reason;
            Err(invalid(format!("invalid cron expression: {reason}")))
        }
        Some(fault) => Err(invalid(fault.to_string())),
    }
}

/// The vendor's range; what repeats does so at most once a minute here.
fn check_interval(trigger: &TriggerBody) -> Result<(), Error> {
    let simple = trigger.scheduler_type.as_deref().map(str::trim) == Some("simple");
    let repeats = simple && trigger.repeat_count != Some(1);
    match trigger.scheduler_interval {
        Some(interval) if !(1..=LAST).contains(&interval) => {
            Err(out_of_range("schedulerInterval", 1))
        }
        Some(interval) if repeats && interval < LEAST => {
            Err(out_of_range("schedulerInterval", LEAST))
        }
        _ => Ok(()),
    }
}

fn out_of_range(field: &str, from: i64) -> Error {
    invalid(format!(
        "field[{field}] must be in range of [{from}, {LAST}]"
    ))
}

fn cron(trigger: &TriggerBody) -> Result<Recurrence, Error> {
    let text = trigger.cron.as_deref().map(str::trim);
    let text = text.filter(|it| !it.is_empty());
    let text = text.ok_or_else(|| invalid("cron must be set when use cron scheduler"))?;
    let fields = five_fields(text);
    let fields = fields.ok_or_else(|| invalid(format!("invalid cron expression[{text}]")))?;
    Ok(Recurrence::Cron(fields))
}

/// So many runs as `repeatCount` says, the first of them at `startTime`. 0 is without end.
fn series(trigger: &TriggerBody) -> Result<Recurrence, Error> {
    let count = trigger.repeat_count.unwrap_or(0);
    let count = u32::try_from(count).map_err(|_| out_of_range("repeatCount", 0))?;
    let interval = trigger.scheduler_interval;
    let every = match interval.and_then(|it| u64::try_from(it).ok()) {
        _ if count == 1 => 0,
        Some(every) => every,
        None => {
            let details =
                "interval must be set when use simple scheduler when repeat more than once";
            return Err(invalid(details));
        }
    };
    Ok(Recurrence::Series {
        start: start(trigger),
        every,
        count: (count > 0).then_some(count),
    })
}

/// When a trigger first fires, if that does not depend on when a job is bound to it.
fn start(trigger: &TriggerBody) -> Option<Timestamp> {
    let start = trigger.start_time.filter(|it| *it > 0)?;
    Timestamp::from_second(start).ok()
}

/// When a trigger fires for the last time, as far as known.
fn stop(trigger: &TriggerBody) -> Option<Timestamp> {
    if trigger.scheduler_type.as_deref().map(str::trim) != Some("simple") {
        return None;
    }
    let again = trigger.repeat_count.filter(|it| *it > 0)? - 1;
    let interval = trigger.scheduler_interval.unwrap_or(0);
    let whole = SignedDuration::from_secs(interval.checked_mul(again)?);
    start(trigger)?.checked_add(whole).ok()
}

fn invalid(details: impl Into<String>) -> Error {
    Error::api(Code::InvalidArgument, details.into())
}

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
    SchedulerTrigger {
        name: body.name.clone().unwrap_or_default(),
        description: body.description.clone(),
        cron: body.cron.clone(),
        scheduler_type: body.scheduler_type.clone().unwrap_or_default(),
        scheduler_interval: body.scheduler_interval,
        repeat_count: body.repeat_count,
        start_time: start(body).map(timestamp),
        stop_time: stop(body).map(timestamp),
        create_date: timestamp(object.created_at),
        last_op_date: timestamp(object.updated_at),
        jobs_uuid,
        job_groups_uuid,
        uuid,
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

    fn series(start: Option<Timestamp>, every: u64, count: Option<u32>) -> Recurrence {
        Recurrence::Series {
            start,
            every,
            count,
        }
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
            Ok(vec![series(None, 3600, None)])
        );
        let body = json!({
            "schedulerType": "simple", "schedulerInterval": 60, "repeatCount": 3,
            "startTime": 1_800_000_000,
        });
        let start = Timestamp::from_second(1_800_000_000).unwrap();
        assert_eq!(
            trigger(body.clone()),
            Ok(vec![series(Some(start), 60, Some(3))])
        );
        let body: TriggerBody = serde_json::from_value(body).unwrap();
        let stop = stop(&body).unwrap();
        assert_eq!(stop.as_second(), 1_800_000_120);
        let late = check(&body, stop).unwrap_err().code().unwrap();
        assert_eq!(late.details, "stopTime has been passed");
        // One run needs no interval.
        assert_eq!(
            trigger(json!({"schedulerType": "simple", "repeatCount": 1})),
            Ok(vec![series(None, 0, Some(1))])
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
                "field[schedulerInterval] must be in range of [60, 2147483647]",
            ),
            (
                json!({"schedulerType": "cron", "cron": "0 0 3 * * ?", "schedulerInterval": 0}),
                "field[schedulerInterval] must be in range of [1, 2147483647]",
            ),
            (
                json!({"schedulerType": "simple", "schedulerInterval": 2_147_483_648_i64}),
                "field[schedulerInterval] must be in range of [1, 2147483647]",
            ),
            (
                json!({"schedulerType": "simple", "repeatCount": 2}),
                "interval must be set when use simple scheduler when repeat more than once",
            ),
            (
                json!({"schedulerType": "simple", "schedulerInterval": 60, "repeatCount": -1}),
                "field[repeatCount] must be in range of [0, 2147483647]",
            ),
            (
                json!({"schedulerType": "cron", "startTime": 1_800_000_000_000_i64}),
                "startTime out of range",
            ),
            (
                json!({"schedulerType": "often"}),
                "valid value for field[schedulerType]",
            ),
            (
                json!({"schedulerType": "cron", "startTime": -1}),
                "startTime must be positive integer or 0",
            ),
            (json!({}), "field[schedulerType] of message"),
        ] {
            let refused = trigger(body.clone()).unwrap_err();
            assert!(refused.contains(text), "{body}: {refused}");
        }
    }
}
