//! Between the core's nouns and Astra's resources. Pure and total: every field of the core that
//! Astra shows is taken from it, and every state has its word.

mod app;
mod backup;
mod bucket;
mod topology;

use jiff::{Timestamp, tz::TimeZone};
use strongroom_domain::{Label, PrincipalId};
use uuid::Uuid;

pub(super) use self::{
    app::app,
    backup::{app_backup, backup_filter, create_backup},
    bucket::bucket,
    topology::{Topology, cluster_of},
};
use super::wire;

/// The system's user, and every id that is required but refers to nothing.
const NIL: Uuid = Uuid::nil();

/// A time as Astra's clients parse it: UTC, whole seconds. A fraction makes them crash.
fn time(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC)
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string()
}

fn labels(labels: &[Label]) -> Vec<wire::Label> {
    let one = |Label { name, value }: &Label| wire::Label {
        name: name.clone(),
        value: value.clone(),
    };
    labels.iter().map(one).collect()
}

fn metadata(
    shown: &[Label],
    created_at: Timestamp,
    updated_at: Timestamp,
    created_by: Option<PrincipalId>,
) -> wire::Metadata {
    wire::Metadata {
        labels: labels(shown),
        creation_timestamp: time(created_at),
        modification_timestamp: time(updated_at),
        created_by: created_by.map_or(NIL, PrincipalId::uuid).to_string(),
    }
}

/// At most `limit` characters of `text`; where the vendor wants at least one, `-` stands for none.
fn bounded(text: &str, limit: usize) -> String {
    let text: String = text.chars().take(limit).collect();
    if text.is_empty() {
        "-".to_owned()
    } else {
        text
    }
}
