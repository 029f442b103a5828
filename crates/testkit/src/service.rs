//! A whole service in memory: SQLite, repositories, a clock that tests move, and one tenant.

use std::{collections::BTreeMap, fmt, path::Path, sync::Arc};

use strongroom_domain::{
    Annotations, Backup, Face, Page, Resource, ResourceKind, Secret, operation::Operation,
    repository::Repository, resource::Settings,
};
use strongroom_engine::{Credential, Snapshot};
use strongroom_service::{
    Caller, Keyring, OpenBackend, Parts, Service, ServiceConfig, backups::RequestBackup,
    repositories::CreateRepository, resources::CreateResource, storage, tenants::CreatedTenant,
};
use strongroom_source::{Registry, SourceConfig, command::CommandSpec};
use strongroom_store::Store;
use tempfile::TempDir;

use crate::{TestClock, TestIds};

/// What a test service is made of, if it is to differ from the usual.
pub struct TestParts {
    /// The database; SQLite in memory if nothing.
    pub database_url: Option<String>,
    /// What can be protected.
    pub sources: Registry,
    /// The storage behind repositories.
    pub storage: OpenBackend,
    /// What the operator set.
    pub config: ServiceConfig,
}

impl Default for TestParts {
    fn default() -> Self {
        Self {
            database_url: None,
            sources: Registry::new(SourceConfig::default()),
            storage: storage(),
            config: ServiceConfig::default(),
        }
    }
}

impl TestParts {
    /// The usual parts, with one command that resources of kind `command` can name; `face` shows
    /// them.
    pub fn with_command(name: &str, dump: &[&str], face: Face) -> Self {
        let command = CommandSpec {
            name: name.to_owned(),
            dump: dump.iter().map(|it| (*it).to_owned()).collect(),
            restore: None,
            file_name: "dump".to_owned(),
            environment: BTreeMap::new(),
            face: Some(face),
        };
        let commands = vec![command];
        Self {
            sources: Registry::new(SourceConfig {
                commands,
                ..SourceConfig::default()
            }),
            ..Self::default()
        }
    }
}

impl fmt::Debug for TestParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestParts").finish_non_exhaustive()
    }
}

/// A service with a tenant `tenant-1`, its owner `admin`, and a default repository in memory.
/// Nothing runs in the background: [`work`](Self::work) runs what is queued.
pub struct TestService {
    /// The service.
    pub service: Service,
    /// Its database.
    pub store: Store,
    /// Its clock.
    pub clock: TestClock,
    /// The first tenant, with its owner's credentials.
    pub tenant: CreatedTenant,
    /// The owner of the first tenant.
    pub owner: Caller,
    /// The tenant's default repository.
    pub repository: Repository,
    password: Secret,
    storage: OpenBackend,
    directory: TempDir,
}

impl fmt::Debug for TestService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestService")
            .field("tenant", &self.tenant.tenant)
            .finish_non_exhaustive()
    }
}

impl TestService {
    /// Starts one with the usual parts.
    pub async fn start() -> Self {
        Self::with(TestParts::default()).await
    }

    /// Starts one with these parts.
    pub async fn with(parts: TestParts) -> Self {
        let clock = TestClock::default();
        let storage = Arc::clone(&parts.storage);
        let (store, service) = build(parts, &clock).await;
        let tenant = service
            .create_tenant("tenant-1", "admin")
            .await
            .expect("a fresh tenant");
        let owner = owner(&service, &tenant).await;
        let request = memory_repository("default");
        let (repository, password) = service
            .add_repository(&owner, request)
            .await
            .expect("a fresh repository");
        let directory = tempfile::tempdir().expect("a temporary directory");
        Self {
            service,
            store,
            clock,
            tenant,
            owner,
            repository,
            password,
            storage,
            directory,
        }
    }

    /// A new service with these parts, over the same tenant and at the same time.
    pub async fn restarted(self, parts: TestParts) -> Self {
        let (store, service) = build(parts, &self.clock).await;
        Self {
            service,
            store,
            ..self
        }
    }

    /// A directory that is removed with the service.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Another tenant, with its owner and a default repository of its own.
    pub async fn another_tenant(&self, name: &str) -> (CreatedTenant, Caller) {
        let tenant = self
            .service
            .create_tenant(name, "admin")
            .await
            .expect("a fresh tenant");
        let owner = owner(&self.service, &tenant).await;
        let request = memory_repository(name);
        self.service
            .create_repository(&owner, request)
            .await
            .expect("a fresh repository");
        (tenant, owner)
    }

