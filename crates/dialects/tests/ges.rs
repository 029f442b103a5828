//! The GES face through the whole router: the examples of the vendor's documentation, both
//! spellings, and errors.

#[path = "ges/client.rs"]
mod client;
mod common;

use axum::http::Method;
use serde_json::{Value, json};
use strongroom_domain::{Resource, ResourceKind, Role};
use strongroom_testkit::{Answer, Script, Step, TestApp};

use common::{As, assert_shape, register, server};

async fn start(steps: Vec<Step>) -> (TestApp, Resource) {
    let app = server(ResourceKind::Graph, Script::whole([steps])).await;
    let people = register(&app, ResourceKind::Graph, "people", &[]).await;
    (app, people)
}

fn a_dump() -> Vec<Step> {
    vec![Step::File("people.dump", b"Alice knows Bob")]
}

fn user<'a>(app: &'a TestApp, version: &str, token: &str) -> As<'a> {
    As {
        app,
        base: format!("/{version}/{}/graphs", app.tenant.tenant.id.simple()),
        header: ("x-auth-token", token.to_owned()),
    }
}

/// The same owner, asking in version 1.0 and in version 2.
fn owner(app: &TestApp) -> [As<'_>; 2] {
    ["v1.0", "v2"].map(|version| user(app, version, &app.token()))
}

#[track_caller]
fn assert_failure(answer: &Answer, code: &str, status: u16) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.header("content-type"), "application/json");
    let body = answer.json();
    if body.get("errorCode").is_some() {
        assert_eq!(body["errorCode"], code, "{answer:?}");
        let keys = [
            ("errorCode", "string"),
            ("errorMessage", "string"),
            ("errorMsg", "string"),
        ];
        assert_shape(&body, &keys, &[]);
    } else {
        assert_eq!(body["error_code"], code, "{answer:?}");
        assert_shape(
            &body,
            &[("error_code", "string"), ("error_msg", "string")],
            &[],
        );
    }
}

/// The fields of a backup in version 1.0, with their JSON types.
const BACKUP: [(&str, &str); 18] = [
    ("id", "string"),
    ("name", "string"),
    ("backupMethod", "string"),
    ("graphId", "string"),
    ("graph_name", "string"),
    ("graphName", "string"),
    ("graphStatus", "string"),
    ("graphSizeTypeIndex", "string"),
    ("dataStoreVersion", "string"),
    ("arch", "string"),
    ("status", "string"),
    ("startTimestamp", "number"),
    ("startTime", "string"),
    ("endTimestamp", "number"),
    ("endTime", "string"),
    ("size", "number"),
    ("duration", "number"),
    ("encrypted", "boolean"),
];

#[tokio::test]
async fn backups_are_listed_as_the_vendors_example_is() {
    let (app, people) = start(a_dump()).await;
    let gone = register(&app, ResourceKind::Graph, "gone", &[]).await;
    app.back_up(&people).await;
    app.clock.advance(jiff::SignedDuration::from_secs(1));
    app.back_up(&gone).await;
    app.service
        .delete_resource(&app.owner, gone.id, None)
        .await
        .unwrap();
    let [v1, v2] = owner(&app);
    let list = v1.get("/backups?offset=0&limit=2").await.expect(200).json();
    assert_shape(
        &list,
        &[("backupCount", "number"), ("backupList", "array")],
        &[],
    );
    for row in list["backupList"].as_array().unwrap() {
        assert_shape(row, &BACKUP, &[]);
        assert_eq!(row["status"], "success");
    }
    assert_eq!(
        list["backupList"][0]["graphStatus"], "400",
        "the graph is gone, its backup stays"
    );
    insta::assert_json_snapshot!("backups_v1", list, {
        ".backupList[].id" => "[uuid]",
        ".backupList[].graphId" => "[uuid]",
        ".backupList[].dataStoreVersion" => "[version]",
        ".backupList[].arch" => "[arch]",
    });
    let list = v2.get("/backups").await.expect(200).json();
    insta::assert_json_snapshot!("backups_v2", list, {
        ".backup_list[].id" => "[uuid]",
        ".backup_list[].graph_id" => "[uuid]",
        ".backup_list[].data_store_version" => "[version]",
        ".backup_list[].arch" => "[arch]",
    });
}

