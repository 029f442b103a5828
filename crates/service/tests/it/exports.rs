//! Exports: downloads without a credential.

use strongroom_domain::{Backup, ExportId};
use strongroom_service::backups::DeleteBackup;
use strongroom_testkit::TestService;

async fn export(t: &TestService, backup: &Backup) -> (ExportId, String) {
    let made = t
        .service
        .create_export(&t.owner, backup.id, Some(t.repository.id));
    let made = made.await.unwrap();
    (made.id, made.file_name)
}

async fn download(t: &TestService, id: ExportId) -> Vec<u8> {
    let download = t.service.download(id).await.unwrap();
    let mut bytes = Vec::new();
    download.write_to(&mut bytes).unwrap();
    bytes
}

#[tokio::test]
async fn a_single_file_is_exported_without_what_describes_it() {
    let t = TestService::start().await;
    let one = t.files_with("one", &[("dump.bin", b"\0\x01")]).await;
    let one = t.back_up(&one).await;
    let (id, name) = export(&t, &one).await;
    assert_eq!(name, format!("{}.bin.gz", one.name));
    assert_eq!(download(&t, id).await, b"\0\x01");

    let files: &[(&str, &[u8])] = &[("databases/a.sql", b"select 1;\n"), ("server.json", b"{}")];
    let dump = t.files_with("dump", files).await;
    let dump = t.back_up(&dump).await;
    let (id, name) = export(&t, &dump).await;
    assert_eq!(name, format!("{}.sql.gz", dump.name));
    assert_eq!(download(&t, id).await, b"select 1;\n");
}

#[tokio::test]
async fn anything_else_is_exported_as_an_archive() {
    let t = TestService::start().await;
    let tree = t
        .files_with("tree", &[("a", b"alpha"), ("b/c", b"gamma")])
        .await;
    let tree = t.back_up(&tree).await;
    let (id, name) = export(&t, &tree).await;
    assert_eq!(name, format!("{}.tar.gz", tree.name));
    let archive = download(&t, id).await;
    assert_eq!(archive.len() % 512, 0);
    assert!(archive.windows(5).any(|it| it == b"gamma"));
}

#[tokio::test]
async fn an_export_ends_when_it_is_told_to_and_with_its_backup() {
    let t = TestService::start().await;
    let docs = t.files_with("docs", &[("a", b"alpha")]).await;
    let backup = t.back_up(&docs).await;
    let (id, _) = export(&t, &backup).await;
    let again = t
        .service
        .create_export(&t.owner, backup.id, Some(t.repository.id));
    assert_eq!(again.await.unwrap_err().code(), "already_member");
    let end = || {
        t.service
            .delete_export(&t.owner, backup.id, t.repository.id)
    };
    end().await.unwrap();
    assert_eq!(
        t.service.download(id).await.unwrap_err().code(),
        "not_found"
    );
    assert_eq!(end().await.unwrap_err().code(), "not_found");

    let (id, _) = export(&t, &backup).await;
    let deletion = t
        .service
        .delete_backup(&t.owner, backup.id, DeleteBackup::default());
    deletion.await.unwrap();
    t.work().await;
    assert_eq!(
        t.service.download(id).await.unwrap_err().code(),
        "not_found"
    );
    let exports = t.service.exports_of(&t.owner, &[backup.id]).await.unwrap();
    assert!(exports.is_empty(), "{exports:?}");
}
