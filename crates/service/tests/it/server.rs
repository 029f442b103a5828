//! A server: volumes and directories in one backup, restored together or one alone.

use std::{
    fs,
    path::{Path, PathBuf},
};

use strongroom_domain::{
    Backup, BackupState, Resource, ResourceKind,
    resource::Settings,
    restore::{Restore, RestoreState, RestoreTarget},
};
use strongroom_service::{Error, resources::CreateResource, restores::RequestRestore};
use strongroom_testkit::TestService;

use crate::backup::restore_to;

/// Two directories and a disk image.
struct Machine {
    t: TestService,
    etc: PathBuf,
    www: PathBuf,
    disk: PathBuf,
}

impl Machine {
    async fn start() -> Self {
        let t = TestService::start().await;
        let [etc, www, disk] = ["etc", "srv/www", "disk.img"].map(|it| t.directory().join(it));
        fs::create_dir_all(etc.join("conf.d")).unwrap();
        fs::create_dir_all(&www).unwrap();
        fs::write(etc.join("conf.d/app"), "port = 1").unwrap();
        fs::write(www.join("index.html"), "<p>hello").unwrap();
        fs::write(&disk, vec![7; 300_000]).unwrap();
        Self { t, etc, www, disk }
    }

    async fn register(&self) -> Resource {
        let settings = self.settings();
        self.t.resource(ResourceKind::Server, "web", settings).await
    }

    fn settings(&self) -> Settings {
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        let paths = format!("{}\nsite={}", text(&self.etc), text(&self.www));
        let pairs = [("paths", paths), ("volumes", text(&self.disk))];
        Settings(pairs.map(|(key, value)| (key.to_owned(), value)).into())
    }

    fn lose_everything(&self) {
        fs::write(self.etc.join("conf.d/app"), "garbled").unwrap();
        fs::remove_file(self.www.join("index.html")).unwrap();
        fs::write(&self.disk, vec![0; 400_000]).unwrap();
    }

    async fn restore(&self, backup: &Backup, target: RestoreTarget, include: &[&str]) -> Restore {
        let request = RequestRestore {
            target,
            include: include.iter().map(|it| (*it).to_owned()).collect(),
            ..restore_to(backup, self.t.directory())
        };
        let (restore, _) = self
            .t
            .service
            .request_restore(&self.t.owner, request)
            .await
            .unwrap();
        self.t.work().await;
        self.t
            .service
            .restore(&self.t.owner, restore.id)
            .await
            .unwrap()
    }
}

#[tokio::test]
async fn all_members_are_in_one_backup_each_in_a_directory_of_its_own() {
    let machine = Machine::start().await;
    let t = &machine.t;
    let backup = t.back_up(&machine.register().await).await;
    assert_eq!(backup.state, BackupState::Completed, "{:?}", backup.reason);
    assert_eq!(t.snapshots().len(), 1);
    let names = async |path: &str| {
        let found = t.service.browse_backup(&t.owner, backup.id, path).await;
        let names = found.unwrap().into_iter().map(|it| it.path);
        names.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names("").await, "disk.img etc site");
    assert_eq!(names("disk.img").await, "disk.img/image");
    assert_eq!(names("etc/conf.d").await, "etc/conf.d/app");

    let target = t.directory().join("copy");
    let to = restore_to(&backup, &target).target;
    let restore = machine.restore(&backup, to, &[]).await;
    assert_eq!(restore.state, RestoreState::Completed);
    let copy = |path: &str| fs::read(target.join(path)).unwrap();
    assert_eq!(copy("site/index.html"), b"<p>hello");
    assert_eq!(copy("disk.img/image"), vec![7; 300_000]);
}

#[tokio::test]
async fn members_are_restored_in_place_together_or_one_alone() {
    let machine = Machine::start().await;
    let backup = machine.t.back_up(&machine.register().await).await;
    machine.lose_everything();

    let one = machine
        .restore(&backup, RestoreTarget::Original, &["site"])
        .await;
    assert_eq!(one.state, RestoreState::Completed, "{:?}", one.reason);
    let page = machine.www.join("index.html");
    assert_eq!(fs::read(&page).unwrap(), b"<p>hello");
    let config = machine.etc.join("conf.d/app");
    assert_eq!(fs::read(&config).unwrap(), b"garbled");

    let all = machine.restore(&backup, RestoreTarget::Original, &[]).await;
    assert_eq!(all.state, RestoreState::Completed, "{:?}", all.reason);
    assert_eq!(fs::read(&config).unwrap(), b"port = 1");
    assert_eq!(fs::read(&machine.disk).unwrap(), vec![7; 300_000]);

    let none = machine
        .restore(&backup, RestoreTarget::Original, &["site/index.html"])
        .await;
    assert_eq!(none.state, RestoreState::Failed);
    assert!(none.reason.unwrap().contains("names no member"));
}

#[tokio::test]
async fn a_member_that_the_target_lacks_is_reported() {
    let machine = Machine::start().await;
    let backup = machine.t.back_up(&machine.register().await).await;
    let elsewhere = machine.t.directory().join("elsewhere");
    let paths = format!("etc={}", elsewhere.to_str().unwrap());
    let settings = Settings([("paths".to_owned(), paths)].into());
    let other = machine
        .t
        .resource(ResourceKind::Server, "other", settings)
        .await;
    let target = RestoreTarget::Resource { id: other.id };
    let restore = machine.restore(&backup, target, &[]).await;
    assert_eq!(restore.state, RestoreState::Partial);
    let missing: Vec<_> = restore.failed_entries.iter().map(|it| &it.path).collect();
    assert_eq!(missing, ["disk.img", "site"]);
    assert_eq!(fs::read(elsewhere.join("conf.d/app")).unwrap(), b"port = 1");
}

#[tokio::test]
async fn a_group_with_a_volume_that_cannot_be_read_fails_whole() {
    let machine = Machine::start().await;
    let resource = machine.register().await;
    fs::remove_file(&machine.disk).unwrap();
    let backup = machine.t.back_up(&resource).await;
    assert_eq!(backup.state, BackupState::Failed);
    let reason = backup.reason.unwrap();
    assert!(reason.contains("disk.img"), "{reason}");
    assert!(machine.t.snapshots().is_empty());
}

#[tokio::test]
async fn a_server_without_usable_members_is_refused() {
    let t = TestService::start().await;
    let create = async |pairs: &[(&str, &str)]| {
        let pairs = pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let request = CreateResource {
            kind: ResourceKind::Server,
            name: "web".to_owned(),
            settings: Settings(pairs.collect()),
            labels: Vec::new(),
            annotations: strongroom_domain::Annotations::default(),
        };
        match t.service.create_resource(&t.owner, request).await {
            Err(Error::Invalid(faults)) => faults[0].field.clone(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(create(&[]).await, "settings.paths");
    assert_eq!(
        create(&[("volumes", "relative.img")]).await,
        "settings.volumes"
    );
    assert_eq!(
        create(&[("paths", "/srv,/opt/srv")]).await,
        "settings.paths"
    );
    assert_eq!(create(&[("disks", "/dev/vda")]).await, "settings.disks");
}
