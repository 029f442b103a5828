//! `strongroom backup …`

use anyhow::Result;
use serde_json::{Map, Value};

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

const ENTRY_COLUMNS: &[(&str, &str)] = &[
    ("KIND", "kind"),
    ("SIZE", "size"),
    ("MODIFIED", "modified_at"),
    ("PATH", "path"),
];

pub(super) async fn run(cmd: BackupCmd) -> Result<Outcome> {
    match cmd {
        BackupCmd::Create {
            server,
            resource,
            name,
            repository,
            wait,
        } => {
            let client = Client::new(&server)?;
            let backup = create(&client, &resource, name, repository.as_deref()).await?;
            if wait {
                wait::until_ended(&client, "backups", backup, server.json).await
            } else {
                print_one(server.json, &backup)
            }
        }
        BackupCmd::List {
            server,
            resource,
            state,
            limit,
        } => {
            let client = Client::new(&server)?;
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
            print_list(server.json, &items, COLUMNS)
        }
        BackupCmd::Show { server, backup } => {
            let client = Client::new(&server)?;
            print_one(server.json, &client.get(&["backups", &backup], &[]).await?)
        }
        BackupCmd::Delete { server, backup } => {
            remove(&Client::new(&server)?, "backups", &backup, server.json).await
        }
        BackupCmd::Cancel { server, backup } => {
            let client = Client::new(&server)?;
            let path = ["backups", &backup, "cancel"];
            print_one(
                server.json,
                &client.post(&path, &Value::Object(Map::new())).await?,
            )
        }
        BackupCmd::Browse {
            server,
            backup,
            path,
        } => {
            let client = Client::new(&server)?;
            let answer = client
                .get(&["backups", &backup, "entries"], &[("path", &path)])
                .await?;
            let items = answer["items"].as_array().cloned().unwrap_or_default();
            print_list(server.json, &items, ENTRY_COLUMNS)
        }
    }
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
