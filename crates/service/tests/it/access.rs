//! Who may do what: another tenant's things do not exist, and a viewer changes nothing.

use std::{future::Future, pin::Pin};

use strongroom_domain::{
    Annotations, Backup, CheckpointId, Page, RepositoryId, Resource, RestoreId, Role, Secret,
    operation::Operation,
    policy::{Policy, PolicyCopy, PolicyTarget},
    query::Filter,
    restore::{ConflictPolicy, RestoreTarget},
    retention::Retention,
    schedule::Schedule,
    vault::Vault,
};
use strongroom_service::{
    Caller, Error, Service,
    backups::{DeleteBackup, RequestBackup, UpdateBackup, copies::CopyBackup},
    operations::NewOperation,
    policies::{CreatePolicy, UpdatePolicy},
    repositories::UpdateRepository,
    resources::{CreateResource, UpdateResource},
    restores::RequestRestore,
    vaults::{CreateVault, RequestCheckpoint, UpdateVault},
};
use strongroom_testkit::{TestService, service::memory_repository};

use crate::backup::restore_to;

/// One of everything, of the first tenant.
struct Things {
    t: TestService,
    resource: Resource,
    backup: Backup,
    operation: Operation,
    restore: RestoreId,
    policy: Policy,
    vault: Vault,
    checkpoint: CheckpointId,
}

impl Things {
    async fn make() -> Self {
        let t = TestService::start().await;
        let resource = t.files_with("docs", &[("a", b"alpha")]).await;
        let (backup, operation) = t.request(&resource).await;
        t.work().await;
        let request = restore_to(&backup, &t.directory().join("restored"));
        let (restore, _) = t.service.request_restore(&t.owner, request).await.unwrap();
        t.work().await;
        let policy = t
            .service
            .create_policy(&t.owner, policy(&resource))
            .await
            .unwrap();
        let request = vault(vec![resource.id], None);
        let vault = t.service.create_vault(&t.owner, request).await.unwrap();
        let view = t
            .service
            .request_checkpoint(&t.owner, checkpoint(&vault))
            .await
            .unwrap();
        t.work().await;
        let (restore, checkpoint) = (restore.id, view.checkpoint.id);
        Self {
            t,
            resource,
            backup,
            operation,
            restore,
            policy,
            vault,
            checkpoint,
        }
    }
}

fn policy(target: &Resource) -> CreatePolicy {
    CreatePolicy {
        name: "manual".to_owned(),
        description: None,
        enabled: true,
        schedule: Schedule::manual(),
        retention: Retention::default(),
        targets: vec![PolicyTarget::Resource(target.id)],
        repositories: Vec::new(),
        copy_to: None,
        labels: Vec::new(),
        annotations: Annotations::default(),
    }
}

fn vault(
    resources: Vec<strongroom_domain::ResourceId>,
    policy_id: Option<strongroom_domain::PolicyId>,
) -> CreateVault {
    CreateVault {
        name: "vault".to_owned(),
        description: None,
        repository_id: None,
        resources,
        policy_id,
        quota_bytes: 1 << 30,
        locked: false,
        labels: Vec::new(),
        annotations: Annotations::default(),
    }
}

fn checkpoint(vault: &Vault) -> RequestCheckpoint {
    RequestCheckpoint {
        vault_id: vault.id,
        resources: None,
        name: None,
        description: None,
        expires_at: None,
        automatic: false,
        policy_id: None,
        annotations: Annotations::default(),
    }
}

type Answer<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + 'a>>;
type Verb = (
    &'static str,
    for<'a> fn(&'a Service, &'a Caller, &'a Things) -> Answer<'a>,
);

fn copy_to(repository: RepositoryId) -> CopyBackup {
    CopyBackup {
        to: repository,
        from: None,
        operation: NewOperation::default(),
    }
}

/// A verb by name, with its arguments out of the first tenant's things.
macro_rules! verbs {
    ($(|$service:ident, $caller:ident, $of:ident| $verb:ident $(::$case:ident)? ($($argument:expr),* $(,)?);)*) => {
        &[$((
            concat!(stringify!($verb) $(, ":", stringify!($case))?),
            |$service, $caller, $of| Box::pin(async move {
                let _used = $of;
                $service.$verb($caller $(, $argument)*).await.map(drop)
            }),
        ),)*]
    };
}

