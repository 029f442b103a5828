//! Scheduler jobs and triggers: bound to each other they are policies that really run.

use axum::http::Method;
use jiff::SignedDuration;
use serde_json::{Value, json};
use strongroom_domain::Clock as _;
use strongroom_service::repositories::CreateRepository;
use strongroom_testkit::{TestApp, service::memory_repository};

use super::client::{Client, database, polling, server};

const ROOT: &str = "/zstack/v1/scheduler";

struct World<'a> {
    app: &'a TestApp,
    client: Client<'a>,
}

impl World<'_> {
    /// Sends a call that runs as a job; its result, or its error.
    async fn send(&self, method: Method, path: &str, body: Value) -> Value {
        let path = format!("{ROOT}{path}");
        self.send_to(method, &path, body).await
    }

    async fn send_to(&self, method: Method, path: &str, body: Value) -> Value {
        let accepted = self.client.call(method, path, &body).await.expect(202);
        self.client.poll(&polling(&accepted.json())).await.json()
    }

    async fn list(&self, path: &str) -> Vec<Value> {
        let answer = self.client.get(&format!("{ROOT}{path}")).await.expect(200);
        answer.json()["inventories"].as_array().unwrap().clone()
    }

    async fn job(&self, kind: &str, parameters: Value) -> Value {
        let params = json!({
            "name": "nightly", "type": "databaseBackup", "parameters": parameters,
            "targetResourceUuid": "36c27e8ff05c4780bf6d2fa65700f22e",
        });
        self.send(Method::POST, kind, json!({ "params": params }))
            .await
    }

    async fn trigger(&self, params: Value) -> Value {
        self.send(Method::POST, "/triggers", json!({ "params": params }))
            .await
    }

    async fn bind(&self, job: &Value, trigger: &Value, params: Value) -> Value {
        let binding = format!("/jobs/{}/scheduler/triggers/{}", uuid(job), uuid(trigger));
        self.send(Method::POST, &binding, json!({ "params": params }))
            .await
    }

    fn keeping(&self, count: &str) -> Value {
        json!({
            "retentionType": "Count", "retentionValue": count,
            "backupStorageUuids": self.app.repository.id.simple(),
        })
    }
}

async fn world(app: &TestApp) -> World<'_> {
    database(app, "orders", true).await;
    let client = Client::log_in(app).await;
    World { app, client }
}

fn uuid(answer: &Value) -> &str {
    answer["inventory"]["uuid"]
        .as_str()
        .unwrap_or_else(|| panic!("{answer}"))
}

