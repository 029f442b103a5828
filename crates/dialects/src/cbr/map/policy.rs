//! Policies: patterns are RRULEs in UTC and are kept as written, retention becomes the core's.

use strongroom_domain::{
    Annotations, PolicyId, VaultId,
    policy::Policy,
    retention::Retention,
    schedule::{MissedRun, Recurrence, Schedule},
    vault::Vault,
};
use strongroom_service::{
    policies::{CreatePolicy, UpdatePolicy},
    vaults::UpdateVault,
};
use uuid::Uuid;

use super::check_name;
use crate::cbr::{
    error::{Error, Result},
    page::{ListPolicies, one_of},
    wire,
};

/// Where the definition is kept as it was written.
const DEFINITION: &str = "cbr.operation_definition";
/// Where the start window is kept.
const START_WINDOW: &str = "cbr.start_window_minutes";
/// What policies do in CBR; those of this server only back up.
const TYPES: &[&str] = &["backup", "replication"];
/// The most patterns.
const MAX_PATTERNS: usize = 24;
/// The longest start window, and the shortest, in minutes.
const START_WINDOWS: std::ops::RangeInclusive<i64> = 60..=480;
/// Rows that a list of policies may have.
const MAX_POLICIES: u64 = 1000;
/// Seconds in a day.
const DAY: u64 = 24 * 60 * 60;

/// A policy, and the vaults that it runs.
pub(in crate::cbr) fn policy(it: &Policy, vaults: &[VaultId]) -> wire::Policy {
    let vaults = vaults.iter().map(|id| wire::AssociatedVault {
        destination_vault_id: None,
        vault_id: id.to_string(),
    });
    let vaults: Vec<_> = vaults.collect();
    wire::Policy {
        associated_vaults: (!vaults.is_empty()).then_some(vaults),
        enabled: it.enabled,
        id: it.id.to_string(),
        name: it.name.clone(),
        operation_definition: shown(definition(it)),
        operation_type: "backup",
        policy_type: "custom_policy",
        trigger: trigger(it),
    }
}

fn trigger(it: &Policy) -> wire::Trigger {
    let patterns = it.schedule.recurrences.iter().map(|it| match it {
        Recurrence::Rrule(text) | Recurrence::Cron(text) => text.clone(),
        Recurrence::Every(seconds) | Recurrence::Series { every: seconds, .. } => {
            format!("EVERY={seconds}")
        }
    });
    let window = it.annotations.get(START_WINDOW);
    wire::Trigger {
        // Clients want an id of its own; one that follows from the policy's needs no keeping.
        id: Uuid::new_v5(&it.id.uuid(), b"trigger").to_string(),
        name: "default",
        properties: wire::TriggerProperties {
            pattern: patterns.collect(),
            start_time: it.created_at.strftime("%Y-%m-%d %H:%M:%S").to_string(),
            start_window_minutes: window.and_then(serde_json::Value::as_i64),
        },
        kind: "time",
    }
}

/// Checks the query of a list.
pub(in crate::cbr) fn check_query(query: &ListPolicies) -> Result<()> {
    match query.operation_type.as_deref() {
        None | Some("") => Ok(()),
        Some(kind) => one_of("operation_type", kind, TYPES),
    }
}

/// All policies that a client asked for.
pub(in crate::cbr) fn policy_list(
    policies: Vec<wire::Policy>,
    query: &ListPolicies,
) -> wire::PolicyList {
    let given = |text: &Option<String>| text.clone().filter(|it| !it.is_empty());
    let (kind, vault) = (given(&query.operation_type), given(&query.vault_id));
    let runs = |it: &wire::Policy, vault: &str| {
        let mut vaults = it.associated_vaults.iter().flatten();
        vaults.any(|it| it.vault_id == vault)
    };
    let wanted = policies.into_iter().filter(|it| {
        kind.as_deref().is_none_or(|kind| kind == it.operation_type)
            && vault.as_deref().is_none_or(|vault| runs(it, vault))
    });
    let policies: Vec<_> = wanted.collect();
    wire::PolicyList {
        count: policies.len() as u64,
        limit: MAX_POLICIES,
        offset: 0,
        policies,
    }
}

