//! Tags of the system and of users.

use axum::{extract::State, http::Uri};
use serde::Deserialize as _;
use serde_json::{Map, Value};
use strongroom_domain::{ObjectId, object::FaceObject};
use strongroom_service::{Caller, Error as ServiceError, Service};

use super::{
    Answer, Body, PathParams, action, parameters,
    tag_patterns::{self, PATTERN},
    tagged::{check_there, untag},
};
use crate::zstack::{
    auth::Auth,
    call::{Call, Outcome, TIMEOUT},
    error::{Code, Error},
    map,
    query::tags::TagKind,
    wire::{
        reply::{Accepted, Empty, Failed, One},
        tags::{CreateTag, NewTag, TagChange, TagInventory, TagPattern},
        timestamp,
    },
};

impl TagKind {
    pub(super) fn object(self) -> &'static str {
        match self {
            Self::System => "systemTag",
            Self::User => "userTag",
        }
    }
}

/// The tenant's tags of the system.
pub(crate) async fn system(service: &Service, caller: &Caller) -> Result<Vec<TagInventory>, Error> {
    rows(service, caller, TagKind::System).await
}

/// The tenant's tags of users.
pub(crate) async fn user(service: &Service, caller: &Caller) -> Result<Vec<TagInventory>, Error> {
    let mut tags = rows(service, caller, TagKind::User).await?;
    if tags.iter().any(|it| it.tag_pattern_uuid.is_some()) {
        let patterns = tag_patterns::rows(service, caller).await?;
        for tag in &mut tags {
            let made_of = |it: &&TagPattern| tag.tag_pattern_uuid.as_ref() == Some(&it.uuid);
            tag.tag_pattern = patterns.iter().find(made_of).cloned();
        }
    }
    Ok(tags)
}

/// The tenant's tags of a kind, without the patterns that they were made of.
pub(super) async fn rows(
    service: &Service,
    caller: &Caller,
    kind: TagKind,
) -> Result<Vec<TagInventory>, Error> {
    let objects = service.list_objects(caller, kind.object()).await?;
    objects.iter().map(|it| row(kind, it)).collect()
}

pub(super) fn row(kind: TagKind, object: &FaceObject) -> Result<TagInventory, Error> {
    let NewTag {
        resource_type,
        resource_uuid,
        tag,
        tag_pattern_uuid,
    } = NewTag::deserialize(&object.body)?;
    Ok(TagInventory {
        uuid: object.id.simple(),
        resource_uuid: resource_uuid.unwrap_or_default(),
        resource_type: resource_type.unwrap_or_default(),
        tag: tag.unwrap_or_default(),
        tag_type: match kind {
            TagKind::System => "System",
            TagKind::User => "User",
        },
        create_date: timestamp(object.created_at),
        last_op_date: timestamp(object.updated_at),
        inherent: (kind == TagKind::System).then_some(false),
        tag_pattern_uuid,
        tag_pattern: None,
        kind,
    })
}

/// Tags a row that was just made with what came with it.
pub(crate) async fn tag_new(
    service: &Service,
    caller: &Caller,
    kind: TagKind,
    (resource_type, resource_uuid): &(&str, String),
    tags: Vec<String>,
) -> Result<(), Error> {
    for tag in tags {
        let tag = NewTag {
            resource_type: Some((*resource_type).to_owned()),
            resource_uuid: Some(resource_uuid.clone()),
            tag: Some(tag),
            tag_pattern_uuid: None,
        };
        let body = serde_json::to_value(tag)?;
        service
            .create_object(caller, kind.object(), None, body)
            .await?;
    }
    Ok(())
}

/// Tags a row as the system does.
#[utoipa::path(
    post,
    path = "/zstack/v1/system-tags",
    operation_id = "CreateSystemTag",
    request_body = CreateTag,
    responses((status = 202, body = Accepted), (status = 503, body = Failed)),
)]
pub(crate) async fn create_system(
    State(service): State<Service>,
    call: Call,
    Auth(caller): Auth,
    body: Body<CreateTag>,
) -> Answer<Accepted> {
    let work = create(&service, &caller, TagKind::System, body.0, call.schema);
    call.run(&service, &caller, TIMEOUT, work).await
}

/// Tags a row.
#[utoipa::path(
    post,
    path = "/zstack/v1/user-tags",
    operation_id = "CreateUserTag",
    request_body = CreateTag,
    responses((status = 202, body = Accepted), (status = 503, body = Failed)),
)]
pub(crate) async fn create_user(
    State(service): State<Service>,
    call: Call,
    Auth(caller): Auth,
    body: Body<CreateTag>,
) -> Answer<Accepted> {
    let work = create(&service, &caller, TagKind::User, body.0, call.schema);
    call.run(&service, &caller, TIMEOUT, work).await
}

