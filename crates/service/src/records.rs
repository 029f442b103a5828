//! The records that accompany every change: events and operations.

use strongroom_domain::{
    Annotations, EventId, JobId, OperationId, PrincipalId, TenantId,
    event::Event,
    job::{Job, JobState, Lock, Work},
    operation::{Operation, OperationKind, OperationState, Subject},
};

use crate::{Caller, Service};

/// Priority of what somebody waits for; lower runs first.
pub(crate) const INTERACTIVE: i32 = 0;
/// Priority of what a schedule started.
pub(crate) const SCHEDULED: i32 = 10;
/// Priority of what nobody waits for.
pub(crate) const MAINTENANCE: i32 = 20;

impl Service {
    /// An event that the caller caused.
    pub(crate) fn event(&self, caller: &Caller, name: &str, subject: Option<Subject>) -> Event {
        let principal = Some(caller.principal_id);
        self.event_of(
            caller.tenant_id,
            principal,
            name,
            subject,
            serde_json::Value::Null,
        )
    }

    /// An event that nobody in particular caused.
    pub(crate) fn system_event(
        &self,
        tenant: TenantId,
        name: &str,
        subject: Subject,
        details: serde_json::Value,
    ) -> Event {
        self.event_of(tenant, None, name, Some(subject), details)
    }

    fn event_of(
        &self,
        tenant_id: TenantId,
        principal_id: Option<PrincipalId>,
        name: &str,
        subject: Option<Subject>,
        details: serde_json::Value,
    ) -> Event {
        Event {
            id: EventId::from_uuid(self.uuid()),
            tenant_id,
            at: self.now(),
            name: name.to_owned(),
            subject,
            principal_id,
            details,
        }
    }

    /// The record of work that is about to be queued for the caller.
    pub(crate) fn operation_of(
        &self,
        caller: &Caller,
        kind: OperationKind,
        subject: Option<Subject>,
        id: Option<OperationId>,
        annotations: Annotations,
    ) -> Operation {
        let mut operation = self.system_operation(caller.tenant_id, kind, subject);
        if let Some(id) = id {
            operation.id = id;
        }
        operation.face = caller.face;
        operation.annotations = annotations;
        operation.created_by = Some(caller.principal_id);
        operation
    }

    /// The record of work that a schedule or the system itself queues.
    pub(crate) fn system_operation(
        &self,
        tenant_id: TenantId,
        kind: OperationKind,
        subject: Option<Subject>,
    ) -> Operation {
        let now = self.now();
        Operation {
            id: OperationId::from_uuid(self.uuid()),
            tenant_id,
            kind,
            face: None,
            subject,
            state: OperationState::Pending,
            percent: 0,
            error: None,
            annotations: Annotations::default(),
            created_by: None,
            created_at: now,
            updated_at: now,
            started_at: None,
            finished_at: None,
        }
    }

    /// A job to be queued now.
    pub(crate) fn job(
        &self,
        tenant_id: TenantId,
        work: Work,
        locks: Vec<Lock>,
        priority: i32,
        operation_id: Option<OperationId>,
    ) -> Job {
        let now = self.now();
        Job {
            id: JobId::from_uuid(self.uuid()),
            tenant_id,
            work,
            locks,
            priority,
            state: JobState::Queued,
            run_at: now,
            attempts: 0,
            fence: 0,
            lease_until: None,
            cancel_requested: false,
            operation_id,
            checkpoint: None,
            last_error: None,
            created_at: now,
        }
    }
}
