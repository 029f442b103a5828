//! The queryable fields of database backups and of their copies in storages.

use std::{
    collections::{BTreeMap, HashSet},
    sync::LazyLock,
};

use strongroom_domain::{
    BackupId, BackupState, Export, Face, RepositoryId,
    query::{BackupField, Direction, Filter, Sort, Value},
    repository::Repository,
};

use super::{
    Query, Unknown, check_members,
    condition::{Condition, Test, Where},
    plan::{Column, constant, never, not, passes},
    storages,
    table::{Kind, Table, row},
    tags::{Tagged, Tags},
};
use crate::zstack::{
    error::Error,
    map::{self, ENABLED, INSTALL_PATH, has_copy, status},
    wire::reply::{DATABASE_BACKUP, DATABASE_BACKUP_REF},
};

/// The member that no column of the catalog holds.
pub(crate) const METADATA: &str = "metadata";

/// The members of a database backup.
pub(crate) static TABLE: Table = Table {
    class: DATABASE_BACKUP,
    columns: &[
        ("uuid", Kind::Text),
        ("name", Kind::Text),
        ("description", Kind::Text),
        ("state", Kind::Text),
        ("status", Kind::Text),
        ("size", Kind::Number),
        ("metadata", Kind::Text),
        ("createDate", Kind::Time),
        ("lastOpDate", Kind::Time),
    ],
    children: &[("backupStorageRefs", &REFS)],
};

/// The members of its copies in storages.
pub(crate) static REFS: Table = Table {
    class: DATABASE_BACKUP_REF,
    columns: &[
        ("databaseBackupUuid", Kind::Text),
        ("backupStorageUuid", Kind::Text),
        ("installPath", Kind::Text),
        ("exportUrl", Kind::Text),
        ("status", Kind::Text),
        ("createDate", Kind::Time),
        ("lastOpDate", Kind::Time),
    ],
    children: &[],
};

/// What the client asked for, as a filter and an order over the catalog.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plan {
    pub(crate) filter: Filter<BackupField>,
    pub(crate) sort: Vec<Sort<BackupField>>,
}

/// What conditions may refer to beside the backups themselves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Beside<'a> {
    /// The tenant's storages.
    pub(crate) storages: &'a [Repository],
    pub(crate) tags: &'a Tags,
    /// Where the tenant's exports can be downloaded.
    pub(crate) exports: &'a [(Export, String)],
    /// What each backup says about itself; needed for conditions on that only.
    pub(crate) metadata: &'a [(BackupId, String)],
}

impl Plan {
    /// Plans a query.
    pub(crate) fn of(query: &Query, beside: Beside<'_>) -> Result<Self, Error> {
        check_members(query.fields.as_deref(), &TABLE.members())?;
        Self::select(
            &Where::all(&query.conditions),
            query.sort.as_slice(),
            beside,
        )
    }

    /// Plans a list of the backups that meet the conditions, in this order.
    pub(crate) fn select(
        conditions: &Where,
        sort: &[(String, Direction)],
        beside: Beside<'_>,
    ) -> Result<Self, Error> {
        let filter = shown().and(filter(conditions, beside)?);
        let sort = sort.iter().map(|(name, direction)| match column(name) {
            Some(column) => Ok(column.sort(*direction)),
            None => Err(Unknown::Sort {
                inventory: TABLE.name(),
                field: name.clone(),
            }),
        });
        let sort = sort.collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            filter,
            sort: sort.into_iter().flatten().collect(),
        })
    }
}

fn filter(conditions: &Where, beside: Beside<'_>) -> Result<Filter<BackupField>, Error> {
    let each = |all: &[Where]| {
        all.iter()
            .map(|it| filter(it, beside))
            .collect::<Result<_, _>>()
    };
    Ok(match conditions {
        Where::All(all) => Filter::All(each(all)?),
        Where::Any(any) => Filter::Any(each(any)?),
        Where::Not(one) => not(filter(one, beside)?),
        Where::Test(one) => field(one, beside)?,
    })
}

/// Everything that this face shows.
pub(crate) fn shown() -> Filter<BackupField> {
    Filter::All(vec![Filter::eq(BackupField::Face, Face::Zstack.as_str())])
}

/// What stands behind a field of a backup.
fn column(name: &str) -> Option<Column<BackupField>> {
    Some(match name {
        "uuid" => Column::Id(BackupField::Id),
        "name" => Column::Text(BackupField::Name),
        "description" => Column::Text(BackupField::Description),
        "state" => Column::Is(ENABLED),
        "status" => Column::Word(BackupField::State, &STATUSES),
        "size" => Column::Size(BackupField::SourceBytes),
        // To sort by: by what the text begins with.
        METADATA => Column::Text(BackupField::Kind),
        "createDate" => Column::Time(BackupField::CreatedAt),
        "lastOpDate" => Column::Time(BackupField::UpdatedAt),
        _ => return None,
    })
}

