//! The Astra face through the whole router: the examples of the vendor's documentation, every
//! documented error, and lists.

#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "astra/client.rs"]
mod client;
mod common;
#[path = "astra/deleting.rs"]
mod deleting;

use axum::http::Method;
use serde_json::{Value, json};
use strongroom_domain::{Resource, ResourceKind, Role};
use strongroom_testkit::{Answer, Gate, Script, Step, TestApp};

use common::{As, assert_shape, register, server};

const BODY: &str = "application/astra-appBackup";

fn a_file() -> Script {
    Script::tree([vec![Step::File("manifest.yaml", b"kind: Deployment")]])
}

async fn start(script: Script) -> (TestApp, Resource) {
    let app = server(ResourceKind::Kubernetes, script).await;
    let settings = [
        ("context", "prod"),
        ("namespaces", "shop, shop-db"),
        ("selector", "app=shop"),
    ];
    let shop = register(&app, ResourceKind::Kubernetes, "shop", &settings).await;
    (app, shop)
}

fn owner(app: &TestApp) -> As<'_> {
    with_token(app, &app.token())
}

fn with_token<'a>(app: &'a TestApp, token: &str) -> As<'a> {
    As {
        app,
        base: format!("/accounts/{}", app.tenant.tenant.id),
        header: ("authorization", format!("Bearer {token}")),
    }
}

fn backups_of(resource: &Resource) -> String {
    format!("/k8s/v1/apps/{}/appBackups", resource.id)
}

fn create(name: &str) -> Value {
    json!({ "type": BODY, "version": "1.1", "name": name })
}

async fn created(user: &As<'_>, of: &Resource, name: &str) -> String {
    let made = user
        .call(Method::POST, &backups_of(of), create(name))
        .await
        .expect(201);
    made.json()["id"].as_str().unwrap().to_owned()
}

#[track_caller]
fn assert_problem(answer: &Answer, number: u16, status: u16) {
    let body = answer.json();
    assert_eq!(
        body["type"],
        format!("https://astra.netapp.io/problems/{number}"),
        "{answer:?}"
    );
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(body["status"], status.to_string());
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let text = [
        ("type", "string"),
        ("title", "string"),
        ("detail", "string"),
        ("status", "string"),
    ];
    let more = [
        ("invalidParams", "array"),
        ("invalidFields", "array"),
        ("schemaValidationFailure", "string"),
    ];
    assert_shape(&body, &text, &more);
}

/// The fields of appBackup that every answer has, with their JSON types.
const REQUIRED: [(&str, &str); 8] = [
    ("type", "string"),
    ("version", "string"),
    ("id", "string"),
    ("name", "string"),
    ("bucketID", "string"),
    ("state", "string"),
    ("stateUnready", "array"),
    ("metadata", "object"),
];
/// Those that it may have.
const OPTIONAL: [(&str, &str); 9] = [
    ("snapshotID", "string"),
    ("scheduleID", "string"),
    ("stateDetails", "array"),
    ("hookState", "string"),
    ("hookStateDetails", "array"),
    ("backupCreationTimestamp", "string"),
    ("totalBytes", "number"),
    ("bytesDone", "number"),
    ("percentDone", "number"),
];
const METADATA: [(&str, &str); 4] = [
    ("labels", "array"),
    ("creationTimestamp", "string"),
    ("modificationTimestamp", "string"),
    ("createdBy", "string"),
];

#[tokio::test]
async fn a_created_backup_is_answered_as_the_vendors_example_is() {
    let (app, shop) = start(a_file()).await;
    let user = owner(&app);
    let made = user
        .call(Method::POST, &backups_of(&shop), create("app-name-245"))
        .await;
    let made = made.expect(201);
    let body = made.json();
    assert_shape(&body, &REQUIRED, &OPTIONAL);
    assert_shape(&body["metadata"], &METADATA, &[("modifiedBy", "string")]);
    let id = body["id"].as_str().unwrap();
    assert!(
        made.header("location")
            .ends_with(&format!("{}/{id}", backups_of(&shop)))
    );
    insta::assert_json_snapshot!(body, {
        ".id" => "[uuid]", ".bucketID" => "[uuid]", ".metadata.createdBy" => "[uuid]",
    });

    let again = user
        .get(&format!("{}/{id}", backups_of(&shop)))
        .await
        .expect(200);
    assert_eq!(again.json(), body);
    assert_eq!(again.header("content-type"), "application/json");
    assert_eq!(
        again.header("etag"),
        made.header("etag"),
        "the same resource has the same tag"
    );
}

