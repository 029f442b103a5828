//! What the tests of the Astra and GES faces share: a server whose applications and graphs
//! deliver what a test wrote down, and the vendors' own clients.

use std::{future::Future, process::Output};

use axum::http::Method;
use serde_json::Value;
use strongroom_domain::{
    FieldError, Resource, ResourceKind,
    resource::Settings,
    tree::{Context, RestoreReport, TreeReader},
};
use strongroom_testkit::source::{
    Entries, PrepareRequest, Prepared, Registry, RestoreRequest, Setting, Source, SourceError,
};
use strongroom_testkit::{Answer, Script, TestApp, TestParts};
use tokio::process::Command;

/// A script that stands for a kind of resource whose real source needs a server.
#[derive(Debug)]
struct Staged(ResourceKind, Script);

impl Source for Staged {
    fn kind(&self) -> ResourceKind {
        self.0
    }

    fn settings(&self) -> &'static [Setting] {
        const NAMES: [&str; 3] = ["context", "namespaces", "selector"];
        const SETTINGS: &[Setting] = &[
            Setting {
                name: NAMES[0],
                required: false,
                help: "",
            },
            Setting {
                name: NAMES[1],
                required: false,
                help: "",
            },
            Setting {
                name: NAMES[2],
                required: false,
                help: "",
            },
        ];
        SETTINGS
    }

    fn validate(&self, settings: &Settings) -> Vec<FieldError> {
        self.1.validate(settings)
    }

    fn prepare(&self, it: PrepareRequest, context: &Context) -> Result<Prepared, SourceError> {
        self.1.prepare(it, context)
    }

    fn entries(&self, it: &Prepared, context: &Context) -> Result<Entries, SourceError> {
        self.1.entries(it, context)
    }

    fn release(&self, prepared: &Prepared) -> Result<(), SourceError> {
        self.1.release(prepared)
    }

    fn restore(
        &self,
        request: &RestoreRequest,
        tree: &dyn TreeReader,
        context: &Context,
    ) -> Result<RestoreReport, SourceError> {
        self.1.restore(request, tree, context)
    }
}

/// A server whose resources of `kind` deliver what `script` says; it has files, too.
pub(crate) async fn server(kind: ResourceKind, script: Script) -> TestApp {
    let files = strongroom_testkit::source::files::FilesSource;
    let sources = Registry::of(vec![Box::new(Staged(kind, script)), Box::new(files)]);
    TestApp::with(TestParts {
        sources,
        ..TestParts::default()
    })
    .await
}

/// Registers a resource with these settings.
pub(crate) async fn register(
    app: &TestApp,
    kind: ResourceKind,
    name: &str,
    settings: &[(&str, &str)],
) -> Resource {
    let settings = settings
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    app.resource(kind, name, Settings(settings.collect())).await
}

/// A request as one of a face's users.
#[derive(Debug, Clone)]
pub(crate) struct As<'a> {
    /// The server.
    pub(crate) app: &'a TestApp,
    /// What every path begins with.
    pub(crate) base: String,
    /// The credential's header.
    pub(crate) header: (&'static str, String),
}

impl As<'_> {
    /// Sends a request; null sends no body.
    pub(crate) async fn call(&self, method: Method, path: &str, body: Value) -> Answer {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let path = format!("{}{path}", self.base);
        let (name, value) = &self.header;
        self.app.call(method, &path, &[(name, value)], body).await
    }

    /// Asks for something.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, Value::Null).await
    }
}

/// Checks that an object has the keys and types that a vendor documents: all of `required`, and
/// nothing but those and `optional`.
#[track_caller]
pub(crate) fn assert_shape(shown: &Value, required: &[(&str, &str)], optional: &[(&str, &str)]) {
    let shown = shown.as_object().expect("an object");
    for (name, kind) in required {
        let value = shown
            .get(*name)
            .unwrap_or_else(|| panic!("`{name}` is missing"));
        assert_eq!(kind_of(value), *kind, "`{name}`");
    }
    for (name, value) in shown {
        let all = required.iter().chain(optional);
        let (_, kind) = all
            .into_iter()
            .find(|(it, _)| it == name)
            .unwrap_or_else(|| panic!("`{name}` is not documented"));
        assert_eq!(kind_of(value), *kind, "`{name}`");
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Runs a vendor's client to its end while a worker of the server runs the jobs that it starts.
pub(crate) async fn run(app: &TestApp, command: std::process::Command) -> Output {
    let mut command = Command::from(command);
    alongside(app, async {
        let output = command.kill_on_drop(true).output().await;
        output.expect("the client can be started")
    })
    .await
}

async fn alongside<T>(app: &TestApp, client: impl Future<Output = T>) -> T {
    let mut changes = app.service.changes();
    let worker = async {
        loop {
            changes.borrow_and_update();
            app.work().await;
            changes
                .changed()
                .await
                .expect("the service lives as long as the test");
        }
    };
    tokio::select! {
        done = client => done,
        never = worker => never,
    }
}

/// What a client wrote to its standard output, after making sure that it succeeded.
#[track_caller]
pub(crate) fn stdout(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(
        output.status.success(),
        "{}\n--- stdout\n{out}\n--- stderr\n{err}",
        output.status
    );
    out
}
