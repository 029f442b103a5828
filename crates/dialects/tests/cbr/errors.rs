//! What is refused, with which code.

use axum::http::Method;
use serde_json::{Value, json};
use strongroom_domain::Role;

use crate::support::{Cbr, refusal, text, vault_body};

const NOBODY: &str = "00000000-0000-4000-8000-0000000f4240";

#[tokio::test]
async fn what_does_not_exist_is_not_found_with_its_own_code() {
    let cbr = Cbr::start().await;
    let resource = json!({"resources": [{"id": NOBODY, "type": "OS::Sfs::Turbo"}]});
    let vault = cbr.vault("v", &[]).await;
    for (method, path, body, code) in [
        (
            Method::GET,
            format!("/backups/{NOBODY}"),
            Value::Null,
            "BackupService.6200",
        ),
        (
            Method::GET,
            "/backups/manualbk_1".to_owned(),
            Value::Null,
            "BackupService.6200",
        ),
        (
            Method::DELETE,
            format!("/backups/{NOBODY}"),
            Value::Null,
            "BackupService.6200",
        ),
        (
            Method::GET,
            format!("/vaults/{NOBODY}"),
            Value::Null,
            "BackupService.6105",
        ),
        (
            Method::DELETE,
            "/vaults/x".to_owned(),
            Value::Null,
            "BackupService.6105",
        ),
        (
            Method::GET,
            format!("/policies/{NOBODY}"),
            Value::Null,
            "BackupService.6000",
        ),
        (
            Method::GET,
            "/checkpoints/x".to_owned(),
            Value::Null,
            "BackupService.6217",
        ),
        (
            Method::GET,
            format!("/checkpoints/{NOBODY}"),
            Value::Null,
            "BackupService.6217",
        ),
        (
            Method::GET,
            format!("/operation-logs/{NOBODY}"),
            Value::Null,
            "BackupService.6500",
        ),
        (
            Method::GET,
            format!("/protectables/disk/instances/{NOBODY}"),
            Value::Null,
            "BackupService.6302",
        ),
        (
            Method::POST,
            format!("/vaults/{vault}/addresources"),
            resource,
            "BackupService.6302",
        ),
        (
            Method::POST,
            format!("/vaults/{vault}/dissociatepolicy"),
            json!({"policy_id": NOBODY}),
            "BackupService.6002",
        ),
        (
            Method::POST,
            format!("/vaults/{vault}/associatepolicy"),
            json!({"policy_id": NOBODY}),
            "BackupService.6000",
        ),
        (
            Method::GET,
            "/nothing".to_owned(),
            Value::Null,
            "APIGW.0101",
        ),
        (
            Method::PATCH,
            "/backups".to_owned(),
            Value::Null,
            "APIGW.0101",
        ),
        (
            Method::GET,
            "/vault/tags".to_owned(),
            Value::Null,
            "APIGW.0101",
        ),
    ] {
        let (status, found, _) = cbr.refusal(method, &path, body).await;
        assert_eq!((status, &*found), (404, code), "{path}");
    }
}

