//! Binding jobs to triggers, switching jobs, and what they did.

use axum::{extract::State, http::Uri};
use serde_json::{Map, Value};
use strongroom_domain::{
    Face, Page, ResourceId,
    object::FaceObject,
    policy::Policy,
    query::{BackupField, Direction, Filter, Sort},
};
use strongroom_service::{Caller, Service, policies::CreatePolicy, resources::ResourceFilter};

use super::{GROUPS, JOBS, TRIGGERS, bindings, bindings_of, jobs::write, one};
use crate::zstack::{
    auth::Auth,
    call::{Call, Outcome, TIMEOUT},
    error::{Code, Error},
    handlers::{Answer, Body, PathParams, action, inventory::listed, parameters, storages},
    map::{self, scheduler as shapes},
    wire::{
        reply::{Accepted, Empty, Failed, Listed, One},
        scheduler::{self, Bind, Create, JobBody, JobHistory, TriggerBody},
        storage::StorageState,
    },
};

/// Binds a job to a trigger: from now on it runs.
#[utoipa::path(
    post,
    path = "/zstack/v1/scheduler/jobs/{job}/scheduler/triggers/{trigger}",
    operation_id = "AddSchedulerJobToSchedulerTrigger",
    params(("job" = String, Path), ("trigger" = String, Path)),
    request_body = Create<Bind>,
    responses((status = 202, body = Accepted), (status = 503, body = Failed)),
)]
pub(crate) async fn bind_job(
    State(service): State<Service>,
    call: Call,
    Auth(caller): Auth,
    path: PathParams<(String, String)>,
    body: Body<Create<Bind>>,
) -> Answer<Accepted> {
    let now = body.0.params.unwrap_or_default().trigger_now;
    let work = bind(&service, &caller, JOBS, &path.0, now, call.schema);
    call.run(&service, &caller, TIMEOUT, work).await
}

/// Binds a group of jobs to a trigger.
#[utoipa::path(
    post,
    path = "/zstack/v1/scheduler/jobgroups/{job}/scheduler/triggers/{trigger}",
    operation_id = "AddSchedulerJobGroupToSchedulerTrigger",
    params(("job" = String, Path), ("trigger" = String, Path)),
    request_body = Create<Bind>,
    responses((status = 202, body = Accepted), (status = 503, body = Failed)),
)]
pub(crate) async fn bind_group(
    State(service): State<Service>,
    call: Call,
    Auth(caller): Auth,
    path: PathParams<(String, String)>,
    body: Body<Create<Bind>>,
) -> Answer<Accepted> {
    let now = body.0.params.unwrap_or_default().trigger_now;
    let work = bind(&service, &caller, GROUPS, &path.0, now, call.schema);
    call.run(&service, &caller, TIMEOUT, work).await
}

async fn bind(
    service: &Service,
    caller: &Caller,
    kind: &str,
    (job, trigger): &(String, String),
    now: bool,
    schema: bool,
) -> Result<Outcome, Error> {
    let job = one::<JobBody>(service, caller, &[kind], ("schedulerJobUuid", job)).await?;
    let named = ("schedulerTriggerUuid", trigger.as_str());
    let trigger = one::<TriggerBody>(service, caller, &[TRIGGERS], named).await?;
    let bound = bindings_of(service, caller, shapes::JOB, &job.0).await?;
    let trigger_uuid = trigger.0.id.simple();
    let same = |text: Option<&str>| text == Some(trigger_uuid.as_str());
    if bound
        .iter()
        .any(|it| same(it.annotations.text(shapes::TRIGGER)))
    {
        return Err(refused(&job.0, "twice to the same", &trigger_uuid));
    }
    if shapes::check(&trigger.1, service.now()).is_err() {
        return Err(refused(&job.0, "to a out of time", &trigger_uuid));
    }
    let database = database_of(service, caller, &job.1).await?;
    let request = shapes::policy((&job.0, &job.1), (&trigger.0, &trigger.1), database)?;
    let request = CreatePolicy {
        repository_id: Some(usable_storage(service, caller, &job.1).await?),
        ..request
    };
    let policy = service.create_policy(caller, request).await?;
    if now {
        service.run_policy(caller, policy.id).await?;
    }
    Outcome::done(&One::new(shapes::bound(&policy), schema))
}

/// That a job is not bound to a trigger, in the vendor's words.
fn refused(job: &FaceObject, how: &str, trigger: &str) -> Error {
    let job = job.id.simple();
    let details = format!("Can not add job[uuid:{job}] {how} trigger[uuid:{trigger}]");
    Error::api(Code::InvalidArgument, details)
}

/// The database that a job is about: its target if that is one, else the default one.
async fn database_of(
    service: &Service,
    caller: &Caller,
    job: &JobBody,
) -> Result<ResourceId, Error> {
    let shown = ResourceFilter {
        face: Some(Face::Zstack),
        ..ResourceFilter::default()
    };
    let databases = service
        .list_resources(caller, &shown, &Page::ALL)
        .await?
        .items;
    let target = job.target_resource_uuid.as_deref().and_then(map::uuid);
    let named = databases.iter().find(|it| Some(it.id.uuid()) == target);
    match named {
        Some(database) => Ok(database.id),
        None => Ok(map::default_database(&databases)?.id),
    }
}

