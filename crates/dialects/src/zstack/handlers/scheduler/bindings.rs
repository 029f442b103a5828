//! Binding jobs to triggers, switching jobs, and what they did.

use axum::{extract::State, http::Uri};
use serde_json::{Map, Value};
use strongroom_domain::{
    Face, Page, PolicyId, RepositoryId, ResourceId,
    object::FaceObject,
    policy::Policy,
    query::{BackupField, Direction, Filter, Sort},
};
use strongroom_service::{
    Caller, Service,
    policies::{CreatePolicy, NO_REPOSITORY},
    resources::ResourceFilter,
};

use super::{GROUPS, JOBS, TRIGGERS, bindings, bindings_of, jobs::write, one};
use crate::zstack::{
    auth::Auth,
    call::{Call, Outcome, TIMEOUT},
    error::{Code, Error},
    handlers::{Answer, Body, PathParams, action, inventory::listed, parameters},
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
    let work = async {
        let policy = bind(&service, &caller, JOBS, &path.0, now).await?;
        Outcome::done(&One::new(shapes::bound(&policy), call.schema))
    };
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
    let work = async {
        let policy = bind(&service, &caller, GROUPS, &path.0, now).await?;
        Outcome::done(&One::new(shapes::bound_group(&policy), call.schema))
    };
    call.run(&service, &caller, TIMEOUT, work).await
}

async fn bind(
    service: &Service,
    caller: &Caller,
    kind: &str,
    (job, trigger): &(String, String),
    now: bool,
) -> Result<Policy, Error> {
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
        repositories: known_storages(service, caller, &job.1).await?,
        ..request
    };
    let policy = service.create_policy(caller, request).await?;
    if now {
        service.run_policy(caller, policy.id).await?;
    }
    Ok(policy)
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

/// The storages that each run of a job chooses from, in their order; those that were removed since
/// are passed over.
pub(super) async fn known_storages(
    service: &Service,
    caller: &Caller,
    job: &JobBody,
) -> Result<Vec<RepositoryId>, Error> {
    let known = service.list_repositories(caller).await?;
    let mut storages = Vec::new();
    for uuid in shapes::storages(job)? {
        let id = map::uuid(uuid).map(RepositoryId::from_uuid);
        let id = id.filter(|id| known.iter().any(|it| it.id == *id) && !storages.contains(id));
        storages.extend(id);
    }
    if storages.is_empty() {
        return Err(Error::api(Code::Failed, shapes::NO_STORAGE));
    }
    Ok(storages)
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
    map::well_formed_in("schedulerJobUuid", job)?;
    map::well_formed_in("schedulerTriggerUuid", trigger)?;
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
        let (object, policies) = write(&service, &caller, &object, &body).await?;
        let job = shapes::job(&object, &body, &policies);
        Outcome::done(&One::new(job, call.schema))
    };
    call.run(&service, &caller, TIMEOUT, work).await
}

/// What bound jobs did, and when they could do nothing, oldest first.
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
    let skipped = service.skipped_runs(caller).await?;
    let groups = service.list_objects(caller, GROUPS).await?;
    let job = |policy: Option<PolicyId>| {
        let policy = policies.iter().find(|it| Some(it.id) == policy)?;
        let job = policy.annotations.text(shapes::JOB).unwrap_or_default();
        Some((policy, groups.iter().any(|it| it.id.simple() == job)))
    };
    let made = backups.items.iter().filter_map(|it| {
        let (policy, of_group) = job(it.policy_id)?;
        Some((it.created_at, shapes::history(policy, of_group, it)))
    });
    let skipped = skipped.iter().filter(|it| it.code == NO_REPOSITORY);
    let skipped = skipped.filter_map(|it| {
        let (policy, of_group) = job(Some(it.policy_id))?;
        Some((it.at, shapes::skipped(policy, of_group, it)))
    });
    let mut rows: Vec<_> = made.chain(skipped).collect();
    rows.sort_by_key(|(at, _)| *at);
    let rows = (1..).zip(rows);
    Ok(rows
        .map(|(id, (_, row))| JobHistory { id, ..row })
        .collect())
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