#[tokio::test]
async fn a_body_is_refused_by_the_field_that_is_wrong() {
    let cbr = Cbr::start().await;
    let vault = |change: Value| {
        let mut body = vault_body("v", &[]);
        for (name, value) in change.as_object().unwrap() {
            match name.strip_prefix("billing.") {
                Some(name) => body["billing"][name] = value.clone(),
                None => body[name] = value.clone(),
            }
        }
        ("/vaults", json!({"vault": body}))
    };
    let policy = |definition: Value, pattern: Value| {
        let trigger = json!({"properties": {"pattern": pattern}});
        let body = json!({
            "name": "p",
            "operation_type": "backup",
            "operation_definition": definition,
            "trigger": trigger,
        });
        ("/policies", json!({"policy": body}))
    };
    let daily = json!(["FREQ=DAILY;BYHOUR=1;BYMINUTE=0"]);
    let checkpoint = |parameters: Value| {
        let body = json!({"vault_id": NOBODY, "parameters": parameters});
        ("/checkpoints", json!({"checkpoint": body}))
    };
    for ((path, body), field) in [
        (("/vaults", json!({})), "vault"),
        (("/vaults", json!({"vault": {}})), "vault.name"),
        (("/vaults", json!([])), "request"),
        (vault(json!({"name": 5})), "vault.name"),
        (vault(json!({"name": ""})), "name"),
        (vault(json!({"name": "a b"})), "name"),
        (vault(json!({"name": "x".repeat(65)})), "name"),
        (vault(json!({"description": "<b>"})), "description"),
        (vault(json!({"resources": [{}]})), "vault.resources[0].id"),
        (vault(json!({"billing.size": 9})), "size"),
        (vault(json!({"billing.size": "40"})), "vault.billing.size"),
        (
            vault(json!({"billing.protect_type": "replication"})),
            "protect_type",
        ),
        (
            vault(json!({"billing.object_type": "house"})),
            "object_type",
        ),
        (
            vault(json!({"billing.consistent_level": "none"})),
            "consistent_level",
        ),
        (
            vault(json!({"billing.charging_mode": "pre_paid"})),
            "charging_mode",
        ),
        (vault(json!({"threshold": 0})), "threshold"),
        (vault(json!({"backup_policy_id": "x"})), "backup_policy_id"),
        (policy(json!({}), json!([])), "pattern"),
        (policy(json!({}), json!(["FREQ=YEARLY"])), "pattern"),
        (
            policy(json!({}), json!("FREQ=DAILY")),
            "policy.trigger.properties.pattern",
        ),
        (
            policy(json!({"max_backups": 0}), daily.clone()),
            "max_backups",
        ),
        (
            policy(
                json!({"max_backups": 2, "retention_duration_days": 2}),
                daily.clone(),
            ),
            "max_backups",
        ),
        (
            policy(json!({"day_backups": 101}), daily.clone()),
            "day_backups",
        ),
        (policy(json!({"day_backups": 1}), daily.clone()), "timezone"),
        (
            policy(json!({"day_backups": 1, "timezone": "Mars"}), daily.clone()),
            "timezone",
        ),
        (
            policy(json!({"advanced_retention_rules": {}}), daily.clone()),
            "advanced_retention_rules",
        ),
        (
            ("/checkpoints", json!({"checkpoint": {"vault_id": "nope"}})),
            "vault_id",
        ),
        (
            ("/checkpoints", json!({"checkpoint": {}})),
            "checkpoint.vault_id",
        ),
        (
            checkpoint(json!({"resources": "all"})),
            "checkpoint.parameters.resources",
        ),
    ] {
        let (status, code, message) = cbr.refusal(Method::POST, path, body.clone()).await;
        assert_eq!((status, &*code), (400, "BackupService.9900"), "{body}");
        let named = match field {
            "request" => "Invalid request".to_owned(),
            field => format!("Invalid {field} provided"),
        };
        assert!(message.starts_with(&named), "{body}: {message}");
    }
}

#[tokio::test]
async fn a_checkpoints_parameters_are_checked() {
    let cbr = Cbr::start().await;
    let home = cbr.app.files_with("home", &[("a", b"1")]).await;
    let vault = cbr.vault("v", &[&home]).await;
    for (parameters, code) in [
        (json!({"name": "a b"}), "BackupService.9900"),
        (
            json!({"description": "x".repeat(256)}),
            "BackupService.9900",
        ),
        (json!({"retention_duration_days": 0}), "BackupService.9900"),
        (
            json!({"retention_duration_days": 36_501}),
            "BackupService.9900",
        ),
        (
            json!({"policy_id": "x", "auto_trigger": true}),
            "BackupService.9900",
        ),
        (json!({"resources": [NOBODY]}), "BackupService.0001"),
        (
            json!({"resources": vec![NOBODY; 257]}),
            "BackupService.6100",
        ),
    ] {
        let body = json!({"checkpoint": {"vault_id": vault, "parameters": parameters}});
        let (status, found, _) = cbr.refusal(Method::POST, "/checkpoints", body).await;
        assert_eq!((status, &*found), (400, code), "{parameters}");
    }
    let empty = cbr.vault("empty", &[]).await;
    let body = json!({"checkpoint": {"vault_id": empty}});
    let (_, code, _) = cbr.refusal(Method::POST, "/checkpoints", body).await;
    assert_eq!(code, "BackupService.0001");
    let body = json!({"checkpoint": {"vault_id": NOBODY}});
    let (status, code, _) = cbr.refusal(Method::POST, "/checkpoints", body).await;
    assert_eq!((status, &*code), (404, "BackupService.6105"));
}

