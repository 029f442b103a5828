//! Empty databases of either kind, one per test.

use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{Connection as _, PgConnection, postgres::PgConnectOptions};
use strongroom_store::Store;

/// The variable that names the PostgreSQL server tests may create databases on.
const SERVER: &str = "STRONGROOM_TEST_POSTGRES";

/// The databases that everything durable runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// A file in a directory of its own.
    Sqlite,
    /// A database on the server that `STRONGROOM_TEST_POSTGRES` names.
    Postgres,
}

/// An empty database that no other test uses.
#[derive(Debug)]
pub struct Database {
    url: String,
    _dir: Option<tempfile::TempDir>,
}

impl Database {
    /// Makes a database.
    ///
    /// # Panics
    ///
    /// If it cannot: a test that needs PostgreSQL fails without it rather than passing untried.
    pub async fn new(engine: Engine) -> Self {
        match engine {
            Engine::Sqlite => {
                let dir = tempfile::tempdir().expect("a temporary directory");
                Self {
                    url: format!("sqlite:{}", dir.path().join("catalog.db").display()),
                    _dir: Some(dir),
                }
            }
            Engine::Postgres => Self {
                url: create_on_server().await,
                _dir: None,
            },
        }
    }

    /// The address to give to [`Store::connect`].
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Opens it.
    pub async fn store(&self) -> Store {
        Store::connect(&self.url).await.expect("an empty database")
    }
}

async fn create_on_server() -> String {
    #[expect(
        clippy::disallowed_methods,
        reason = "tests are told so where the server is"
    )]
    let server = std::env::var(SERVER).unwrap_or_else(|_| {
        panic!(
            "{SERVER} is not set: run the tests with `cargo nextest run`, which starts a private \
             server (needs `apt-get install postgresql`), or name one whose user may create \
             databases"
        )
    });
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("strongroom_test_{}_{number}", std::process::id());
    let options: PgConnectOptions = server.parse().expect("a PostgreSQL address");
    let mut admin = PgConnection::connect_with(&options)
        .await
        .expect("the test server");
    // A process of an earlier run may have had the same number.
    for text in [
        format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
        format!("CREATE DATABASE {name} TEMPLATE template0"),
    ] {
        let text = sqlx::AssertSqlSafe(text);
        sqlx::raw_sql(text)
            .execute(&mut admin)
            .await
            .expect("a new database");
    }
    let mut url = url::Url::parse(&server).expect("a PostgreSQL address");
    url.set_path(&name);
    url.into()
}
