//! What can be tagged: every row that is listed. A row that goes takes its tags along.

use serde::Deserialize as _;
use strongroom_domain::ObjectId;
use strongroom_service::{Caller, Error as ServiceError, Service};

use super::{backups, keys, long_jobs, scheduler, storages, tag_patterns};
use crate::zstack::{
    error::{Code, Error},
    map,
    query::tags::TagKind,
    wire::tags::NewTag,
};

/// What the vendor calls the rows that are kept as objects.
const OBJECTS: [(&str, &str); 5] = [
    (scheduler::JOBS, "SchedulerJobVO"),
    (scheduler::GROUPS, "SchedulerJobGroupVO"),
    (scheduler::TRIGGERS, "SchedulerTriggerVO"),
    (tag_patterns::PATTERN, "TagPatternVO"),
    (long_jobs::KIND, "LongJobVO"),
];

/// What a backup storage is to the vendor, and what it is besides.
const STORAGE: &str = "ImageStoreBackupStorageVO";
const ANY_STORAGE: &str = "BackupStorageVO";

/// What the row of that uuid is in the vendor's words, if there is one.
pub(super) async fn kind_of(
    service: &Service,
    caller: &Caller,
    uuid: &str,
) -> Result<Option<&'static str>, Error> {
    let Some(id) = map::uuid(uuid) else {
        return Ok(None);
    };
    if backups::find(service, caller, uuid).await?.is_some() {
        return Ok(Some("DatabaseBackupVO"));
    }
    let storage = storages::find_storage(service, caller, "uuid", uuid).await;
    if unless_unknown(storage)?.is_some() {
        return Ok(Some(STORAGE));
    }
    for (kind, name) in OBJECTS {
        match service.object(caller, kind, ObjectId::from_uuid(id)).await {
            Ok(_) => return Ok(Some(name)),
            Err(ServiceError::NotFound { .. }) => {}
            Err(other) => return Err(other.into()),
        }
    }
    if id == caller.tenant_id.uuid() {
        return Ok(Some("AccountVO"));
    }
    let keys = keys::keys(service, caller).await?;
    let is_key = keys.iter().any(|it| map::uuid(&it.uuid) == Some(id));
    Ok(is_key.then_some("AccessKeyVO"))
}

/// Refuses a row that is not there, or is something else; of types that are not served there is no
/// row.
pub(super) async fn check_there(
    service: &Service,
    caller: &Caller,
    resource_type: &str,
    uuid: &str,
) -> Result<(), Error> {
    let kind = kind_of(service, caller, uuid).await?;
    if kind.is_some_and(|it| it == resource_type)
        || (kind, resource_type) == (Some(STORAGE), ANY_STORAGE)
    {
        return Ok(());
    }
    let details = format!(
        "invalid field[resourceUuid], resource[uuid:{uuid}, type:{resource_type}] not found"
    );
    Err(Error::api(Code::NotFound, details))
}

/// Removes the tags of a row that is gone.
pub(super) async fn untag(service: &Service, caller: &Caller, uuid: &str) -> Result<(), Error> {
    for kind in [TagKind::System, TagKind::User] {
        for object in service.list_objects(caller, kind.object()).await? {
            let tag = NewTag::deserialize(&object.body)?;
            if tag
                .resource_uuid
                .is_some_and(|it| it.eq_ignore_ascii_case(uuid))
            {
                service.delete_object(caller, &object).await?;
            }
        }
    }
    Ok(())
}

/// What was found; nothing if there is no such thing.
pub(super) fn unless_unknown<T>(found: Result<T, Error>) -> Result<Option<T>, Error> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(Error::Api {
            code: Code::NotFound,
            ..
        }) => Ok(None),
        Err(other) => Err(other),
    }
}
