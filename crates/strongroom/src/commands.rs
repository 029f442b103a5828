//! What each command does.

mod backup;
mod policy;
mod repo;
mod repository;
mod resource;
mod restore;
mod tenant;
mod wait;

use std::future::Future;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::{
    args::{Args, Cmd},
    client::Client,
    ui::{self, Outcome},
};

/// Carries out what was typed.
pub(crate) fn run(args: Args) -> Result<Outcome> {
    install_crypto();
    match args.command {
        Cmd::Demo(args) => crate::serve::demo::run(args),
        Cmd::Init(args) => crate::serve::init::run(args),
        Cmd::Serve(args) => crate::serve::run(args),
        Cmd::Resource(cmd) => block_on(resource::run(cmd)),
        Cmd::Backup(cmd) => block_on(backup::run(cmd)),
        Cmd::Restore(args) => block_on(restore::run(args)),
        Cmd::Policy(cmd) => block_on(policy::run(cmd)),
        Cmd::Repository(cmd) => block_on(repository::run(cmd)),
        Cmd::Tenant(cmd) => block_on(tenant::run_tenant(cmd)),
        Cmd::Token(cmd) => block_on(tenant::run_token(cmd)),
        Cmd::Repo(cmd) => repo::run(cmd),
        Cmd::Manifests => manifests(),
        Cmd::DumpCatalog(args) => crate::serve::demo::dump_catalog(&args.file),
    }
}

fn manifests() -> Result<Outcome> {
    let text = include_str!("../../../deploy/kubernetes.yaml");
    ui::line(
        text.trim_end()
            .replace("{version}", env!("CARGO_PKG_VERSION")),
    )?;
    Ok(Outcome::Done)
}

/// One TLS provider for the whole process; rustls cannot choose by itself.
fn install_crypto() {
    // Fails only if a provider is installed already, which is as good.
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
}

fn block_on(work: impl Future<Output = Result<Outcome>>) -> Result<Outcome> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?
        .block_on(work)
}

/// Prints a list: JSON as an array, or a table of some fields.
fn print_list(as_json: bool, items: &[Value], columns: &[(&str, &str)]) -> Result<Outcome> {
    if as_json {
        ui::json(&items)?;
    } else {
        let headings: Vec<_> = columns.iter().map(|(heading, _)| *heading).collect();
        let row = |item: &Value| columns.iter().map(|(_, field)| cell(item, field)).collect();
        ui::table(&headings, &items.iter().map(row).collect::<Vec<_>>())?;
    }
    Ok(Outcome::Done)
}

/// Prints one thing: JSON, or a line per field.
fn print_one(as_json: bool, item: &Value) -> Result<Outcome> {
    if as_json {
        ui::json(item)?;
    } else if let Some(fields) = item.as_object() {
        let width = fields.keys().map(String::len).max().unwrap_or(0);
        for name in fields.keys().filter(|name| !fields[*name].is_null()) {
            ui::line(format_args!("{name:<width$}  {}", cell(item, name)))?;
        }
    }
    Ok(Outcome::Done)
}

/// A field for people; byte counts are abbreviated.
fn cell(item: &Value, field: &str) -> String {
    match &item[field] {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) if field.ends_with("_bytes") => number
            .as_u64()
            .map_or_else(|| number.to_string(), ui::bytes),
        other => other.to_string(),
    }
}

/// Deletes what is named, and says so.
async fn remove(client: &Client, path: &[&str], as_json: bool) -> Result<Outcome> {
    let answer = client.delete(path).await?;
    if as_json && !answer.is_null() {
        ui::json(&answer)?;
    }
    Ok(Outcome::Done)
}
