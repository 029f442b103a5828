//! Policies.

use strongroom_domain::{
    Annotations, RepositoryId, ResourceId, VaultId,
    policy::{Policy, PolicyCopy, PolicyTarget},
    retention::Retention,
    schedule::{Recurrence, Schedule},
};
use strongroom_service::{
    Error,
    policies::{CreatePolicy, UpdatePolicy},
};

use super::common::{both_ways, each};
use crate::{problem::Problem, v1::wire};

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
            repositories,
            copy_to,
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
            repository_id: repositories.first().copied(),
            repositories,
            copy_to: copy_to.map(Into::into),
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

impl TryFrom<wire::CreatePolicy> for CreatePolicy {
    type Error = Problem;

    fn try_from(body: wire::CreatePolicy) -> Result<Self, Problem> {
        let wire::CreatePolicy {
            name,
            description,
            enabled,
            schedule,
            retention,
            targets,
            repository_id,
            repositories,
            copy_to,
            labels,
            annotations,
        } = body;
        let repositories = one_list(repository_id.map(|it| vec![it]), repositories)?;
        Ok(Self {
            name,
            description,
            enabled,
            schedule: schedule.into(),
            retention: retention.into(),
            targets: each(targets),
            repositories: repositories.unwrap_or_default(),
            copy_to: copy_to.map(Into::into),
            labels: each(labels),
            annotations: Annotations(annotations),
        })
    }
}

impl TryFrom<wire::UpdatePolicy> for UpdatePolicy {
    type Error = Problem;

    fn try_from(change: wire::UpdatePolicy) -> Result<Self, Problem> {
        let wire::UpdatePolicy {
            name,
            description,
            enabled,
            schedule,
            retention,
            targets,
            repository_id,
            repositories,
            copy_to,
            labels,
            annotations,
        } = change;
        let one = repository_id.map(|it| it.into_iter().collect());
        Ok(Self {
            name,
            description,
            enabled,
            schedule: schedule.map(Schedule::from),
            retention: retention.map(Retention::from),
            targets: targets.map(each),
            repositories: one_list(one, repositories)?,
            copy_to: copy_to.map(|it| it.map(Into::into)),
            labels: labels.map(each),
            annotations: annotations.map(Annotations),
        })
    }
}

/// One repository or several, whichever is given; both must agree.
fn one_list(
    one: Option<Vec<RepositoryId>>,
    several: Option<Vec<RepositoryId>>,
) -> Result<Option<Vec<RepositoryId>>, Problem> {
    match (one, several) {
        (Some(one), Some(several)) if one.first() != several.first() => {
            let reason = "must be the first of `repositories` if both are given";
            Err(Error::invalid("repository_id", reason).into())
        }
        (_, Some(several)) => Ok(Some(several)),
        (one, None) => Ok(one),
    }
}

impl From<PolicyCopy> for wire::PolicyCopy {
    fn from(copy: PolicyCopy) -> Self {
        Self {
            repository_id: copy.repository_id,
            retention: copy.retention.into(),
        }
    }
}

impl From<wire::PolicyCopy> for PolicyCopy {
    fn from(copy: wire::PolicyCopy) -> Self {
        Self {
            repository_id: copy.repository_id,
            retention: copy.retention.into(),
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