#[tokio::test]
async fn a_completed_backup_is_shown_with_its_bytes_and_the_newest_version() {
    let (app, shop) = start(a_file()).await;
    let id = app.back_up(&shop).await.id;
    let path = format!("{}/{id}", backups_of(&shop));
    let shown = owner(&app).get(&path).await.expect(200).json();
    assert_shape(&shown, &REQUIRED, &OPTIONAL);
    insta::assert_json_snapshot!(shown, {
        ".id" => "[uuid]", ".bucketID" => "[uuid]", ".metadata.createdBy" => "[uuid]",
    });
    let any = owner(&app)
        .get(&format!("/topology/v1/appBackups/{id}"))
        .await
        .expect(200);
    assert_eq!(any.json(), shown, "the account's collection shows the same");
}

#[tokio::test]
async fn a_backup_that_lacks_entries_failed_and_names_them() {
    let script = Script::tree([vec![
        Step::File("good", b"1"),
        Step::Fail("secret.yaml", "permission denied"),
    ]]);
    let (app, shop) = start(script).await;
    let id = app.back_up(&shop).await.id;
    let shown = owner(&app)
        .get(&format!("{}/{id}", backups_of(&shop)))
        .await
        .json();
    assert_eq!(shown["state"], "failed");
    let reasons = shown["stateUnready"].to_string();
    assert!(
        reasons.contains("secret.yaml") && reasons.contains("permission denied"),
        "{reasons}"
    );
}

#[tokio::test]
async fn an_answer_has_the_media_type_that_the_client_asked_for() {
    let (app, shop) = start(a_file()).await;
    let user = owner(&app);
    let path = format!(
        "{}{}/{}",
        user.base,
        backups_of(&shop),
        app.back_up(&shop).await.id
    );
    let ask = async |accept: &str| {
        let headers = [
            ("authorization", user.header.1.as_str()),
            ("accept", accept),
        ];
        app.call(Method::GET, &path, &headers, "{}").await
    };
    let own = "application/astra-appBackup+json";
    assert_eq!(ask(own).await.expect(200).header("content-type"), own);
    let other = ask("application/astra-appBackups+json").await.expect(200);
    assert_eq!(
        other.header("content-type"),
        "application/json",
        "a misspelt one is plain JSON"
    );
    assert_problem(&ask("text/html").await, 32, 406);
    let clouds = format!("{}/topology/v1/clouds", user.base);
    let headers = [
        ("authorization", user.header.1.as_str()),
        ("accept", "text/html"),
    ];
    app.call(Method::GET, &clouds, &headers, "{}")
        .await
        .expect(200);
}