/// The policy that is to run a vault: the only one named, in either of two ways.
pub(in crate::cbr) fn policy_to_run(request: &wire::Associate) -> Result<&str> {
    let listed = request.add_policy_ids.as_deref().unwrap_or_default();
    let single = request.policy_id.as_ref();
    let mut named = single.into_iter().chain(listed).filter(|it| !it.is_empty());
    match (named.next(), named.next()) {
        (Some(id), None) => Ok(id),
        (None, _) => Err(Error::invalid("policy_id", "it is missing")),
        (Some(_), Some(_)) => {
            let reason = "a vault takes one backup policy";
            Err(Error::invalid("add_policy_ids", reason))
        }
    }
}

/// The policy that is no longer to run a vault.
pub(in crate::cbr) fn policy_to_drop(
    vault: &Vault,
    request: &wire::Dissociate,
) -> Result<PolicyId> {
    let id = request.policy_id.parse::<PolicyId>().ok();
    let id = id.filter(|id| vault.policy_id == Some(*id));
    id.ok_or_else(|| Error::NotOfVault(request.policy_id.clone()))
}

/// The change of a vault that another policy runs now, or none.
pub(in crate::cbr) fn run_by(policy: Option<PolicyId>) -> UpdateVault {
    UpdateVault {
        policy_id: Some(policy),
        ..UpdateVault::default()
    }
}

/// A policy and a vault.
pub(in crate::cbr) fn policy_of_vault(policy: PolicyId, vault: VaultId) -> wire::PolicyOfVault {
    wire::PolicyOfVault {
        policy_id: policy.to_string(),
        vault_id: vault.to_string(),
    }
}

fn definition(it: &Policy) -> wire::OperationDefinition {
    let value = it.annotations.get(DEFINITION).cloned();
    value
        .and_then(|it| serde_json::from_value(it).ok())
        .unwrap_or_default()
}

/// The two rules that every answer has.
fn shown(mut definition: wire::OperationDefinition) -> wire::OperationDefinition {
    definition.max_backups.get_or_insert(-1);
    definition.retention_duration_days.get_or_insert(-1);
    definition
}

/// A policy to create.
pub(in crate::cbr) fn create_policy(request: wire::CreatePolicy) -> Result<CreatePolicy> {
    check_name("name", &request.name)?;
    let kind = request.operation_type.as_deref().unwrap_or("backup");
    one_of("operation_type", kind, TYPES)?;
    if kind != "backup" {
        return Err(Error::UnknownPolicyType(kind.to_owned()));
    }
    let retention = retention(&request.operation_definition)?;
    let mut annotations = Annotations::default();
    keep(&mut annotations, &request.operation_definition);
    let schedule = schedule(request.trigger, &mut annotations)?;
    Ok(CreatePolicy {
        name: request.name,
        description: None,
        enabled: request.enabled.unwrap_or(true),
        schedule,
        retention,
        targets: Vec::new(),
        repositories: Vec::new(),
        copy_to: None,
        labels: Vec::new(),
        annotations,
    })
}

/// A change of a policy.
pub(in crate::cbr) fn update_policy(
    of: &Policy,
    change: wire::UpdatePolicy,
) -> Result<UpdatePolicy> {
    let wire::UpdatePolicy {
        name,
        enabled,
        operation_definition,
        trigger,
    } = change;
    if let Some(name) = &name {
        check_name("name", name)?;
    }
    let mut annotations = of.annotations.clone();
    let mut rules = None;
    if let Some(new) = operation_definition {
        let merged = merge(definition(of), new);
        rules = Some(retention(&merged)?);
        keep(&mut annotations, &merged);
    }
    let schedule = trigger
        .map(|it| schedule(it, &mut annotations))
        .transpose()?;
    Ok(UpdatePolicy {
        name,
        enabled,
        schedule,
        retention: rules,
        annotations: Some(annotations),
        ..UpdatePolicy::default()
    })
}

/// What is left out stays.
fn merge(
    old: wire::OperationDefinition,
    new: wire::OperationDefinition,
) -> wire::OperationDefinition {
    wire::OperationDefinition {
        max_backups: new.max_backups.or(old.max_backups),
        retention_duration_days: new.retention_duration_days.or(old.retention_duration_days),
        day_backups: new.day_backups.or(old.day_backups),
        week_backups: new.week_backups.or(old.week_backups),
        month_backups: new.month_backups.or(old.month_backups),
        year_backups: new.year_backups.or(old.year_backups),
        timezone: new.timezone.or(old.timezone),
        full_backup_interval: new.full_backup_interval.or(old.full_backup_interval),
        destination_region: new.destination_region.or(old.destination_region),
        destination_project_id: new.destination_project_id.or(old.destination_project_id),
        enable_acceleration: new.enable_acceleration.or(old.enable_acceleration),
        advanced_retention_rules: new.advanced_retention_rules,
    }
}

