//! `strongroom repository …`

use anyhow::{Context as _, Result};
use serde_json::json;

use super::{print_list, print_one, remove, wait};
use crate::{
    args::{RepositoryCmd, Server},
    client::Client,
    ui::Outcome,
};

const COLUMNS: &[(&str, &str)] = &[
    ("ID", "id"),
    ("NAME", "name"),
    ("STATE", "state"),
    ("DEFAULT", "is_default"),
    ("STORED", "stored_bytes"),
    ("URL", "url"),
];

pub(super) async fn run(cmd: RepositoryCmd) -> Result<Outcome> {
    match cmd {
        RepositoryCmd::Add {
            server,
            name,
            location,
            password_file,
            default,
        } => {
            let password = match &password_file {
                Some(path) => Some(read_password(path)?),
                None => None,
            };
            let body = json!({
                "name": name, "url": location, "password": password, "is_default": default,
            });
            let client = Client::new(&server)?;
            print_one(server.json, &client.post(&["repositories"], &body).await?)
        }
        RepositoryCmd::List { server } => {
            let items = Client::new(&server)?
                .list(&["repositories"], &[], u64::MAX)
                .await?;
            print_list(server.json, &items, COLUMNS)
        }
        RepositoryCmd::Show { server, repository } => {
            let client = Client::new(&server)?;
            let id = client.id_of("repositories", &repository).await?;
            print_one(server.json, &client.get(&["repositories", &id], &[]).await?)
        }
        RepositoryCmd::Check {
            server,
            repository,
            wait,
        } => ask(&server, &repository, "check", wait).await,
        RepositoryCmd::Scan {
            server,
            repository,
            wait,
        } => ask(&server, &repository, "scan", wait).await,
        RepositoryCmd::Remove { server, repository } => {
            let client = Client::new(&server)?;
            let id = client.id_of("repositories", &repository).await?;
            remove(&client, &["repositories", &id], server.json).await
        }
    }
}

/// Has something done to a repository.
async fn ask(server: &Server, repository: &str, verb: &str, wait: bool) -> Result<Outcome> {
    let client = Client::new(server)?;
    let id = client.id_of("repositories", repository).await?;
    let asked = client
        .post(&["repositories", &id, verb], &json!({}))
        .await?;
    wait::operation(&client, asked, wait, server.json).await
}

/// A password file's content without the line end, as restic reads it.
pub(crate) fn read_password(path: &std::path::Path) -> Result<String> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the password file `{}`", path.display()))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
