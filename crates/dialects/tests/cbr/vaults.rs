//! Vaults, policies and checkpoints: what CBR lets a client do and refuses.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use strongroom_domain::{ResourceKind, resource::Settings};

use crate::support::{Cbr, text, vault_body};

/// A policy as a client writes it.
fn policy_body(name: &str) -> Value {
    json!({
        "name": name,
        "operation_type": "backup",
        "operation_definition": {"max_backups": 3, "retention_duration_days": -1},
        "trigger": {"properties": {"pattern": ["FREQ=DAILY;INTERVAL=1;BYHOUR=13;BYMINUTE=00"]}},
    })
}

#[tokio::test]
async fn a_policys_schedule_backs_up_its_vault_and_counts_as_automatic() {
    let cbr = Cbr::start().await;
    let home = cbr.app.files_with("home", &[("a", b"1")]).await;
    let vault = cbr.vault("v", &[&home]).await;
    let made = cbr
        .post("/policies", json!({"policy": policy_body("daily")}))
        .await;
    let policy = text(&made["policy"]["id"]);
    let pattern = &made["policy"]["trigger"]["properties"]["pattern"];
    assert_eq!(
        *pattern,
        json!(["FREQ=DAILY;INTERVAL=1;BYHOUR=13;BYMINUTE=00"])
    );
    assert_eq!(made["policy"]["associated_vaults"], Value::Null);
    cbr.post(
        &format!("/vaults/{vault}/associatepolicy"),
        json!({"policy_id": policy}),
    )
    .await;
    let shown = cbr.get(&format!("/policies/{policy}")).await;
    let vaults = json!([{"destination_vault_id": null, "vault_id": vault}]);
    assert_eq!(shown["policy"]["associated_vaults"], vaults);

    cbr.app.clock.advance(jiff::SignedDuration::from_mins(61));
    cbr.app.service.schedule().await.unwrap();
    cbr.app.work().await;
    let listed = cbr.get("/backups").await;
    assert_eq!(listed["count"], 1);
    let backup = &listed["backups"][0];
    assert_eq!(backup["extend_info"]["auto_trigger"], true);
    assert_eq!(backup["scheduled_operation_id"], json!(policy));
    assert_eq!(backup["vault_id"], json!(vault));
    let logs = cbr.get(&format!("/operation-logs?vault_id={vault}")).await;
    assert_eq!(logs["count"], 1, "{logs}");
    assert_eq!(logs["operation_logs"][0]["policy_id"], json!(policy));
    assert_eq!(
        logs["operation_logs"][0]["extra_info"]["common"]["progress"],
        100
    );
}

#[tokio::test]
async fn a_locked_vault_keeps_its_automatic_backups() {
    let cbr = Cbr::start().await;
    let home = cbr.app.files_with("home", &[("a", b"1")]).await;
    let mut body = vault_body("worm", &[&home]);
    body["locked"] = json!(true);
    let made = cbr.post("/vaults", json!({"vault": body})).await;
    let vault = text(&made["vault"]["id"]);
    let parameters = json!({"auto_trigger": true});
    let checkpoint = json!({"checkpoint": {"vault_id": vault, "parameters": parameters}});
    cbr.post("/checkpoints", checkpoint).await;
    cbr.checkpoint(&vault, "by-hand").await;
    cbr.app.work().await;
    let listed = cbr.get("/backups?sort=created_at:asc").await;
    for backup in listed["backups"].as_array().unwrap() {
        let path = format!("/backups/{}", text(&backup["id"]));
        let answer = cbr.ask(Method::DELETE, &path, Value::Null).await;
        if backup["extend_info"]["auto_trigger"] == true {
            assert!(text(&backup["name"]).starts_with("autobk_"));
            assert!(
                answer.text().contains("BackupService.6220"),
                "{}",
                answer.text()
            );
        } else {
            assert_eq!(answer.status, StatusCode::NO_CONTENT);
        }
    }
    let one = format!("/vaults/{vault}");
    let ids = json!({"resource_ids": [home.id.to_string()]});
    for (method, path, body, code) in [
        (
            Method::DELETE,
            one.clone(),
            Value::Null,
            "BackupService.6111",
        ),
        (
            Method::POST,
            format!("{one}/removeresources"),
            ids,
            "BackupService.6112",
        ),
        (
            Method::PUT,
            one.clone(),
            json!({"vault": {"locked": false}}),
            "BackupService.6110",
        ),
    ] {
        let (status, found, _) = cbr.refusal(method, &path, body).await;
        assert_eq!((status, &*found), (400, code), "{path}");
    }
}