async fn create(
    service: &Service,
    caller: &Caller,
    kind: TagKind,
    body: CreateTag,
    schema: bool,
) -> Result<Outcome, Error> {
    let message = match kind {
        TagKind::System => "org.zstack.header.tag.APICreateSystemTagMsg",
        TagKind::User => "org.zstack.header.tag.APICreateUserTagMsg",
    };
    let NewTag {
        resource_type,
        resource_uuid,
        tag,
        ..
    } = body.params.unwrap_or_default();
    let mandatory = |field, value| map::mandatory_of(message, field, value);
    let resource_type = mandatory("resourceType", resource_type)?;
    let resource_uuid = mandatory("resourceUuid", resource_uuid)?;
    let tag = mandatory("tag", tag)?;
    check_there(service, caller, &resource_type, &resource_uuid).await?;
    let tag = NewTag {
        resource_type: Some(resource_type),
        resource_uuid: Some(resource_uuid),
        tag: Some(tag),
        tag_pattern_uuid: None,
    };
    let body = serde_json::to_value(tag)?;
    let made = service
        .create_object(caller, kind.object(), None, body)
        .await?;
    Outcome::done(&One::new(row(kind, &made)?, schema))
}

/// Changes what a tag of the system says.
#[utoipa::path(
    put,
    path = "/zstack/v1/system-tags/{uuid}/actions",
    operation_id = "UpdateSystemTag",
    params(("uuid" = String, Path)),
    request_body = Object,
    responses((status = 202, body = Accepted), (status = 503, body = Failed)),
)]
pub(crate) async fn update_system(
    State(service): State<Service>,
    call: Call,
    Auth(caller): Auth,
    uri: Uri,
    uuid: PathParams<String>,
    body: Body<Map<String, Value>>,
) -> Answer<Accepted> {
    let (_, content) = action(&uri, &body.0, &["updateSystemTag"])?;
    let change: TagChange = parameters(content)?;
    let work = update(&service, &caller, &uuid.0, change, call.schema);
    call.run(&service, &caller, TIMEOUT, work).await
}

async fn update(
    service: &Service,
    caller: &Caller,
    uuid: &str,
    change: TagChange,
    schema: bool,
) -> Result<Outcome, Error> {
    let kind = TagKind::System;
    let message = "org.zstack.header.tag.APIUpdateSystemTagMsg";
    let tag = map::mandatory_of(message, "tag", change.tag)?;
    let unknown = || {
        let details =
            format!("invalid field[uuid], resource[uuid:{uuid}, type:SystemTagVO] not found");
        Error::api(Code::NotFound, details)
    };
    let id = map::uuid(uuid).ok_or_else(unknown)?;
    let found = service.object(caller, kind.object(), ObjectId::from_uuid(id));
    let object = found.await.map_err(|error| match error {
        ServiceError::NotFound { .. } => unknown(),
        other => other.into(),
    })?;
    let body = NewTag {
        tag: Some(tag),
        ..NewTag::deserialize(&object.body)?
    };
    let body = serde_json::to_value(body)?;
    let object = service.update_object(caller, &object, body).await?;
    Outcome::done(&One::new(row(kind, &object)?, schema))
}

/// Removes a tag, or a pattern with all tags that were made of it; what is unknown is gone already.
#[utoipa::path(
    delete,
    path = "/zstack/v1/tags/{uuid}",
    operation_id = "DeleteTag",
    params(("uuid" = String, Path)),
    responses((status = 202, body = Accepted), (status = 503, body = Failed)),
)]
pub(crate) async fn delete(
    State(service): State<Service>,
    call: Call,
    Auth(caller): Auth,
    uuid: PathParams<String>,
) -> Answer<Accepted> {
    let work = remove(&service, &caller, &uuid.0);
    call.run(&service, &caller, TIMEOUT, work).await
}

async fn remove(service: &Service, caller: &Caller, uuid: &str) -> Result<Outcome, Error> {
    let id = ObjectId::from_uuid(map::well_formed(uuid)?);
    for kind in [TagKind::System.object(), TagKind::User.object(), PATTERN] {
        match service.object(caller, kind, id).await {
            Ok(tag) => {
                tag_patterns::remove_made(service, caller, &tag, |_| true).await?;
                service.delete_object(caller, &tag).await?;
                untag(service, caller, &id.simple()).await?;
            }
            Err(ServiceError::NotFound { .. }) => {}
            Err(other) => return Err(other.into()),
        }
    }
    Outcome::done(&Empty {})
}
