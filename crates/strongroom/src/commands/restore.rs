//! `strongroom restore …`

use anyhow::{Context as _, Result};
use serde_json::{Map, Value, json};

use super::{print_one, wait};
use crate::{args::RestoreArgs, client::Client, ui::Outcome};

pub(super) async fn run(args: RestoreArgs) -> Result<Outcome> {
    let client = Client::new(&args.server)?;
    let from = match &args.from {
        Some(repository) => Some(client.id_of("repositories", repository).await?),
        None => None,
    };
    let safety_backup = match (args.safety_backup, args.no_safety_backup) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    };
    let backup = client.id_of("backups", &args.backup).await?;
    let body = json!({
        "backup_id": backup,
        "target": target(&args.to)?,
        "include": args.include,
        "conflict": if args.keep_existing { "keep" } else { "replace" },
        "rename": renames(&args.rename)?,
        "repository_id": from,
        "safety_backup": safety_backup,
    });
    let restore = client.post(&["restores"], &body).await?["restore"].take();
    if args.wait {
        wait::until_ended(&client, "restores", restore, args.server.json).await
    } else {
        print_one(args.server.json, &restore)
    }
}

/// `OLD=NEW` pairs.
fn renames(pairs: &[String]) -> Result<Map<String, Value>> {
    let pair = |it: &String| {
        let (old, new) = it
            .split_once('=')
            .with_context(|| format!("`{it}` is not of the form OLD=NEW"))?;
        Ok((old.to_owned(), new.into()))
    };
    pairs.iter().map(pair).collect()
}

/// A relative directory is meant as the person at the keyboard sees it.
fn target(to: &str) -> Result<Value> {
    if to == "original" {
        return Ok(json!({ "type": "original" }));
    }
    let path = std::path::absolute(to).with_context(|| format!("`{to}` is not a usable path"))?;
    let path = path
        .to_str()
        .with_context(|| format!("`{to}` is not UTF-8"))?;
    Ok(json!({ "type": "directory", "path": path }))
}