#[tokio::test]
async fn a_job_bound_to_a_trigger_backs_up_when_it_is_due_and_keeps_what_it_says() {
    let app = server("a dump").await;
    let world = world(&app).await;
    let job = world.job("/jobs", world.keeping("2")).await;
    let every_hour = json!({
        "name": "hourly", "schedulerType": "simple", "schedulerInterval": 3600,
        "repeatCount": 0, "startTime": 0,
    });
    let trigger = world.trigger(every_hour).await;
    assert_eq!(job["inventory"]["triggersUuid"], json!([]));
    let binding = format!("/jobs/{}/scheduler/triggers/{}", uuid(&job), uuid(&trigger));
    let bound = world
        .send(Method::POST, &binding, json!({"params": {}}))
        .await;
    assert_eq!(bound["inventory"]["schedulerJobUuid"], uuid(&job));
    let again = world.send(Method::POST, &binding, json!({})).await;
    assert_eq!(
        again["error"]["details"],
        format!(
            "Can not add job[uuid:{}] twice to the same trigger[uuid:{}]",
            uuid(&job),
            uuid(&trigger)
        )
    );
    for _ in 0..3 {
        app.clock.advance(SignedDuration::from_mins(61));
        app.service.schedule().await.unwrap();
        app.work().await;
    }
    // The session has ended meanwhile.
    let client = Client::log_in(&app).await;
    let world = World { app: &app, client };
    assert_eq!(
        world.client.query("count=true&q=status=Ready").await["total"],
        2
    );
    let runs = world.list("/job/history").await;
    assert_eq!(runs.len(), 2);
    assert_eq!(runs[0]["success"], true);
    assert_eq!(runs[0]["schedulerJobUuid"], uuid(&job));
    assert_eq!(runs[0].get("schedulerJobGroupUuid"), None);
    let request: Value = serde_json::from_str(runs[0]["requestDump"].as_str().unwrap()).unwrap();
    let target = &runs[0]["targetResourceUuid"];
    assert_eq!(&request["targetResourceUuid"], target);
    assert_eq!(request["backupStorageUuid"], app.repository.id.simple());
    let listed = world
        .list(&format!("/jobs?q=triggersUuid={}", uuid(&trigger)))
        .await;
    assert_eq!(listed[0]["uuid"], uuid(&job));
    let listed = world.list(&format!("/triggers/{}", uuid(&trigger))).await;
    assert_eq!(listed[0]["jobsUuid"], json!([uuid(&job)]));

    // Switched off, it does not run; told to, it runs at once.
    let off = json!({"changeSchedulerState": {"stateEvent": "disable"}});
    let path = format!("/zstack/v1/schedulers/{}", uuid(&job));
    let off = world.send_to(Method::PUT, &path, off).await;
    assert_eq!(off["inventory"]["state"], "Disabled");
    app.clock.advance(SignedDuration::from_mins(61));
    app.service.schedule().await.unwrap();
    app.work().await;
    assert_eq!(world.client.query("count=true").await["total"], 2);
    let run = json!({"runSchedulerTrigger": {"jobUuids": [uuid(&job)]}});
    let actions = format!("/triggers/{}/actions", uuid(&trigger));
    assert_eq!(world.send(Method::PUT, &actions, run).await, json!({}));
    assert!(app.work().await > 0);

    // Without its job nothing is bound any more.
    let gone = world
        .send(
            Method::DELETE,
            &format!("/jobs/{}", uuid(&job)),
            Value::Null,
        )
        .await;
    assert_eq!(gone, json!({}));
    assert_eq!(
        app.service.list_policies(&app.owner).await.unwrap().len(),
        0
    );
    assert_eq!(world.list("/jobs").await.len(), 0);
}