/// The one verb that does not take its caller first.
const OPERATION: Verb = ("operation", |service, caller, of| {
    Box::pin(async move {
        service
            .operation(Some(caller), of.operation.id)
            .await
            .map(drop)
    })
});

/// Every other verb that takes an id and only looks.
const READING: &[Verb] = verbs! {
    |s, c, of| backup(of.backup.id);
    |s, c, of| browse_backup(of.backup.id, "");
    |s, c, of| repository(of.t.repository.id);
    |s, c, of| resource(of.resource.id);
    |s, c, of| resource_named(&of.resource.id.to_string());
    |s, c, of| resource_named::by_name(&of.resource.name);
    |s, c, of| restore(of.restore);
    |s, c, of| policy(of.policy.id);
    |s, c, of| vault(of.vault.id);
    |s, c, of| checkpoint(of.checkpoint);
    |s, c, of| checkpoint_operations(of.checkpoint);
    |s, c, of| tenant_by_id(of.t.owner.tenant_id);
};

/// Every verb that takes an id and changes something.
const CHANGING: &[Verb] = verbs! {
    |s, c, of| request_backup(RequestBackup::of(of.resource.id));
    |s, c, of| update_backup(of.backup.id, None, UpdateBackup::default());
    |s, c, of| cancel_backup(of.backup.id);
    |s, c, of| delete_backup(of.backup.id, DeleteBackup::default());
    |s, c, of| copy_backup(of.backup.id, copy_to(of.t.repository.id));
    |s, c, of| delete_copies(of.backup.id, &[], NewOperation::default());
    |s, c, of| create_export(of.backup.id, Some(of.t.repository.id));
    |s, c, of| delete_export(of.backup.id, of.t.repository.id);
    |s, c, of| request_restore(restore_to(&of.backup, of.t.directory()));
    |s, c, of| cancel_restore(of.restore);
    |s, c, of| check_login(of.resource.id, "root", Secret::new("x"));
    |s, c, of| update_resource(of.resource.id, None, UpdateResource::default());
    |s, c, of| delete_resource(of.resource.id, None);
    |s, c, of| create_policy(policy(&of.resource));
    |s, c, of| update_policy(of.policy.id, None, UpdatePolicy::default());
    |s, c, of| run_policy(of.policy.id);
    |s, c, of| delete_policy(of.policy.id, None);
    |s, c, of| create_vault::of_a_resource(vault(vec![of.resource.id], None));
    |s, c, of| create_vault::of_a_policy(vault(Vec::new(), Some(of.policy.id)));
    |s, c, of| update_vault(of.vault.id, None, UpdateVault::default());
    |s, c, of| add_vault_resources(of.vault.id, None, &[]);
    |s, c, of| remove_vault_resources(of.vault.id, None, &[]);
    |s, c, of| request_checkpoint(checkpoint(&of.vault));
    |s, c, of| delete_vault(of.vault.id, None);
    |s, c, of| update_repository(of.t.repository.id, None, UpdateRepository::default());
    |s, c, of| verify_repository(of.t.repository.id, NewOperation::default());
    |s, c, of| scan_repository(of.t.repository.id, NewOperation::default());
    |s, c, of| delete_repository(of.t.repository.id, None);
    |s, c, of| create_token(of.t.owner.principal_id, "token", None);
    |s, c, of| create_access_key(of.t.owner.principal_id, "key");
    |s, c, of| delete_credential(of.t.tenant.token.credential.id);
    |s, c, of| switch_credential(of.t.tenant.token.credential.id, true);
};

/// Every verb that changes something without taking an id.
const CREATING: &[Verb] = verbs! {
    |s, c, of| create_resource(CreateResource {
        kind: of.resource.kind,
        name: "another".to_owned(),
        settings: of.resource.settings.clone(),
        labels: Vec::new(),
        annotations: Annotations::default(),
    });
    |s, c, of| create_repository(memory_repository("another"));
    |s, c, of| create_principal("another", Role::Viewer, &Secret::new("long enough"));
};

