//! Small operations: LogIn, ChangeAccessKeyState, GetTaskProgress, patterns of tags, and a long job
//! whose record is gone.

use axum::http::Method;
use serde_json::{Value, json};
use strongroom_domain::{ObjectId, OperationId};
use strongroom_testkit::TestApp;

use super::{
    client::{Client, database, hashed, polling, server},
    neighbours::{list, send, signed},
};

async fn log_in(app: &TestApp, login: Value) -> (u16, Value) {
    let headers = [("content-type", "application/json")];
    let body = json!({ "logIn": login }).to_string();
    let answer = app
        .call(Method::PUT, "/zstack/v1/login", &headers, body)
        .await;
    (answer.status.as_u16(), answer.json())
}

#[tokio::test]
async fn an_account_logs_in_by_type() {
    let app = server("a dump").await;
    let tenant = &app.tenant;
    let login = json!({
        "username": tenant.tenant.name, "password": hashed(tenant.password.expose()),
        "loginType": "account",
    });
    let (status, session) = log_in(&app, login.clone()).await;
    assert_eq!(status, 200, "{session}");
    let session = session["inventory"]["uuid"].as_str().unwrap().to_owned();
    let client = Client { app: &app, session };
    client.query("limit=1").await;
    for (field, value, code, details) in [
        (
            "password",
            json!("x"),
            "ID.1000",
            "wrong account name or password",
        ),
        (
            "loginType",
            json!("ldap"),
            "SYS.1006",
            "unsupported login type ldap",
        ),
        (
            "loginType",
            Value::Null,
            "SYS.1007",
            "field[loginType] of message[org.zstack.header.identity.login.APILogInMsg] is mandatory, can not be null",
        ),
        (
            "username",
            json!(" "),
            "SYS.1007",
            "field[username] cannot be an empty string",
        ),
    ] {
        let mut login = login.clone();
        login[field] = value;
        let (status, refused) = log_in(&app, login).await;
        let error = &refused["error"];
        assert_eq!((status, &error["code"]), (503, &json!(code)), "{refused}");
        assert_eq!(error["details"], details);
    }
}

#[tokio::test]
async fn an_access_key_that_is_off_signs_nothing_until_it_is_on() {
    let app = server("a dump").await;
    let client = Client::log_in(&app).await;
    let account = app.owner.tenant_id.simple();
    let params = json!({"accountUuid": account, "userUuid": app.owner.principal_id.simple()});
    let made = send(
        &client,
        Method::POST,
        "/accesskeys",
        json!({ "params": params }),
    )
    .await;
    let key = &made["inventory"];
    let text = |name: &str| key[name].as_str().unwrap();
    let headers = signed(&app, text("AccessKeyID"), text("AccessKeySecret"));
    let headers = headers
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let path = format!("/accesskeys/{}/actions", text("uuid"));
    let turn = async |event: &str| {
        let change = json!({"changeAccessKeyState": {"stateEvent": event}});
        send(&client, Method::PUT, &path, change).await
    };
    for (event, state, served) in [("disable", "Disabled", false), ("enable", "Enabled", true)] {
        assert_eq!(turn(event).await["inventory"]["state"], state);
        let listed = list(
            &client,
            &format!("/accesskeys?q=state={state}&q=uuid={}", text("uuid")),
        )
        .await;
        assert_eq!(listed[0]["uuid"], key["uuid"]);
        let call = app.call(Method::GET, "/zstack/v1/accesskeys", &headers, "");
        assert_eq!(call.await.status == 200, served, "{event}");
    }
    assert_eq!(
        turn("explode").await["error"]["details"],
        "valid value for field[stateEvent] of message[org.zstack.accessKey.APIChangeAccessKeyStateMsg] are [enable, disable], but explode found"
    );
    let change = json!({"changeAccessKeyState": {"stateEvent": "enable"}});
    let unknown = send(&client, Method::PUT, "/accesskeys/x/actions", change).await;
    assert_eq!(unknown["error"]["code"], "SYS.1003");
    assert_eq!(
        unknown["error"]["details"],
        "invalid field[uuid], resource[uuid:x, type:AccessKeyVO] not found"
    );
}