#[tokio::test]
async fn a_resource_must_fit_its_vault() {
    let cbr = Cbr::start().await;
    let home = cbr.app.files_with("home", &[("a", b"1")]).await;
    let more = cbr.app.files_with("more", &[("a", b"1")]).await;
    let vault = cbr.vault("v", &[&home]).await;
    let add = |kind: &str, ids: &[&str]| {
        let all: Vec<_> = ids
            .iter()
            .map(|id| json!({"id": id, "type": kind}))
            .collect();
        json!({"resources": all})
    };
    let (home, more) = (home.id.to_string(), more.id.to_string());
    let path = format!("/vaults/{vault}/addresources");
    let turbo = "OS::Sfs::Turbo";
    for (body, code) in [
        (add(turbo, &[&home]), "BackupService.6103"),
        (add(turbo, &[&more, &more]), "BackupService.6104"),
        (add("OS::Nova::Server", &[&more]), "BackupService.6300"),
        (add(turbo, &vec![&*more; 256]), "BackupService.6100"),
        (add(turbo, &[]), "BackupService.9900"),
    ] {
        let (status, found, _) = cbr.refusal(Method::POST, &path, body).await;
        assert_eq!((status, &*found), (400, code));
    }
    let mut server = vault_body("servers", &[]);
    server["billing"]["object_type"] = json!("server");
    let servers = text(&cbr.post("/vaults", json!({"vault": server})).await["vault"]["id"]);
    let path = format!("/vaults/{servers}/addresources");
    let (_, code, _) = cbr.refusal(Method::POST, &path, add(turbo, &[&more])).await;
    assert_eq!(code, "BackupService.6102");
    let mut vmware = vault_body("vmware", &[]);
    vmware["billing"]["object_type"] = json!("vmware");
    let body = json!({"vault": vmware});
    let (_, code, _) = cbr.refusal(Method::POST, "/vaults", body).await;
    assert_eq!(code, "BackupService.6116");
    let path = format!("/vaults/{vault}/removeresources");
    let body = json!({"resource_ids": [more]});
    let (_, code, _) = cbr.refusal(Method::POST, &path, body).await;
    assert_eq!(code, "BackupService.6135");
}

#[tokio::test]
async fn a_backup_is_restored_and_deleted_only_in_the_right_state() {
    let cbr = Cbr::start().await;
    let home = cbr.app.files_with("home", &[("a", b"1")]).await;
    let vault = cbr.vault("v", &[&home]).await;
    cbr.checkpoint(&vault, "b").await;
    let id = text(&cbr.get("/backups").await["backups"][0]["id"]);
    let path = format!("/backups/{id}/restore");
    let (_, code, _) = cbr
        .refusal(Method::POST, &path, json!({"restore": {}}))
        .await;
    assert_eq!(code, "BackupService.2005");
    cbr.app.work().await;
    for (body, field) in [
        (json!({}), "restore"),
        (json!({"restore": {"resource_id": "x"}}), "resource_id"),
        (
            json!({"restore": {"details": {"destination_path": "/"}}}),
            "details",
        ),
        (
            json!({"restore": {"mappings": [{"backup_id": "x", "volume_id": "y"}]}}),
            "mappings",
        ),
    ] {
        let (_, code, message) = cbr.refusal(Method::POST, &path, body).await;
        assert_eq!(code, "BackupService.9900");
        assert!(
            message.starts_with(&format!("Invalid {field} provided")),
            "{message}"
        );
    }
    let started = cbr.post(&path, json!({"restore": {}})).await;
    let log = cbr
        .get(&format!("/operation-logs/{}", text(&started["job_id"])))
        .await;
    assert_eq!(log["operation_log"]["status"], "waiting");
    assert_eq!(cbr.names("status=restoring").await.1, 1);
    assert_eq!(cbr.names("status=available").await.1, 0);
    let one = format!("/backups/{id}");
    let (_, code, _) = cbr.refusal(Method::DELETE, &one, Value::Null).await;
    assert_eq!(code, "BackupService.6216");
    cbr.app.work().await;
    let log = cbr
        .get(&format!("/operation-logs/{}", text(&started["job_id"])))
        .await;
    assert_eq!(log["operation_log"]["status"], "success");
    assert_eq!(cbr.names("status=available").await.1, 1);
    assert!(
        cbr.ask(Method::DELETE, &one, Value::Null)
            .await
            .status
            .is_success()
    );
    let (_, code, _) = cbr.refusal(Method::DELETE, &one, Value::Null).await;
    assert_eq!(code, "BackupService.6201");
    cbr.app.work().await;
    let (status, ..) = cbr.refusal(Method::GET, &one, Value::Null).await;
    assert_eq!(status, 404);
    let logs = cbr.get("/operation-logs?operation_type=delete").await;
    let log = &logs["operation_logs"][0];
    assert_eq!(log["extra_info"]["delete"]["backup_id"], json!(id));
    assert_eq!(log["vault_name"], "v");
}

