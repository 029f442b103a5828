//! The verbs, jobs and schedules over a real store and real repositories in memory.

#![expect(clippy::unwrap_used, reason = "tests")]

mod access;
mod backup;
mod copies;
mod databases;
mod exports;
mod identity;
mod jobs;
mod mariadb;
mod policy_copies;
mod policy_repositories;
mod postgres;
mod repository;
mod scheduler;
mod server;
mod servers;
mod targets;
mod vaults;

use strongroom_domain::{ResourceKind, resource::Settings};
use strongroom_source::Registry;
use strongroom_testkit::{Script, TestParts, TestService};

/// A service whose `files` resources are read from a script, and one such resource.
async fn scripted(script: &Script) -> (TestService, strongroom_domain::Resource) {
    let sources = Registry::of(vec![Box::new(script.clone())]);
    let t = TestService::with(TestParts {
        sources,
        ..TestParts::default()
    })
    .await;
    let resource = t
        .resource(ResourceKind::Files, "scripted", Settings::default())
        .await;
    (t, resource)
}