#[tokio::test]
async fn a_job_says_how_far_it_is_once_it_has_begun() {
    let app = server("a dump").await;
    database(&app, "orders", true).await;
    let client = Client::log_in(&app).await;
    let storage = app.repository.id.simple();
    let job = client
        .create(&json!({"name": "a", "backupStorageUuid": storage}))
        .await;
    let id = job.rsplit('/').next().unwrap().to_owned();
    let progress = async |id: &str| {
        let answer = client
            .get(&format!("/zstack/v1/task-progresses/{id}"))
            .await;
        (answer.status.as_u16(), answer.json())
    };
    assert_eq!(progress(&id).await, (200, json!({"inventories": []})));
    app.work().await;
    let (status, done) = progress(&id).await;
    assert_eq!(status, 200);
    let row = &done["inventories"][0];
    assert_eq!(
        (&row["type"], &row["content"], &row["taskUuid"]),
        (&json!("Progress"), &json!("100"), &json!(id))
    );
    assert_eq!(
        row["taskName"],
        "org.zstack.header.storage.database.backup.APICreateDatabaseBackupMsg"
    );
    assert_eq!(row["time"], app.service.now().as_millisecond());
    assert_eq!(
        done["schema"]["inventories[0]"],
        "org.zstack.header.core.progress.TaskProgressInventory"
    );
    let unknown = progress(&"0".repeat(32)).await;
    assert_eq!(unknown, (200, json!({"inventories": []})));
    let (status, refused) = progress("x").await;
    assert_eq!(
        (status, &refused["error"]["code"]),
        (503, &json!("SYS.1007"))
    );
    assert_eq!(
        refused["error"]["details"],
        "parameter apiId[x] is not a valid uuid."
    );
}

#[tokio::test]
async fn patterns_make_tags_that_rows_are_found_by() {
    let app = server("a dump").await;
    database(&app, "orders", true).await;
    let client = Client::log_in(&app).await;
    let backup = client.back_up("a").await["uuid"]
        .as_str()
        .unwrap()
        .to_owned();
    client.back_up("b").await;
    let create = async |params: Value| {
        send(&client, Method::POST, "/tags", json!({ "params": params })).await
    };
    let simple = create(json!({"name": "gold", "value": "gold", "color": "#FFD700"})).await;
    assert_eq!(simple["inventory"]["type"], "simple", "{simple}");
    let token = json!({"name": "team", "value": "team::{who}", "type": "withToken"});
    let token = create(token).await;
    let uuid = |answer: &Value| answer["inventory"]["uuid"].as_str().unwrap().to_owned();
    let attach = async |pattern: &str, params: Value| {
        let path = format!("/tags/{pattern}/resources");
        send(&client, Method::POST, &path, json!({ "params": params })).await
    };
    let (gold, team) = (uuid(&simple), uuid(&token));
    let storage = app.repository.id.simple();
    let attached = attach(&gold, json!({"resourceUuids": [backup, storage]})).await;
    let first = &attached["results"][0];
    assert_eq!(
        (&first["success"], &first["inventory"]["tag"]),
        (&json!(true), &json!("gold"))
    );
    assert_eq!(first["inventory"]["tagPatternUuid"], gold);
    assert_eq!(
        attached["schema"]["results[1].inventory"],
        "org.zstack.header.tag.UserTagInventory"
    );
    assert_eq!(first["inventory"]["tagPattern"], simple["inventory"]);
    assert_eq!(
        attached["schema"]["results[1].inventory.tagPattern"],
        "org.zstack.header.tag.TagPatternInventory"
    );
    let again = attach(&gold, json!({"resourceUuids": [backup]})).await;
    assert_eq!(
        again["results"][0]["inventory"]["uuid"],
        first["inventory"]["uuid"]
    );
    let given = json!({"resourceUuids": [backup], "tokens": {"who": "blue"}});
    let given = attach(&team, given).await;
    assert_eq!(given["results"][0]["inventory"]["tag"], "team::blue");

    let names = async |query: String| -> Vec<Value> {
        let rows = client.query(&query).await;
        let rows = rows["inventories"].as_array().unwrap();
        rows.iter().map(|it| it["name"].clone()).collect()
    };
    assert_eq!(names(format!("q=__tagUuid__={gold}")).await, ["a"]);
    assert_eq!(names(format!("q=__tagUuid__!={gold}")).await, ["b"]);
    assert_eq!(names("q=__userTag__=team::blue".to_owned()).await, ["a"]);
    let tagged = list(&client, &format!("/backup-storage?q=__tagUuid__={gold}")).await;
    assert_eq!(tagged[0]["uuid"], storage);
    assert_eq!(
        list(&client, &format!("/user-tags?q=tagPatternUuid={gold}"))
            .await
            .len(),
        2
    );

    let golden = client.get("/zstack/v1/user-tags?q=tagPattern.name=gold");
    let golden = golden.await.expect(200).json();
    assert_eq!(golden["inventories"].as_array().unwrap().len(), 2);
    assert_eq!(golden["inventories"][1]["tagPattern"]["color"], "#FFD700");
    assert_eq!(
        golden["schema"]["inventories[1].tagPattern"],
        "org.zstack.header.tag.TagPatternInventory"
    );

    let update = async |pattern: &str, change: Value| {
        let path = format!("/tags/{pattern}/actions");
        send(&client, Method::PUT, &path, json!({ "updateTag": change })).await
    };
    let renamed = update(&team, json!({"value": "team::{name}", "color": "#00ff00"})).await;
    assert_eq!(renamed["inventory"]["value"], "team::{name}");
    assert_eq!(
        list(&client, "/tags?q=color=%23FFD700").await[0]["uuid"],
        gold
    );

    // The Go SDK puts commas between uuids, and two slashes before that of one tag.
    assert_eq!(list(&client, &format!("/tags//{gold}")).await.len(), 1);
    let path = format!("/tags/{gold}/resources?resourceUuids={backup},{gold}");
    assert_eq!(
        send(&client, Method::DELETE, &path, Value::Null).await,
        json!({})
    );
    assert_eq!(
        names(format!("q=__tagUuid__={gold}")).await,
        [] as [Value; 0]
    );
    // A pattern takes its tags along.
    let path = format!("/tags/{gold}");
    assert_eq!(
        send(&client, Method::DELETE, &path, Value::Null).await,
        json!({})
    );
    assert_eq!(list(&client, "/user-tags").await.len(), 1);
    assert_eq!(list(&client, &format!("/tags/{gold}")).await.len(), 0);
    assert_eq!(list(&client, &format!("/tags/{team}")).await.len(), 1);
}