#[tokio::test]
async fn roles_and_tenants_are_kept_apart() {
    let cbr = Cbr::start().await;
    let viewer = cbr.app.token_of(Role::Viewer).await;
    let body = json!({"vault": vault_body("v", &[])});
    let answer = cbr.ask_as(&viewer, Method::POST, "/vaults", body).await;
    let (status, code, _) = refusal(&answer);
    assert_eq!((status, &*code), (403, "BackupService.8600"));
    let read = cbr
        .ask_as(&viewer, Method::GET, "/vaults", Value::Null)
        .await;
    assert!(read.status.is_success());
    let foreign = cbr.app.foreign_token().await;
    let answer = cbr
        .ask_as(&foreign, Method::GET, "/backups", Value::Null)
        .await;
    let (status, code, _) = refusal(&answer);
    assert_eq!((status, &*code), (403, "APIGW.0302"));
    let path = cbr.path("/backups");
    let answer = cbr.app.call(Method::GET, &path, &[], "").await;
    let (status, code, _) = refusal(&answer);
    assert_eq!((status, &*code), (401, "APIGW.0301"));
}

#[tokio::test]
async fn a_body_over_the_limit_and_a_broken_one_are_answered_in_the_vendors_shape() {
    let cbr = Cbr::start().await;
    let token = cbr.app.token();
    let headers = [("x-auth-token", token.as_str())];
    let path = cbr.path("/vaults");
    let call = async |body: String| cbr.app.call(Method::POST, &path, &headers, body).await;
    let (status, code, _) = refusal(&call("x".repeat(2 << 20)).await);
    assert_eq!((status, &*code), (413, "APIGW.0201"));
    let (status, code, _) = refusal(&call("{".to_owned()).await);
    assert_eq!((status, &*code), (400, "BackupService.9900"));
}

#[tokio::test]
async fn a_signature_that_is_old_forged_or_of_nobody_is_refused() {
    let cbr = Cbr::start().await;
    let key = cbr.app.tenant.access_key.credential.lookup.clone();
    let path = cbr.path("/backups");
    for (access, date, reason) in [
        (&*key, "20260301T114459Z", "expired"),
        (&*key, "20260301T121501Z", "expired"),
        (&*key, "20260301T120000Z", "not valid"),
        ("NOBODY", "20260301T120000Z", "not valid"),
        (&*key, "yesterday", "malformed"),
    ] {
        let signature = "00".repeat(32);
        let authorization = format!(
            "SDK-HMAC-SHA256 Access={access}, SignedHeaders=x-sdk-date, Signature={signature}"
        );
        let headers = [("authorization", &*authorization), ("x-sdk-date", date)];
        let answer = cbr.app.call(Method::GET, &path, &headers, "").await;
        let (status, code, message) = refusal(&answer);
        assert_eq!((status, &*code), (401, "APIGW.0301"), "{date}");
        assert!(message.contains(reason), "{date}: {message}");
    }
}
