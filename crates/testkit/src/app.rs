//! A whole server without a socket: the composed router with every dialect over a
//! [`TestService`].

use std::{
    fmt,
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    http::{HeaderMap, Method, Request, StatusCode},
    response::Response,
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use strongroom_domain::{Role, Secret};
use strongroom_http::{
    compose::{Composed, Limits, Parts, compose},
    dialect::Dialect,
};
use strongroom_service::tenants::CreatedTenant;
use tower::ServiceExt as _;

use crate::{TestIds, TestParts, TestService};

/// The server. Dereferences to its [`TestService`], so that tests set things up with the core's
/// own verbs and look at them through a face.
#[derive(Debug)]
pub struct TestApp {
    core: TestService,
    composed: Composed,
    people: AtomicU32,
}

impl TestApp {
    /// Starts one with every dialect and the usual parts.
    pub async fn start() -> Self {
        Self::with(TestParts::default()).await
    }

    /// Starts one with every dialect and these parts.
    pub async fn with(parts: TestParts) -> Self {
        let service = TestService::with(parts).await;
        Self::over(
            service,
            strongroom_dialects::registry::ALL,
            Limits::default(),
        )
    }

    /// Starts one over `service` with these dialects and limits.
    pub fn over(service: TestService, dialects: &'static [Dialect], limits: Limits) -> Self {
        let composed = compose(Parts {
            service: service.service.clone(),
            dialects,
            clock: Arc::new(service.clock.clone()),
            ids: Arc::new(TestIds::default()),
            limits,
            metrics: prometheus_client::registry::Registry::default(),
            serve_metrics: true,
        });
        Self {
            core: service,
            composed,
            people: AtomicU32::new(0),
        }
    }

    /// The same as after a restart, on the database at that URL: nothing is left but what is stored.
    /// It makes the same ids again, so nothing new can be stored.
    pub async fn restarted(self, parts: TestParts) -> Self {
        let core = self.core.restarted(parts).await;
        Self::over(core, strongroom_dialects::registry::ALL, Limits::default())
    }

    /// The router and the documents.
    pub fn composed(&self) -> &Composed {
        &self.composed
    }

    /// The router, to be served on a socket.
    pub fn router(&self) -> Router {
        self.composed.router.clone()
    }

    /// Sends a request as it is and reads the whole answer.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let response = self.open(method, path, headers, body).await;
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX)
            .await
            .expect("an answer that ends");
        Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    /// Sends a request as it is and leaves the answer's body to be read, for streams.
    pub async fn open(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Response {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request
            .body(body.into())
            .expect("a test sends what can be sent");
        let answer = self.composed.router.clone().oneshot(request).await;
        answer.expect("the router always answers")
    }

    /// Asks the native API as the first tenant's owner; `Value::Null` sends no body.
    pub async fn native(&self, method: Method, path: &str, body: Value) -> Answer {
        self.native_as(&self.token(), method, path, body).await
    }

    /// Asks the native API with this token.
    pub async fn native_as(&self, token: &str, method: Method, path: &str, body: Value) -> Answer {
        let bearer = format!("Bearer {token}");
        let body = if body.is_null() {
            Body::empty()
        } else {
            Body::from(body.to_string())
        };
        self.call(method, path, &[("authorization", &bearer)], body)
            .await
    }

    /// The API token of the first tenant's owner.
    pub fn token(&self) -> String {
        token(&self.tenant)
    }

    /// An API token of a new user of the first tenant with this role.
    pub async fn token_of(&self, role: Role) -> String {
        let number = self.people.fetch_add(1, Ordering::SeqCst);
        let name = format!("{role}-{number}");
        let password = Secret::new("a password for tests");
        let made = self
            .service
            .create_principal(&self.owner, &name, role, &password)
            .await;
        let id = made.expect("an owner adds users").id;
        let issued = self
            .service
            .create_token(&self.owner, id, "test", None)
            .await;
        issued
            .expect("an owner makes tokens")
            .token
            .expose()
            .to_owned()
    }

    /// An API token of another tenant's owner.
    pub async fn foreign_token(&self) -> String {
        let number = self.people.fetch_add(1, Ordering::SeqCst);
        token(&self.another_tenant(&format!("other-{number}")).await.0)
    }
}

fn token(tenant: &CreatedTenant) -> String {
    tenant.token.token.expose().to_owned()
}

impl Deref for TestApp {
    type Target = TestService;

    fn deref(&self) -> &TestService {
        &self.core
    }
}

/// What a server answered.
#[derive(Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a textual answer")
    }

    /// The body as JSON; null if it is empty.
    pub fn json(&self) -> Value {
        if self.body.is_empty() {
            return Value::Null;
        }
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The body read as a wire struct.
    pub fn read<T: DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The text of a header; empty if it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |it| it.to_str().expect("a textual header"))
    }

    /// This answer, after making sure of its status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        self
    }
}

/// As a transcript: status, headers in order of name, body.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.status)?;
        let mut headers: Vec<_> = self.headers.iter().collect();
        headers.sort_by_key(|(name, _)| name.as_str());
        for (name, value) in headers {
            writeln!(f, "{name}: {}", String::from_utf8_lossy(value.as_bytes()))?;
        }
        match serde_json::from_slice::<Value>(&self.body) {
            Ok(json) => write!(f, "\n{json:#}"),
            Err(_) => write!(f, "\n{}", String::from_utf8_lossy(&self.body)),
        }
    }
}
