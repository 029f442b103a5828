//! The server under test, in this process but behind a real socket, and the bare handler beside
//! it.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result, ensure};
use axum::{Router, body::Bytes, routing::get};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha512};
use strongroom_domain::{
    Annotations, Clock, Ids, RepositoryId, Resource, ResourceKind, Role, TenantId,
    resource::Settings,
};
use strongroom_http::compose::{self, compose};
use strongroom_service::{
    Caller, Keyring, Parts, Service, ServiceConfig, repositories::CreateRepository,
    resources::CreateResource, storage,
};
use strongroom_source::{Registry, SourceConfig};
use strongroom_store::Store;

#[derive(Debug)]
struct Now;

impl Clock for Now {
    #[expect(
        clippy::disallowed_methods,
        reason = "a composition root reads the wall clock"
    )]
    fn now(&self) -> jiff::Timestamp {
        strongroom_domain::time::truncate(jiff::Timestamp::now())
    }
}

#[derive(Debug)]
struct Random;

impl Ids for Random {
    #[expect(
        clippy::disallowed_methods,
        reason = "a composition root makes random ids"
    )]
    fn uuid(&self) -> uuid::Uuid {
        uuid::Uuid::new_v4()
    }
}

/// A server with one tenant, one repository and one resource.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) store: Store,
    pub(super) tenant: TenantId,
    pub(super) repository: RepositoryId,
    pub(super) resource: Resource,
    service: Service,
    caller: Caller,
    url: String,
    token: String,
    password: String,
    http: reqwest::Client,
}

impl Subject {
    /// Brings up everything but workers: what is created stays queued.
    pub(super) async fn start(database: &str) -> Result<Self> {
        let store = Store::connect(database).await?;
        let service = Service::build(Parts {
            store: store.clone(),
            clock: Arc::new(Now),
            ids: Arc::new(Random),
            keyring: Keyring::new(&[7; 32]),
            sources: Registry::new(SourceConfig::default()),
            storage: storage(),
            config: ServiceConfig::default(),
        });
        let created = service.create_tenant("bench", "admin").await?;
        let caller = Caller {
            tenant_id: created.tenant.id,
            tenant_name: created.tenant.name.clone(),
            principal_id: created.administrator.id,
            principal_name: created.administrator.name.clone(),
            role: Role::Owner,
            face: None,
            key: None,
        };
        let repository = service
            .create_repository(&caller, memory("default"))
            .await?;
        let resource = service.create_resource(&caller, root()).await?;
        let composed = compose(compose::Parts {
            service: service.clone(),
            dialects: strongroom_dialects::registry::ALL,
            clock: Arc::new(Now),
            ids: Arc::new(Random),
            limits: compose::Limits::default(),
            metrics: prometheus_client::registry::Registry::default(),
            serve_metrics: true,
        });
        Ok(Self {
            store,
            tenant: created.tenant.id,
            repository: repository.id,
            resource,
            service,
            caller,
            url: serve(composed.router).await?,
            token: created.token.token.expose().to_owned(),
            password: created.password.expose().to_owned(),
            http: client()?,
        })
    }

    /// The tenant as CBR's paths name it.
    pub(super) fn project(&self) -> String {
        self.tenant.simple()
    }

    /// One more repository.
    pub(super) async fn repository(&self, name: &str) -> Result<RepositoryId> {
        let created = self.service.create_repository(&self.caller, memory(name));
        Ok(created.await?.id)
    }

    /// Logs in through ZStack's face; gives the session.
    pub(super) async fn log_in(&self) -> Result<String> {
        let password = hex::encode(Sha512::digest(&self.password));
        let account = &self.caller.tenant_name;
        let response = self
            .http
            .put(format!("{}/zstack/v1/accounts/login", self.url))
            .json(&json!({"logInByAccount": {"accountName": account, "password": password}}))
            .send()
            .await?;
        let answer: Value = serde_json::from_slice(&response.bytes().await?)?;
        let session = answer["inventory"]["uuid"].as_str();
        Ok(session.context("no session was given")?.to_owned())
    }

    /// What ZStack's face answers.
    pub(super) async fn query(&self, session: &str, path: &str) -> Result<Bytes> {
        let request = self.http.get(format!("{}{path}", self.url));
        let response = request.header("authorization", format!("OAuth {session}"));
        expect(path, response.send().await?, 200).await
    }

    /// A page or thing, with the credential in both ways that the faces take it.
    pub(super) async fn get(&self, path: &str) -> Result<Bytes> {
        let request = self.http.get(format!("{}{path}", self.url));
        let response = request
            .bearer_auth(&self.token)
            .header("x-auth-token", &self.token)
            .send()
            .await?;
        expect(path, response, 200).await
    }

    /// One durable create: backup, operation, job, event and idempotency record.
    pub(super) async fn create(&self, number: usize) -> Result<()> {
        let response = self
            .http
            .post(format!("{}/api/v1/backups", self.url))
            .bearer_auth(&self.token)
            .header("idempotency-key", format!("bench-{number}"))
            .json(&json!({ "resource_id": self.resource.id }))
            .send()
            .await?;
        expect("a create", response, 202).await.map(drop)
    }
}

async fn expect(what: &str, response: reqwest::Response, wanted: u16) -> Result<Bytes> {
    let status = response.status();
    let bytes = response.bytes().await?;
    ensure!(
        status == wanted,
        "{what} was answered with {status}: {bytes:?}"
    );
    Ok(bytes)
}

fn memory(name: &str) -> CreateRepository {
    CreateRepository {
        is_default: name == "default",
        ..CreateRepository::at(name, format!("memory:{name}"))
    }
}

fn root() -> CreateResource {
    CreateResource {
        kind: ResourceKind::Files,
        name: "files".to_owned(),
        settings: Settings([("path".to_owned(), "/srv".to_owned())].into()),
        labels: Vec::new(),
        annotations: Annotations::default(),
    }
}

/// A handler that does nothing but return bytes it has.
#[derive(Debug)]
pub(super) struct Bare {
    url: String,
    http: reqwest::Client,
}

/// Serves `bytes` from a router of one route.
pub(super) async fn bare(bytes: Bytes) -> Result<Bare> {
    let router = Router::new().route("/", get(async move || bytes.clone()));
    Ok(Bare {
        url: serve(router).await?,
        http: client()?,
    })
}

impl Bare {
    pub(super) async fn get(&self) -> Result<Bytes> {
        Ok(self.http.get(&self.url).send().await?.bytes().await?)
    }
}

async fn serve(router: Router) -> Result<String> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(url.trim_end_matches('/').to_owned())
}

fn client() -> Result<reqwest::Client> {
    reqwest::Client::builder()
        .pool_max_idle_per_host(64)
        .timeout(Duration::from_mins(1))
        .build()
        .context("cannot set up the HTTP client")
}