/// What stands behind a field of a backup's copy in a storage; there is at most one.
fn copy_column(name: &str) -> Option<Column<BackupField>> {
    Some(match name {
        "databaseBackupUuid" => Column::Id(BackupField::Id),
        "backupStorageUuid" => Column::Id(BackupField::RepositoryId),
        "installPath" => Column::Prefixed(INSTALL_PATH, BackupField::Id),
        "status" => Column::Word(BackupField::State, &STATUSES),
        "createDate" => Column::Time(BackupField::CreatedAt),
        "lastOpDate" => Column::Time(BackupField::UpdatedAt),
        _ => return None,
    })
}

/// Values of a column with the words that they are shown as.
type Words = LazyLock<Vec<(&'static str, &'static str)>>;

static STATUSES: Words = LazyLock::new(|| {
    let shown = |it: &BackupState| (it.as_str(), status(*it));
    BackupState::ALL.iter().map(shown).collect()
});

fn field(condition: &Condition, beside: Beside<'_>) -> Result<Filter<BackupField>, Error> {
    let Condition { name, test } = condition;
    match name.split_once('.') {
        None if name == METADATA => Ok(described(test, beside.metadata)),
        None => on_field(name, test, beside.tags),
        // Of the copies, some one must pass.
        Some(("backupStorageRefs", rest)) => {
            let there = copied().and(on_copy(condition, rest, beside)?);
            let copy = Filter::Exists(Box::new(there.clone()));
            Ok(Filter::Any(vec![there, copy]))
        }
        Some((expanded, _)) => Err(unknown_expansion(name, DATABASE_BACKUP, expanded)),
    }
}

fn on_field(name: &str, test: &Test, tags: &Tags) -> Result<Filter<BackupField>, Error> {
    let ids = |uuids: HashSet<String>| {
        let ids = uuids.iter().filter_map(|it| map::uuid(it));
        let ids: Vec<_> = ids.map(Value::Id).collect();
        if ids.is_empty() {
            never()
        } else {
            Filter::In(BackupField::Id, ids)
        }
    };
    match tags.rows(name, test) {
        Some(Tagged::These(uuids)) => Ok(ids(uuids)),
        Some(Tagged::AllBut(uuids)) => Ok(not(ids(uuids))),
        None => on_column(name, test, DATABASE_BACKUP, column),
    }
}

fn on_copy(
    condition: &Condition,
    rest: &str,
    beside: Beside<'_>,
) -> Result<Filter<BackupField>, Error> {
    let Condition { name, test } = condition;
    match rest.split_once('.') {
        // A copy has no tags.
        None if rest == "exportUrl" => Ok(exported(test, beside.exports)),
        None => match Tags::default().rows(rest, test) {
            Some(tagged) => Ok(constant(tagged.contains(None))),
            None => on_column(rest, test, DATABASE_BACKUP_REF, copy_column),
        },
        Some(("backupStorage", rest)) => {
            let condition = Where::Test(Condition {
                name: rest.to_owned(),
                test: test.clone(),
            });
            let fitting = storages::TABLE.select(&condition, beside.tags)?;
            let mut ids = Vec::new();
            for storage in beside.storages {
                if fitting.holds(&row(&map::storage(storage))?) {
                    ids.push(storage.id.uuid().into());
                }
            }
            Ok(Filter::In(BackupField::RepositoryId, ids))
        }
        Some((expanded, _)) => Err(unknown_expansion(name, DATABASE_BACKUP_REF, expanded)),
    }
}

/// The copies whose URL passes. Which they are is found among the exports, which are few; those
/// without one are all others.
fn exported(test: &Test, exports: &[(Export, String)]) -> Filter<BackupField> {
    let copies = |wanted: &dyn Fn(&str) -> bool| {
        let mut found = BTreeMap::<_, Vec<_>>::new();
        for (export, _) in exports.iter().filter(|(_, url)| wanted(url)) {
            let backups = found.entry(export.repository_id).or_default();
            backups.push(Value::Id(export.backup_id.uuid()));
        }
        let at = |(storage, backups): (RepositoryId, _)| {
            let there = Filter::eq(BackupField::RepositoryId, storage.uuid());
            there.and(Filter::In(BackupField::Id, backups))
        };
        if found.is_empty() {
            never()
        } else {
            Filter::Any(found.into_iter().map(at).collect())
        }
    };
    match test {
        Test::IsNull => not(copies(&|_| true)),
        test => copies(&|url| passes(url, test)),
    }
}