/// The first of a job's storages that can be used now.
pub(super) async fn usable_storage(
    service: &Service,
    caller: &Caller,
    job: &JobBody,
) -> Result<strongroom_domain::RepositoryId, Error> {
    for uuid in shapes::storages(job)? {
        let found = storages::find_storage(service, caller, "backupStorageUuids", uuid).await;
        match found {
            Ok(found) if storages::check_usable(&found).is_ok() => return Ok(found.id),
            // It was removed since, or takes no backups now: the next one may do.
            Ok(_)
            | Err(Error::Api {
                code: Code::NotFound,
                ..
            }) => {}
            Err(other) => return Err(other),
        }
    }
    let details = "No available backup storage found, skip this job";
    Err(Error::api(Code::Failed, details))
}

/// Unbinds a job from a trigger; what is not bound is unbound already.
#[utoipa::path(
    delete,
    path = "/zstack/v1/scheduler/jobs/{job}/scheduler/triggers/{trigger}",
    operation_id = "RemoveSchedulerJobFromSchedulerTrigger",
    params(("job" = String, Path), ("trigger" = String, Path)),
    responses((status = 202, body = Accepted), (status = 503, body = Failed)),
)]
pub(crate) async fn unbind_job(
    State(service): State<Service>,
    call: Call,
    Auth(caller): Auth,
    path: PathParams<(String, String)>,
) -> Answer<Accepted> {
    let work = unbind(&service, &caller, &path.0);
    call.run(&service, &caller, TIMEOUT, work).await
}

/// Unbinds a group of jobs from a trigger.
#[utoipa::path(
    delete,
    path = "/zstack/v1/scheduler/jobgroups/{job}/scheduler/triggers/{trigger}",
    operation_id = "RemoveSchedulerJobGroupFromSchedulerTrigger",
    params(("job" = String, Path), ("trigger" = String, Path)),
    responses((status = 202, body = Accepted), (status = 503, body = Failed)),
)]
pub(crate) async fn unbind_group(
    State(service): State<Service>,
    call: Call,
    Auth(caller): Auth,
    path: PathParams<(String, String)>,
) -> Answer<Accepted> {
    let work = unbind(&service, &caller, &path.0);
    call.run(&service, &caller, TIMEOUT, work).await
}

async fn unbind(
    service: &Service,
    caller: &Caller,
    (job, trigger): &(String, String),
) -> Result<Outcome, Error> {
    for policy in bindings(service, caller).await? {
        let text = |key| policy.annotations.text(key).unwrap_or_default();
        if text(shapes::JOB) == job && text(shapes::TRIGGER) == trigger {
            service.delete_policy(caller, policy.id, None).await?;
        }
    }
    Outcome::done(&Empty {})
}

/// Switches a job on or off.
#[utoipa::path(
    put,
    path = "/zstack/v1/schedulers/{uuid}",
    operation_id = "ChangeSchedulerState",
    params(("uuid" = String, Path)),
    request_body = Object,
    responses((status = 202, body = Accepted), (status = 503, body = Failed)),
)]
pub(crate) async fn switch_job(
    State(service): State<Service>,
    call: Call,
    Auth(caller): Auth,
    uri: Uri,
    uuid: PathParams<String>,
    body: Body<Map<String, Value>>,
) -> Answer<Accepted> {
    let (_, content) = action(&uri, &body.0, &["changeSchedulerState"])?;
    let change: StorageState = parameters(content)?;
    let work = async {
        let message = "org.zstack.header.scheduler.APIChangeSchedulerStateMsg";
        let event = map::mandatory_of(message, "stateEvent", change.state_event)?;
        let named = ("uuid", uuid.0.as_str());
        let (object, mut body) = one::<JobBody>(&service, &caller, &[JOBS, GROUPS], named).await?;
        body.disabled = !map::enabled_by(message, &event)?;
        write(&service, &caller, &object, &body, call.schema).await
    };
    call.run(&service, &caller, TIMEOUT, work).await
}

/// What bound jobs did, oldest first.
pub(crate) async fn histories(
    service: &Service,
    caller: &Caller,
) -> Result<Vec<JobHistory>, Error> {
    let policies = bindings(service, caller).await?;
    let ids = policies.iter().map(|it| it.id.uuid().into()).collect();
    let made = Filter::In(BackupField::PolicyId, ids);
    let oldest = [Sort::new(BackupField::CreatedAt, Direction::Ascending)];
    let backups = service
        .list_backups(caller, &made, &oldest, &Page::ALL)
        .await?;
    let groups = service.list_objects(caller, GROUPS).await?;
    let of_group = |policy: &Policy| {
        let job = policy.annotations.text(shapes::JOB).unwrap_or_default();
        groups.iter().any(|it| it.id.simple() == job)
    };
    let rows = (1..).zip(&backups.items).filter_map(|(number, backup)| {
        let policy = policies.iter().find(|it| Some(it.id) == backup.policy_id)?;
        let of_group = of_group(policy);
        Some(shapes::history(number, policy, of_group, backup))
    });
    Ok(rows.collect())
}

/// Lists the runs of jobs that meet the conditions.
#[utoipa::path(
    get,
    path = "/zstack/v1/scheduler/job/history",
    operation_id = "QuerySchedulerJobHistory",
    params(("q" = Option<Vec<String>>, Query)),
    responses((status = 200, body = Listed<JobHistory>), (status = 503, body = Failed)),
)]
pub(crate) async fn list_histories(
    State(service): State<Service>,
    _: Call,
    Auth(caller): Auth,
    uri: Uri,
) -> Answer<Listed<JobHistory>> {
    let rows = histories(&service, &caller).await?;
    listed(&service, &caller, &uri, &scheduler::HISTORIES, rows).await
}
