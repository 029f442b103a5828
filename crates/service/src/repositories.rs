//! Repositories.

use strongroom_domain::{
    Annotations, OperationId, RepositoryId, Secret, TenantId,
    job::{Job, Lock, Work},
    operation::{Operation, OperationKind, Subject},
    policy::Policy,
    principal::Permission,
    query::{BackupField, Filter},
    repository::{Repository, RepositoryState},
};
use strongroom_engine::Repository as EngineRepository;
use strongroom_store::Conn;

use crate::{
    Caller, ConflictKind, Error, Result, Service,
    error::taken,
    identity::secrets,
    operations::NewOperation,
    records::INTERACTIVE,
    validate::{Faults, check_version},
};

/// Random bytes in a generated repository password: 43 characters in base64url.
const PASSWORD_BYTES: usize = 32;

/// A repository to register: an existing one if `password` opens it, else a new one.
#[derive(Debug, Clone)]
pub struct CreateRepository {
    /// Its id, if the client chose one.
    pub id: Option<RepositoryId>,
    /// Unique within the tenant.
    pub name: String,
    /// A free text.
    pub description: Option<String>,
    /// Where it is: an absolute path, `s3:…` or `memory:NAME`.
    pub url: String,
    /// The restic password; a random one is made for a new repository if nothing is given.
    pub password: Option<Secret>,
    /// Becomes the tenant's default.
    pub is_default: bool,
    /// Bytes that may be stored in it, if limited.
    pub capacity_bytes: Option<u64>,
    /// Vendor attributes.
    pub annotations: Annotations,
}

impl CreateRepository {
    /// A repository called `name` at `url`, with everything else left to us.
    pub fn at(name: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            id: None,
            name: name.into(),
            description: None,
            url: url.into(),
            password: None,
            is_default: false,
            capacity_bytes: None,
            annotations: Annotations::default(),
        }
    }
}

/// What may be changed of a repository; `None` leaves it as it is.
#[derive(Debug, Clone, Default)]
pub struct UpdateRepository {
    /// A new name.
    pub name: Option<String>,
    /// A new free text.
    pub description: Option<Option<String>>,
    /// Whether it takes new backups.
    pub enabled: Option<bool>,
    /// Becomes the default.
    pub is_default: Option<bool>,
    /// A new limit.
    pub capacity_bytes: Option<Option<u64>>,
    /// All vendor attributes.
    pub annotations: Option<Annotations>,
}

impl Service {
    /// Registers a repository, initialising it if there is none at its place.
    pub async fn create_repository(
        &self,
        caller: &Caller,
        request: CreateRepository,
    ) -> Result<Repository> {
        caller.require(Permission::Administer)?;
        let make = async { Ok(self.add_repository(caller, request).await?.0) };
        self.once(caller, make, |id| self.repository(caller, id))
            .await
    }

    /// The same, giving the password too: the one given or a random one that was made, which
    /// cannot be read again.
    pub async fn add_repository(
        &self,
        caller: &Caller,
        request: CreateRepository,
    ) -> Result<(Repository, Secret)> {
        caller.require(Permission::Administer)?;
        let CreateRepository {
            id,
            name,
            description,
            url,
            password,
            is_default,
            capacity_bytes,
            annotations,
        } = request;
        let mut faults = Faults::default();
        faults.name("name", &name);
        faults.description(description.as_deref());
        if url.trim().is_empty() {
            faults.add("url", "must not be empty");
        }
        faults.check()?;
        if self
            .read()
            .await?
            .repository_named(caller.tenant_id, &name)
            .await?
            .is_some()
        {
            let message = format!("a repository `{name}` exists already");
            return Err(Error::conflict(
                ConflictKind::DuplicateName,
                "repository",
                message,
            ));
        }
        let generated = password.is_none();
        let password = password.unwrap_or_else(|| secrets::new_secret(PASSWORD_BYTES));
        let id = id.unwrap_or_else(|| RepositoryId::from_uuid(self.uuid()));
        let (at, key) = (url.clone(), password.clone());
        let opened = self
            .blocking(move |service| {
                let engines = &service.inner().engines;
                engines.open_or_init(&at, &key, generated)
            })
            .await??;
        let sealed_master_key = self.inner().engines.seal(id, &opened);
        let now = self.now();
        let mut repository = Repository {
            id,
            tenant_id: caller.tenant_id,
            name,
            description,
            url,
            enabled: true,
            is_default,
            state: RepositoryState::Ready,
            reason: None,
            sealed_master_key,
            stored_bytes: 0,
            capacity_bytes,
            annotations,
            created_at: now,
            updated_at: now,
            version: 1,
        };
        let mut tx = self.begin().await?;
        self.check_not_registered(&mut tx, &repository, &opened)
            .await?;
        // The first one is the default whether or not it was asked for.
        repository.is_default |= tx.default_repository(caller.tenant_id).await?.is_none();
        tx.insert_repository(&repository)
            .await
            .map_err(taken("repository", &repository.name))?;
        let subject = Some(Subject::Repository(id));
        tx.insert_event(&self.event(caller, "repository.created", subject))
            .await?;
        self.remember(&mut tx, caller, &id).await?;
        tx.commit().await?;
        self.changed();
        Ok((repository, password))
    }

