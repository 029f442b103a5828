//! Waits for a backup, restore or operation to end, with progress on a terminal.

use std::time::Duration;

use anyhow::{Context as _, Result};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use tokio::signal::unix::{SignalKind, signal};

use super::print_one;
use crate::{
    client::Client,
    ui::{self, Outcome},
};

/// How often the server is asked. Short against any real backup, long against an answer's time.
const POLL: Duration = Duration::from_millis(100);

/// Polls `nouns/{id}` until its state is final, prints it, and says how it ended.
pub(super) async fn until_ended(
    client: &Client,
    nouns: &str,
    started: Value,
    as_json: bool,
) -> Result<Outcome> {
    let id = started["id"]
        .as_str()
        .context("the server's answer has no `id`")?
        .to_owned();
    // Before the first poll: from then on a signal does not end this program.
    let mut interrupts = signal(SignalKind::interrupt()).context("cannot wait for Ctrl-C")?;
    let (bar, path) = (bar(), [nouns, id.as_str()]);
    let ended = tokio::select! {
        ended = ended(client, &path, &bar) => ended?,
        _ = interrupts.recv() => {
            bar.finish_and_clear();
            goes_on(nouns, &id);
            return Ok(Outcome::Interrupted);
        }
    };
    bar.finish_and_clear();
    print_one(as_json, &ended)?;
    Ok(outcome(&ended))
}

/// What is at `path` once its state is final.
async fn ended(client: &Client, path: &[&str], bar: &ProgressBar) -> Result<Value> {
    let mut polls = tokio::time::interval(POLL);
    loop {
        polls.tick().await;
        let item = client.get(path, &[]).await?;
        show(bar, &item);
        let state = item["state"].as_str().unwrap_or_default();
        if !matches!(state, "pending" | "discovering" | "running") {
            return Ok(item);
        }
    }
}

/// Says that the server's work does not end with the waiting.
fn goes_on(nouns: &str, id: &str) {
    let noun = nouns.strip_suffix('s').unwrap_or(nouns);
    ui::note(format_args!("the {noun} {id} goes on on the server"));
    if nouns == "backups" {
        ui::note(format_args!(
            "hint: `strongroom backup show {id}` shows how it stands, `strongroom backup cancel \
             {id}` stops it"
        ));
    }
}

/// Prints an operation that was started, or waits for it first.
pub(super) async fn operation(
    client: &Client,
    started: Value,
    wait: bool,
    as_json: bool,
) -> Result<Outcome> {
    if wait {
        until_ended(client, "operations", started, as_json).await
    } else {
        print_one(as_json, &started)
    }
}

/// How it ended; what failed is named on standard error.
fn outcome(ended: &Value) -> Outcome {
    for entry in ended["failed_entries"].as_array().into_iter().flatten() {
        let field = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
        let (phase, path, message) = (field("phase"), field("path"), field("message"));
        ui::note(format_args!("warning: cannot {phase} `{path}`: {message}"));
    }
    match ended["state"].as_str() {
        Some("completed" | "succeeded") => {
            if let Some(reason) = ended["reason"].as_str() {
                ui::note(format_args!("warning: {reason}"));
            }
            Outcome::Done
        }
        Some("partial") => Outcome::SomeFailed,
        other => {
            let state = other.unwrap_or("unknown");
            let reason = ended["reason"]
                .as_str()
                .or(ended["error"]["message"].as_str());
            let reason = reason.unwrap_or("no reason was given");
            ui::note(format_args!("error: {state}: {reason}"));
            Outcome::Failed
        }
    }
}

fn bar() -> ProgressBar {
    if !ui::interactive() {
        return ProgressBar::hidden();
    }
    let style = "{spinner} {msg} {bytes}/{total_bytes} {bytes_per_sec} eta {eta}";
    let bar = ProgressBar::no_length();
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style);
    }
    bar
}

fn show(bar: &ProgressBar, item: &Value) {
    let progress = &item["progress"];
    if let Some(total) = progress["bytes_total"].as_u64() {
        bar.set_length(total);
    }
    bar.set_position(progress["bytes_done"].as_u64().unwrap_or(0));
    bar.set_message(item["state"].as_str().unwrap_or_default().to_owned());
}
