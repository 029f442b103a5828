//! `repo key list|add|remove|passwd`.

use anyhow::{Result, bail};
use serde_json::json;
use strongroom_engine::{Id, KdfCost, KeyInfo, Repository};

use super::open;
use crate::{
    args::{KeyCmd, RepoArgs},
    commands::repository::read_password,
    ui::{self, Outcome},
};

pub(super) fn run(cmd: KeyCmd) -> Result<Outcome> {
    match cmd {
        KeyCmd::List { repo } => list(&repo),
        KeyCmd::Add {
            repo,
            new_password_file,
        } => {
            let password = read_password(&new_password_file)?;
            done(
                &repo,
                "added",
                open(&repo)?.add_key(&password, KdfCost::HUMAN)?,
            )
        }
        KeyCmd::Remove { repo, id } => {
            let repository = open(&repo)?;
            let id = find(&repository, &id)?;
            repository.remove_key(id)?;
            done(&repo, "removed", id)
        }
        KeyCmd::Passwd {
            repo,
            new_password_file,
        } => {
            let password = read_password(&new_password_file)?;
            let id = open(&repo)?.change_password(&password, KdfCost::HUMAN)?;
            done(&repo, "added", id)
        }
    }
}

fn list(args: &RepoArgs) -> Result<Outcome> {
    let keys = open(args)?.keys()?;
    if args.json {
        let key = |key: &KeyInfo| {
            json!({
                "id": key.id.to_string(),
                "current": key.current,
                "userName": key.username,
                "hostName": key.hostname,
                "created": key.created,
            })
        };
        ui::json(&keys.iter().map(key).collect::<Vec<_>>())?;
    } else {
        let row = |key: &KeyInfo| {
            let mark = if key.current { "*" } else { " " };
            vec![
                format!("{mark}{}", key.id.short()),
                key.username.clone(),
                key.hostname.clone(),
                key.created.to_string(),
            ]
        };
        let rows: Vec<_> = keys.iter().map(row).collect();
        ui::table(&["ID", "USER", "HOST", "CREATED"], &rows)?;
    }
    Ok(Outcome::Done)
}

/// The key whose id begins with `text`.
fn find(repository: &Repository, text: &str) -> Result<Id> {
    let keys = repository.keys()?;
    let mut matching = keys.iter().filter(|key| key.id.to_hex().starts_with(text));
    match (matching.next(), matching.next()) {
        (Some(only), None) if !text.is_empty() => Ok(only.id),
        (Some(_), Some(_)) => bail!("`{text}` is the beginning of several keys' ids"),
        _ => bail!("no key `{text}`"),
    }
}

fn done(args: &RepoArgs, verb: &str, id: Id) -> Result<Outcome> {
    if args.json {
        ui::json(&json!({ "message_type": verb, "id": id.to_string() }))?;
    } else {
        ui::note(format_args!("{verb} key {id}"));
    }
    Ok(Outcome::Done)
}
