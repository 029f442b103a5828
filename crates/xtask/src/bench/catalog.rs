//! How fast the catalog answers through the whole server: router, credential, service, database.
//!
//! Three things are measured in turn on each database: a page with its exact count at several
//! offsets, a look-up by id, and durable creates. Beside each stands the bare call of the store
//! and a bare handler that returns the same bytes.
#![expect(clippy::print_stdout, reason = "the table is what was asked for")]

use std::time::Duration;

use anyhow::Result;
use clap::Args;
use strongroom_domain::{
    Face, Page,
    query::{BackupField, Filter},
};

use super::{
    fill, load,
    server::{self, Subject},
};

/// Arguments of `bench catalog`.
#[derive(Debug, Args)]
pub(crate) struct Catalog {
    /// Backups in the catalog
    #[arg(long, default_value_t = 1_000_000)]
    backups: u64,
    /// A PostgreSQL server to measure as well, e.g. `postgres://postgres@localhost/bench`; the
    /// database must be empty
    #[arg(long)]
    postgres: Option<String>,
    /// Requests per measured page
    #[arg(long, default_value_t = 300)]
    requests: usize,
    /// Seconds of load per measured rate
    #[arg(long, default_value_t = 5)]
    seconds: u64,
}

/// Rows per page.
const LIMIT: u64 = 100;
/// Clients that load the server at the same time.
const CLIENTS: usize = 16;

/// Measures and prints.
pub(crate) fn run(args: &Catalog) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let dir = tempfile::tempdir()?;
        let sqlite = format!("sqlite:{}", dir.path().join("catalog.db").display());
        let urls = [
            Some(("SQLite", sqlite)),
            args.postgres.clone().map(|it| ("PostgreSQL", it)),
        ];
        for (name, url) in urls.into_iter().flatten() {
            println!("\n{name}, {} backups", args.backups);
            let subject = Subject::start(&url).await?;
            fill::fill(&subject, args.backups, |_, _| ()).await?;
            pages(args, &subject).await?;
            look_ups(args, &subject).await?;
            creates(args, &subject).await?;
        }
        Ok(())
    })
}

async fn pages(args: &Catalog, subject: &Subject) -> Result<()> {
    println!(
        "{:<34} {:>10} {:>10}",
        "page of 100 with exact count", "p50", "p99"
    );
    for offset in [0, args.backups / 2, args.backups.saturating_sub(LIMIT)] {
        let path = format!(
            "/v3/{}/backups?limit={LIMIT}&offset={offset}",
            subject.project()
        );
        let bytes = subject.get(&path).await?;
        let bare = server::bare(bytes).await?;
        let server = load::latencies(args.requests, async || subject.get(&path).await).await?;
        let handler = load::latencies(args.requests, async || bare.get().await).await?;
        let sql = load::latencies(args.requests, async || list(subject, offset).await).await?;
        for (what, times) in [
            ("server", server),
            ("bare SQL", sql),
            ("bare handler", handler),
        ] {
            let label = format!("  offset {offset}, {what}");
            println!("{label:<34} {times}");
        }
    }
    Ok(())
}

/// What the page costs the store alone.
async fn list(subject: &Subject, offset: u64) -> Result<usize> {
    let filter = Filter::eq(BackupField::Face, Face::Cbr.as_str());
    let page = Page::offset(LIMIT, offset);
    let mut read = subject.store.read().await?;
    let found = read
        .list_backups(subject.tenant, &filter, &[], &page)
        .await?;
    anyhow::ensure!(found.total.is_some(), "the page has no total");
    Ok(found.items.len())
}

async fn look_ups(args: &Catalog, subject: &Subject) -> Result<()> {
    let duration = Duration::from_secs(args.seconds);
    let paths = fill::some_paths(subject, 1000).await?;
    let bare = server::bare(subject.get(&paths[0]).await?).await?;
    let server = load::rate(CLIENTS, duration, async |at| {
        subject.get(&paths[at % paths.len()]).await.map(drop)
    });
    let server = server.await?;
    let handler = load::rate(CLIENTS, duration, async |_| bare.get().await.map(drop)).await?;
    println!("{:<34} {:>10}", "GET by id", "per second");
    println!("{:<34} {server:>10.0}", "  server");
    println!("{:<34} {handler:>10.0}", "  bare handler");
    println!("{:<34} {:>10.2}", "  ratio", server / handler);
    Ok(())
}

async fn creates(args: &Catalog, subject: &Subject) -> Result<()> {
    let duration = Duration::from_secs(args.seconds);
    let rate = load::rate(CLIENTS, duration, async |at| subject.create(at).await).await?;
    println!("{:<34} {:>10}", "durable creates", "per second");
    println!("{:<34} {rate:>10.0}", "  server");
    Ok(())
}