#[tokio::test]
async fn what_is_wrong_with_a_pattern_is_said_in_the_vendors_words() {
    let app = server("a dump").await;
    let client = Client::log_in(&app).await;
    let create = async |params: Value| {
        send(&client, Method::POST, "/tags", json!({ "params": params })).await
    };
    let long = "x".repeat(129);
    for (params, text) in [
        (
            json!({"value": "v"}),
            "field[name] of message[org.zstack.tag2.APICreateTagMsg] is mandatory, can not be null",
        ),
        (
            json!({"name": long, "value": "v"}),
            "field[name] of message[org.zstack.tag2.APICreateTagMsg] exceeds max length of string. expected was <= 128, actual was 129",
        ),
        (
            json!({"name": "n", "value": "v", "color": "red"}),
            "Invalid color specification[red], must like #FF00FF",
        ),
        (
            json!({"name": "n", "value": "v", "type": "odd"}),
            "valid value for field[type] of message[org.zstack.tag2.APICreateTagMsg] are [simple, withToken], but odd found",
        ),
        (
            json!({"name": "n", "value": "v", "type": "withToken"}),
            "Get format[v], format must like that name::{tokenName1}::{tokenName2} ... ::{tokenNameN} or {tokenName1}::{tokenName2} ... ::{tokenNameN} Name cannot contain '{}:'",
        ),
    ] {
        let refused = create(params).await;
        assert_eq!(refused["error"]["code"], "SYS.1007");
        assert_eq!(refused["error"]["details"], text);
    }
    let simple = create(json!({"name": "n", "value": "v"})).await;
    let token = create(json!({"name": "n", "value": "{a}::{b}", "type": "withToken"})).await;
    let uuid = |answer: &Value| answer["inventory"]["uuid"].as_str().unwrap().to_owned();
    let (simple, token) = (uuid(&simple), uuid(&token));
    let storage = app.repository.id.simple();
    let actions = |it: &str| format!("/tags/{it}/actions");
    let resources = |it: &str| format!("/tags/{it}/resources");
    let nowhere = "0".repeat(32);
    for (method, path, body, text) in [
        (
            Method::PUT,
            actions(&simple),
            json!({"updateTag": {"value": "w"}}),
            "cannot update simple tag pattern format".to_owned(),
        ),
        (
            Method::PUT,
            actions(&token),
            json!({"updateTag": {"value": "{a}"}}),
            "you can only update token name".to_owned(),
        ),
        (
            Method::PUT,
            actions("x"),
            json!({"updateTag": {}}),
            "invalid field[uuid], resource[uuid:x, type:TagPatternVO] not found".to_owned(),
        ),
        (
            Method::POST,
            resources(&simple),
            json!({"params": {"resourceUuids": [storage], "tokens": {"a": "1"}}}),
            "simple tag pattern has no tokens".to_owned(),
        ),
        (
            Method::POST,
            resources(&token),
            json!({"params": {"resourceUuids": [storage], "tokens": {"a": "1"}}}),
            "all tokens [a, b] must be specify".to_owned(),
        ),
        (
            Method::POST,
            resources(&simple),
            json!({"params": {"resourceUuids": [storage, nowhere]}}),
            format!("invalid field[resourceUuids], resource[uuids:[{nowhere}], type:ResourceVO] not found"),
        ),
        (
            Method::POST,
            resources(&nowhere),
            json!({"params": {"resourceUuids": [storage]}}),
            format!("invalid field[tagUuid], resource[uuid:{nowhere}, type:TagPatternVO] not found"),
        ),
        (
            Method::DELETE,
            resources(&simple),
            Value::Null,
            "field[resourceUuids] of message[org.zstack.tag2.APIDetachTagFromResourcesMsg] is mandatory, can not be null".to_owned(),
        ),
    ] {
        let refused = send(&client, method, &path, body).await;
        assert_eq!(refused["error"]["details"], text, "{path}");
    }
    assert_eq!(list(&client, "/user-tags").await.len(), 0);
}