#[tokio::test]
async fn an_unchanged_lock_is_no_attempt_to_unlock() {
    let cbr = Cbr::start().await;
    let vault = cbr.vault("v", &[]).await;
    let change = json!({"vault": {"name": "w", "locked": false}});
    let answer = cbr
        .ask(Method::PUT, &format!("/vaults/{vault}"), change)
        .await;
    let body: Value = answer.json();
    assert_eq!(
        (&body["vault"]["name"], &body["vault"]["locked"]),
        (&json!("w"), &json!(false))
    );
}

#[tokio::test]
async fn what_a_client_wrote_into_a_vault_it_reads_back() {
    let cbr = Cbr::start().await;
    let home = cbr.app.files_with("home", &[("a", b"1")]).await;
    let mut body = vault_body("vault_中文-1", &[&home]);
    for (name, value) in [
        ("description", json!("for tests")),
        ("auto_expand", json!(true)),
        ("auto_bind", json!(true)),
        ("bind_rules", json!({"tags": [{"key": "k", "value": "v"}]})),
        ("threshold", json!(70)),
        ("smn_notify", json!(false)),
        ("backup_name_prefix", json!("nightly")),
        ("demand_billing", json!(true)),
        ("enterprise_project_id", json!("0")),
        ("availability_zone", json!("zone-1")),
        ("tags", json!([{"key": "a", "value": ""}])),
    ] {
        body[name] = value;
    }
    body["resources"][0]["extra_info"] = json!({"exclude_volumes": ["x"]});
    body["unknown"] = json!(null);
    let made = cbr.post("/vaults", json!({"vault": body})).await;
    let vault = &made["vault"];
    for (name, value) in body.as_object().unwrap() {
        if !["resources", "billing", "unknown"].contains(&name.as_str()) {
            assert_eq!(vault[name], *value, "{name}");
        }
    }
    assert_eq!(
        vault["resources"][0]["extra_info"],
        json!({"exclude_volumes": ["x"]})
    );
    let billing = &vault["billing"];
    assert_eq!(
        (&billing["size"], &billing["used"]),
        (&json!(40), &json!(0))
    );
    assert_eq!(billing["spec_code"], "vault.backup.turbo.normal");
    assert_eq!(vault["provider_id"], "3f3c3220-245c-4805-b811-758870015881");
    cbr.post(
        "/checkpoints",
        json!({"checkpoint": {"vault_id": vault["id"]}}),
    )
    .await;
    let (names, _) = cbr.names("").await;
    assert!(names[0].starts_with("nightly_"), "{names:?}");
}

#[tokio::test]
async fn vaults_are_listed_by_every_parameter() {
    let cbr = Cbr::start().await;
    let home = cbr.app.files_with("home", &[("a", b"1")]).await;
    let one = cbr.vault("one", &[&home]).await;
    cbr.app.clock.advance(jiff::SignedDuration::from_secs(1));
    let two = cbr.vault("two", &[]).await;
    let home = home.id.to_string();
    for (query, wanted) in [
        (String::new(), &["two", "one"][..]),
        (format!("id={one}"), &["one"]),
        (format!("id={one}&id={two}"), &["two", "one"]),
        ("name=two".to_owned(), &["two"]),
        (
            "object_type=turbo&protect_type=backup&cloud_type=public".to_owned(),
            &["two", "one"],
        ),
        ("object_type=server".to_owned(), &[]),
        ("status=available".to_owned(), &["two", "one"]),
        ("status=frozen".to_owned(), &[]),
        (format!("resource_ids=x,{home}"), &["one"]),
        ("policy_id=x".to_owned(), &[]),
        (
            "enterprise_project_id=all_granted_eps".to_owned(),
            &["two", "one"],
        ),
        ("availability_zone=x".to_owned(), &[]),
    ] {
        let found = cbr.get(&format!("/vaults?{query}")).await;
        let vaults = found["vaults"].as_array().unwrap();
        let names: Vec<_> = vaults.iter().map(|it| text(&it["name"])).collect();
        assert_eq!(names, wanted, "{query}");
        assert_eq!(found["count"], json!(wanted.len()), "{query}");
    }
    let page = cbr.get("/vaults?limit=1&offset=1").await;
    assert_eq!(
        (&page["vaults"][0]["name"], &page["count"]),
        (&json!("one"), &json!(2))
    );
}