    /// Registers the directory `path` as a resource.
    pub async fn files(&self, name: &str, path: &Path) -> Resource {
        let path = path.to_str().expect("a test's path is text").to_owned();
        let settings = Settings([("path".to_owned(), path)].into());
        self.resource(ResourceKind::Files, name, settings).await
    }

    /// Registers a resource.
    pub async fn resource(&self, kind: ResourceKind, name: &str, settings: Settings) -> Resource {
        let request = CreateResource {
            kind,
            name: name.to_owned(),
            settings,
            labels: Vec::new(),
            annotations: Annotations::default(),
        };
        self.service
            .create_resource(&self.owner, request)
            .await
            .expect("a good resource")
    }

    /// Makes a directory with a file per given name and content, and registers it.
    pub async fn files_with(&self, name: &str, files: &[(&str, &[u8])]) -> Resource {
        let root = self.directory().join(name);
        for (path, content) in files {
            let path = root.join(path);
            let parent = path.parent().expect("a file is in a directory");
            std::fs::create_dir_all(parent).expect("a writable directory");
            std::fs::write(path, content).expect("a writable file");
        }
        std::fs::create_dir_all(&root).expect("a writable directory");
        self.files(name, &root).await
    }

    /// Asks for a backup of a resource; nothing runs yet.
    pub async fn request(&self, resource: &Resource) -> (Backup, Operation) {
        let request = RequestBackup::of(resource.id);
        self.service
            .request_backup(&self.owner, request)
            .await
            .expect("a good request")
    }

    /// Makes a backup of a resource and gives what became of it.
    pub async fn back_up(&self, resource: &Resource) -> Backup {
        let (backup, _) = self.request(resource).await;
        self.work().await;
        self.service
            .backup(&self.owner, backup.id)
            .await
            .expect("the backup is there")
    }

    /// The backup as it is now.
    pub async fn now(&self, backup: &Backup) -> Backup {
        self.service
            .backup(&self.owner, backup.id)
            .await
            .expect("the backup is there")
    }

    /// The default repository's password.
    pub fn repository_password(&self) -> &str {
        self.password.expose()
    }

    /// The default repository, opened beside the service.
    pub fn engine(&self) -> strongroom_engine::Repository {
        let backend = (self.storage)(&self.repository.url).expect("the storage is there");
        let password = Credential::password(self.password.expose());
        let clock = Arc::new(self.clock.clone());
        strongroom_engine::Repository::open(backend, clock, &password)
            .expect("the repository can be opened")
    }

    /// The snapshots in the default repository, oldest first.
    pub fn snapshots(&self) -> Vec<Snapshot> {
        self.engine()
            .snapshots()
            .expect("the repository can be read")
            .snapshots
    }

    /// The names of the tenant's events, oldest first.
    pub async fn events(&self) -> Vec<String> {
        let page = self.service.list_events(&self.owner, &Page::ALL).await;
        let events = page.expect("events can be listed").items;
        events.into_iter().rev().map(|event| event.name).collect()
    }

    /// Runs what is queued and may run now, and what follows from it, until nothing is left;
    /// gives the number of attempts. Jobs that wait for a later time stay.
    pub async fn work(&self) -> usize {
        let mut count = 0;
        while self
            .service
            .run_next_job("test")
            .await
            .expect("the queue can be read")
        {
            count += 1;
        }
        count
    }
}

async fn build(parts: TestParts, clock: &TestClock) -> (Store, Service) {
    let url = parts.database_url.as_deref().unwrap_or("sqlite::memory:");
    let store = Store::connect(url)
        .await
        .expect("the database can be opened");
    let service = Service::build(Parts {
        store: store.clone(),
        clock: Arc::new(clock.clone()),
        ids: Arc::new(TestIds::default()),
        keyring: Keyring::new(&[7; Keyring::KEY_LEN]),
        sources: parts.sources,
        storage: parts.storage,
        config: parts.config,
    });
    (store, service)
}

/// A request for a repository `memory:<name>`.
pub fn memory_repository(name: &str) -> CreateRepository {
    CreateRepository {
        is_default: true,
        ..CreateRepository::at(name, format!("memory:{name}"))
    }
}

async fn owner(service: &Service, tenant: &CreatedTenant) -> Caller {
    let token = tenant.token.token.expose();
    service
        .token_caller(token)
        .await
        .expect("a fresh token is valid")
}