#[tokio::test]
async fn of_two_backups_of_a_graph_asked_for_at_once_one_is_made() {
    let (app, people) = start(a_dump()).await;
    let of_graph = format!("/{}/backups", people.id);
    let [v1, v2] = owner(&app);
    let (one, two) = tokio::join!(
        v1.call(Method::POST, &of_graph, Value::Null),
        v2.call(Method::POST, &of_graph, Value::Null),
    );
    let (made, refused) = if one.status == 200 {
        (one, two)
    } else {
        (two, one)
    };
    made.expect(200);
    assert_failure(&refused, "GES.7002", 400);
    let listed = v2.get(&of_graph).await.expect(200).json();
    assert_eq!(listed["backup_count"], 1);
}

#[tokio::test]
async fn a_created_backup_is_listed_at_once_and_its_job_can_be_asked_to_the_end() {
    let (app, people) = start(a_dump()).await;
    for (version, user) in owner(&app).into_iter().enumerate() {
        let keys = [
            ["jobId", "backupId", "backupList"],
            ["job_id", "backup_id", "backup_list"],
        ];
        let [job_key, backup_key, list_key] = keys[version];
        let of_graph = format!("/{}/backups", people.id);
        let made = user
            .call(Method::POST, &of_graph, Value::Null)
            .await
            .expect(200)
            .json();
        assert_shape(&made, &[(job_key, "string"), (backup_key, "string")], &[]);
        let row = user.get(&of_graph).await.expect(200).json()[list_key][0].clone();
        assert_eq!(
            (&row["id"], &row["status"]),
            (&made[backup_key], &json!("backing_up"))
        );
        let second = user.call(Method::POST, &of_graph, Value::Null).await;
        assert_failure(&second, "GES.7002", 400);
        let under_way = format!("{of_graph}/{}", made[backup_key].as_str().unwrap());
        let refused = user.call(Method::DELETE, &under_way, Value::Null).await;
        assert_failure(&refused, "GES.7002", 400);

        let job = format!(
            "/{}/jobs/{}/status",
            people.id,
            made[job_key].as_str().unwrap()
        );
        assert_eq!(user.get(&job).await.expect(200).json()["status"], "pending");
        app.work().await;
        let shown = user.get(&job).await.expect(200).json();
        assert_eq!(shown[job_key], made[job_key]);
        insta::assert_json_snapshot!(format!("job_{job_key}"), shown, { ".*" => insta::dynamic_redaction(uuid) });
        let row = user.get(&of_graph).await.expect(200).json()[list_key][0].clone();
        assert_eq!(row["status"], "success");
        app.clock.advance(jiff::SignedDuration::from_secs(1));
    }
}

fn uuid(
    value: insta::internals::Content,
    _: insta::internals::ContentPath<'_>,
) -> insta::internals::Content {
    match value.as_str() {
        Some(text) if text.len() == 32 => "[id]".into(),
        _ => value,
    }
}

#[tokio::test]
async fn a_failed_backup_has_a_failed_job_that_says_why() {
    let (app, people) = start(vec![Step::Break("people.dump", "the server went away")]).await;
    let [v1, _] = owner(&app);
    let of_graph = format!("/{}/backups", people.id);
    let made = v1
        .call(Method::POST, &of_graph, json!({}))
        .await
        .expect(200)
        .json();
    app.work().await;
    app.clock.advance(jiff::SignedDuration::from_hours(1));
    app.work().await;
    let job = format!(
        "/{}/jobs/{}/status",
        people.id,
        made["jobId"].as_str().unwrap()
    );
    let job = v1.get(&job).await.expect(200).json();
    assert_eq!(job["status"], "failed");
    assert!(
        job["failReason"]
            .as_str()
            .unwrap()
            .contains("the server went away"),
        "{job}"
    );
    assert_eq!(
        v1.get(&of_graph).await.json()["backupList"][0]["status"],
        "failed"
    );
}

