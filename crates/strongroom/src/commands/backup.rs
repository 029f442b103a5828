//! `strongroom backup …`

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::{print_list, print_one, remove, wait};
use crate::{args::BackupCmd, client::Client, ui::Outcome};

const COLUMNS: &[(&str, &str)] = &[
    ("ID", "id"),
    ("NAME", "name"),
    ("RESOURCE", "resource_name"),
    ("STATE", "state"),
    ("SIZE", "source_bytes"),
    ("ADDED", "stored_bytes"),
    ("CREATED", "created_at"),
];

const COPY_COLUMNS: &[(&str, &str)] = &[
    ("REPOSITORY", "repository_id"),
    ("STATE", "state"),
    ("SNAPSHOT", "snapshot"),
    ("CREATED", "created_at"),
];

const ENTRY_COLUMNS: &[(&str, &str)] = &[
    ("KIND", "kind"),
    ("SIZE", "size"),
    ("MODIFIED", "modified_at"),
    ("PATH", "path"),
];

pub(super) async fn run(mut cmd: BackupCmd) -> Result<Outcome> {
    let client = Client::new(cmd.server())?;
    if let Some(backup) = cmd.backup_mut() {
        *backup = client.id_of("backups", backup).await?;
    }
    let as_json = cmd.server().json;
    match cmd {
        BackupCmd::Create {
            resource,
            name,
            repository,
            wait,
            ..
        } => {
            let backup = create(&client, &resource, name, repository.as_deref()).await?;
            if wait {
                wait::until_ended(&client, "backups", backup, as_json).await
            } else {
                print_one(as_json, &backup)
            }
        }
        BackupCmd::List {
            resource,
            state,
            limit,
            ..
        } => list(&client, resource, state, limit, as_json).await,
        BackupCmd::Show { backup, .. } => {
            print_one(as_json, &client.get(&["backups", &backup], &[]).await?)
        }
        BackupCmd::Delete {
            backup,
            repository: None,
            ..
        } => remove(&client, &["backups", &backup], as_json).await,
        BackupCmd::Delete {
            backup,
            repository: Some(repository),
            ..
        } => {
            let id = client.id_of("repositories", &repository).await?;
            remove(&client, &["backups", &backup, "copies", &id], as_json).await
        }
        BackupCmd::Cancel { backup, .. } => {
            let path = ["backups", &backup, "cancel"];
            print_one(as_json, &client.post(&path, &json!({})).await?)
        }
        BackupCmd::Copy {
            backup, to, wait, ..
        } => {
            let to = client.id_of("repositories", &to).await?;
            let body = json!({ "repository_id": to });
            let asked = client.post(&["backups", &backup, "copies"], &body).await?;
            wait::operation(&client, asked, wait, as_json).await
        }
        BackupCmd::Copies { backup, .. } => {
            let path = ["backups", &backup, "copies"];
            print_list(
                as_json,
                &client.list(&path, &[], u64::MAX).await?,
                COPY_COLUMNS,
            )
        }
        BackupCmd::Export {
            backup,
            repository,
            end,
            ..
        } => export(&client, &backup, repository.as_deref(), end, as_json).await,
        BackupCmd::Browse { backup, path, .. } => {
            let below = ["backups", &backup, "entries"];
            let answer = client.get(&below, &[("path", &path)]).await?;
            let items = answer["items"].as_array().cloned().unwrap_or_default();
            print_list(as_json, &items, ENTRY_COLUMNS)
        }
    }
}

async fn list(
    client: &Client,
    resource: Option<String>,
    state: Option<String>,
    limit: u64,
    as_json: bool,
) -> Result<Outcome> {
    let resource = match resource {
        Some(resource) => Some(client.id_of("resources", &resource).await?),
        None => None,
    };
    let filters = [("resource_id", &resource), ("state", &state)];
    let query: Vec<_> = filters
        .iter()
        .filter_map(|(key, it)| Some((*key, it.as_deref()?)))
        .collect();
    let items = client.list(&["backups"], &query, limit).await?;
    print_list(as_json, &items, COLUMNS)
}

async fn export(
    client: &Client,
    backup: &str,
    repository: Option<&str>,
    end: bool,
    as_json: bool,
) -> Result<Outcome> {
    let from = match repository {
        Some(repository) => Some(client.id_of("repositories", repository).await?),
        None if end => {
            let mut found = client.get(&["backups", backup], &[]).await?;
            serde_json::from_value(found["repository_id"].take())?
        }
        None => None,
    };
    if let (Some(from), true) = (&from, end) {
        return remove(client, &["backups", backup, "exports", from], as_json).await;
    }
    let body = json!({ "repository_id": from });
    let made = client.post(&["backups", backup, "exports"], &body).await?;
    print_one(as_json, &made)
}

async fn create(
    client: &Client,
    resource: &str,
    name: Option<String>,
    repository: Option<&str>,
) -> Result<Value> {
    let mut body = Map::new();
    body.insert(
        "resource_id".to_owned(),
        client.id_of("resources", resource).await?.into(),
    );
    if let Some(name) = name {
        body.insert("name".to_owned(), name.into());
    }
    if let Some(repository) = repository {
        let id = client.id_of("repositories", repository).await?;
        body.insert("repository_id".to_owned(), id.into());
    }
    let mut accepted = client.post(&["backups"], &Value::Object(body)).await?;
    Ok(accepted["backup"].take())
}
