//! Deny by default: every route of every face, asked without a credential, with another tenant's,
//! and, where it writes, with a viewer's.

use std::collections::BTreeSet;

use axum::http::Method;
use jiff::SignedDuration;
use serde_json::{Value, json};
use strongroom_domain::{Face, Role};
use strongroom_service::Caller;
use strongroom_testkit::{Answer, TestApp};

use crate::documents::operations;

/// Routes that take no credential, checked in so that a new one is seen in review.
const OPEN: &str = include_str!("open_routes.txt");

/// A route of a face.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Route {
    face: &'static str,
    method: String,
    path: String,
}

impl Route {
    fn writes(&self) -> bool {
        !matches!(self.method.as_str(), "GET" | "HEAD")
    }

    fn line(&self) -> String {
        format!("{} {} {}", self.face, self.method, self.path)
    }
}

fn routes(app: &TestApp) -> Vec<Route> {
    let mut all = Vec::new();
    for (face, document) in &app.composed().documents {
        for (path, method) in operations(document) {
            all.push(Route {
                face,
                method: method.to_string(),
                path,
            });
        }
    }
    all
}

/// One of everything that belongs to the first tenant.
struct Owned {
    app: TestApp,
    ids: Vec<(&'static str, String)>,
    before: Value,
}

impl Owned {
    async fn start() -> Self {
        let app = TestApp::start().await;
        let resource = app.files_with("theirs", &[("a", b"1")]).await;
        let (backup, operation) = app.request(&resource).await;
        let ids = vec![
            ("backup", backup.id.to_string()),
            ("checkpoint", backup.id.to_string()),
            ("repositor", app.repository.id.to_string()),
            ("bucket", app.repository.id.to_string()),
            ("job", operation.id.to_string()),
            ("operation", operation.id.to_string()),
            ("tenant", app.tenant.tenant.id.to_string()),
            ("token", app.tenant.token.credential.id.to_string()),
            ("", resource.id.to_string()),
        ];
        let mut owned = Self {
            app,
            ids,
            before: Value::Null,
        };
        owned.before = owned.state().await;
        owned
    }

    /// Everything that the first tenant has, as its owner sees it.
    async fn state(&self) -> Value {
        let mut all = json!({});
        for noun in [
            "resources",
            "backups",
            "restores",
            "repositories",
            "policies",
            "vaults",
        ] {
            let path = format!("/api/v1/{noun}");
            all[noun] = self
                .app
                .native(Method::GET, &path, Value::Null)
                .await
                .expect(200)
                .json();
        }
        all
    }

    /// The path with the first tenant in the place of the tenant, and its things in the places of
    /// things, recognised by the words before and in the braces.
    fn fill(&self, route: &Route) -> String {
        let mut filled = String::new();
        for segment in route.path.split('/').skip(1) {
            let before = filled.clone();
            filled.push('/');
            let Some(name) = segment
                .strip_prefix('{')
                .and_then(|it| it.strip_suffix('}'))
            else {
                filled.push_str(segment);
                continue;
            };
            let hint = if name == "id" || name == "uuid" {
                before.as_str()
            } else {
                name
            };
            let hint = hint.to_lowercase();
            let tenant = ["project", "account", "tenant"]
                .iter()
                .any(|it| name.contains(it));
            let dashed = if tenant {
                self.app.tenant.tenant.id.to_string()
            } else {
                let found = self.ids.iter().find(|(word, _)| hint.contains(word));
                found.expect("the empty word is in every hint").1.clone()
            };
            match route.face {
                "native" | "astra" => filled.push_str(&dashed),
                _ => filled.push_str(&dashed.replace('-', "")),
            }
        }
        filled
    }

    async fn ask(&self, route: &Route, credential: Option<&Credential>) -> Answer {
        let method: Method = route.method.parse().unwrap();
        let mut headers = vec![("content-type", "application/json")];
        let name;
        if let Some(it) = credential {
            name = it.of(route.face);
            headers.push((name.0, &name.1));
        }
        let body = if route.writes() { "{}" } else { "" };
        let path = self.fill(route);
        let answer = self.app.call(method, &path, &headers, body).await;
        if route.face != "zstack" || answer.status != 202 {
            return answer;
        }
        // Accepted means nothing yet: its job tells.
        let job = answer.json()["location"].as_str().unwrap().to_owned();
        let path = &job[job.find("/zstack/").unwrap()..];
        loop {
            let answer = self.app.call(Method::GET, path, &headers, "").await;
            if answer.status != 202 {
                return answer;
            }
            tokio::task::yield_now().await;
        }
    }

