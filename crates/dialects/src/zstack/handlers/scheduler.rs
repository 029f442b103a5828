//! The scheduler: what its jobs and triggers are bound to each other by is a policy of the core.

mod bindings;
mod jobs;
mod triggers;

use serde::{Serialize, de::DeserializeOwned};
use strongroom_domain::{ObjectId, object::FaceObject, policy::Policy};
use strongroom_service::{Caller, Error as ServiceError, Service};

pub(crate) use self::{bindings::*, jobs::*, triggers::*};
use super::tagged::{unless_unknown, untag};
use crate::zstack::{
    error::{Code, Error},
    map::{
        self,
        scheduler::{JOB, TRIGGER},
    },
};

/// What the things of the scheduler are kept as.
pub(super) const JOBS: &str = "schedulerJob";
pub(super) const GROUPS: &str = "schedulerJobGroup";
pub(super) const TRIGGERS: &str = "schedulerTrigger";

/// The policies that jobs bound to triggers are.
async fn bindings(service: &Service, caller: &Caller) -> Result<Vec<Policy>, Error> {
    let mut policies = service.list_policies(caller).await?;
    policies
        .retain(|it| it.annotations.get(JOB).is_some() && it.annotations.get(TRIGGER).is_some());
    Ok(policies)
}

/// The policies that a job or trigger is part of.
async fn bindings_of(
    service: &Service,
    caller: &Caller,
    key: &str,
    object: &FaceObject,
) -> Result<Vec<Policy>, Error> {
    let mut policies = bindings(service, caller).await?;
    policies.retain(|it| it.annotations.text(key) == Some(object.id.simple().as_str()));
    Ok(policies)
}

/// Everything of a kind, with what was given of it.
async fn all<T: DeserializeOwned>(
    service: &Service,
    caller: &Caller,
    kind: &str,
) -> Result<Vec<(FaceObject, T)>, Error> {
    let objects = service.list_objects(caller, kind).await?;
    objects
        .into_iter()
        .map(|it| Ok((read(&it)?, it)))
        .map(|it| it.map(|(body, it)| (it, body)))
        .collect()
}

/// The thing of one of these kinds that a field names, with what was given of it.
async fn one<T: DeserializeOwned>(
    service: &Service,
    caller: &Caller,
    kinds: &[&str],
    (field, uuid): (&str, &str),
) -> Result<(FaceObject, T), Error> {
    if let Some(id) = map::uuid(uuid).map(ObjectId::from_uuid) {
        for kind in kinds {
            match service.object(caller, kind, id).await {
                Ok(found) => return Ok((read(&found)?, found)).map(|(body, it)| (it, body)),
                Err(ServiceError::NotFound { .. }) => {}
                Err(other) => return Err(other.into()),
            }
        }
    }
    let kind = if kinds.contains(&TRIGGERS) {
        "SchedulerTriggerVO"
    } else {
        "SchedulerJobVO"
    };
    let details = format!("invalid field[{field}], resource[uuid:{uuid}, type:{kind}] not found");
    Err(Error::api(Code::NotFound, details))
}

fn read<T: DeserializeOwned>(object: &FaceObject) -> Result<T, Error> {
    Ok(T::deserialize(&object.body)?)
}

/// Forgets a job or trigger with all that it is bound by; one that is unknown is gone already.
async fn remove(
    service: &Service,
    caller: &Caller,
    kinds: &[&str],
    key: &str,
    uuid: &str,
) -> Result<(), Error> {
    map::well_formed(uuid)?;
    let found = one::<serde_json::Value>(service, caller, kinds, ("uuid", uuid)).await;
    let Some((object, _)) = unless_unknown(found)? else {
        return Ok(());
    };
    for policy in bindings_of(service, caller, key, &object).await? {
        service.delete_policy(caller, policy.id, None).await?;
    }
    service.delete_object(caller, &object).await?;
    untag(service, caller, uuid).await
}

/// Keeps what was given of a new thing.
async fn keep(
    service: &Service,
    caller: &Caller,
    kind: &str,
    id: Option<&str>,
    body: &impl Serialize,
) -> Result<FaceObject, Error> {
    let id = id
        .map(map::chosen_uuid)
        .transpose()?
        .map(ObjectId::from_uuid);
    let body = serde_json::to_value(body)?;
    Ok(service.create_object(caller, kind, id, body).await?)
}
