//! Policies.

use strongroom_domain::{
    Annotations, ResourceId, VaultId,
    policy::{Policy, PolicyTarget},
    retention::Retention,
    schedule::{Recurrence, Schedule},
};
use strongroom_service::policies::{CreatePolicy, UpdatePolicy};

use super::common::{both_ways, each};
use crate::v1::wire;

impl From<Policy> for wire::Policy {
    fn from(policy: Policy) -> Self {
        let Policy {
            id,
            tenant_id: _,
            name,
            description,
            face,
            enabled,
            schedule,
            retention,
            targets,
            repository_id,
            copy_to: _,
            next_run,
            last_run,
            labels,
            annotations,
            created_at,
            updated_at,
            version,
        } = policy;
        Self {
            id,
            name,
            description,
            face,
            enabled,
            schedule: schedule.into(),
            retention: retention.into(),
            targets: each(targets),
            repository_id,
            next_run,
            last_run,
            labels: each(labels),
            annotations: annotations.0,
            created_at,
            updated_at,
            version,
        }
    }
}

impl From<wire::CreatePolicy> for CreatePolicy {
    fn from(body: wire::CreatePolicy) -> Self {
        let wire::CreatePolicy {
            name,
            description,
            enabled,
            schedule,
            retention,
            targets,
            repository_id,
            labels,
            annotations,
        } = body;
        Self {
            name,
            description,
            enabled,
            schedule: schedule.into(),
            retention: retention.into(),
            targets: each(targets),
            repository_id,
            copy_to: None,
            labels: each(labels),
            annotations: Annotations(annotations),
        }
    }
}

impl From<wire::UpdatePolicy> for UpdatePolicy {
    fn from(change: wire::UpdatePolicy) -> Self {
        let wire::UpdatePolicy {
            name,
            description,
            enabled,
            schedule,
            retention,
            targets,
            repository_id,
            labels,
            annotations,
        } = change;
        Self {
            name,
            description,
            enabled,
            schedule: schedule.map(Schedule::from),
            retention: retention.map(Retention::from),
            targets: targets.map(each),
            repository_id,
            copy_to: None,
            labels: labels.map(each),
            annotations: annotations.map(Annotations),
        }
    }
}

impl From<Schedule> for wire::Schedule {
    fn from(schedule: Schedule) -> Self {
        let Schedule {
            recurrences,
            zone,
            missed,
        } = schedule;
        Self {
            recurrences: each(recurrences),
            zone,
            missed,
        }
    }
}

impl From<wire::Schedule> for Schedule {
    fn from(schedule: wire::Schedule) -> Self {
        let wire::Schedule {
            recurrences,
            zone,
            missed,
        } = schedule;
        Self {
            recurrences: each(recurrences),
            zone,
            missed,
        }
    }
}

impl From<Recurrence> for wire::Recurrence {
    fn from(recurrence: Recurrence) -> Self {
        match recurrence {
            Recurrence::Cron(rule) => Self::Cron(rule),
            Recurrence::Rrule(rule) => Self::Rrule(rule),
            Recurrence::Every(seconds) => Self::Every(seconds),
            Recurrence::Series {
                start,
                every,
                count,
            } => Self::Series {
                start,
                every,
                count,
            },
        }
    }
}

impl From<wire::Recurrence> for Recurrence {
    fn from(recurrence: wire::Recurrence) -> Self {
        match recurrence {
            wire::Recurrence::Cron(rule) => Self::Cron(rule),
            wire::Recurrence::Rrule(rule) => Self::Rrule(rule),
            wire::Recurrence::Every(seconds) => Self::Every(seconds),
            wire::Recurrence::Series {
                start,
                every,
                count,
            } => Self::Series {
                start,
                every,
                count,
            },
        }
    }
}

impl From<PolicyTarget> for wire::PolicyTarget {
    fn from(target: PolicyTarget) -> Self {
        match target {
            PolicyTarget::Resource(id) => Self::Resource(id.uuid()),
            PolicyTarget::Vault(id) => Self::Vault(id.uuid()),
        }
    }
}

impl From<wire::PolicyTarget> for PolicyTarget {
    fn from(target: wire::PolicyTarget) -> Self {
        match target {
            wire::PolicyTarget::Resource(id) => Self::Resource(ResourceId::from_uuid(id)),
            wire::PolicyTarget::Vault(id) => Self::Vault(VaultId::from_uuid(id)),
        }
    }
}

both_ways!(
    Retention,
    wire::Retention {
        last,
        hourly,
        daily,
        weekly,
        monthly,
        yearly,
        within_seconds,
        zone,
    }
);