    fn mentions_what_is_theirs(&self, route: &Route, answer: &Answer) -> bool {
        let body = String::from_utf8_lossy(&answer.body).replace('-', "");
        let path = self.fill(route).replace('-', "");
        let mut ids = self.ids.iter().map(|(_, id)| id.replace('-', ""));
        ids.any(|id| body.contains(&id) && !path.contains(&id))
    }
}

/// A credential in every face's form.
struct Credential {
    token: String,
    session: String,
}

impl Credential {
    async fn of_caller(app: &TestApp, token: String, caller: &Caller) -> Self {
        let caller = caller.clone().via(Face::Zstack);
        let lifetime = SignedDuration::from_hours(2);
        let session = app.service.open_session(&caller, lifetime).await.unwrap();
        Self {
            token,
            session: session.id.simple(),
        }
    }

    fn of(&self, face: &str) -> (&'static str, String) {
        match face {
            "cbr" | "ges" => ("x-auth-token", self.token.clone()),
            "zstack" => ("authorization", format!("OAuth {}", self.session)),
            _ => ("authorization", format!("Bearer {}", self.token)),
        }
    }
}

/// Whether the answer says that nobody may do this who did not show who they are.
fn unauthenticated(route: &Route, answer: &Answer) -> bool {
    match route.face {
        // Its missing header is a 400, its invalid session one of its 503s.
        "zstack" if answer.status == 400 => answer.text().starts_with("missing header"),
        "zstack" if answer.status == 503 => answer.json()["error"]["code"] == "ID.1001",
        _ => matches!(answer.status.as_u16(), 401 | 403 | 404),
    }
}

/// Whether the answer refuses.
fn refused(route: &Route, answer: &Answer) -> bool {
    match answer.status.as_u16() {
        401 | 403 | 404 => true,
        // ZStack has one status for everything that cannot be done, finds nothing kindly, and is
        // content to delete what is not there; that it did not is checked at the end.
        503 => route.face == "zstack",
        200 => route.face == "zstack" && kindly_nothing(route, &answer.json()),
        _ => false,
    }
}

fn kindly_nothing(route: &Route, json: &Value) -> bool {
    json["inventories"] == json!([]) || (route.method == "DELETE" && *json == json!({}))
}

#[tokio::test]
async fn without_a_credential_only_the_listed_routes_answer() {
    let owned = Owned::start().await;
    let mut open = BTreeSet::new();
    for route in routes(&owned.app) {
        let answer = owned.ask(&route, None).await;
        if !unauthenticated(&route, &answer) {
            open.insert(route.line());
        }
    }
    let listed: BTreeSet<_> = OPEN.lines().map(str::to_owned).collect();
    assert_eq!(open, listed, "open_routes.txt differs");
}

#[tokio::test]
async fn another_tenants_credential_reaches_nothing() {
    let owned = Owned::start().await;
    let (tenant, caller) = owned.app.another_tenant("other").await;
    let token = tenant.token.token.expose().to_owned();
    let credential = Credential::of_caller(&owned.app, token, &caller).await;
    let open: BTreeSet<_> = OPEN.lines().collect();
    for route in routes(&owned.app) {
        if open.contains(route.line().as_str()) || route.path.ends_with("/stream") {
            continue;
        }
        let answer = owned.ask(&route, Some(&credential)).await;
        let named = route.path.contains('{');
        assert!(
            !named || refused(&route, &answer) || bad_request(&route, &answer),
            "{}: {answer:?}",
            route.line()
        );
        assert!(
            !owned.mentions_what_is_theirs(&route, &answer),
            "{}: {answer:?}",
            route.line()
        );
    }
    assert_eq!(owned.state().await, owned.before);
}

/// `{}` is refused before anything is looked up.
fn bad_request(route: &Route, answer: &Answer) -> bool {
    route.writes() && answer.status == 400
}

#[tokio::test]
async fn a_viewer_changes_nothing() {
    let owned = Owned::start().await;
    let token = owned.app.token_of(Role::Viewer).await;
    let caller = owned.app.service.token_caller(&token).await.unwrap();
    let credential = Credential::of_caller(&owned.app, token, &caller).await;
    let open: BTreeSet<_> = OPEN.lines().collect();
    for route in routes(&owned.app).iter().filter(|it| it.writes()) {
        if open.contains(route.line().as_str()) || own_credentials(route) {
            continue;
        }
        let answer = owned.ask(route, Some(&credential)).await;
        if route.face == "native" {
            assert_eq!(answer.status, 403, "{}: {answer:?}", route.line());
        } else {
            assert!(
                refused(route, &answer) || answer.status == 400,
                "{}: {answer:?}",
                route.line()
            );
        }
    }
    assert_eq!(owned.state().await, owned.before);
}

/// Everybody manages their own tokens.
fn own_credentials(route: &Route) -> bool {
    route.face == "native" && route.path.starts_with("/api/v1/tokens")
}
