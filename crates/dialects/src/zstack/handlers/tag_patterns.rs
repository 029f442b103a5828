//! Patterns: what users' tags are made of. A pattern is attached to rows of any kind.

use axum::{extract::State, http::Uri};
use serde::Deserialize as _;
use serde_json::{Map, Value};
use strongroom_domain::{ObjectId, object::FaceObject};
use strongroom_service::{Caller, Error as ServiceError, Service};

use super::{Answer, Body, PathParams, action, parameters, tagged::kind_of, tags};
use crate::zstack::{
    auth::Auth,
    call::{Call, Outcome, TIMEOUT},
    error::{Code, Error},
    map::{self, tag_pattern as shapes},
    query::{params, tags::TagKind},
    wire::{
        reply::{Accepted, Empty, Failed, One},
        tags::{
            AttachTag, Attached, CreatePattern, NewTag, PatternBody, TagInventory, TagPattern,
            TaggedResources,
        },
    },
};

/// What patterns are kept as.
pub(super) const PATTERN: &str = "tagPattern";

/// The tenant's patterns.
pub(crate) async fn rows(service: &Service, caller: &Caller) -> Result<Vec<TagPattern>, Error> {
    let objects = service.list_objects(caller, PATTERN).await?;
    let row = |it: &FaceObject| Ok(shapes::pattern(it, PatternBody::deserialize(&it.body)?));
    objects.iter().map(row).collect()
}

/// Makes a pattern.
#[utoipa::path(
    post,
    path = "/zstack/v1/tags",
    operation_id = "CreateTag",
    request_body = CreatePattern,
    responses((status = 202, body = Accepted), (status = 503, body = Failed)),
)]
pub(crate) async fn create(
    State(service): State<Service>,
    call: Call,
    Auth(caller): Auth,
    body: Body<CreatePattern>,
) -> Answer<Accepted> {
    let work = async {
        let mut body = shapes::check_new(body.0.params.unwrap_or_default())?;
        let id = body.resource_uuid.take();
        let id = id.as_deref().map(map::chosen_uuid).transpose()?;
        let kept = serde_json::to_value(&body)?;
        let id = id.map(ObjectId::from_uuid);
        let made = service.create_object(&caller, PATTERN, id, kept).await?;
        Outcome::done(&One::new(shapes::pattern(&made, body), call.schema))
    };
    call.run(&service, &caller, TIMEOUT, work).await
}

/// Changes a pattern; tags that were made of it stay as they are.
#[utoipa::path(
    put,
    path = "/zstack/v1/tags/{uuid}/actions",
    operation_id = "UpdateTag",
    params(("uuid" = String, Path)),
    request_body = Object,
    responses((status = 202, body = Accepted), (status = 503, body = Failed)),
)]
pub(crate) async fn update(
    State(service): State<Service>,
    call: Call,
    Auth(caller): Auth,
    uri: Uri,
    uuid: PathParams<String>,
    body: Body<Map<String, Value>>,
) -> Answer<Accepted> {
    let (_, content) = action(&uri, &body.0, &["updateTag"])?;
    let change: PatternBody = parameters(content)?;
    let work = async {
        let (object, body) = find(&service, &caller, "uuid", &uuid.0).await?;
        let body = shapes::changed(&body, change)?;
        let kept = serde_json::to_value(&body)?;
        let object = service.update_object(&caller, &object, kept).await?;
        Outcome::done(&One::new(shapes::pattern(&object, body), call.schema))
    };
    call.run(&service, &caller, TIMEOUT, work).await
}

/// Attaches tags that a pattern makes.
#[utoipa::path(
    post,
    path = "/zstack/v1/tags/{uuid}/resources",
    operation_id = "AttachTagToResources",
    params(("uuid" = String, Path)),
    request_body = AttachTag,
    responses((status = 202, body = Accepted), (status = 503, body = Failed)),
)]
pub(crate) async fn attach(
    State(service): State<Service>,
    call: Call,
    Auth(caller): Auth,
    uuid: PathParams<String>,
    body: Body<AttachTag>,
) -> Answer<Accepted> {
    let work = async {
        let wanted = body.0.params.unwrap_or_default();
        let tags = make(&service, &caller, &uuid.0, wanted).await?;
        Outcome::done(&Attached::new(tags, call.schema))
    };
    call.run(&service, &caller, TIMEOUT, work).await
}

/// The rows that are to be tagged, which there must be, with what they are.
async fn with_kinds(
    service: &Service,
    caller: &Caller,
    uuids: Vec<String>,
) -> Result<Vec<(&'static str, String)>, Error> {
    let mut rows = Vec::new();
    for uuid in uuids {
        let kind = kind_of(service, caller, &uuid).await?.ok_or_else(|| {
            let details = format!(
                "invalid field[resourceUuids], resource[uuids:[{uuid}], type:ResourceVO] not found"
            );
            Error::api(Code::NotFound, details)
        })?;
        rows.push((kind, uuid));
    }
    Ok(rows)
}

