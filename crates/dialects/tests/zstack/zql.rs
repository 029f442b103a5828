//! ZQL, rule by rule.

mod answers;
mod errors;
mod joins;
mod random;
mod statements;

use serde_json::Value;

use crate::{catalog::encoded, client::Client};

async fn ask(client: &Client<'_>, zql: &str) -> Value {
    let path = format!("/zstack/v1/zql?zql={}", encoded(zql));
    client.get(&path).await.expect(200).json()
}

/// The answer to one statement, without its schema.
async fn result(client: &Client<'_>, zql: &str) -> Value {
    let mut answer = ask(client, zql).await;
    assert_eq!(answer["results"].as_array().unwrap().len(), 1, "{zql}");
    answer["results"][0].take()
}

/// The names of the rows that a statement finds.
async fn names(client: &Client<'_>, zql: &str) -> Vec<String> {
    let found = result(client, zql).await;
    let rows = found["inventories"].as_array().unwrap().iter();
    rows.map(|it| it["name"].as_str().unwrap().to_owned())
        .collect()
}