#[tokio::test]
async fn another_tenants_things_are_not_found_by_any_verb() {
    let things = Things::make().await;
    let service = &things.t.service;
    let (_, other) = things.t.another_tenant("tenant-2").await;
    for (name, verb) in [OPERATION].iter().chain(READING).chain(CHANGING) {
        let answer = verb(service, &other, &things).await;
        let code = answer.as_ref().map_err(Error::code);
        assert_eq!(code, Err("not_found"), "{name}: {answer:?}");
    }
    // The tenant itself sees and may change them, so the verbs were asked for real things.
    for (name, verb) in [OPERATION].iter().chain(READING) {
        let answer = verb(service, &things.t.owner, &things).await;
        assert!(answer.is_ok(), "{name}: {answer:?}");
    }
}

#[tokio::test]
async fn another_tenants_things_cannot_be_named_in_ones_own() {
    let things = Things::make().await;
    let t = &things.t;
    let (_, other) = t.another_tenant("tenant-2").await;
    let own = CreateResource {
        kind: things.resource.kind,
        name: "own".to_owned(),
        settings: things.resource.settings.clone(),
        labels: Vec::new(),
        annotations: Annotations::default(),
    };
    let own = t.service.create_resource(&other, own).await.unwrap();
    let (backup, _) = t
        .service
        .request_backup(&other, RequestBackup::of(own.id))
        .await
        .unwrap();
    t.work().await;

    let elsewhere = RequestBackup {
        repository_id: Some(t.repository.id),
        ..RequestBackup::of(own.id)
    };
    let elsewhere = t.service.request_backup(&other, elsewhere).await;
    assert_eq!(elsewhere.unwrap_err().code(), "not_found");
    let onto = RequestRestore {
        target: RestoreTarget::Resource {
            id: things.resource.id,
        },
        conflict: ConflictPolicy::Replace,
        ..restore_to(&backup, t.directory())
    };
    let onto = t.service.request_restore(&other, onto).await;
    assert_eq!(onto.unwrap_err().code(), "not_found");
    let copied = CreatePolicy {
        copy_to: Some(PolicyCopy {
            repository_id: t.repository.id,
            retention: Retention::default(),
        }),
        ..policy(&own)
    };
    let copied = t.service.create_policy(&other, copied).await;
    assert_eq!(copied.unwrap_err().code(), "not_found");
    let page = Page::offset(100, 0);
    let listed = t
        .service
        .list_operations(&other, &Filter::default(), &[], &page)
        .await
        .unwrap();
    assert!(
        listed
            .items
            .iter()
            .all(|it| it.tenant_id == other.tenant_id)
    );
}

#[tokio::test]
async fn a_viewer_looks_at_everything_and_changes_nothing() {
    let things = Things::make().await;
    let viewer = Caller {
        role: Role::Viewer,
        ..things.t.owner.clone()
    };
    for (name, verb) in CHANGING.iter().chain(CREATING) {
        let answer = verb(&things.t.service, &viewer, &things).await;
        let code = answer.as_ref().map_err(Error::code);
        assert_eq!(code, Err("forbidden"), "{name}: {answer:?}");
    }
    for (name, verb) in [OPERATION].iter().chain(READING) {
        let answer = verb(&things.t.service, &viewer, &things).await;
        assert!(answer.is_ok(), "{name}: {answer:?}");
    }
}

#[tokio::test]
async fn an_operator_writes_but_does_not_administer() {
    let things = Things::make().await;
    let operator = Caller {
        role: Role::Operator,
        ..things.t.owner.clone()
    };
    let service = &things.t.service;
    let request = RequestBackup::of(things.resource.id);
    service.request_backup(&operator, request).await.unwrap();
    for name in [
        "update_repository",
        "delete_repository",
        "create_repository",
        "create_principal",
    ] {
        let (_, verb) = CHANGING
            .iter()
            .chain(CREATING)
            .find(|it| it.0 == name)
            .unwrap();
        let answer = verb(service, &operator, &things).await;
        assert_eq!(answer.unwrap_err().code(), "forbidden", "{name}");
    }
}
