//! `strongroom policy …`

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::{print_list, print_one, remove};
use crate::{
    args::{PolicyAdd, PolicyCmd},
    client::Client,
    ui::Outcome,
};

const COLUMNS: &[(&str, &str)] = &[
    ("ID", "id"),
    ("NAME", "name"),
    ("ENABLED", "enabled"),
    ("LAST RUN", "last_run"),
    ("NEXT RUN", "next_run"),
];

pub(super) async fn run(cmd: PolicyCmd) -> Result<Outcome> {
    match cmd {
        PolicyCmd::Add(args) => add(*args).await,
        PolicyCmd::List { server } => {
            let items = Client::new(&server)?
                .list(&["policies"], &[], u64::MAX)
                .await?;
            print_list(server.json, &items, COLUMNS)
        }
        PolicyCmd::Show { server, policy } => {
            let client = Client::new(&server)?;
            let id = client.id_of("policies", &policy).await?;
            print_one(server.json, &client.get(&["policies", &id], &[]).await?)
        }
        PolicyCmd::Remove { server, policy } => {
            let client = Client::new(&server)?;
            let id = client.id_of("policies", &policy).await?;
            remove(&client, &["policies", &id], server.json).await
        }
        PolicyCmd::Run { server, policy } => {
            let client = Client::new(&server)?;
            let id = client.id_of("policies", &policy).await?;
            client
                .post(&["policies", &id, "run"], &Value::Object(Map::new()))
                .await?;
            Ok(Outcome::Done)
        }
    }
}

async fn add(args: PolicyAdd) -> Result<Outcome> {
    let client = Client::new(&args.server)?;
    let mut targets = Vec::new();
    for resource in &args.resource {
        let id = client.id_of("resources", resource).await?;
        targets.push(json!({ "type": "resource", "id": id }));
    }
    let mut repositories = Vec::new();
    for repository in &args.repository {
        repositories.push(client.id_of("repositories", repository).await?);
    }
    let copy_to = match &args.copy_to {
        Some(to) => json!({
            "repository_id": client.id_of("repositories", to).await?,
            "retention": {
                "last": args.copy_keep_last,
                "hourly": args.copy_keep_hourly,
                "daily": args.copy_keep_daily,
                "weekly": args.copy_keep_weekly,
                "monthly": args.copy_keep_monthly,
                "yearly": args.copy_keep_yearly,
            },
        }),
        None => Value::Null,
    };
    let rules = [
        args.cron
            .as_ref()
            .map(|it| json!({ "type": "cron", "rule": it })),
        args.rrule
            .as_ref()
            .map(|it| json!({ "type": "rrule", "rule": it })),
        args.every.map(|it| json!({ "type": "every", "rule": it })),
    ];
    let recurrences: Vec<Value> = rules.into_iter().flatten().collect();
    let body = json!({
        "name": args.name,
        "targets": targets,
        "schedule": { "recurrences": recurrences, "zone": args.zone, "missed": "run_once" },
        "retention": {
            "last": args.keep_last,
            "hourly": args.keep_hourly,
            "daily": args.keep_daily,
            "weekly": args.keep_weekly,
            "monthly": args.keep_monthly,
            "yearly": args.keep_yearly,
        },
        "repositories": repositories,
        "copy_to": copy_to,
    });
    print_one(args.server.json, &client.post(&["policies"], &body).await?)
}