#[tokio::test]
async fn retention_days_fix_when_a_manual_backup_goes() {
    let cbr = Cbr::start().await;
    let home = cbr.app.files_with("home", &[("a", b"1")]).await;
    let vault = cbr.vault("v", &[&home]).await;
    let parameters = json!({"retention_duration_days": 2, "description": "short-lived"});
    let body = json!({"checkpoint": {"vault_id": vault, "parameters": parameters}});
    let made = cbr.post("/checkpoints", body).await;
    assert_eq!(made["checkpoint"]["extra_info"]["retention_duration"], 2);
    let listed = cbr.get("/backups").await;
    let backup = &listed["backups"][0];
    assert_eq!(backup["expired_at"], "2026-03-03T12:00:00.000000");
    assert_eq!(backup["description"], "short-lived");
    assert!(text(&backup["name"]).starts_with("manualbk_"));
}

#[tokio::test]
async fn a_failed_backup_and_its_log_say_why() {
    let cbr = Cbr::start().await;
    let home = cbr.app.files_with("home", &[("a", b"1")]).await;
    let vault = cbr.vault("v", &[&home]).await;
    let id = cbr.checkpoint(&vault, "b").await;
    std::fs::remove_dir_all(cbr.app.directory().join("home")).unwrap();
    cbr.app.work().await;
    let checkpoint = cbr.get(&format!("/checkpoints/{id}")).await;
    assert_eq!(checkpoint["checkpoint"]["status"], "error");
    assert_eq!(cbr.names("status=error").await.1, 1);
    let logs = cbr
        .get("/operation-logs?status=failed&operation_type=backup")
        .await;
    let log = &logs["operation_logs"][0];
    assert!(
        text(&log["error_info"]["message"]).contains("home"),
        "{log}"
    );
    let id = text(&log["id"]);
    let shown = cbr.get(&format!("/operation-logs/{id}")).await;
    assert_eq!(shown["operation_log"], *log);
}

#[tokio::test]
async fn a_servers_backup_is_one_of_the_type_that_clients_ask_for() {
    let cbr = Cbr::start().await;
    let (etc, disk) = (
        cbr.app.directory().join("etc"),
        cbr.app.directory().join("disk.img"),
    );
    std::fs::create_dir(&etc).unwrap();
    std::fs::write(etc.join("hosts"), "localhost").unwrap();
    std::fs::write(&disk, vec![7; 100_000]).unwrap();
    let pairs = [("paths", &etc), ("volumes", &disk)];
    let pairs = pairs.map(|(key, path)| (key.to_owned(), path.to_str().unwrap().to_owned()));
    let settings = Settings(pairs.into());
    let web = cbr
        .app
        .resource(ResourceKind::Server, "web", settings)
        .await;
    let found = cbr.get("/protectables/server/instances").await;
    assert_eq!(found["instances"][0]["id"], json!(web.id.to_string()));

    let mut body = vault_body("servers", &[&web]);
    body["resources"][0]["type"] = json!("OS::Nova::Server");
    body["billing"]["object_type"] = json!("server");
    let made = cbr.post("/vaults", json!({"vault": body})).await;
    cbr.checkpoint(&text(&made["vault"]["id"]), "nightly").await;
    cbr.app.work().await;
    let listed = cbr
        .get("/backups?resource_type=OS::Nova::Server&limit=5&offset=0")
        .await;
    assert_eq!(listed["count"], 1);
    let backup = &listed["backups"][0];
    assert_eq!(backup["status"], "available", "{backup}");
    assert_eq!(backup["resource_id"], json!(web.id.to_string()));
    assert_eq!(backup["extend_info"]["contain_system_disk"], true);

    std::fs::write(etc.join("hosts"), "garbled").unwrap();
    let path = format!("/backups/{}/restore", text(&backup["id"]));
    let restore = json!({"restore": {"server_id": web.id.to_string()}});
    let answer = cbr.ask(Method::POST, &path, restore).await;
    assert!(answer.status.is_success(), "{answer:?}");
    cbr.app.work().await;
    assert_eq!(std::fs::read(etc.join("hosts")).unwrap(), b"localhost");
}