    /// Refuses a repository that the tenant has under another name already: a copy of a backup from
    /// one to the other would be no copy.
    async fn check_not_registered(
        &self,
        conn: &mut Conn,
        new: &Repository,
        opened: &EngineRepository,
    ) -> Result<()> {
        let engines = &self.inner().engines;
        let known = conn.list_repositories(new.tenant_id).await?;
        match known.iter().find(|it| engines.is_of(opened, it)) {
            None => Ok(()),
            Some(known) => {
                let (url, name) = (&new.url, &known.name);
                let message =
                    format!("the repository at `{url}` is registered as `{name}` already");
                let kind = ConflictKind::DuplicateName;
                Err(Error::conflict(kind, "repository", message))
            }
        }
    }

    /// One repository.
    pub async fn repository(&self, caller: &Caller, id: RepositoryId) -> Result<Repository> {
        caller.require(Permission::Read)?;
        find_repository(&mut *self.read().await?, caller.tenant_id, id).await
    }

    /// All repositories of the tenant, oldest first.
    pub async fn list_repositories(&self, caller: &Caller) -> Result<Vec<Repository>> {
        caller.require(Permission::Read)?;
        Ok(self
            .read()
            .await?
            .list_repositories(caller.tenant_id)
            .await?)
    }

    /// Changes a repository; `version` must be the one read, if given.
    pub async fn update_repository(
        &self,
        caller: &Caller,
        id: RepositoryId,
        version: Option<i64>,
        change: UpdateRepository,
    ) -> Result<Repository> {
        caller.require(Permission::Administer)?;
        let mut tx = self.begin().await?;
        let mut repository = find_repository(&mut tx, caller.tenant_id, id).await?;
        check_version("repository", &id, version, repository.version)?;
        let UpdateRepository {
            name,
            description,
            enabled,
            is_default,
            capacity_bytes,
            annotations,
        } = change;
        let mut faults = Faults::default();
        if let Some(name) = name {
            faults.name("name", &name);
            repository.name = name;
        }
        if let Some(description) = description {
            faults.description(description.as_deref());
            repository.description = description;
        }
        faults.check()?;
        repository.enabled = enabled.unwrap_or(repository.enabled);
        match is_default {
            Some(false) if repository.is_default => {
                let reason = "make another repository the default instead";
                return Err(Error::invalid("is_default", reason));
            }
            Some(true) => repository.is_default = true,
            Some(false) | None => {}
        }
        if let Some(capacity_bytes) = capacity_bytes {
            repository.capacity_bytes = capacity_bytes;
        }
        if let Some(annotations) = annotations {
            repository.annotations = annotations;
        }
        repository.updated_at = self.now();
        tx.update_repository(&repository)
            .await
            .map_err(taken("repository", &repository.name))?;
        let subject = Some(Subject::Repository(id));
        tx.insert_event(&self.event(caller, "repository.changed", subject))
            .await?;
        tx.commit().await?;
        self.changed();
        repository.version += 1;
        Ok(repository)
    }

    /// Has a repository checked now: its structure, a part of its data, and whether its backups
    /// are still in it.
    pub async fn verify_repository(
        &self,
        caller: &Caller,
        id: RepositoryId,
        operation: NewOperation,
    ) -> Result<Operation> {
        let event = "repository.verification_requested";
        self.look_at(
            caller,
            id,
            OperationKind::Verify,
            operation,
            event,
            |row, operation| self.verify_job(row, INTERACTIVE, Some(operation)),
        )
        .await
    }

    /// Has a repository compared with the catalog now: its snapshots that the catalog does not
    /// know are taken up, backups that it no longer has are marked. The operation's annotations say
    /// how many, see [`SCAN_RESULT`](crate::jobs::SCAN_RESULT).
    pub async fn scan_repository(
        &self,
        caller: &Caller,
        id: RepositoryId,
        operation: NewOperation,
    ) -> Result<Operation> {
        let event = "repository.scan_requested";
        self.look_at(
            caller,
            id,
            OperationKind::Scan,
            operation,
            event,
            |row, operation| {
                let locks = vec![
                    Lock::exclusive(format!("scan:{id}")),
                    Lock::shared(lock_key(id)),
                ];
                let work = Work::ScanRepository { repository: id };
                self.job(row.tenant_id, work, locks, INTERACTIVE, Some(operation))
            },
        )
        .await
    }

    async fn look_at(
        &self,
        caller: &Caller,
        id: RepositoryId,
        kind: OperationKind,
        operation: NewOperation,
        event: &str,
        job: impl FnOnce(&Repository, OperationId) -> Job,
    ) -> Result<Operation> {
        caller.require(Permission::Write)?;
        let make = self.queue_look(caller, id, kind, operation, event, job);
        self.once(caller, make, |id| self.operation(Some(caller), id))
            .await
    }