/// The backups whose own words pass: a text that is put together, so it is looked for outside the
/// catalog. Named are those that pass or those that do not, whichever are fewer.
fn described(test: &Test, all: &[(BackupId, String)]) -> Filter<BackupField> {
    let (pass, fail): (Vec<_>, Vec<_>) = all.iter().partition(|(_, text)| passes(text, test));
    let ids = |of: Vec<&(BackupId, String)>| {
        let ids = of.iter().map(|(id, _)| Value::Id(id.uuid()));
        Filter::In(BackupField::Id, ids.collect())
    };
    match (pass.is_empty(), fail.is_empty()) {
        (true, _) => never(),
        (_, true) => constant(true),
        _ if pass.len() <= fail.len() => ids(pass),
        _ => not(ids(fail)),
    }
}

fn on_column(
    name: &str,
    test: &Test,
    class: &'static str,
    column: fn(&str) -> Option<Column<BackupField>>,
) -> Result<Filter<BackupField>, Error> {
    let unknown = || Unknown::Field {
        class,
        field: name.to_owned(),
    };
    Ok(column(name).ok_or_else(unknown)?.filter(test))
}

fn copied() -> Filter<BackupField> {
    let without = BackupState::ALL.iter().filter(|it| !has_copy(**it));
    let without = without.map(|it| it.as_str().into()).collect();
    Filter::All(vec![Filter::Not(Box::new(Filter::In(
        BackupField::State,
        without,
    )))])
}

fn unknown_expansion(condition: &str, target: &'static str, expanded: &str) -> Error {
    Error::from(Unknown::Expansion {
        condition: condition.to_owned(),
        class: DATABASE_BACKUP,
        target,
        expanded: expanded.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn plan(raw: &str) -> Result<Plan, String> {
        let beside = Beside {
            storages: &[],
            tags: &Tags::default(),
            exports: &[],
            metadata: &[],
        };
        let plan = Plan::of(&Query::parse(raw).unwrap(), beside);
        plan.map_err(|it| it.code().unwrap().details)
    }

    #[test]
    fn every_member_but_the_list_can_be_queried_and_sorted_by() {
        for name in TABLE.members() {
            let known = name != "backupStorageRefs";
            assert_eq!(plan(&format!("q={name}=1")).is_ok(), known, "{name}");
            assert_eq!(plan(&format!("sort=-{name}")).is_ok(), known, "{name}");
            assert!(plan(&format!("fields={name}")).is_ok(), "{name}");
        }
    }

    #[rstest]
    #[case(
        "q=foo=1",
        "inventory class[class org.zstack.header.storage.database.backup.DatabaseBackupInventory] not having field[foo]"
    )]
    #[case(
        "q=Name=1",
        "inventory class[class org.zstack.header.storage.database.backup.DatabaseBackupInventory] not having field[Name]"
    )]
    #[case(
        "q=backupStorageRefs.foo=1",
        "inventory class[class org.zstack.header.storage.database.backup.DatabaseBackupStorageRefInventory] not having field[foo]"
    )]
    #[case(
        "q=backupStorageRefs.backupStorage.foo=1",
        "inventory class[class org.zstack.header.storage.backup.BackupStorageInventory] not having field[foo]"
    )]
    #[case(
        "q=zone.uuid=1",
        "invalid nested query condition[zone.uuid] on class org.zstack.header.storage.database.backup.DatabaseBackupInventory,the expanded target[class org.zstack.header.storage.database.backup.DatabaseBackupInventory] have no expanded query[zone]"
    )]
    #[case(
        "q=backupStorageRefs.zone.uuid=1",
        "invalid nested query condition[backupStorageRefs.zone.uuid] on class org.zstack.header.storage.database.backup.DatabaseBackupInventory,the expanded target[class org.zstack.header.storage.database.backup.DatabaseBackupStorageRefInventory] have no expanded query[zone]"
    )]
    #[case(
        "sort=foo",
        "invalid order by clause, inventory[DatabaseBackupInventory] doesn't have field[foo]"
    )]
    #[case(
        "fields=uuid,foo",
        "inventory[${selfInventoryClass}] has no field[foo]"
    )]
    #[case(
        "q=name';drop table backups;--=1",
        "inventory class[class org.zstack.header.storage.database.backup.DatabaseBackupInventory] not having field[name';drop table backups;--]"
    )]
    fn what_there_is_not_is_refused_in_the_vendors_words(#[case] raw: &str, #[case] text: &str) {
        assert_eq!(plan(raw), Err(text.to_owned()));
    }
}