#[tokio::test]
async fn a_deleted_backup_is_gone_at_once() {
    let (app, people) = start(a_dump()).await;
    for user in owner(&app) {
        let backup = app.back_up(&people).await;
        let path = format!("/{}/backups/{}", people.id, backup.id);
        let answer = user
            .call(Method::DELETE, &path, Value::Null)
            .await
            .expect(200);
        assert_eq!(answer.json(), json!({}));
        assert_failure(
            &user.call(Method::DELETE, &path, Value::Null).await,
            "GES.7024",
            400,
        );
        let list = user.get("/backups").await.json();
        assert_eq!(
            list.get("backupCount").or(list.get("backup_count")),
            Some(&json!(0))
        );
        app.work().await;
    }
}

#[tokio::test]
async fn pages_are_ten_rows_and_the_count_is_of_all() {
    let (app, people) = start(a_dump()).await;
    for _ in 0..11 {
        app.back_up(&people).await;
        app.clock.advance(jiff::SignedDuration::from_secs(1));
    }
    let [v1, v2] = owner(&app);
    let length = |list: &Value| list.as_array().unwrap().len();
    for path in ["/backups".to_owned(), format!("/{}/backups", people.id)] {
        let list = v1.get(&path).await.expect(200).json();
        assert_eq!(
            (length(&list["backupList"]), &list["backupCount"]),
            (10, &json!(11))
        );
        let list = v2
            .get(&format!("{path}?limit=120&offset=9"))
            .await
            .expect(200)
            .json();
        assert_eq!(
            (length(&list["backup_list"]), &list["backup_count"]),
            (2, &json!(11))
        );
        let list = v2
            .get(&format!("{path}?offset=500"))
            .await
            .expect(200)
            .json();
        assert_eq!(
            (length(&list["backup_list"]), &list["backup_count"]),
            (0, &json!(11))
        );
    }
    for user in [&v1, &v2] {
        for query in [
            "limit=0",
            "limit=-1",
            "limit=abc",
            "limit=99999999999999999999",
            "offset=-1",
        ] {
            assert_failure(
                &user.get(&format!("/backups?{query}")).await,
                "GES.0001",
                400,
            );
        }
    }
}

#[tokio::test]
async fn jobs_are_listed_by_graph_status_and_day() {
    let (app, people) = start(a_dump()).await;
    let places = register(&app, ResourceKind::Graph, "places", &[]).await;
    let [v1, v2] = owner(&app);
    for graph in [&people, &places] {
        let path = format!("/{}/backups", graph.id);
        v1.call(Method::POST, &path, Value::Null).await.expect(200);
    }
    app.work().await;
    let path = format!("/{}/backups", people.id);
    v1.call(Method::POST, &path, Value::Null).await.expect(200);
    let count = async |query: &str| {
        let list = v1.get(&format!("/jobs?{query}")).await.expect(200).json();
        assert_eq!(
            list["jobList"].as_array().unwrap().len() as u64,
            list["jobCount"],
            "{query}"
        );
        list["jobCount"].as_u64().unwrap()
    };
    assert_eq!(count("").await, 3);
    assert_eq!(count("status=success").await, 2);
    assert_eq!(count("status=waiting").await, 1);
    assert_eq!(count("graph_name=people").await, 2);
    assert_eq!(count("graph_name=people&status=success").await, 1);
    assert_eq!(count("startTime=2026-03-01&endTime=2026-03-01").await, 3);
    assert_eq!(count("startTime=2026-03-02").await, 0);
    assert_eq!(count("endTime=2026-02-28").await, 0);
    let paged = v2
        .get("/jobs?graph_name=people&limit=1&offset=1")
        .await
        .expect(200)
        .json();
    assert_eq!(paged["job_count"], 2);
    assert_eq!(paged["job_list"].as_array().unwrap().len(), 1);
    assert_failure(&v1.get("/jobs?status=done").await, "GES.0001", 400);
    assert_failure(&v2.get("/jobs?start_time=soon").await, "GES.0001", 400);
}