#[tokio::test]
async fn copies_are_found_by_where_they_can_be_downloaded() {
    let app = server("a dump").await;
    database(&app, "orders", true).await;
    let client = Client::log_in(&app).await;
    let a = client.back_up("a").await["uuid"]
        .as_str()
        .unwrap()
        .to_owned();
    client.back_up("b").await;
    let found = async |condition: &str| -> Vec<Value> {
        let condition = condition.replace(' ', "%20");
        let rows = client
            .query(&format!("q=backupStorageRefs.{condition}&sort=name"))
            .await;
        let rows = rows["inventories"].as_array().unwrap();
        rows.iter().map(|it| it["name"].clone()).collect()
    };
    assert_eq!(found("exportUrl is null").await, ["a", "b"]);
    assert_eq!(found("exportUrl not null").await, [] as [Value; 0]);
    let storage = app.repository.id.simple();
    let path = format!("/database-backups/{a}/backup-storage/{storage}/actions");
    let export = json!({"exportDatabaseBackupFromBackupStorage": {}});
    let exported = send(&client, Method::PUT, &path, export).await;
    let url = exported["databaseBackupUrl"].as_str().unwrap();
    for (condition, names) in [
        (format!("exportUrl={url}"), vec!["a"]),
        (format!("exportUrl!={url}"), vec![]),
        (format!("exportUrl?=x,{url}"), vec!["a"]),
        (
            "exportUrl~=http://backup.example:8080/%25".to_owned(),
            vec!["a"],
        ),
        (
            "exportUrl!~=http://backup.example:8080/%25".to_owned(),
            vec![],
        ),
        ("exportUrl!=x".to_owned(), vec!["a"]),
        ("exportUrl not null".to_owned(), vec!["a"]),
        ("exportUrl is null".to_owned(), vec!["b"]),
    ] {
        assert_eq!(found(&condition).await, names, "{condition}");
    }
    let zql = "query databasebackup.name where backupStorageRefs.exportUrl is not null";
    let zql = zql.replace(' ', "%20");
    let answer = client
        .get(&format!("/zstack/v1/zql?zql={zql}"))
        .await
        .expect(200);
    let rows = &answer.json()["results"][0]["inventories"];
    assert_eq!(rows, &json!([{"name": "a"}]));
}

