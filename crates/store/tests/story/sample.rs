//! One of each noun, and a store with what they refer to.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use strongroom_domain::{
    Annotations, Backup, BackupId, BackupState, EventId, Face, Ids as _, JobId, Label, OperationId,
    Principal, PrincipalId, RepositoryId, Resource, ResourceId, ResourceKind, Role, TenantId,
    Trigger,
    backup::{BackupProgress, FailedEntry},
    event::Event,
    job::{Job, JobState, Lock, Work},
    operation::{Operation, OperationKind, OperationState, Subject},
    repository::{Repository, RepositoryState},
    resource::Settings,
    tenant::Tenant,
};
use strongroom_store::Store;
use strongroom_testkit::{Database, Engine, TestIds};
use uuid::Uuid;

/// A store with a tenant, its owner, a repository and a resource.
pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) ids: TestIds,
    pub(crate) tenant: TenantId,
    pub(crate) principal: PrincipalId,
    pub(crate) repository: RepositoryId,
    pub(crate) resource: ResourceId,
    pub(crate) database: Database,
}

pub(crate) fn start() -> Timestamp {
    "2026-03-01T12:00:00.123456Z".parse().unwrap()
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    start() + SignedDuration::from_secs(seconds)
}

pub(crate) fn annotations() -> Annotations {
    let mut kept = Annotations::default();
    kept.set(
        "cbr.billing",
        serde_json::json!({"charging_mode": "post_paid", "n": 1.50}),
    );
    kept.set("astra.note", "a NUL \u{0} stays");
    kept
}

pub(crate) fn labels() -> Vec<Label> {
    vec![Label {
        name: "tier".to_owned(),
        value: "größe".to_owned(),
    }]
}

impl World {
    pub(crate) async fn new(engine: Engine) -> Self {
        let database = Database::new(engine).await;
        let store = database.store().await;
        let ids = TestIds::default();
        let world = Self {
            store,
            tenant: TenantId::from_uuid(ids.uuid()),
            principal: PrincipalId::from_uuid(ids.uuid()),
            repository: RepositoryId::from_uuid(ids.uuid()),
            resource: ResourceId::from_uuid(ids.uuid()),
            ids,
            database,
        };
        let mut tx = world.store.begin().await.unwrap();
        tx.insert_tenant(&Self::tenant("alpha", world.tenant))
            .await
            .unwrap();
        tx.insert_principal(&Principal {
            id: world.principal,
            tenant_id: world.tenant,
            name: "owner".to_owned(),
            role: Role::Owner,
            created_at: start(),
        })
        .await
        .unwrap();
        tx.insert_repository(&world.repository()).await.unwrap();
        let resource = world.resource("home", world.resource);
        tx.insert_resource(&resource).await.unwrap();
        tx.commit().await.unwrap();
        world
    }

    pub(crate) fn uuid(&self) -> Uuid {
        self.ids.uuid()
    }

    pub(crate) fn tenant(name: &str, id: TenantId) -> Tenant {
        Tenant {
            id,
            name: name.to_owned(),
            created_at: start(),
        }
    }

    /// Another tenant with a resource of its own.
    pub(crate) async fn other_tenant(&self, name: &str) -> (TenantId, ResourceId) {
        let tenant = TenantId::from_uuid(self.uuid());
        let id = ResourceId::from_uuid(self.uuid());
        let mut tx = self.store.begin().await.unwrap();
        tx.insert_tenant(&Self::tenant(name, tenant)).await.unwrap();
        let mut resource = self.resource("home", id);
        resource.tenant_id = tenant;
        tx.insert_resource(&resource).await.unwrap();
        tx.commit().await.unwrap();
        (tenant, id)
    }

    pub(crate) fn repository(&self) -> Repository {
        Repository {
            id: self.repository,
            tenant_id: self.tenant,
            name: "default".to_owned(),
            description: Some("on the attic".to_owned()),
            url: "/srv/repo".to_owned(),
            enabled: false,
            is_default: true,
            state: RepositoryState::Ready,
            reason: None,
            sealed_master_key: vec![0, 255, 7],
            stored_bytes: 1 << 40,
            capacity_bytes: Some(i64::MAX as u64),
            annotations: annotations(),
            created_at: start(),
            updated_at: start(),
            version: 1,
        }
    }