#[tokio::test]
async fn graphs_are_shown_and_stay_as_tombstones() {
    let (app, people) = start(a_dump()).await;
    app.files_with("documents", &[("a", b"1")]).await;
    let [v1, v2] = owner(&app);
    let list = v1.get("").await.expect(200).json();
    assert_eq!(list["graphCount"], 1, "files belong to another face");
    let one = v2.get(&format!("/{}", people.id)).await.expect(200).json();
    assert_eq!(one["graph"]["status"], "200");
    insta::assert_json_snapshot!("graphs_v1", list, {
        ".graphs[].id" => "[uuid]",
        ".graphs[].dataStoreVersion" => "[version]",
        ".graphs[].arch" => "[arch]",
    });
    app.service
        .delete_resource(&app.owner, people.id, None)
        .await
        .unwrap();
    assert_eq!(v1.get("").await.json()["graphCount"], 0);
    let gone = v2.get(&format!("/{}", people.id)).await.expect(200).json();
    assert_eq!(gone["graph"]["status"], "400");
}

#[tokio::test]
async fn only_a_credential_of_the_project_opens_it() {
    let (app, people) = start(a_dump()).await;
    let of_graph = format!("/{}/backups", people.id);
    let viewer = app.token_of(Role::Viewer).await;
    let foreign = app.foreign_token().await;
    for version in ["v1.0", "v2"] {
        let path = format!("{}/backups", user(&app, version, "").base);
        assert_failure(
            &app.call(Method::GET, &path, &[], "").await,
            "APIGW.0301",
            401,
        );
        let nonsense = user(&app, version, "nonsense");
        assert_failure(&nonsense.get("/backups").await, "APIGW.0301", 401);
        let foreign = user(&app, version, &foreign);
        assert_failure(&foreign.get("/backups").await, "GES.0016", 403);
        let viewer = user(&app, version, &viewer);
        viewer.get("/backups").await.expect(200);
        let refused = viewer.call(Method::POST, &of_graph, Value::Null).await;
        assert_failure(&refused, "GES.7041", 403);
        user(&app, version, &app.token())
            .get("/backups")
            .await
            .expect(200);
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_found_whosever_it_is() {
    let (app, people) = start(a_dump()).await;
    let files = app.files_with("documents", &[("a", b"1")]).await;
    let unknown = "00000000-0000-4000-8000-00000000ffff";
    for user in owner(&app) {
        for graph in [
            unknown.to_owned(),
            files.id.to_string(),
            "g%201%2F%C3%BC".to_owned(),
        ] {
            for path in [format!("/{graph}"), format!("/{graph}/backups")] {
                assert_failure(&user.get(&path).await, "GES.7000", 400);
            }
            let create = user
                .call(Method::POST, &format!("/{graph}/backups"), Value::Null)
                .await;
            assert_failure(&create, "GES.7000", 400);
        }
        for backup in [unknown, "nonsense"] {
            let path = format!("/{}/backups/{backup}", people.id);
            assert_failure(
                &user.call(Method::DELETE, &path, Value::Null).await,
                "GES.7024",
                400,
            );
        }
        for job in [unknown, "nonsense"] {
            let path = format!("/{}/jobs/{job}/status", people.id);
            assert_failure(&user.get(&path).await, "GES.7007", 400);
        }
        assert_failure(&user.get("/a/b/c/d").await, "APIGW.0101", 404);
        let put = user.call(Method::PUT, "/backups", Value::Null).await;
        assert_failure(&put, "APIGW.0101", 405);
        let path = format!("/{}/backups", people.id);
        let huge = user
            .call(Method::POST, &path, json!("x".repeat(2 << 20)))
            .await;
        assert_failure(&huge, "APIGW.0201", 413);
        user.get("/backups").await.expect(200);
    }
}