#[tokio::test]
async fn lists_say_the_same_whether_the_store_or_the_face_filters() {
    let (app, shop) = start(a_file()).await;
    let user = owner(&app);
    let other = register(&app, ResourceKind::Kubernetes, "other", &[]).await;
    for name in ["b", "a", "c"] {
        created(&user, &shop, name).await;
        app.clock.advance(jiff::SignedDuration::from_secs(1));
    }
    app.work().await;
    created(&user, &other, "d").await;
    let names = async |path: &str, query: &str| {
        let list = user
            .get(&format!("{path}?include=name&{query}"))
            .await
            .expect(200)
            .json();
        let items = list["items"].as_array().unwrap().clone();
        items
            .iter()
            .map(|it| it[0].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
            .concat()
    };
    let of_shop = backups_of(&shop);
    let all = "/topology/v1/appBackups";
    assert_eq!(names(&of_shop, "").await, "bac", "oldest first");
    assert_eq!(names(all, "").await, "bacd");
    assert_eq!(names(all, "filter=state+eq+'completed'").await, "bac");
    assert_eq!(names(all, "filter=state+eq+'pending'").await, "d");
    assert_eq!(names(&of_shop, "orderBy=name+desc").await, "cba");
    assert_eq!(names(&of_shop, "orderBy=name&limit=1&skip=1").await, "b");
    let after = "filter=metadata.creationTimestamp+gt+'2026-03-01T12:00:00Z'";
    assert_eq!(names(&of_shop, after).await, "ac");
    // Only the face knows these; the store is asked for everything.
    assert_eq!(
        names(&of_shop, "filter=percentDone+eq+'100'&orderBy=name").await,
        "abc"
    );
    assert_eq!(
        names(&of_shop, &format!("{after},percentDone+gte+'1'")).await,
        "ac"
    );
    assert_eq!(names(&of_shop, "orderBy=state&limit=2").await, "ba");

    let page = user
        .get(&format!("{of_shop}?limit=2&count=true"))
        .await
        .json();
    assert_eq!(page["metadata"]["count"], 3);
    let token = page["metadata"]["continue"].as_str().unwrap();
    assert_eq!(
        names(&of_shop, &format!("limit=2&continue={token}")).await,
        "c"
    );
    assert_eq!(
        names(&of_shop, "skip=99").await,
        "",
        "past the end there is nothing"
    );
    let huge = "skip=9223372036854775807&limit=18446744073709551615";
    assert_eq!(names(&of_shop, huge).await, "");
}

#[tokio::test]
async fn bad_parameters_and_unknown_ones_are_named() {
    let (app, shop) = start(a_file()).await;
    let user = owner(&app);
    for query in [
        "limit=0",
        "limit=-1",
        "limit=abc",
        "filter=x",
        "orderBy=a+b+c",
        "count=1",
    ] {
        let answer = user.get(&format!("{}?{query}", backups_of(&shop))).await;
        assert_problem(&answer, 5, 400);
        let name = query.split('=').next().unwrap();
        assert_eq!(answer.json()["invalidParams"][0]["name"], name);
    }
    let answer = user.get(&format!("{}?colour=red", backups_of(&shop))).await;
    assert_problem(&answer, 6, 400);
    assert_problem(
        &user.get(&format!("{}?x=%ff", backups_of(&shop))).await,
        5,
        400,
    );
    user.get(&backups_of(&shop)).await.expect(200);
}

#[tokio::test]
async fn only_a_token_of_the_account_opens_it() {
    let (app, shop) = start(a_file()).await;
    let path = format!("{}{}", owner(&app).base, backups_of(&shop));
    assert_problem(&app.call(Method::GET, &path, &[], "").await, 3, 401);
    let basic = [("authorization", "Basic YWRtaW46YWRtaW4=")];
    assert_problem(&app.call(Method::GET, &path, &basic, "").await, 3, 401);
    assert_problem(
        &with_token(&app, "nonsense").get(&backups_of(&shop)).await,
        4,
        401,
    );

    let foreign = app.foreign_token().await;
    let answer = with_token(&app, &foreign).get(&backups_of(&shop)).await;
    assert_problem(&answer, 11, 403);
    assert!(
        answer.text().contains("x-pcloud-accountid"),
        "the toolkit looks for it"
    );

    let viewer = app.token_of(Role::Viewer).await;
    let viewer = with_token(&app, &viewer);
    viewer.get(&backups_of(&shop)).await.expect(200);
    let refused = viewer
        .call(Method::POST, &backups_of(&shop), create("a"))
        .await;
    assert_problem(&refused, 11, 403);
    let refused = viewer
        .call(Method::POST, &backups_of(&shop), json!({ "nonsense": 1 }))
        .await;
    assert_problem(&refused, 11, 403);

    let token = [("authorization", owner(&app).header.1)];
    let token = token
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let strange = app
        .call(Method::GET, "/accounts/nonsense/k8s/v2/apps", &token, "")
        .await;
    assert_problem(&strange, 33, 400);
}

#[tokio::test]
async fn what_is_not_there_is_not_found_whosever_it_is() {
    let (app, shop) = start(a_file()).await;
    let user = owner(&app);
    let files = app.files_with("documents", &[("a", b"1")]).await;
    let of_files = app.back_up(&files).await.id;
    let (_, stranger) = app.another_tenant("stranger").await;
    let theirs = strongroom_service::resources::CreateResource {
        kind: ResourceKind::Kubernetes,
        name: "theirs".to_owned(),
        settings: strongroom_domain::resource::Settings::default(),
        labels: Vec::new(),
        annotations: strongroom_domain::Annotations::default(),
    };
    let theirs = app
        .service
        .create_resource(&stranger, theirs)
        .await
        .unwrap();
    let unknown = "00000000-0000-4000-8000-00000000ffff";
    for path in [
        backups_of(&files),
        backups_of(&theirs),
        format!("/k8s/v1/apps/{unknown}/appBackups"),
        format!("/k8s/v2/apps/{}", theirs.id),
        format!("{}/{unknown}", backups_of(&shop)),
        format!("/topology/v1/appBackups/{of_files}"),
        format!("/k8s/v1/apps/{}/appSnaps/{unknown}", shop.id),
        format!("/topology/v1/buckets/{unknown}"),
        format!("/topology/v1/clouds/{unknown}/clusters"),
        "/no/such/path".to_owned(),
    ] {
        assert_problem(&user.get(&path).await, 2, 404);
    }
    let answer = user
        .call(Method::POST, &backups_of(&theirs), create("a"))
        .await;
    assert_problem(&answer, 2, 404);
    let gone = format!("{}/{unknown}", backups_of(&shop));
    assert_problem(&user.call(Method::DELETE, &gone, Value::Null).await, 1, 404);
    assert_problem(&user.get("/k8s/v2/apps/nonsense").await, 35, 400);
    assert_problem(
        &user
            .call(Method::PATCH, &backups_of(&shop), Value::Null)
            .await,
        69,
        405,
    );
}

#[tokio::test]
async fn a_bad_body_is_refused_with_the_field_that_is_wrong_and_the_next_request_works() {
    let (app, shop) = start(a_file()).await;
    let user = owner(&app);
    let path = format!("{}{}", user.base, backups_of(&shop));
    let headers = [("authorization", user.header.1.as_str())];
    let send = async |body: String| app.call(Method::POST, &path, &headers, body).await;
    for broken in ["{", "nope", r#"{"type": "#] {
        assert_problem(&send(broken.to_owned()).await, 7, 400);
    }
    for (field, value) in [
        ("type", json!("application/astra-appSnap")),
        ("type", json!(7)),
        ("version", json!("9.9")),
        ("name", json!("Not A Label")),
        ("name", json!([])),
        ("bucketID", json!("nonsense")),
        ("metadata", json!([])),
        ("surprise", json!(true)),
    ] {
        let mut body = create("fine");
        body[field] = value;
        let answer = send(body.to_string()).await;
        assert_problem(&answer, 8, 400);
        assert_eq!(answer.json()["invalidFields"][0]["name"], field);
    }
    assert_problem(&send(String::new()).await, 8, 400);
    assert_problem(&send("[]".to_owned()).await, 8, 400);
    assert_problem(&send(format!("\"{}\"", "x".repeat(2 << 20))).await, 85, 413);

    let mut body = create("fine");
    let unknown = "00000000-0000-4000-8000-00000000ffff";
    body["bucketID"] = json!(unknown);
    assert_problem(&send(body.to_string()).await, 108, 400);
    let mut body = create("fine");
    body["snapshotID"] = json!(unknown);
    assert_problem(&send(body.to_string()).await, 46, 400);

    created(&user, &shop, "fine").await;
    assert_problem(&send(create("fine").to_string()).await, 143, 409);
}

#[tokio::test]
async fn a_body_is_read_as_json_whatever_its_content_type() {
    let (app, shop) = start(a_file()).await;
    let user = owner(&app);
    let path = format!("{}{}", user.base, backups_of(&shop));
    for (at, content_type) in ["application/x-www-form-urlencoded", "text/plain", BODY]
        .iter()
        .enumerate()
    {
        let headers = [
            ("authorization", user.header.1.as_str()),
            ("content-type", content_type),
        ];
        let body = create(&format!("b-{at}")).to_string();
        app.call(Method::POST, &path, &headers, body)
            .await
            .expect(201);
    }
}

#[tokio::test]
async fn labels_and_the_version_are_read_back_as_they_were_written() {
    let (app, shop) = start(a_file()).await;
    let user = owner(&app);
    let labels = json!([{ "name": "team", "value": "blue" }]);
    let body = json!({ "type": BODY, "version": "1.0", "metadata": { "labels": labels } });
    let made = user
        .call(Method::POST, &backups_of(&shop), body)
        .await
        .expect(201)
        .json();
    assert_eq!(made["version"], "1.0");
    assert_eq!(made["metadata"]["labels"], labels);
    assert_eq!(
        made["name"], "shop-20260301120000",
        "the service chooses a name"
    );
}

#[tokio::test]
async fn an_application_is_found_by_walking_from_cloud_to_namespace() {
    let (app, shop) = start(a_file()).await;
    app.files_with("documents", &[("a", b"1")]).await;
    let user = owner(&app);
    let apps = user.get("/k8s/v2/apps").await.expect(200).json();
    assert_eq!(apps["metadata"], json!({}));
    let shown = &apps["items"][0];
    assert_eq!(
        apps["items"].as_array().unwrap().len(),
        1,
        "files belong to another face"
    );
    assert_eq!(shown["id"], shop.id.to_string());
    let one = user
        .get(&format!("/k8s/v2/apps/{}", shop.id))
        .await
        .expect(200)
        .json();
    assert_eq!(&one, shown);

    let cloud = user.get("/topology/v1/clouds").await.expect(200).json()["items"][0].clone();
    let cloud_id = cloud["id"].as_str().unwrap();
    let bucket = user.get("/topology/v1/buckets").await.expect(200).json()["items"][0].clone();
    assert_eq!(cloud["defaultBucketID"], bucket["id"]);
    let clusters = format!("/topology/v1/clouds/{cloud_id}/clusters");
    let clusters = user.get(&clusters).await.expect(200).json();
    let names: Vec<_> = clusters["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["name"])
        .collect();
    assert_eq!(names, ["strongroom", "prod"]);
    let cluster = &clusters["items"][1];
    assert_eq!(cluster["id"], shown["clusterID"]);
    let id = cluster["id"].as_str().unwrap();
    let of_cluster = format!("/topology/v1/clusters/{id}/namespaces?include=name");
    let of_cluster = user.get(&of_cluster).await.expect(200).json();
    assert_eq!(of_cluster["items"], json!([["shop"], ["shop-db"]]));
    for path in [
        format!("/topology/v1/clouds/{cloud_id}"),
        format!("/topology/v1/clouds/{cloud_id}/clusters/{id}"),
        format!("/topology/v1/clusters/{id}"),
        format!("/topology/v1/managedClusters/{id}"),
        format!("/topology/v1/buckets/{}", bucket["id"].as_str().unwrap()),
        format!("/k8s/v1/apps/{}/appSnaps", shop.id),
    ] {
        user.get(&path).await.expect(200);
    }
    insta::assert_json_snapshot!(json!([shown, cloud, cluster, bucket]), {
        "[].id" => "[uuid]",
        "[].clusterID" => "[uuid]",
        "[].cloudID" => "[uuid]",
        "[].defaultBucketID" => "[uuid]",
        "[].clusterVersion" => "[version]",
        "[].clusterVersionString" => "[version]",
    });
}
