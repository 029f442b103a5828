//! Deleting backups through the Astra face.

use super::*;

#[tokio::test]
async fn deleting_takes_what_is_finished_or_running_but_not_what_is_pending() {
    let gate = Gate::default();
    let waits = vec![Step::Gate(gate.clone()), Step::File("a", b"1")];
    let (app, shop) = start(Script::tree([vec![Step::File("a", b"1")], waits])).await;
    let user = owner(&app);
    let done = app.back_up(&shop).await.id;
    let path = format!("{}/{done}", backups_of(&shop));
    let deleted = user
        .call(Method::DELETE, &path, json!({ "type": BODY }))
        .await
        .expect(204);
    assert!(deleted.body.is_empty());
    assert_eq!(user.get(&path).await.json()["state"], "deleting");
    assert_problem(
        &user.call(Method::DELETE, &path, Value::Null).await,
        174,
        409,
    );
    app.work().await;
    assert_problem(&user.get(&path).await, 2, 404);

    let id = created(&user, &shop, "waits").await;
    let path = format!("{}/{id}", backups_of(&shop));
    assert_problem(
        &user.call(Method::DELETE, &path, Value::Null).await,
        128,
        409,
    );
    let stop = async {
        gate.reached().await;
        assert_eq!(user.get(&path).await.json()["state"], "running");
        user.call(Method::DELETE, &path, Value::Null)
            .await
            .expect(204);
        gate.open();
    };
    tokio::join!(app.work(), stop);
    app.work().await;
    assert_problem(&user.get(&path).await, 2, 404);
}

#[tokio::test]
async fn a_pending_backup_is_deleted_if_forced() {
    let (app, shop) = start(a_file()).await;
    let user = owner(&app);
    let id = created(&user, &shop, "waits").await;
    let path = format!("{}{}/{id}", user.base, backups_of(&shop));
    let headers = [
        ("authorization", user.header.1.as_str()),
        ("force-delete", "true"),
    ];
    app.call(Method::DELETE, &path, &headers, "")
        .await
        .expect(204);
    app.work().await;
    assert_problem(
        &user.get(&format!("{}/{id}", backups_of(&shop))).await,
        2,
        404,
    );
}
