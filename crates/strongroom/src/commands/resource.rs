//! `strongroom resource …`

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::{print_list, print_one, remove};
use crate::{args::ResourceCmd, client::Client, ui::Outcome};

const COLUMNS: &[(&str, &str)] = &[
    ("ID", "id"),
    ("KIND", "kind"),
    ("NAME", "name"),
    ("FACE", "face"),
    ("CREATED", "created_at"),
];

pub(super) async fn run(cmd: ResourceCmd) -> Result<Outcome> {
    match cmd {
        ResourceCmd::Add {
            server,
            kind,
            name,
            set,
        } => {
            let client = Client::new(&server)?;
            let settings: Map<_, _> = set
                .into_iter()
                .map(|(key, value)| (key, Value::String(value)))
                .collect();
            let body = json!({ "kind": kind, "name": name, "settings": settings });
            print_one(server.json, &client.post(&["resources"], &body).await?)
        }
        ResourceCmd::List { server, kind } => {
            let filter = kind.as_deref().map(|kind| ("kind", kind));
            let items = Client::new(&server)?
                .list(&["resources"], filter.as_slice(), u64::MAX)
                .await?;
            print_list(server.json, &items, COLUMNS)
        }
        ResourceCmd::Show { server, resource } => {
            let client = Client::new(&server)?;
            let id = client.id_of("resources", &resource).await?;
            print_one(server.json, &client.get(&["resources", &id], &[]).await?)
        }
        ResourceCmd::Remove { server, resource } => {
            let client = Client::new(&server)?;
            let id = client.id_of("resources", &resource).await?;
            remove(&client, &["resources", &id], server.json).await
        }
        ResourceCmd::Discover { server, kind } => {
            let filter = kind.as_deref().map(|kind| ("kind", kind));
            let client = Client::new(&server)?;
            let answer = client
                .get(&["resources", "discover"], filter.as_slice())
                .await?;
            let items = answer["items"].as_array().cloned().unwrap_or_default();
            let columns = [("KIND", "kind"), ("NAME", "name"), ("SETTINGS", "settings")];
            print_list(server.json, &items, &columns)
        }
    }
}
