//! A small client of the native API.

use anyhow::{Context as _, Result, anyhow, bail};
use reqwest::{Method, StatusCode, Url, header};
use serde_json::Value;
use strongroom_domain::Secret;

use crate::{args::Server, ui::Hint};

/// Talks to one server with one credential.
#[derive(Debug)]
pub(crate) struct Client {
    base: Url,
    token: Secret,
    http: reqwest::Client,
}

impl Client {
    /// Reads the flags that every client command has.
    pub(crate) fn new(server: &Server) -> Result<Self> {
        let Some(token) = &server.token else {
            let hint = "set `STRONGROOM_TOKEN` to the `api_token` that `strongroom init` printed";
            return Err(anyhow!("no API token was given").context(Hint(hint.to_owned())));
        };
        let base =
            Url::parse(&server.url).with_context(|| format!("`{}` is not a URL", server.url))?;
        if !matches!(base.scheme(), "http" | "https") {
            bail!("`{}` is neither an http nor an https URL", server.url);
        }
        let http = reqwest::Client::builder()
            .build()
            .context("cannot set up the HTTP client")?;
        Ok(Self {
            base,
            token: Secret::new(token.trim()),
            http,
        })
    }

    /// Reads what is at `path`, e.g. `["backups", id]` below `/api/v1`.
    pub(crate) async fn get(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Value> {
        self.send(Method::GET, path, query, None).await
    }

    /// Posts a new thing.
    pub(crate) async fn post(&self, path: &[&str], body: &Value) -> Result<Value> {
        self.send(Method::POST, path, &[], Some(body)).await
    }

    /// Deletes what is at `path`.
    pub(crate) async fn delete(&self, path: &[&str]) -> Result<Value> {
        self.send(Method::DELETE, path, &[], None).await
    }

    /// Every item of a list, over all its pages, at most `limit`.
    pub(crate) async fn list(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        limit: u64,
    ) -> Result<Vec<Value>> {
        let mut items = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let page = limit
                .saturating_sub(items.len() as u64)
                .min(1000)
                .to_string();
            let mut query = query.to_vec();
            query.push(("limit", &page));
            if let Some(cursor) = &cursor {
                query.push(("cursor", cursor));
            }
            let mut answer = self.get(path, &query).await?;
            if let Some(Value::Array(found)) = answer.get_mut("items").map(Value::take) {
                items.extend(found);
            }
            cursor = answer
                .get("next")
                .and_then(Value::as_str)
                .map(str::to_owned);
            if cursor.is_none() || items.len() as u64 >= limit {
                return Ok(items);
            }
        }
    }

    /// The id of the `noun` that a person named by name or id.
    pub(crate) async fn id_of(&self, nouns: &str, name_or_id: &str) -> Result<String> {
        if name_or_id.parse::<uuid::Uuid>().is_ok() {
            return Ok(name_or_id.to_owned());
        }
        // Of these there may be many; of everything else a tenant has a few.
        let query: &[_] = match nouns {
            "resources" | "backups" => &[("name", name_or_id)],
            _ => &[],
        };
        let mut items = self.list(&[nouns], query, u64::MAX).await?;
        items.retain(|it| it["name"] == name_or_id);
        let ids: Vec<_> = items.iter().filter_map(|it| it["id"].as_str()).collect();
        let noun = singular(nouns);
        match *ids {
            [id] => Ok(id.to_owned()),
            [] => {
                let hint = Hint(format!("`strongroom {noun} list` shows what there is"));
                Err(anyhow!("{noun} `{name_or_id}` not found").context(hint))
            }
            ref several => {
                let (count, ids) = (several.len(), several.join(", "));
                let hint = Hint("give its id instead of the name".to_owned());
                Err(anyhow!("{count} {nouns} have the name `{name_or_id}`: {ids}").context(hint))
            }
        }
    }

    async fn send(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Value> {
        let mut url = self.base.clone();
        url.path_segments_mut()
            .map_err(|()| anyhow!("`{}` cannot be a base URL", self.base))?
            .pop_if_empty()
            .extend(["api", "v1"])
            .extend(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut request = self
            .http
            .request(method, url)
            .bearer_auth(self.token.expose());
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request
            .send()
            .await
            .map_err(|error| self.unreachable(error))?;
        let status = response.status();
        let problem = is_problem(&response);
        let text = response
            .text()
            .await
            .context("the server's answer broke off")?;
        if status.is_success() {
            return if text.is_empty() {
                Ok(Value::Null)
            } else {
                serde_json::from_str(&text).context("the server's answer is not JSON")
            };
        }
        Err(refused(
            status,
            problem.then(|| serde_json::from_str(&text).ok()).flatten(),
        ))
    }

    fn unreachable(&self, error: reqwest::Error) -> anyhow::Error {
        let context = format!("cannot reach the server at {}", self.base);
        let hint = "start one with `strongroom serve`, or set `STRONGROOM_URL`";
        if error.is_connect() {
            anyhow::Error::new(error)
                .context(context)
                .context(Hint(hint.to_owned()))
        } else {
            anyhow::Error::new(error).context(context)
        }
    }
}

fn singular(nouns: &str) -> &str {
    match nouns {
        "policies" => "policy",
        "repositories" => "repository",
        other => other.strip_suffix('s').unwrap_or(other),
    }
}

fn is_problem(response: &reqwest::Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    kind.and_then(|it| it.to_str().ok())
        .is_some_and(|it| it.contains("json"))
}

/// The server's problem document as an error.
fn refused(status: StatusCode, problem: Option<Value>) -> anyhow::Error {
    let problem = problem.unwrap_or_default();
    let text = ["detail", "title"]
        .iter()
        .find_map(|key| problem[*key].as_str());
    let error = anyhow!("{}", text.unwrap_or("the server refused the request"))
        .context(format!("the server answered {}", status.as_u16()));
    if status == StatusCode::UNAUTHORIZED {
        let hint = "check `STRONGROOM_TOKEN`; `strongroom init` printed it as `api_token`";
        return error.context(Hint(hint.to_owned()));
    }
    error
}

#[cfg(test)]
mod tests {
    use axum::{Router, extract::RawQuery, routing::get};
    use serde_json::json;

    use super::*;

    /// A server with a list of two pages.
    async fn client() -> Client {
        let page = async |RawQuery(query): RawQuery| {
            let query = query.unwrap_or_default();
            let page = if query.contains("cursor=more") {
                json!({"items": [3]})
            } else {
                json!({"items": [1, 2], "next": "more"})
            };
            page.to_string()
        };
        let router = Router::new().route("/api/v1/things", get(page));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let token = Some("token".to_owned());
        Client::new(&Server {
            url,
            token,
            json: true,
        })
        .unwrap()
    }

    #[tokio::test]
    async fn a_list_is_read_to_its_last_page_unless_fewer_items_are_wanted() {
        let client = client().await;
        let all = client.list(&["things"], &[], u64::MAX).await.unwrap();
        assert_eq!(all, [json!(1), json!(2), json!(3)]);
        let two = client.list(&["things"], &[], 2).await.unwrap();
        assert_eq!(two, [json!(1), json!(2)]);
    }
}
