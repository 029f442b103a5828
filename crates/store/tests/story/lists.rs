//! Random filters, orders and pages give the rows that a plain evaluation in memory gives.

use std::cmp::Ordering;

use proptest::{prelude::*, strategy::ValueTree as _, test_runner::TestRunner};
use rstest::rstest;
use strongroom_domain::{
    Backup, BackupState, CheckpointId, Face, Page, PolicyId, ResourceKind, Start, Trigger, VaultId,
    query::{
        BackupField, Direction, Filter, Op, OperationField, Sort, SortForm, Value, fold, fold_ascii,
    },
};
use strongroom_store::Error;
use strongroom_testkit::Engine;
use uuid::Uuid;

use crate::sample::{World, at};

fn id_of(n: u8) -> Uuid {
    Uuid::from_u128(0x1234_0000 + u128::from(n))
}

/// The column of a row as a value; nothing is NULL.
fn cell(backup: &Backup, field: BackupField) -> Option<Value> {
    use BackupField as F;
    let number = |it: u64| Value::Int(i64::try_from(it).unwrap());
    Some(match field {
        F::Id => backup.id.uuid().into(),
        F::Name => backup.name.as_str().into(),
        F::Description => backup.description.as_deref()?.into(),
        F::ResourceId => backup.resource_id.uuid().into(),
        F::ResourceName => backup.resource_name.as_str().into(),
        F::Kind => backup.kind.as_str().into(),
        F::Face => backup.face?.as_str().into(),
        F::State => backup.state.as_str().into(),
        F::Trigger => backup.trigger.as_str().into(),
        F::RepositoryId => backup.repository_id.uuid().into(),
        F::VaultId => backup.vault_id?.uuid().into(),
        F::CheckpointId => backup.checkpoint_id?.uuid().into(),
        F::PolicyId => backup.policy_id?.uuid().into(),
        F::ParentId => backup.parent_id?.uuid().into(),
        F::SourceBytes => number(backup.source_bytes?),
        F::StoredBytes => number(backup.stored_bytes?),
        F::CreatedAt => backup.created_at.into(),
        F::UpdatedAt => backup.updated_at.into(),
        F::StartedAt => backup.started_at?.into(),
        F::FinishedAt => backup.finished_at?.into(),
        F::ExpiresAt => backup.expires_at?.into(),
    })
}

const TEXTS: &[&str] = &[
    "",
    "a",
    "A",
    "b",
    "a b",
    "a%b",
    "a_b",
    r"a\b",
    "Ärger",
    "ärger",
    "ÄRGER ",
    "Σς",
    "σΣ",
    "é%",
    "_É",
    "a  ",
    "10",
    "cbr",
    "ges",
    "running",
    "completed",
    "files",
];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        proptest::sample::select(TEXTS).prop_map(str::to_owned),
        "[abA%_\\\\ äÄ]{0,4}",
    ]
}

fn field() -> impl Strategy<Value = BackupField> {
    proptest::sample::select(BackupField::ALL)
}

/// A value of the field's own type, or folded text.
fn value(field: BackupField) -> BoxedStrategy<Value> {
    use BackupField as F;
    let own = match field {
        F::Id
        | F::ResourceId
        | F::RepositoryId
        | F::VaultId
        | F::CheckpointId
        | F::PolicyId
        | F::ParentId => (0_u8..6).prop_map(|n| Value::Id(id_of(n))).boxed(),
        F::SourceBytes | F::StoredBytes => (0_i64..5).prop_map(Value::Int).boxed(),
        F::CreatedAt | F::UpdatedAt | F::StartedAt | F::FinishedAt | F::ExpiresAt => {
            (0_i64..6).prop_map(|n| Value::Time(at(n))).boxed()
        }
        _ => text().prop_map(Value::Text).boxed(),
    };
    let folded = prop_oneof![
        text(),
        (0_u8..6).prop_map(|n| id_of(n).simple().to_string()),
        (0_i64..6).prop_map(|n| at(n).strftime("%Y-%m-%d %H:%M:%S").to_string()),
    ];
    let folded = folded.prop_map(|text| Value::Folded(fold(&text)));
    prop_oneof![3 => own, 1 => folded].boxed()
}

fn op() -> impl Strategy<Value = Op> {
    proptest::sample::select(vec![Op::Eq, Op::Ne, Op::Lt, Op::Le, Op::Gt, Op::Ge])
}