#[tokio::test]
async fn a_tag_of_the_system_is_changed() {
    let app = server("a dump").await;
    let client = Client::log_in(&app).await;
    let tag = json!({"resourceType": "BackupStorageVO", "tag": "slow",
        "resourceUuid": app.repository.id.simple()});
    let made = send(
        &client,
        Method::POST,
        "/system-tags",
        json!({ "params": tag }),
    );
    let made = made.await["inventory"].clone();
    assert_eq!(made["inherent"], false);
    let path = format!("/system-tags/{}/actions", made["uuid"].as_str().unwrap());
    let change = json!({"updateSystemTag": {"tag": "fast"}});
    let changed = send(&client, Method::PUT, &path, change.clone()).await;
    assert_eq!(changed["inventory"]["tag"], "fast");
    assert_eq!(changed["inventory"]["resourceUuid"], made["resourceUuid"]);
    let tagged = list(&client, "/backup-storage?q=__systemTag__=fast").await;
    assert_eq!(tagged.len(), 1);

    let none = send(&client, Method::PUT, &path, json!({"updateSystemTag": {}})).await;
    assert_eq!(none["error"]["code"], "SYS.1007");
    let path = format!("/system-tags/{}/actions", "0".repeat(32));
    let unknown = send(&client, Method::PUT, &path, change).await;
    assert_eq!(
        unknown["error"]["details"],
        format!(
            "invalid field[uuid], resource[uuid:{}, type:SystemTagVO] not found",
            "0".repeat(32)
        )
    );
}

#[tokio::test]
async fn a_long_job_of_which_nothing_is_known_has_not_succeeded() {
    let app = server("a dump").await;
    let client = Client::log_in(&app).await;
    let gone = OperationId::from_uuid("742a7c7d4a4f4a01a206632a40ac414f".parse().unwrap());
    let body = json!({"name": "long", "jobName": "APICreateDatabaseBackupMsg", "operation": gone});
    let caller = app.owner.clone().via(strongroom_domain::Face::Zstack);
    let made = app
        .service
        .create_object(&caller, "longJob", None::<ObjectId>, body);
    made.await.unwrap();
    let job = list(&client, "/longjobs").await.remove(0);
    assert_eq!(job["state"], "Failed");
    assert_eq!(job["apiId"], gone.simple());
    let result = job["jobResult"].as_str().unwrap();
    assert!(result.contains("nothing is known"), "{result}");
}

#[tokio::test]
async fn a_new_backup_gets_the_tags_of_the_patterns_that_it_names() {
    let app = server("a dump").await;
    database(&app, "orders", true).await;
    let client = Client::log_in(&app).await;
    let gold = json!({"params": {"name": "gold", "value": "gold"}});
    let gold = send(&client, Method::POST, "/tags", gold).await["inventory"]["uuid"].clone();
    let storage = app.repository.id.simple();
    let create = async |tags: Value| {
        let params = json!({"name": "a", "backupStorageUuid": storage, "tagUuids": tags});
        let body = json!({ "params": params });
        let path = "/zstack/v1/database-backups";
        let accepted = client.call(Method::POST, path, &body).await.expect(202);
        app.work().await;
        client.poll(&polling(&accepted.json())).await.json()
    };
    let made = create(json!([gold])).await;
    let tags = list(&client, "/user-tags").await;
    assert_eq!(tags[0]["resourceUuid"], made["inventory"]["uuid"]);
    assert_eq!(tags[0]["tagPatternUuid"], gold);
    let refused = create(json!(["x"])).await;
    assert_eq!(
        refused["error"]["details"],
        "invalid field[tagUuids], resource[uuid:x, type:TagPatternVO] not found"
    );
    let team = json!({"params": {"name": "t", "value": "{who}", "type": "withToken"}});
    let team = send(&client, Method::POST, "/tags", team).await["inventory"]["uuid"].clone();
    let refused = create(json!([team])).await;
    assert_eq!(
        refused["error"]["details"],
        format!(
            "illegal tag uuids [{}], tag type must be simple",
            team.as_str().unwrap()
        )
    );
    assert_eq!(client.query("count=true").await["total"], 1);
}