    pub(crate) fn resource(&self, name: &str, id: ResourceId) -> Resource {
        Resource {
            id,
            tenant_id: self.tenant,
            kind: ResourceKind::Files,
            face: Some(Face::Cbr),
            name: name.to_owned(),
            settings: Settings(BTreeMap::from([("path".to_owned(), "/home".to_owned())])),
            size_bytes: Some(4096),
            labels: labels(),
            annotations: annotations(),
            created_at: start(),
            updated_at: start(),
            deleted_at: None,
            version: 1,
        }
    }

    pub(crate) fn backup(&self) -> Backup {
        Backup {
            id: BackupId::from_uuid(self.uuid()),
            tenant_id: self.tenant,
            resource_id: self.resource,
            resource_name: "home".to_owned(),
            kind: ResourceKind::Files,
            face: Some(Face::Cbr),
            repository_id: self.repository,
            vault_id: None,
            checkpoint_id: None,
            policy_id: None,
            parent_id: None,
            name: "nightly".to_owned(),
            description: Some("before the upgrade".to_owned()),
            state: BackupState::Pending,
            trigger: Trigger::Manual,
            scheduled_for: None,
            progress: BackupProgress {
                bytes_done: 1,
                bytes_total: Some(2),
                entries_done: 3,
            },
            source_bytes: Some(4),
            stored_bytes: None,
            entries: Some(5),
            snapshot: Some("ab".repeat(32)),
            reason: None,
            failed_entries: vec![FailedEntry {
                path: "/etc/shadow".to_owned(),
                phase: "open".to_owned(),
                message: "permission denied".to_owned(),
            }],
            failed_entry_count: 1,
            created_by: Some(self.principal),
            labels: labels(),
            annotations: annotations(),
            created_at: start(),
            updated_at: start(),
            started_at: Some(at(1)),
            finished_at: None,
            expires_at: Some(at(86_400)),
            version: 1,
        }
    }

    pub(crate) fn operation(&self, backup: BackupId) -> Operation {
        Operation {
            id: OperationId::from_uuid(self.uuid()),
            tenant_id: self.tenant,
            kind: OperationKind::Backup,
            face: Some(Face::Zstack),
            subject: Some(Subject::Backup(backup)),
            state: OperationState::Pending,
            percent: 0,
            error: None,
            annotations: annotations(),
            created_by: Some(self.principal),
            created_at: start(),
            updated_at: start(),
            started_at: None,
            finished_at: None,
        }
    }

    pub(crate) fn event(&self, seconds: i64) -> Event {
        Event {
            id: EventId::from_uuid(self.uuid()),
            tenant_id: self.tenant,
            at: at(seconds),
            name: "backup.requested".to_owned(),
            subject: Some(Subject::Resource(self.resource)),
            principal_id: Some(self.principal),
            details: serde_json::json!({"why": ["asked"]}),
        }
    }

    pub(crate) fn job(&self, locks: Vec<Lock>) -> Job {
        Job {
            id: JobId::from_uuid(self.uuid()),
            tenant_id: self.tenant,
            work: Work::RunBackup {
                backup: BackupId::from_uuid(self.uuid()),
            },
            locks,
            priority: 10,
            state: JobState::Queued,
            run_at: start(),
            attempts: 0,
            fence: 0,
            lease_until: None,
            cancel_requested: false,
            operation_id: Some(OperationId::from_uuid(self.uuid())),
            checkpoint: None,
            last_error: None,
            created_at: start(),
        }
    }

    pub(crate) async fn insert_backups(&self, backups: &[Backup]) {
        let mut tx = self.store.begin().await.unwrap();
        for backup in backups {
            assert!(tx.insert_backup(backup).await.unwrap());
        }
        tx.commit().await.unwrap();
    }
}