    async fn queue_look(
        &self,
        caller: &Caller,
        id: RepositoryId,
        kind: OperationKind,
        operation: NewOperation,
        event: &str,
        job: impl FnOnce(&Repository, OperationId) -> Job,
    ) -> Result<Operation> {
        let mut tx = self.begin().await?;
        let repository = find_repository(&mut tx, caller.tenant_id, id).await?;
        let subject = Some(Subject::Repository(id));
        let NewOperation { id, annotations } = operation;
        let operation = self.operation_of(caller, kind, subject, id, annotations);
        tx.insert_operation(&operation)
            .await
            .map_err(taken("operation", &operation.id.to_string()))?;
        tx.enqueue(&job(&repository, operation.id)).await?;
        tx.insert_event(&self.event(caller, event, subject)).await?;
        self.remember(&mut tx, caller, &operation.id).await?;
        tx.commit().await?;
        self.nudge();
        Ok(operation)
    }

    /// The job that checks a repository; one at a time, beside whatever else uses it.
    pub(crate) fn verify_job(
        &self,
        repository: &Repository,
        priority: i32,
        operation: Option<OperationId>,
    ) -> Job {
        let id = repository.id;
        let locks = vec![
            Lock::exclusive(format!("verify:{id}")),
            Lock::shared(lock_key(id)),
        ];
        let work = Work::VerifyRepository { repository: id };
        self.job(repository.tenant_id, work, locks, priority, operation)
    }

    /// Forgets a repository. Refused while backups are in it; its data are never touched.
    /// `version` must be the one read, if given.
    pub async fn delete_repository(
        &self,
        caller: &Caller,
        id: RepositoryId,
        version: Option<i64>,
    ) -> Result<()> {
        caller.require(Permission::Administer)?;
        let mut tx = self.begin().await?;
        let repository = find_repository(&mut tx, caller.tenant_id, id).await?;
        check_version("repository", &id, version, repository.version)?;
        if is_used(&mut tx, caller.tenant_id, id).await? {
            let name = &repository.name;
            let message = format!("repository `{name}` has backups, or a vault or policy names it");
            return Err(Error::conflict(ConflictKind::InUse, "repository", message));
        }
        tx.delete_repository(&repository).await?;
        let subject = Some(Subject::Repository(id));
        tx.insert_event(&self.event(caller, "repository.removed", subject))
            .await?;
        tx.commit().await?;
        self.inner().engines.forget(id);
        self.changed();
        Ok(())
    }
}

/// The repository, unless it is another tenant's.
pub(crate) async fn find_repository(
    conn: &mut Conn,
    tenant: TenantId,
    id: RepositoryId,
) -> Result<Repository> {
    let found = conn.repository(tenant, id).await?;
    found.ok_or_else(|| Error::not_found("repository", id))
}

/// The repository asked for, or the tenant's default.
pub(crate) async fn choose_repository(
    conn: &mut Conn,
    tenant: TenantId,
    id: Option<RepositoryId>,
) -> Result<Repository> {
    match id {
        Some(id) => find_repository(conn, tenant, id).await,
        None => conn.default_repository(tenant).await?.ok_or_else(|| {
            let message = "the tenant has no default repository";
            Error::conflict(ConflictKind::WrongState, "repository", message)
        }),
    }
}

/// Refuses a backup for a repository that is switched off or has reached its limit.
pub(crate) fn check_takes_backups(repository: &Repository) -> Result<()> {
    let name = &repository.name;
    if !repository.enabled {
        let message = format!("repository `{name}` is disabled");
        let kind = ConflictKind::WrongState;
        return Err(Error::conflict(kind, "repository", message));
    }
    match repository.capacity_bytes {
        Some(capacity) if repository.stored_bytes >= capacity => {
            let stored = repository.stored_bytes;
            let message =
                format!("repository `{name}` holds {stored} of the {capacity} bytes it may");
            let kind = ConflictKind::QuotaExceeded;
            Err(Error::conflict(kind, "repository", message))
        }
        _ => Ok(()),
    }
}

/// What jobs that use a repository hold, shared or alone.
pub(crate) fn lock_key(id: RepositoryId) -> String {
    format!("repository:{id}")
}

/// Whether backups are in the repository or will be.
async fn is_used(conn: &mut Conn, tenant: TenantId, id: RepositoryId) -> Result<bool> {
    let filter = Filter::eq(BackupField::RepositoryId, id.uuid());
    Ok(conn.count_backups(tenant, &filter).await? > 0
        || !conn.copies_in(tenant, id).await?.is_empty()
        || conn
            .list_vaults(tenant)
            .await?
            .iter()
            .any(|vault| vault.repository_id == id)
        || conn
            .list_policies(tenant)
            .await?
            .iter()
            .any(|it| it.repositories.contains(&id) || copies_to(it, id)))
}

fn copies_to(policy: &Policy, id: RepositoryId) -> bool {
    policy
        .copy_to
        .as_ref()
        .is_some_and(|it| it.repository_id == id)
}
