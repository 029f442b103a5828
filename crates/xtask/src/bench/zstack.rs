//! How fast ZStack's query language answers over a catalog of database backups: through the whole
//! server (socket, session, parser, planner, service, database, JSON), beside the SQL that a
//! person who knows the tables would write for the same rows.
#![expect(clippy::print_stdout, reason = "the table is what was asked for")]

mod queries;
mod sql;

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use serde_json::Value;
use strongroom_domain::{
    Backup, BackupCopy, BackupState, CopyId, Face, RepositoryId, ResourceKind,
};

use self::{queries::Case, sql::Sql};
use super::{fill, load, server::Subject};

/// Arguments of `bench zstack`.
#[derive(Debug, Args)]
pub(crate) struct Zstack {
    /// Database backups in the catalog
    #[arg(long, default_value_t = 100_000)]
    backups: u64,
    /// A PostgreSQL server to measure as well, e.g. `postgres://postgres@localhost/bench`; the
    /// database must be empty
    #[arg(long)]
    postgres: Option<String>,
    /// Requests per query
    #[arg(long, default_value_t = 300)]
    requests: usize,
}

/// Every how many backups one has a copy in the second storage, and one has failed.
const COPIED: u64 = 10;
const FAILED: u64 = 50;

/// Measures and prints.
pub(crate) fn run(args: &Zstack) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let dir = tempfile::tempdir()?;
        let sqlite = format!("sqlite:{}", dir.path().join("catalog.db").display());
        println!("{} database backups", args.backups);
        measure(args, "SQLite", &sqlite).await?;
        match &args.postgres {
            Some(url) => measure(args, "PostgreSQL", url).await,
            None => Ok(()),
        }
    })
}

async fn measure(args: &Zstack, name: &str, url: &str) -> Result<()> {
    let subject = Subject::start(url).await?;
    let remote = subject.repository("remote").await?;
    fill::fill(&subject, args.backups, vary).await?;
    copy(&subject, remote).await?;
    let sql = Sql::open(url).await?;
    let session = subject.log_in().await?;
    println!(
        "\n{:<44} {:>10} {:>10}  {:>10} {:>10}",
        name, "p50", "p99", "SQL p50", "SQL p99"
    );
    for case in queries::typical(&subject, remote, args.backups).await? {
        let found = rows(&case, &subject.query(&session, &case.path).await?)?;
        let expected = sql.rows(&case).await?;
        ensure!(
            found == expected,
            "{}: {found} by the server and {expected} by SQL",
            case.label
        );
        let ask = async || subject.query(&session, &case.path).await;
        let server = load::latencies(args.requests, ask).await?;
        let bare = load::latencies(args.requests, async || sql.rows(&case).await).await?;
        let label = format!("{} ({found})", case.label);
        println!("{label:<44} {server}  {bare}");
    }
    Ok(())
}

/// Databases of this face, some of whose backups failed.
fn vary(number: u64, backup: &mut Backup) {
    backup.face = Some(Face::Zstack);
    backup.kind = ResourceKind::Mariadb;
    backup.name = format!("Nightly-{number:07}");
    if number % FAILED == FAILED - 1 {
        backup.state = BackupState::Failed;
    }
}

/// Puts copies of some backups into the second storage.
async fn copy(subject: &Subject, remote: RepositoryId) -> Result<()> {
    let backups = fill::some(subject, u32::MAX.into()).await?;
    let mut tx = subject.store.begin().await?;
    let complete = backups
        .iter()
        .filter(|it| it.state == BackupState::Completed);
    for backup in complete.step_by(usize::try_from(COPIED)?) {
        let copy = BackupCopy {
            // As random as the backup's own.
            id: CopyId::from_uuid(backup.id.uuid()),
            tenant_id: backup.tenant_id,
            backup_id: backup.id,
            repository_id: remote,
            state: BackupState::Completed,
            snapshot: backup.snapshot.clone(),
            reason: None,
            created_at: backup.created_at,
            updated_at: backup.updated_at,
            version: 1,
        };
        tx.insert_copy(&copy).await?;
    }
    Ok(tx.commit().await?)
}

/// How many rows an answer has, or says that there are.
fn rows(case: &Case, answer: &[u8]) -> Result<u64> {
    let answer: Value = serde_json::from_slice(answer)?;
    if case.counts {
        return answer["total"].as_u64().context("the answer has no total");
    }
    let rows = answer["inventories"]
        .as_array()
        .or_else(|| answer["results"][0]["inventories"].as_array());
    Ok(rows.context("the answer has no rows")?.len().try_into()?)
}