fn keep(annotations: &mut Annotations, definition: &wire::OperationDefinition) {
    let value = serde_json::to_value(definition).unwrap_or_default();
    annotations.set(DEFINITION, value);
}

fn schedule(trigger: wire::TriggerRequest, annotations: &mut Annotations) -> Result<Schedule> {
    let wire::WantedProperties {
        pattern,
        start_window_minutes,
    } = trigger.properties;
    if !(1..=MAX_PATTERNS).contains(&pattern.len()) {
        let reason = format!("there must be 1 to {MAX_PATTERNS}");
        return Err(Error::invalid("pattern", reason));
    }
    if let Some(window) = start_window_minutes {
        if !START_WINDOWS.contains(&window) {
            let (least, most) = START_WINDOWS.into_inner();
            let reason = format!("it must be a number from {least} to {most}");
            return Err(Error::invalid("start_window_minutes", reason));
        }
        annotations.set(START_WINDOW, window);
    }
    Ok(Schedule {
        recurrences: pattern.into_iter().map(Recurrence::Rrule).collect(),
        zone: "UTC".to_owned(),
        missed: MissedRun::Skip,
    })
}

/// The core's rules for what a policy keeps.
fn retention(definition: &wire::OperationDefinition) -> Result<Retention> {
    let wire::OperationDefinition {
        max_backups,
        retention_duration_days,
        day_backups,
        week_backups,
        month_backups,
        year_backups,
        timezone,
        full_backup_interval,
        // Backups are not copied elsewhere, so these decide nothing.
        destination_region: _,
        destination_project_id: _,
        enable_acceleration: _,
        advanced_retention_rules,
    } = definition;
    if advanced_retention_rules
        .as_ref()
        .is_some_and(|it| !it.is_null())
    {
        // Leaving them out would delete what they keep.
        let reason = "these rules are not supported";
        return Err(Error::invalid("advanced_retention_rules", reason));
    }
    if full_backup_interval.is_some_and(|it| !(-1..=100).contains(&it)) {
        let reason = "it must be a number from -1 to 100";
        return Err(Error::invalid("full_backup_interval", reason));
    }
    let last = rule("max_backups", *max_backups)?;
    let days = rule("retention_duration_days", *retention_duration_days)?;
    if last.is_some() && days.is_some() {
        let reason = "it excludes retention_duration_days";
        return Err(Error::invalid("max_backups", reason));
    }
    let retention = Retention {
        last,
        hourly: None,
        daily: count("day_backups", *day_backups)?,
        weekly: count("week_backups", *week_backups)?,
        monthly: count("month_backups", *month_backups)?,
        yearly: count("year_backups", *year_backups)?,
        within_seconds: days.map(|it| u64::from(it) * DAY),
        zone: timezone.clone(),
    };
    let dated = [
        retention.daily,
        retention.weekly,
        retention.monthly,
        retention.yearly,
    ];
    if dated.iter().any(Option::is_some) && timezone.is_none() {
        let reason = "it is needed with day, week, month and year backups";
        return Err(Error::invalid("timezone", reason));
    }
    Ok(retention)
}

/// A number from 1 to 99999; -1 is no rule.
fn rule(name: &str, value: Option<i64>) -> Result<Option<u32>> {
    match value {
        None | Some(-1) => Ok(None),
        Some(it @ 1..=99_999) => Ok(u32::try_from(it).ok()),
        Some(_) => Err(Error::invalid(
            name,
            "it must be -1 or a number from 1 to 99999",
        )),
    }
}

/// A number from 0 to 100; 0 is no rule.
fn count(name: &str, value: Option<i64>) -> Result<Option<u32>> {
    match value {
        None | Some(0) => Ok(None),
        Some(it @ 1..=100) => Ok(u32::try_from(it).ok()),
        Some(_) => Err(Error::invalid(name, "it must be a number from 0 to 100")),
    }
}