async fn make(
    service: &Service,
    caller: &Caller,
    uuid: &str,
    TaggedResources {
        resource_uuids,
        tokens,
    }: TaggedResources,
) -> Result<Vec<TagInventory>, Error> {
    check_given("APIAttachTagToResourcesMsg", &resource_uuids)?;
    let (pattern, body) = find(service, caller, "tagUuid", uuid).await?;
    let text = shapes::filled(&body, &tokens)?;
    let rows = with_kinds(service, caller, resource_uuids).await?;
    let mut made = made_of(service, caller, &pattern).await?;
    let mut attached = Vec::new();
    let shown = shapes::pattern(&pattern, body);
    for (kind, uuid) in rows {
        let same = |it: &(FaceObject, NewTag)| {
            it.1.resource_uuid.as_ref() == Some(&uuid) && it.1.tag.as_ref() == Some(&text)
        };
        // What has the tag keeps it.
        let tag = if let Some(at) = made.iter().position(same) {
            made.swap_remove(at).0
        } else {
            add(service, caller, (kind, uuid), &pattern, text.clone()).await?
        };
        attached.push(TagInventory {
            tag_pattern: Some(shown.clone()),
            ..tags::row(TagKind::User, &tag)?
        });
    }
    Ok(attached)
}

/// Tags a row with what a pattern makes.
async fn add(
    service: &Service,
    caller: &Caller,
    (resource_type, resource_uuid): (&str, String),
    pattern: &FaceObject,
    tag: String,
) -> Result<FaceObject, Error> {
    let tag = NewTag {
        resource_type: Some(resource_type.to_owned()),
        resource_uuid: Some(resource_uuid),
        tag: Some(tag),
        tag_pattern_uuid: Some(pattern.id.simple()),
    };
    let (kind, tag) = (TagKind::User.object(), serde_json::to_value(tag)?);
    Ok(service.create_object(caller, kind, None, tag).await?)
}

/// The patterns with these uuids, none of which may have tokens, and the tags that they make.
pub(super) async fn simple(
    service: &Service,
    caller: &Caller,
    uuids: &[String],
) -> Result<Vec<(FaceObject, String)>, Error> {
    let mut found = Vec::new();
    for uuid in uuids {
        let (object, body) = find(service, caller, "tagUuids", uuid).await?;
        let tag = shapes::simple(&body).ok_or_else(|| {
            let details = format!("illegal tag uuids [{uuid}], tag type must be simple");
            Error::api(Code::InvalidArgument, details)
        })?;
        found.push((object, tag));
    }
    Ok(found)
}

/// Attaches tags to a row that was just made.
pub(super) async fn attach_new(
    service: &Service,
    caller: &Caller,
    (resource_type, resource_uuid): &(&str, String),
    patterns: Vec<(FaceObject, String)>,
) -> Result<(), Error> {
    for (pattern, tag) in patterns {
        let row = (*resource_type, resource_uuid.clone());
        add(service, caller, row, &pattern, tag).await?;
    }
    Ok(())
}

/// Detaches the tags that were made of a pattern from some rows.
#[utoipa::path(
    delete,
    path = "/zstack/v1/tags/{uuid}/resources",
    operation_id = "DetachTagFromResources",
    params(("uuid" = String, Path), ("resourceUuids" = Vec<String>, Query)),
    responses((status = 202, body = Accepted), (status = 503, body = Failed)),
)]
pub(crate) async fn detach(
    State(service): State<Service>,
    call: Call,
    Auth(caller): Auth,
    uuid: PathParams<String>,
    uri: Uri,
) -> Answer<Accepted> {
    let rows = params::uuids(uri.query().unwrap_or_default(), "resourceUuids");
    let work = async {
        check_given("APIDetachTagFromResourcesMsg", &rows)?;
        let (pattern, _) = find(&service, &caller, "tagUuid", &uuid.0).await?;
        remove_made(&service, &caller, &pattern, |row| {
            rows.iter().any(|it| it == row)
        })
        .await?;
        Outcome::done(&Empty {})
    };
    call.run(&service, &caller, TIMEOUT, work).await
}

/// Removes the tags that were made of a pattern from those rows.
pub(super) async fn remove_made(
    service: &Service,
    caller: &Caller,
    pattern: &FaceObject,
    from: impl Fn(&str) -> bool,
) -> Result<(), Error> {
    for (object, tag) in made_of(service, caller, pattern).await? {
        if from(tag.resource_uuid.as_deref().unwrap_or_default()) {
            service.delete_object(caller, &object).await?;
        }
    }
    Ok(())
}

/// The tags that were made of a pattern.
async fn made_of(
    service: &Service,
    caller: &Caller,
    pattern: &FaceObject,
) -> Result<Vec<(FaceObject, NewTag)>, Error> {
    let uuid = pattern.id.simple();
    let mut made = Vec::new();
    for object in service.list_objects(caller, TagKind::User.object()).await? {
        let tag = NewTag::deserialize(&object.body)?;
        if tag.tag_pattern_uuid.as_ref() == Some(&uuid) {
            made.push((object, tag));
        }
    }
    Ok(made)
}

fn check_given(message: &str, uuids: &[String]) -> Result<(), Error> {
    if uuids.is_empty() {
        let details = format!(
            "field[resourceUuids] of message[org.zstack.tag2.{message}] is mandatory, can not be \
             null"
        );
        return Err(Error::api(Code::InvalidArgument, details));
    }
    Ok(())
}

async fn find(
    service: &Service,
    caller: &Caller,
    field: &str,
    uuid: &str,
) -> Result<(FaceObject, PatternBody), Error> {
    let unknown = || {
        let details =
            format!("invalid field[{field}], resource[uuid:{uuid}, type:TagPatternVO] not found");
        Error::api(Code::NotFound, details)
    };
    let id = map::uuid(uuid).ok_or_else(unknown)?;
    let found = service.object(caller, PATTERN, ObjectId::from_uuid(id));
    match found.await {
        Ok(object) => Ok((PatternBody::deserialize(&object.body)?, object)).map(|(it, o)| (o, it)),
        Err(ServiceError::NotFound { .. }) => Err(unknown()),
        Err(other) => Err(other.into()),
    }
}
