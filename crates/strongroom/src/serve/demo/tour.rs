//! The calls that the demo makes, as any client would, printed in short.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, Result, bail};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha512};

use super::{Credentials, compare, sources};
use crate::{
    data_dir::DataDir,
    ui::{self, Outcome},
};

pub(super) async fn run(
    url: &str,
    credentials: &Credentials,
    data_dir: &DataDir,
    path: &Path,
) -> Result<Outcome> {
    let tour = Tour {
        url,
        credentials,
        http: reqwest::Client::new(),
    };
    let mut files = None;
    ui::line("\nbacking up")?;
    for thing in sources::things(data_dir, path)? {
        let resource = tour.register(&thing).await?;
        let backup = tour.back_up(&resource).await?;
        let size = ui::bytes(backup["source_bytes"].as_u64().unwrap_or(0));
        let added = ui::bytes(backup["stored_bytes"].as_u64().unwrap_or(0));
        let state = backup["state"].as_str().unwrap_or("?");
        ui::line(format_args!(
            "  {state}: {} ({size}, {added} added)",
            thing.about
        ))?;
        if thing.body["kind"] == "files" {
            files = Some((thing, backup));
        }
    }
    ui::line("\nlisting, as each API's clients do")?;
    tour.list_everywhere().await?;
    let (thing, backup) = files.context("no files were backed up")?;
    ui::line("\nrestoring")?;
    let target = data_dir.path().join("restored");
    if target.exists() {
        std::fs::remove_dir_all(&target)
            .with_context(|| format!("cannot remove `{}`", target.display()))?;
    }
    tour.restore(&backup, &target).await?;
    let exclude = thing.body["settings"]["exclude"]
        .as_str()
        .unwrap_or_default();
    let compared = compare::directories(path, exclude, &target)?;
    ui::line(format_args!(
        "  {} entries, {}: the restored copy is equal, byte for byte",
        compared.entries,
        ui::bytes(compared.bytes)
    ))?;
    Ok(Outcome::Done)
}

struct Tour<'a> {
    url: &'a str,
    credentials: &'a Credentials,
    http: reqwest::Client,
}

impl Tour<'_> {
    /// Registers a thing unless an earlier run did.
    async fn register(&self, thing: &sources::Thing) -> Result<Value> {
        let name = thing.body["name"].as_str().unwrap_or_default();
        let path = format!("/api/v1/resources?name={name}");
        let mut found = self.native(Method::GET, &path, None).await?;
        match found["items"].get_mut(0) {
            Some(resource) => Ok(resource.take()),
            None => {
                self.native(Method::POST, "/api/v1/resources", Some(&thing.body))
                    .await
            }
        }
    }

    /// Backs up and waits for the end.
    async fn back_up(&self, resource: &Value) -> Result<Value> {
        let body = json!({ "resource_id": resource["id"] });
        let accepted = self
            .native(Method::POST, "/api/v1/backups", Some(&body))
            .await?;
        self.ended("backups", &accepted["backup"]).await
    }

    async fn restore(&self, backup: &Value, target: &Path) -> Result<()> {
        let target = target.to_str().context("the data directory is not UTF-8")?;
        let body = json!({
            "backup_id": backup["id"],
            "target": { "type": "directory", "path": target },
        });
        let accepted = self
            .native(Method::POST, "/api/v1/restores", Some(&body))
            .await?;
        let ended = self.ended("restores", &accepted["restore"]).await?;
        if ended["state"] != "completed" {
            bail!(
                "the restore ended as {}: {}",
                ended["state"],
                ended["reason"]
            );
        }
        ui::line(format_args!("  restored {} to {target}", backup["name"]))
    }

    async fn ended(&self, nouns: &str, item: &Value) -> Result<Value> {
        let id = item["id"].as_str().context("the answer has no `id`")?;
        let path = format!("/api/v1/{nouns}/{id}");
        let mut polls = tokio::time::interval(Duration::from_millis(50));
        loop {
            polls.tick().await;
            let item = self.native(Method::GET, &path, None).await?;
            match item["state"].as_str().unwrap_or_default() {
                "pending" | "discovering" | "running" => {}
                "completed" | "partial" => return Ok(item),
                state => bail!("{} ended as {state}: {}", item["name"], item["reason"]),
            }
        }
    }

    async fn native(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value> {
        let bearer = format!("Bearer {}", self.credentials.api_token);
        self.call(method, path, &[("authorization", &bearer)], body)
            .await
    }

    async fn list_everywhere(&self) -> Result<()> {
        let Credentials {
            tenant_id,
            api_token,
            ..
        } = self.credentials;
        let project = tenant_id.replace('-', "");
        let bearer = format!("Bearer {api_token}");
        let session = format!("OAuth {}", self.zstack_login().await?);
        let calls = [
            (
                "Astra Control",
                format!("/accounts/{tenant_id}/topology/v1/appBackups"),
                ("authorization", &bearer),
            ),
            (
                "Huawei CBR",
                format!("/v3/{project}/backups?limit=100&offset=0"),
                ("x-auth-token", api_token),
            ),
            (
                "Huawei GES",
                format!("/v1.0/{project}/graphs/backups?limit=100&offset=0"),
                ("x-auth-token", api_token),
            ),
            (
                "ZStack",
                "/zstack/v1/database-backups".to_owned(),
                ("authorization", &session),
            ),
            (
                "native",
                "/api/v1/backups?limit=100".to_owned(),
                ("authorization", &bearer),
            ),
        ];
        for (api, path, (name, value)) in calls {
            let answer = self
                .call(Method::GET, &path, &[(name, value)], None)
                .await?;
            ui::line(format_args!("  {api}: GET {path}"))?;
            ui::line(format_args!("    {}", shorten(&answer.to_string())))?;
        }
        Ok(())
    }

    /// ZStack's clients send the SHA-512 of the password and get a session.
    async fn zstack_login(&self) -> Result<String> {
        let Credentials {
            username, password, ..
        } = self.credentials;
        let body = json!({ "logInByAccount": {
            "accountName": username, "password": hex::encode(Sha512::digest(password)),
        } });
        let path = "/zstack/v1/accounts/login";
        let answer = self.call(Method::PUT, path, &[], Some(&body)).await?;
        let uuid = answer["inventory"]["uuid"]
            .as_str()
            .context("the login has no session")?;
        Ok(uuid.to_owned())
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &String)],
        body: Option<&Value>,
    ) -> Result<Value> {
        let mut request = self
            .http
            .request(method.clone(), format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request
            .send()
            .await
            .with_context(|| format!("cannot {method} {path}"))?;
        let status: StatusCode = response.status();
        let text = response.text().await?;
        if !status.is_success() {
            bail!("{method} {path} was answered with {status}: {text}");
        }
        serde_json::from_str(&text).with_context(|| format!("{method} {path} answered no JSON"))
    }
}

/// Enough of an answer to see what it is.
fn shorten(text: &str) -> String {
    const ENOUGH: usize = 320;
    match text.char_indices().nth(ENOUGH) {
        Some((end, _)) => format!("{}… ({} bytes)", &text[..end], text.len()),
        None => text.to_owned(),
    }
}