#[tokio::test]
async fn a_change_of_job_or_trigger_changes_what_runs() {
    let app = server("a dump").await;
    let world = world(&app).await;
    let job = world.job("/jobgroups", world.keeping("2")).await;
    let cron = json!({"name": "daily", "schedulerType": "cron", "cron": "0 0 3 * * ?"});
    let trigger = world.trigger(cron).await;
    let binding = format!(
        "/jobgroups/{}/scheduler/triggers/{}",
        uuid(&job),
        uuid(&trigger)
    );
    let now = json!({"params": {"triggerNow": true}});
    let bound = world.send(Method::POST, &binding, now).await;
    assert_eq!(bound["inventory"]["schedulerJobGroupUuid"], uuid(&job));
    assert_eq!(bound["inventory"]["schedulerTriggerUuid"], uuid(&trigger));
    // The Java SDK throws where it finds the class of a bound job.
    assert_eq!(
        bound["schema"]["inventory"],
        "org.zstack.header.scheduler.SchedulerJobGroupSchedulerTriggerRefInventory"
    );
    assert!(app.work().await > 0);
    let listed = world.list("/triggers").await;
    assert_eq!(listed[0]["jobGroupsUuid"], json!([uuid(&job)]));
    let runs = world.list("/job/history").await;
    assert_eq!(runs[0]["schedulerJobGroupUuid"], uuid(&job));

    let change = json!({"updateSchedulerJob": {"parameters": {"retentionValue": "7"}}});
    let actions = format!("/jobs/{}/actions", uuid(&job));
    world.send(Method::PUT, &actions, change).await;
    let change = json!({"updateSchedulerTrigger": {"cron": "0 30 4 ? * 2"}});
    let actions = format!("/triggers/{}/actions", uuid(&trigger));
    world.send(Method::PUT, &actions, change).await;
    let policy = app
        .service
        .list_policies(&app.owner)
        .await
        .unwrap()
        .remove(0);
    assert_eq!(policy.retention.last, Some(7));
    assert_eq!(policy.repositories, [app.repository.id]);
    let attic = memory_repository("attic");
    let attic = app.service.create_repository(&app.owner, attic).await;
    let attic = attic.unwrap().id;
    let storages = json!({"backupStorageUuids": attic.simple()});
    let change = json!({"updateSchedulerJob": {"parameters": storages}});
    let actions = format!("/jobs/{}/actions", uuid(&job));
    world.send(Method::PUT, &actions, change).await;
    let moved = app.service.policy(&app.owner, policy.id).await.unwrap();
    assert_eq!(moved.repositories, [attic]);
    let recurrence = strongroom_domain::schedule::Recurrence::Cron("30 4 * * 1".to_owned());
    assert_eq!(policy.schedule.recurrences, [recurrence]);
    let gone = world.send(Method::DELETE, &binding, Value::Null).await;
    assert_eq!(gone, json!({}));
    assert!(
        app.service
            .list_policies(&app.owner)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_job_has_its_backups_copied_to_a_remote_storage_that_keeps_its_own() {
    let app = server("a dump").await;
    let world = world(&app).await;
    let remote = memory_repository("remote");
    let remote = app.service.create_repository(&app.owner, remote).await;
    let remote = remote.unwrap().id.simple();
    let mut parameters = world.keeping("1");
    parameters["remoteBackupStorageUuid"] = json!(remote);
    parameters["remoteRetentionType"] = json!("Count");
    parameters["remoteRetentionValue"] = json!("2");
    let job = world.job("/jobs", parameters).await;
    let cron = json!({"name": "daily", "schedulerType": "cron", "cron": "0 0 3 * * ?"});
    let trigger = world.trigger(cron).await;
    world.bind(&job, &trigger, json!({})).await;
    let run = json!({"runSchedulerTrigger": {}});
    let actions = format!("/triggers/{}/actions", uuid(&trigger));
    for _ in 0..4 {
        app.clock.advance(SignedDuration::from_mins(1));
        world.send(Method::PUT, &actions, run.clone()).await;
        app.work().await;
    }
    let local = app.repository.id.simple();
    let storages = |row: &Value| -> Vec<String> {
        let refs = row["backupStorageRefs"].as_array().unwrap();
        let storage = |it: &Value| it["backupStorageUuid"].as_str().unwrap().to_owned();
        refs.iter().map(storage).collect()
    };
    let rows = world.client.query("q=status=Ready&sort=createDate").await;
    let rows = rows["inventories"].as_array().unwrap();
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert_eq!(storages(&rows[0]), std::slice::from_ref(&remote));
    assert_eq!(storages(&rows[1]), [local, remote.clone()]);

    // Without rules of its own it keeps all that comes, and without its uuid nothing comes.
    let update = async |parameters: Value| {
        let change = json!({"updateSchedulerJob": {"parameters": parameters}});
        let actions = format!("/jobs/{}/actions", uuid(&job));
        world.send(Method::PUT, &actions, change).await;
        app.service
            .list_policies(&app.owner)
            .await
            .unwrap()
            .remove(0)
            .copy_to
    };
    let copies = update(json!({"remoteRetentionValue": ""})).await.unwrap();
    assert!(copies.retention.is_unlimited(), "{copies:?}");
    assert_eq!(update(json!({"remoteBackupStorageUuid": ""})).await, None);
}

/// A job with two storages of its own, both directories, which runs every hour.
async fn either(world: &World<'_>) -> [String; 2] {
    let app = world.app;
    let add = async |name: &str| {
        let path = app.directory().join(name);
        let request = CreateRepository::at(name, path.to_str().unwrap());
        let made = app.service.create_repository(&app.owner, request).await;
        made.unwrap().id.simple()
    };
    let storages = [add("first").await, add("second").await];
    let mut parameters = world.keeping("9");
    parameters["backupStorageUuids"] = json!(storages.join(", "));
    let job = world.job("/jobs", parameters).await;
    let cron = json!({"name": "hourly", "schedulerType": "cron", "cron": "0 0 * * * ?"});
    let trigger = world.trigger(cron).await;
    let bound = world.bind(&job, &trigger, json!({})).await;
    assert_eq!(bound["inventory"]["schedulerJobUuid"], uuid(&job));
    storages
}

impl World<'_> {
    /// Lets an hour pass, which ends the session.
    async fn hour(&mut self) {
        self.app.clock.advance(SignedDuration::from_hours(1));
        self.app.service.schedule().await.unwrap();
        self.app.work().await;
        self.client = Client::log_in(self.app).await;
    }

    async fn switch(&self, storage: &str, event: &str) {
        let change = json!({"changeBackupStorageState": {"stateEvent": event}});
        self.change(storage, change).await;
    }

    async fn reconnect(&self, storage: &str) {
        self.change(storage, json!({"reconnectBackupStorage": {}}))
            .await;
        self.app.work().await;
    }

    async fn change(&self, storage: &str, change: Value) {
        let actions = format!("/zstack/v1/backup-storage/{storage}/actions");
        let switched = self.send_to(Method::PUT, &actions, change).await;
        assert_eq!(switched.get("error"), None, "{switched}");
    }

    /// Of each run that is listed: the storage that it used, and whether it was a success.
    async fn runs(&self) -> Vec<(Option<String>, Value)> {
        let runs = self.list("/job/history").await;
        let ids: Vec<_> = runs.iter().map(|it| it["id"].as_u64().unwrap()).collect();
        assert_eq!(ids, (1..=runs.len() as u64).collect::<Vec<_>>());
        let storage = |run: &Value| {
            let dump: Value = serde_json::from_str(run["requestDump"].as_str().unwrap()).unwrap();
            dump["backupStorageUuid"].as_str().map(str::to_owned)
        };
        let run = |run: &Value| (storage(run), run["success"].clone());
        runs.iter().map(run).collect()
    }
}

#[tokio::test]
async fn each_run_of_a_job_uses_the_first_of_its_storages_that_is_enabled() {
    let app = server("a dump").await;
    let mut world = world(&app).await;
    let [first, second] = either(&world).await;
    world.hour().await;
    world.switch(&first, "disable").await;
    world.hour().await;
    world.switch(&first, "enable").await;
    world.hour().await;
    let run = |it: &String| (Some(it.clone()), json!(true));
    assert_eq!(world.runs().await, [run(&first), run(&second), run(&first)]);
}

#[tokio::test]
async fn each_run_of_a_job_uses_the_first_of_its_storages_that_is_connected() {
    let app = server("a dump").await;
    let mut world = world(&app).await;
    let [first, second] = either(&world).await;
    let (here, away) = (app.directory().join("first"), app.directory().join("away"));
    // Nobody has noticed that it is gone: the run itself does.
    std::fs::rename(&here, &away).unwrap();
    world.hour().await;
    let shown = format!("/zstack/v1/backup-storage/{first}");
    let storage = world.client.get(&shown).await.json();
    assert_eq!(
        storage["inventories"][0]["status"], "Disconnected",
        "{storage}"
    );
    world.hour().await;
    std::fs::rename(&away, &here).unwrap();
    world.reconnect(&first).await;
    world.hour().await;
    let run = |it: &String| (Some(it.clone()), json!(true));
    assert_eq!(
        world.runs().await,
        [run(&second), run(&second), run(&first)]
    );
}

#[tokio::test]
async fn a_run_of_a_job_without_an_available_storage_is_listed_as_skipped() {
    let app = server("a dump").await;
    let mut world = world(&app).await;
    let [first, second] = either(&world).await;
    world.switch(&first, "disable").await;
    world.switch(&second, "disable").await;
    world.hour().await;
    world.switch(&second, "enable").await;
    world.hour().await;
    let made = (Some(second), json!(true));
    assert_eq!(world.runs().await, [(None, json!(false)), made]);
    let failed = world.list("/job/history?q=success=false").await;
    let [run] = &failed[..] else {
        panic!("{failed:?}")
    };
    let dump = run["resultDump"].as_str().unwrap();
    assert!(
        dump.contains("No available backup storage found, skip this job"),
        "{dump}"
    );
    assert_eq!(run["executeTime"], 0);
    assert_eq!(world.client.query("count=true").await["total"], 1);
    let events = app.events().await;
    assert!(events.contains(&"policy.skipped".to_owned()), "{events:?}");
    // Its storages are in use as long as it is bound.
    let path = format!("/zstack/v1/backup-storage/{first}?deleteMode=Permissive");
    let kept = world.send_to(Method::DELETE, &path, Value::Null).await;
    assert!(kept["error"].is_object(), "{kept}");
}

#[tokio::test]
async fn a_remote_storage_that_cannot_be_one_is_refused() {
    let app = server("a dump").await;
    let world = world(&app).await;
    let storage = app.repository.id.simple();
    let nowhere = "742a7c7d4a4f4a01a206632a40ac414f";
    for (more, text) in [
        (
            json!({"remoteBackupStorageUuid": nowhere}),
            "missing 'remoteRetentionType' in job parameters".to_owned(),
        ),
        (
            json!({"remoteBackupStorageUuid": nowhere, "remoteRetentionType": "Days"}),
            "missing 'remoteRetentionValue' in job parameters".to_owned(),
        ),
        (
            json!({"remoteBackupStorageUuid": nowhere, "remoteRetentionType": "Weeks", "remoteRetentionValue": "1"}),
            "job parameter 'remoteRetentionType' is not valid: Weeks".to_owned(),
        ),
        (
            json!({"remoteBackupStorageUuid": nowhere, "remoteRetentionType": "Days", "remoteRetentionValue": "-1"}),
            "job parameter 'remoteRetentionValue' is not valid: -1".to_owned(),
        ),
        (
            json!({"remoteBackupStorageUuid": nowhere, "remoteRetentionType": "", "remoteRetentionValue": ""}),
            format!("unexpected backup storage uuid: {nowhere}"),
        ),
        (
            json!({"remoteBackupStorageUuid": "x", "remoteRetentionType": "", "remoteRetentionValue": ""}),
            "unexpected backup storage uuid: x".to_owned(),
        ),
        (
            json!({"remoteBackupStorageUuid": storage, "remoteRetentionType": "", "remoteRetentionValue": ""}),
            format!("unexpected backup storage uuid: {storage}"),
        ),
    ] {
        let mut parameters = world.keeping("1");
        for (name, value) in more.as_object().unwrap() {
            parameters[name] = value.clone();
        }
        let refused = world.job("/jobs", parameters).await;
        assert_eq!(refused["error"]["code"], "SYS.1007", "{refused}");
        assert_eq!(refused["error"]["details"], text);
    }
}

#[tokio::test]
async fn a_simple_trigger_begins_at_its_time_and_ends_after_its_count() {
    let app = server("a dump").await;
    let world = world(&app).await;
    let job = world.job("/jobs", world.keeping("9")).await;
    let start = app.clock.now().as_second() + 7200;
    let trigger = world
        .trigger(json!({
            "name": "thrice", "schedulerType": "simple", "schedulerInterval": 600,
            "repeatCount": 3, "startTime": start,
        }))
        .await;
    assert_eq!(trigger["inventory"]["startTime"], "Mar 1, 2026 2:00:00 PM");
    assert_eq!(trigger["inventory"]["stopTime"], "Mar 1, 2026 2:20:00 PM");
    world.bind(&job, &trigger, json!({})).await;
    let mut runs = Vec::new();
    for _ in 0..20 {
        app.clock.advance(SignedDuration::from_mins(10));
        app.service.schedule().await.unwrap();
        if app.work().await > 0 {
            runs.push(app.clock.now().as_second() - start);
        }
    }
    assert_eq!(runs, [0, 600, 1200]);
    let client = Client::log_in(&app).await;
    let world = World { app: &app, client };
    assert_eq!(world.list("/job/history").await.len(), 3);

    // It has ended: nothing can be bound to it, and none like it can be made.
    let other = world.job("/jobs", world.keeping("9")).await;
    let late = world.bind(&other, &trigger, json!({})).await;
    let (job, trigger) = (uuid(&other), uuid(&trigger));
    assert_eq!(
        late["error"]["details"],
        format!("Can not add job[uuid:{job}] to a out of time trigger[uuid:{trigger}]")
    );
    let past = json!({
        "name": "past", "schedulerType": "simple", "repeatCount": 1, "startTime": start,
    });
    let past = world.trigger(past).await;
    assert_eq!(past["error"]["details"], "stopTime has been passed");
}

#[tokio::test]
async fn a_simple_trigger_without_a_start_begins_when_a_job_is_bound() {
    let app = server("a dump").await;
    let world = world(&app).await;
    let job = world.job("/jobs", world.keeping("9")).await;
    let once = json!({"name": "once", "schedulerType": "simple", "repeatCount": 1, "startTime": 0});
    let once = world.trigger(once).await;
    world.bind(&job, &once, json!({})).await;
    let mut runs = 0;
    for _ in 0..3 {
        app.clock.advance(SignedDuration::from_mins(1));
        app.service.schedule().await.unwrap();
        runs += usize::from(app.work().await > 0);
    }
    assert_eq!(runs, 1);
    assert_eq!(world.list("/job/history").await.len(), 1);
}

#[tokio::test]
async fn what_a_job_lacks_is_said_in_the_vendors_words() {
    let app = server("a dump").await;
    let world = world(&app).await;
    let storage = app.repository.id.simple();
    for (parameters, text) in [
        (json!({}), "missing 'retentionType' in job parameters"),
        (
            json!({"retentionType": "Count"}),
            "missing 'retentionValue' in job parameters",
        ),
        (
            json!({"retentionType": "Count", "retentionValue": "1"}),
            "missing 'backupStorageUuids' in job parameters",
        ),
        (
            json!({"retentionType": "Count", "retentionValue": "1", "backupStorageUuids": ""}),
            "job parameter 'backupStorageUuids' is empty",
        ),
        (
            json!({"retentionType": "Days", "retentionValue": "1", "backupStorageUuids": "x"}),
            "unexpected backup storage uuid: x",
        ),
        (
            json!({"retentionType": "Count", "retentionValue": "0", "backupStorageUuids": storage}),
            "job parameter 'retentionValue' is not valid: 0",
        ),
    ] {
        let refused = world.job("/jobs", parameters).await;
        assert_eq!(refused["error"]["details"], text);
    }
    let params = json!({"name": "x", "type": "stopVm", "targetResourceUuid": "x"});
    let refused = world
        .send(Method::POST, "/jobs", json!({ "params": params }))
        .await;
    assert_eq!(
        refused["error"]["details"],
        "No SchedulerJobFactory of type[stopVm] found"
    );
}

#[tokio::test]
async fn a_group_is_listed_changed_and_switched_as_a_group() {
    let app = server("a dump").await;
    let world = world(&app).await;
    let made = world.job("/jobgroups", world.keeping("2")).await;
    assert_eq!(
        made["schema"]["inventory"],
        "org.zstack.header.scheduler.SchedulerJobGroupInventory"
    );
    let group = world.list("/jobgroups?q=jobType=databaseBackup").await;
    assert_eq!(group[0], made["inventory"]);
    assert_eq!(group[0]["jobsUuid"], json!([]));
    assert!(group[0].get("targetResourceUuid").is_none(), "{group:?}");

    let actions = format!("/jobgroups/{}/actions", uuid(&made));
    let change = json!({"name": "weekly", "state": "Disabled"});
    let change = json!({ "updateSchedulerJobGroup": change });
    let changed = world.send(Method::PUT, &actions, change).await;
    assert_eq!(changed["inventory"]["name"], "weekly");
    assert_eq!(changed["inventory"]["state"], "Disabled");
    assert_eq!(changed["schema"], made["schema"]);
    let wrong = json!({"updateSchedulerJobGroup": {"state": "asleep"}});
    let wrong = world.send(Method::PUT, &actions, wrong).await;
    assert_eq!(wrong["error"]["code"], "SYS.1007", "{wrong}");
    for kind in ["jobs", "jobgroups", "triggers"] {
        let path = format!("/{kind}/nonsense");
        let answer = world.send(Method::DELETE, &path, Value::Null).await;
        assert_eq!(
            answer["error"]["details"],
            "invalid value[nonsense] of field [uuid]"
        );
    }
    let unchanged = world.list("/jobgroups?q=state=Disabled").await;
    assert_eq!(unchanged, [changed["inventory"].clone()]);
}
