//! Triggers.

use axum::{extract::State, http::Uri};
use serde_json::{Map, Value};
use strongroom_domain::object::FaceObject;
use strongroom_service::{Caller, Service, policies::UpdatePolicy};

use super::{GROUPS, JOBS, TRIGGERS, all, bindings, bindings_of, keep, one, remove};
use crate::zstack::{
    auth::{Auth, Late},
    call::{Call, Outcome, TIMEOUT},
    error::Error,
    handlers::{Answer, Body, PathParams, action, parameters, storage_actions::all_known},
    map::{self, scheduler as shapes},
    wire::{
        reply::{Accepted, Empty, Failed, One},
        scheduler::{Create, RunTrigger, SchedulerTrigger, TriggerBody},
    },
};

/// The tenant's triggers.
pub(crate) async fn triggers(
    service: &Service,
    caller: &Caller,
) -> Result<Vec<SchedulerTrigger>, Error> {
    let policies = bindings(service, caller).await?;
    let groups = service.list_objects(caller, GROUPS).await?;
    let groups: Vec<_> = groups.iter().map(|it| it.id.simple()).collect();
    let triggers = all::<TriggerBody>(service, caller, TRIGGERS).await?;
    let row = |(object, body): &(FaceObject, TriggerBody)| {
        shapes::trigger(object, body, &policies, &groups)
    };
    Ok(triggers.iter().map(row).collect())
}

/// Creates a trigger.
#[utoipa::path(
    post,
    path = "/zstack/v1/scheduler/triggers",
    operation_id = "CreateSchedulerTrigger",
    request_body = Create<TriggerBody>,
    responses((status = 202, body = Accepted), (status = 503, body = Failed)),
)]
pub(crate) async fn create_trigger(
    State(service): State<Service>,
    call: Call,
    Auth(caller): Auth,
    body: Body<Create<TriggerBody>>,
) -> Answer<Accepted> {
    let work = async {
        let mut body = body.0.params.unwrap_or_default();
        let message = shapes::TRIGGER_MESSAGE;
        body.name = Some(map::name(message, body.name)?);
        body.description = map::description(message, body.description)?;
        shapes::check(&body, service.now())?;
        let id = body.resource_uuid.take();
        let object = keep(&service, &caller, TRIGGERS, id.as_deref(), &body).await?;
        Outcome::done(&One::new(
            shapes::trigger(&object, &body, &[], &[]),
            call.schema,
        ))
    };
    call.run(&service, &caller, TIMEOUT, work).await
}

/// Changes a trigger, or runs what is bound to it.
#[utoipa::path(
    put,
    path = "/zstack/v1/scheduler/triggers/{uuid}/actions",
    operation_id = "UpdateSchedulerTrigger",
    params(("uuid" = String, Path)),
    request_body = Object,
    responses((status = 202, body = Accepted), (status = 503, body = Failed)),
)]
pub(crate) async fn act_on_trigger(
    State(service): State<Service>,
    call: Call,
    Late(auth): Late,
    uri: Uri,
    uuid: PathParams<String>,
    body: Body<Map<String, Value>>,
) -> Answer<Accepted> {
    let names = ["updateSchedulerTrigger", "runSchedulerTrigger"];
    let (name, content) = action(&uri, &body.0, &names)?;
    let Auth(caller) = auth?;
    let work = async {
        let named = ("uuid", uuid.0.as_str());
        let (object, body) = one::<TriggerBody>(&service, &caller, &[TRIGGERS], named).await?;
        if name == "updateSchedulerTrigger" {
            let change = parameters(content)?;
            update(&service, &caller, &object, body, change, call.schema).await
        } else {
            run(&service, &caller, &object, parameters(content)?).await
        }
    };
    call.run(&service, &caller, TIMEOUT, work).await
}

async fn update(
    service: &Service,
    caller: &Caller,
    object: &FaceObject,
    mut body: TriggerBody,
    change: TriggerBody,
    schema: bool,
) -> Result<Outcome, Error> {
    let message = "org.zstack.header.scheduler.APIUpdateSchedulerTriggerMsg";
    body.name = map::new_name(message, change.name)?.or(body.name);
    body.description = map::description(message, change.description)?.or(body.description);
    body.scheduler_type = change.scheduler_type.or(body.scheduler_type);
    body.scheduler_interval = change.scheduler_interval.or(body.scheduler_interval);
    body.repeat_count = change.repeat_count.or(body.repeat_count);
    body.start_time = change.start_time.or(body.start_time);
    body.cron = change.cron.or(body.cron);
    shapes::check(&body, service.now())?;
    let schedule = shapes::schedule(&body)?;
    let policies = bindings_of(service, caller, shapes::TRIGGER, object).await?;
    for policy in &policies {
        let change = UpdatePolicy {
            schedule: Some(schedule.clone()),
            ..UpdatePolicy::default()
        };
        service
            .update_policy(caller, policy.id, None, change)
            .await?;
    }
    let content = serde_json::to_value(&body)?;
    let object = service.update_object(caller, object, content).await?;
    let row = shapes::trigger(&object, &body, &policies, &[]);
    Outcome::done(&One::new(row, schema))
}

async fn run(
    service: &Service,
    caller: &Caller,
    object: &FaceObject,
    RunTrigger { job_uuids }: RunTrigger,
) -> Result<Outcome, Error> {
    let mut known = service.list_objects(caller, JOBS).await?;
    known.extend(service.list_objects(caller, GROUPS).await?);
    all_known("jobUuids", &job_uuids, "SchedulerJobVO", |uuid| {
        known.iter().any(|it| it.id.simple() == uuid)
    })?;
    for policy in bindings_of(service, caller, shapes::TRIGGER, object).await? {
        let job = policy.annotations.text(shapes::JOB).unwrap_or_default();
        if job_uuids.is_empty() || job_uuids.iter().any(|it| it == job) {
            service.run_policy(caller, policy.id).await?;
        }
    }
    Outcome::done(&Empty {})
}

/// Deletes a trigger, and unbinds it.
#[utoipa::path(
    delete,
    path = "/zstack/v1/scheduler/triggers/{uuid}",
    operation_id = "DeleteSchedulerTrigger",
    params(("uuid" = String, Path)),
    responses((status = 202, body = Accepted), (status = 503, body = Failed)),
)]
pub(crate) async fn delete_trigger(
    State(service): State<Service>,
    call: Call,
    Auth(caller): Auth,
    uuid: PathParams<String>,
) -> Answer<Accepted> {
    let work = async {
        remove(&service, &caller, &[TRIGGERS], shapes::TRIGGER, &uuid.0).await?;
        Outcome::done(&Empty {})
    };
    call.run(&service, &caller, TIMEOUT, work).await
}
