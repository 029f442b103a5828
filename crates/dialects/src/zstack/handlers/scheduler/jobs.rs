//! Scheduler jobs and groups of them. A group is a job of its own here: what the vendor's clients
//! group are backups of several databases, and the one there is needs no group.

use axum::{extract::State, http::Uri};
use serde_json::{Map, Value};
use strongroom_domain::{object::FaceObject, policy::Policy};
use strongroom_service::{Caller, Service, policies::UpdatePolicy};

use super::{GROUPS, JOBS, all, bindings, bindings_of, keep, one, remove};
use crate::zstack::{
    auth::Auth,
    call::{Call, Outcome, TIMEOUT},
    error::{Code, Error},
    handlers::{Answer, Body, PathParams, action, parameters},
    map::{self, scheduler as shapes},
    wire::{
        reply::{Accepted, Empty, Failed, One},
        scheduler::{Create, GroupChange, JobBody, SchedulerJob, SchedulerJobGroup},
    },
};

/// The tenant's scheduler jobs.
pub(crate) async fn jobs(service: &Service, caller: &Caller) -> Result<Vec<SchedulerJob>, Error> {
    rows(service, caller, JOBS, shapes::job).await
}

/// The tenant's groups of them.
pub(crate) async fn groups(
    service: &Service,
    caller: &Caller,
) -> Result<Vec<SchedulerJobGroup>, Error> {
    rows(service, caller, GROUPS, shapes::group).await
}

async fn rows<T>(
    service: &Service,
    caller: &Caller,
    kind: &str,
    row: fn(&FaceObject, &JobBody, &[Policy]) -> T,
) -> Result<Vec<T>, Error> {
    let policies = bindings(service, caller).await?;
    let jobs = all::<JobBody>(service, caller, kind).await?;
    Ok(jobs
        .iter()
        .map(|(object, body)| row(object, body, &policies))
        .collect())
}

/// Creates a scheduler job; it runs once it is bound to a trigger.
#[utoipa::path(
    post,
    path = "/zstack/v1/scheduler/jobs",
    operation_id = "CreateSchedulerJob",
    request_body = Create<JobBody>,
    responses((status = 202, body = Accepted), (status = 503, body = Failed)),
)]
pub(crate) async fn create_job(
    State(service): State<Service>,
    call: Call,
    Auth(caller): Auth,
    body: Body<Create<JobBody>>,
) -> Answer<Accepted> {
    let work = async {
        let message = "org.zstack.header.scheduler.APICreateSchedulerJobMsg";
        let mut body = body.0.params.unwrap_or_default();
        let target = map::mandatory_of(message, "targetResourceUuid", body.target_resource_uuid)?;
        body.target_resource_uuid = Some(target);
        let (object, body) = create(&service, &caller, JOBS, message, body).await?;
        Outcome::done(&One::new(shapes::job(&object, &body, &[]), call.schema))
    };
    call.run(&service, &caller, TIMEOUT, work).await
}

/// Creates a group of scheduler jobs.
#[utoipa::path(
    post,
    path = "/zstack/v1/scheduler/jobgroups",
    operation_id = "CreateSchedulerJobGroup",
    request_body = Create<JobBody>,
    responses((status = 202, body = Accepted), (status = 503, body = Failed)),
)]
pub(crate) async fn create_group(
    State(service): State<Service>,
    call: Call,
    Auth(caller): Auth,
    body: Body<Create<JobBody>>,
) -> Answer<Accepted> {
    let work = async {
        let message = "org.zstack.header.scheduler.APICreateSchedulerJobGroupMsg";
        let body = body.0.params.unwrap_or_default();
        let (object, body) = create(&service, &caller, GROUPS, message, body).await?;
        let group = shapes::group(&object, &body, &[]);
        Outcome::done(&One::new(group, call.schema))
    };
    call.run(&service, &caller, TIMEOUT, work).await
}

async fn create(
    service: &Service,
    caller: &Caller,
    kind: &str,
    message: &str,
    mut body: JobBody,
) -> Result<(FaceObject, JobBody), Error> {
    let name = map::name(message, body.name)?;
    body.description = map::description(message, body.description)?;
    let job_type = map::mandatory_of(message, "type", body.job_type)?;
    if job_type != shapes::DATABASE_BACKUP {
        let details = format!("No SchedulerJobFactory of type[{job_type}] found");
        return Err(Error::api(Code::InvalidArgument, details));
    }
    body.name = Some(name);
    body.job_type = Some(job_type);
    check(service, caller, &body).await?;
    let id = body.resource_uuid.take();
    let object = keep(service, caller, kind, id.as_deref(), &body).await?;
    Ok((object, body))
}

/// Checks what a job keeps and where.
async fn check(service: &Service, caller: &Caller, body: &JobBody) -> Result<(), Error> {
    shapes::retention(body)?;
    let storages = shapes::storages(body)?;
    shapes::remote(body)?;
    let remote = shapes::remote_storage(body);
    let known = service.list_repositories(caller).await?;
    let is_known = |uuid: &str| known.iter().any(|it| map::uuid(uuid) == Some(it.id.uuid()));
    // A copy beside the backup itself would be none.
    let beside = remote.filter(|it| storages.contains(it));
    let mut named = storages.into_iter().chain(remote);
    match beside.or_else(|| named.find(|uuid| !is_known(uuid))) {
        None => Ok(()),
        Some(uuid) => Err(shapes::unexpected_storage(uuid)),
    }
}