fn filter() -> impl Strategy<Value = Filter<BackupField>> {
    let compare = (field(), op()).prop_flat_map(|(field, op)| {
        value(field).prop_map(move |value| Filter::Compare(field, op, value))
    });
    let member = field().prop_flat_map(|field| {
        proptest::collection::vec(value(field), 0..4)
            .prop_map(move |values| Filter::In(field, values))
    });
    let leaf = prop_oneof![
        4 => compare,
        2 => member,
        1 => (field(), text()).prop_map(|(field, text)| Filter::Like(field, text)),
        1 => (field(), text()).prop_map(|(field, text)| Filter::LikeFolded(field, text)),
        1 => field().prop_map(Filter::IsNull),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Filter::All),
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Filter::Any),
            inner.prop_map(|one| Filter::Not(Box::new(one))),
        ]
    })
}

/// Words that states are shown as; any other state comes before them.
const WORDS: &[(&str, &str)] = &[
    ("completed", "ready"),
    ("running", "Creating"),
    ("pending", "creating"),
    ("failed", "Broken"),
];

/// What the sort key compares.
fn shown(backup: &Backup, key: Sort<BackupField>) -> Option<Value> {
    let value = cell(backup, key.field);
    let Some(Value::Text(text)) = &value else {
        let zero = (key.form == SortForm::OrZero).then_some(Value::Int(0));
        return value.or(zero);
    };
    let word = |words: &[(&str, &'static str)]| {
        let found = words.iter().find(|(state, _)| state == text);
        found.map_or("", |(_, shown)| *shown)
    };
    Some(Value::Text(match key.form {
        SortForm::Folded => fold_ascii(text),
        SortForm::Shown(words) => fold_ascii(word(words)),
        SortForm::Value | SortForm::OrZero => text.clone(),
    }))
}

fn sort() -> impl Strategy<Value = Vec<Sort<BackupField>>> {
    let direction = proptest::sample::select(vec![Direction::Ascending, Direction::Descending]);
    let key = (field(), direction, any::<bool>()).prop_map(|(field, direction, formed)| {
        use BackupField as F;
        let form = match field {
            F::Name | F::Description | F::ResourceName if formed => SortForm::Folded,
            F::State if formed => SortForm::Shown(WORDS),
            F::SourceBytes if formed => SortForm::OrZero,
            _ => SortForm::Value,
        };
        Sort::new(field, direction).by(form)
    });
    proptest::collection::vec(key, 0..4)
}

fn backups(world: &World) -> impl Strategy<Value = Vec<Backup>> + use<> {
    let base = world.backup();
    let ids = (
        proptest::option::of(0_u8..6),
        proptest::option::of(0_u8..6),
        proptest::option::of(0_u8..6),
    );
    let words = (
        text(),
        proptest::option::of(text()),
        text(),
        proptest::option::of(proptest::sample::select(Face::ALL)),
        proptest::sample::select(BackupState::ALL),
        proptest::sample::select(ResourceKind::ALL),
    );
    let numbers = (
        proptest::option::of(0_u64..5),
        proptest::option::of(0_u64..5),
        0_i64..6,
        proptest::option::of(0_i64..6),
        any::<bool>(),
    );
    let one = (ids, words, numbers).prop_map(move |(ids, words, numbers)| {
        let mut backup = base.clone();
        backup.vault_id = ids.0.map(|n| VaultId::from_uuid(id_of(n)));
        backup.checkpoint_id = ids.1.map(|n| CheckpointId::from_uuid(id_of(n)));
        backup.policy_id = ids.2.map(|n| PolicyId::from_uuid(id_of(n)));
        (backup.name, backup.description, backup.resource_name, ..) = words.clone();
        (.., backup.face, backup.state, backup.kind) = words;
        backup.source_bytes = numbers.0;
        backup.stored_bytes = numbers.1;
        backup.created_at = at(numbers.2);
        backup.expires_at = numbers.3.map(at);
        backup.trigger = if numbers.4 {
            Trigger::Schedule
        } else {
            Trigger::Manual
        };
        backup
    });
    proptest::collection::vec(one, 60)
}

/// Texts and ids by their bytes, NULL before everything.
fn order(a: &Backup, b: &Backup, sort: &[Sort<BackupField>]) -> Ordering {
    let default = [Sort::new(BackupField::CreatedAt, Direction::Descending)];
    // A column counts where it is named first.
    let same =
        |a: &Sort<BackupField>, b: &Sort<BackupField>| (a.field, a.form) == (b.field, b.form);
    let named = |at: usize| sort[..at].iter().any(|it| same(it, &sort[at]));
    let firsts = (0..sort.len()).filter(|at| !named(*at)).map(|at| sort[at]);
    let firsts: Vec<_> = firsts.collect();
    let sort = if sort.is_empty() {
        &default[..]
    } else {
        &firsts
    };
    let last = Sort::new(BackupField::Id, sort[sort.len() - 1].direction);
    for key in sort.iter().chain([&last]) {
        let order = match (shown(a, *key), shown(b, *key)) {
            (Some(Value::Text(a)), Some(Value::Text(b))) => a.cmp(&b),
            (Some(Value::Id(a)), Some(Value::Id(b))) => a.cmp(&b),
            (Some(Value::Int(a)), Some(Value::Int(b))) => a.cmp(&b),
            (Some(Value::Time(a)), Some(Value::Time(b))) => a.cmp(&b),
            (a, b) => a.is_some().cmp(&b.is_some()),
        };
        let order = match key.direction {
            Direction::Ascending => order,
            Direction::Descending => order.reverse(),
        };
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

fn draw<T: std::fmt::Debug>(runner: &mut TestRunner, strategy: &impl Strategy<Value = T>) -> T {
    strategy.new_tree(runner).unwrap().current()
}

#[rstest]
#[tokio::test]
async fn a_list_has_the_rows_that_an_evaluation_in_memory_gives(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let mut runner = TestRunner::deterministic();
    let mut all = draw(&mut runner, &backups(&world));
    for backup in &mut all {
        backup.id = strongroom_domain::BackupId::from_uuid(world.uuid());
    }
    world.insert_backups(&all).await;
    let (filters, sorts) = (filter(), sort());
    let mut read = world.store.read().await.unwrap();
    let mut matched = 0;
    for _ in 0..400 {
        let (filter, sort) = (draw(&mut runner, &filters), draw(&mut runner, &sorts));
        let mut wanted: Vec<_> = all
            .iter()
            .filter(|it| it.state != BackupState::Deleted)
            .filter(|it| filter.matches(&|field: &BackupField| cell(it, *field)))
            .collect();
        wanted.sort_by(|a, b| order(a, b, &sort));
        matched += wanted.len();
        let skip = draw(&mut runner, &(0_usize..wanted.len() + 3));
        let limit = draw(&mut runner, &(0_usize..9));
        let page = Page::offset(limit as u64, skip as u64);
        let got = read
            .list_backups(world.tenant, &filter, &sort, &page)
            .await
            .unwrap();
        assert_eq!(got.total, Some(wanted.len() as u64), "{filter:?}");
        let ids: Vec<_> = got.items.iter().map(|it| it.id).collect();
        let expected: Vec<_> = wanted
            .iter()
            .skip(skip)
            .take(limit)
            .map(|it| it.id)
            .collect();
        assert_eq!(ids, expected, "{filter:?} {sort:?} {page:?}");
        let count = read.count_backups(world.tenant, &filter).await.unwrap();
        assert_eq!(count, wanted.len() as u64);

        let mut walked = Vec::new();
        let mut start = Start::First;
        loop {
            let page = Page {
                limit: 7,
                start,
                total: false,
            };
            let got = read
                .list_backups(world.tenant, &filter, &sort, &page)
                .await
                .unwrap();
            walked.extend(got.items.iter().map(|it| it.id));
            match got.next {
                Some(cursor) => start = Start::Cursor(cursor),
                None => break,
            }
        }
        let expected: Vec<_> = wanted.iter().map(|it| it.id).collect();
        assert_eq!(walked, expected, "by cursor: {filter:?} {sort:?}");
    }
    assert!(
        matched > 1000,
        "the filters let through only {matched} rows"
    );
}

#[rstest]
#[tokio::test]
async fn operations_are_filtered_and_ordered_by_each_of_their_fields(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let backup = world.backup();
    let mut tx = world.store.begin().await.unwrap();
    let operations: Vec<_> = (0..5).map(|_| world.operation(backup.id)).collect();
    for operation in &operations {
        tx.insert_operation(operation).await.unwrap();
    }
    for field in OperationField::ALL {
        let sort = [Sort::new(*field, Direction::Descending)];
        let filter = Filter::Any(vec![
            Filter::IsNull(*field),
            Filter::LikeFolded(*field, "%".to_owned()),
        ]);
        let page = Page::offset(2, 0);
        let got = tx
            .list_operations(world.tenant, &filter, &sort, &page)
            .await
            .unwrap();
        assert_eq!((got.total, got.items.len()), (Some(5), 2), "{field:?}");
        let next = Page {
            start: Start::Cursor(got.next.unwrap()),
            ..page
        };
        let rest = tx
            .list_operations(world.tenant, &filter, &sort, &next)
            .await
            .unwrap();
        let ids: Vec<_> = got
            .items
            .iter()
            .chain(&rest.items)
            .map(|it| it.id)
            .collect();
        let newest: Vec<_> = operations.iter().rev().map(|it| it.id).collect();
        assert_eq!(ids, newest[..4], "{field:?}");
    }
}

#[rstest]
#[tokio::test]
async fn a_bad_cursor_or_filter_is_an_error_and_not_a_failure_of_the_database(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    world
        .insert_backups(&[world.backup(), world.backup()])
        .await;
    let mut read = world.store.read().await.unwrap();
    let all = Filter::default();
    for cursor in ["", "nonsense", "e30", "💥", "bnVsbA"] {
        let page = Page {
            limit: 5,
            start: Start::Cursor(cursor.to_owned()),
            total: true,
        };
        let error = read
            .list_backups(world.tenant, &all, &[], &page)
            .await
            .unwrap_err();
        assert!(matches!(error, Error::InvalidCursor), "{error:?}");
    }
    let one = Page::offset(1, 0);
    let cursor = read
        .list_backups(world.tenant, &all, &[], &one)
        .await
        .unwrap()
        .next
        .unwrap();
    let page = Page {
        limit: 5,
        start: Start::Cursor(cursor),
        total: false,
    };
    let by_name = [Sort::new(BackupField::Name, Direction::Ascending)];
    let error = read
        .list_backups(world.tenant, &all, &by_name, &page)
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::InvalidCursor),
        "of another order: {error:?}"
    );

    let wrong = Filter::eq(BackupField::CreatedAt, "yesterday");
    let error = read
        .list_backups(world.tenant, &wrong, &[], &one)
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::WrongType {
                field: "created_at"
            }
        ),
        "{error:?}"
    );
    let many = Filter::In(BackupField::Name, vec![Value::from("x"); 6_000]);
    let error = read
        .list_backups(world.tenant, &many, &[], &one)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::TooComplex { .. }), "{error:?}");
    // Each letter makes an expression deeper.
    let mut letters: String = ('\u{80}'..'\u{2000}')
        .filter(|it| it.is_lowercase())
        .collect();
    let error = read
        .list_backups(
            world.tenant,
            &Filter::LikeFolded(BackupField::Name, letters.clone()),
            &[],
            &one,
        )
        .await
        .unwrap_err();
    assert!(matches!(error, Error::TooComplex { .. }), "{error:?}");
    letters = letters.chars().take(300).collect();
    let folded = Filter::Compare(BackupField::Name, Op::Eq, Value::Folded(fold(&letters)));
    let found = read
        .list_backups(world.tenant, &folded, &[], &one)
        .await
        .unwrap();
    assert_eq!(found.total, Some(0));
    let nul = Filter::eq(BackupField::Name, "a\0");
    let error = read
        .list_backups(world.tenant, &nul, &[], &one)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Unstorable { .. }), "{error:?}");

    let deep = Filter::Any(vec![Filter::eq(BackupField::Name, "nightly"); 2_000]);
    let found = read
        .list_backups(world.tenant, &deep, &[], &one)
        .await
        .unwrap();
    assert_eq!(found.total, Some(2));
    let end = Page::offset(u64::MAX, u64::MAX);
    let found = read
        .list_backups(world.tenant, &deep, &[], &end)
        .await
        .unwrap();
    assert_eq!((found.total, found.items.len()), (Some(2), 0));
    let found = read
        .list_backups(world.tenant, &all, &[], &end)
        .await
        .unwrap();
    assert_eq!((found.total, found.items.len()), (Some(2), 0));
}
