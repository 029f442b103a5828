//! Where restores may write.

use std::path::Path;

use strongroom_domain::{Backup, Role, restore::RestoreState};
use strongroom_service::{Caller, Error, RestoreDirectories, ServiceConfig};
use strongroom_testkit::{TestParts, TestService};

use crate::backup::restore_to;

/// A service that allows these directories, with a backup in its first tenant.
async fn allowing(restore_directories: RestoreDirectories) -> (TestService, Backup) {
    let config = ServiceConfig {
        restore_directories,
        ..ServiceConfig::default()
    };
    let parts = TestParts {
        config,
        ..TestParts::default()
    };
    let t = TestService::with(parts).await;
    let backup = t
        .back_up(&t.files_with("docs", &[("a", b"alpha")]).await)
        .await;
    (t, backup)
}

fn operator(t: &TestService) -> Caller {
    Caller {
        role: Role::Operator,
        ..t.owner.clone()
    }
}

async fn refused(t: &TestService, caller: &Caller, backup: &Backup, to: &Path) {
    let request = restore_to(backup, to);
    let Err(Error::Invalid(faults)) = t.service.request_restore(caller, request).await else {
        panic!("{} is allowed", to.display());
    };
    assert_eq!(faults[0].field, "target.path");
}

async fn restored(t: &TestService, caller: &Caller, backup: &Backup, to: &Path) {
    let (restore, _) = t
        .service
        .request_restore(caller, restore_to(backup, to))
        .await
        .unwrap();
    t.work().await;
    let restore = t.service.restore(caller, restore.id).await.unwrap();
    assert_eq!(
        restore.state,
        RestoreState::Completed,
        "{:?}",
        restore.reason
    );
    assert_eq!(std::fs::read(to.join("a")).unwrap(), b"alpha");
}

#[tokio::test]
async fn whoever_runs_the_server_restores_anywhere_and_others_to_their_tenants_directory() {
    let dir = tempfile::tempdir().unwrap();
    let (t, backup) = allowing(RestoreDirectories::PerTenant(dir.path().to_owned())).await;
    let (_, other) = t.another_tenant("tenant-2").await;
    let (own, foreign) = (
        dir.path().join(t.owner.tenant_id.to_string()),
        dir.path().join(other.tenant_id.to_string()),
    );
    restored(&t, &t.owner, &backup, &t.directory().join("anywhere")).await;
    let operator = operator(&t);
    restored(&t, &operator, &backup, &own.join("here")).await;
    refused(&t, &operator, &backup, &foreign).await;
    refused(&t, &operator, &backup, &own.join("../elsewhere")).await;
    refused(&t, &operator, &backup, &t.directory().join("anywhere")).await;
}

#[tokio::test]
async fn directories_that_the_operator_names_count_for_everybody() {
    let dir = tempfile::tempdir().unwrap();
    let (t, backup) = allowing(RestoreDirectories::Below(vec![dir.path().to_owned()])).await;
    refused(&t, &t.owner, &backup, &t.directory().join("anywhere")).await;
    restored(&t, &operator(&t), &backup, &dir.path().join("here")).await;
}

#[tokio::test]
async fn a_link_put_in_the_way_before_the_worker_comes_fails_the_restore() {
    let dir = tempfile::tempdir().unwrap();
    let (t, backup) = allowing(RestoreDirectories::Below(vec![dir.path().to_owned()])).await;
    let (target, outside) = (dir.path().join("target"), t.directory().join("outside"));
    std::fs::create_dir(&outside).unwrap();
    let request = restore_to(&backup, &target);
    let (restore, _) = t.service.request_restore(&t.owner, request).await.unwrap();
    std::os::unix::fs::symlink(&outside, &target).unwrap();
    t.work().await;
    let restore = t.service.restore(&t.owner, restore.id).await.unwrap();
    assert_eq!(restore.state, RestoreState::Failed);
    assert!(
        restore
            .reason
            .unwrap()
            .contains("not the directory any more")
    );
    assert!(std::fs::read_dir(&outside).unwrap().next().is_none());
}
