//! `strongroom tenant …` and `strongroom token …`

use anyhow::Result;
use serde_json::json;

use super::{print_list, print_one, remove};
use crate::{
    args::{TenantCmd, TokenCmd},
    client::Client,
    ui::Outcome,
};

pub(super) async fn run_tenant(cmd: TenantCmd) -> Result<Outcome> {
    let (TenantCmd::Show { server } | TenantCmd::List { server }) = &cmd;
    let items = Client::new(server)?
        .list(&["tenants"], &[], u64::MAX)
        .await?;
    match (cmd, items.first()) {
        (TenantCmd::Show { server }, Some(tenant)) => print_one(server.json, tenant),
        (TenantCmd::Show { server } | TenantCmd::List { server }, _) => {
            let columns = [("ID", "id"), ("NAME", "name"), ("CREATED", "created_at")];
            print_list(server.json, &items, &columns)
        }
    }
}

pub(super) async fn run_token(cmd: TokenCmd) -> Result<Outcome> {
    match cmd {
        TokenCmd::Create { server, name } => {
            let client = Client::new(&server)?;
            print_one(
                server.json,
                &client.post(&["tokens"], &json!({ "name": name })).await?,
            )
        }
        TokenCmd::List { server } => {
            let items = Client::new(&server)?
                .list(&["tokens"], &[], u64::MAX)
                .await?;
            let columns = [
                ("ID", "id"),
                ("KIND", "kind"),
                ("NAME", "name"),
                ("EXPIRES", "expires_at"),
            ];
            print_list(server.json, &items, &columns)
        }
        TokenCmd::Revoke { server, token_id } => {
            remove(&Client::new(&server)?, &["tokens", &token_id], server.json).await
        }
    }
}