/// Changes a scheduler job, and what it is bound to.
#[utoipa::path(
    put,
    path = "/zstack/v1/scheduler/jobs/{uuid}/actions",
    operation_id = "UpdateSchedulerJob",
    params(("uuid" = String, Path)),
    request_body = Object,
    responses((status = 202, body = Accepted), (status = 503, body = Failed)),
)]
pub(crate) async fn update_job(
    State(service): State<Service>,
    call: Call,
    Auth(caller): Auth,
    uri: Uri,
    uuid: PathParams<String>,
    body: Body<Map<String, Value>>,
) -> Answer<Accepted> {
    let (_, content) = action(&uri, &body.0, &["updateSchedulerJob"])?;
    let change: JobBody = parameters(content)?;
    let work = async {
        let message = "org.zstack.header.scheduler.APIUpdateSchedulerJobMsg";
        let change = checked(message, change)?;
        let kinds = [JOBS, GROUPS];
        let (object, body, policies) =
            update(&service, &caller, &kinds, &uuid.0, change, None).await?;
        let job = shapes::job(&object, &body, &policies);
        Outcome::done(&One::new(job, call.schema))
    };
    call.run(&service, &caller, TIMEOUT, work).await
}

/// Changes a group of scheduler jobs, and what it is bound to.
#[utoipa::path(
    put,
    path = "/zstack/v1/scheduler/jobgroups/{uuid}/actions",
    operation_id = "UpdateSchedulerJobGroup",
    params(("uuid" = String, Path)),
    request_body = Object,
    responses((status = 202, body = Accepted), (status = 503, body = Failed)),
)]
pub(crate) async fn update_group(
    State(service): State<Service>,
    call: Call,
    Auth(caller): Auth,
    uri: Uri,
    uuid: PathParams<String>,
    body: Body<Map<String, Value>>,
) -> Answer<Accepted> {
    let (_, content) = action(&uri, &body.0, &["updateSchedulerJobGroup"])?;
    let GroupChange { job, state } = parameters(content)?;
    let work = async {
        let message = "org.zstack.header.scheduler.APIUpdateSchedulerJobGroupMsg";
        let job = checked(message, job)?;
        let disabled = state.as_deref().map(shapes::is_disabled).transpose()?;
        let (object, body, policies) =
            update(&service, &caller, &[GROUPS], &uuid.0, job, disabled).await?;
        let group = shapes::group(&object, &body, &policies);
        Outcome::done(&One::new(group, call.schema))
    };
    call.run(&service, &caller, TIMEOUT, work).await
}

/// Checks the texts of a change.
fn checked(message: &str, change: JobBody) -> Result<JobBody, Error> {
    Ok(JobBody {
        name: map::new_name(message, change.name)?,
        description: map::description(message, change.description)?,
        ..change
    })
}

async fn update(
    service: &Service,
    caller: &Caller,
    kinds: &[&str],
    uuid: &str,
    change: JobBody,
    disabled: Option<bool>,
) -> Result<(FaceObject, JobBody, Vec<Policy>), Error> {
    let (object, mut body) = one::<JobBody>(service, caller, kinds, ("uuid", uuid)).await?;
    body.name = change.name.or(body.name);
    body.description = change.description.or(body.description);
    body.parameters.extend(change.parameters);
    body.disabled = disabled.unwrap_or(body.disabled);
    check(service, caller, &body).await?;
    let (object, policies) = write(service, caller, &object, &body).await?;
    Ok((object, body, policies))
}

/// Writes a changed job, and changes the policies that it is part of.
pub(super) async fn write(
    service: &Service,
    caller: &Caller,
    object: &FaceObject,
    body: &JobBody,
) -> Result<(FaceObject, Vec<Policy>), Error> {
    let policies = bindings_of(service, caller, shapes::JOB, object).await?;
    for policy in &policies {
        let storages = bindings::known_storages(service, caller, body).await?;
        let change = UpdatePolicy {
            repositories: Some(storages),
            ..shapes::change(body)?
        };
        service
            .update_policy(caller, policy.id, None, change)
            .await?;
    }
    let content = serde_json::to_value(body)?;
    let object = service.update_object(caller, object, content).await?;
    Ok((object, policies))
}

/// Deletes a scheduler job, and unbinds it.
#[utoipa::path(
    delete,
    path = "/zstack/v1/scheduler/jobs/{uuid}",
    operation_id = "DeleteSchedulerJob",
    params(("uuid" = String, Path)),
    responses((status = 202, body = Accepted), (status = 503, body = Failed)),
)]
pub(crate) async fn delete_job(
    State(service): State<Service>,
    call: Call,
    Auth(caller): Auth,
    uuid: PathParams<String>,
) -> Answer<Accepted> {
    let work = async {
        remove(&service, &caller, &[JOBS], shapes::JOB, &uuid.0).await?;
        Outcome::done(&Empty {})
    };
    call.run(&service, &caller, TIMEOUT, work).await
}

/// Deletes a group of scheduler jobs, and unbinds it.
#[utoipa::path(
    delete,
    path = "/zstack/v1/scheduler/jobgroups/{uuid}",
    operation_id = "DeleteSchedulerJobGroup",
    params(("uuid" = String, Path)),
    responses((status = 202, body = Accepted), (status = 503, body = Failed)),
)]
pub(crate) async fn delete_group(
    State(service): State<Service>,
    call: Call,
    Auth(caller): Auth,
    uuid: PathParams<String>,
) -> Answer<Accepted> {
    let work = async {
        remove(&service, &caller, &[GROUPS], shapes::JOB, &uuid.0).await?;
        Outcome::done(&Empty {})
    };
    call.run(&service, &caller, TIMEOUT, work).await
}
