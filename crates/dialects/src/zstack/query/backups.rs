//! The queryable fields of database backups and of their copies in storages.

use strongroom_domain::{
    BackupState, Face, ResourceKind,
    query::{BackupField, Filter, Sort},
    repository::Repository,
};

use super::{
    Query, Unknown, check_members,
    condition::{Condition, Test},
    on_tags,
    plan::Column,
    storages,
};
use crate::zstack::{
    map::{ENABLED, INSTALL_PATH, has_copy, metadata, status},
    wire::{
        backup::DatabaseBackup,
        reply::{DATABASE_BACKUP, DATABASE_BACKUP_REF},
    },
};

/// What the client asked for, as a filter and an order over the catalog.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plan {
    pub(crate) filter: Filter<BackupField>,
    pub(crate) sort: Vec<Sort<BackupField>>,
}

impl Plan {
    /// Plans a query; `storages` are the tenant's, for conditions on them.
    pub(crate) fn of(query: &Query, storages: &[Repository]) -> Result<Self, Unknown> {
        check_members(query.fields.as_deref(), &DatabaseBackup::MEMBERS)?;
        let mut filter = shown();
        for condition in &query.conditions {
            filter = filter.and(field(condition, storages)?);
        }
        let sort = match &query.sort {
            None => None,
            Some((name, direction)) => match column(name) {
                Some(column) => column.sort(*direction),
                None => return Err(unknown_order(name)),
            },
        };
        Ok(Self {
            filter,
            sort: sort.into_iter().collect(),
        })
    }
}

/// Everything that this face shows.
pub(crate) fn shown() -> Filter<BackupField> {
    Filter::All(vec![Filter::eq(BackupField::Face, Face::Zstack.as_str())])
}

fn unknown_order(name: &str) -> Unknown {
    Unknown::Sort {
        inventory: "DatabaseBackupInventory",
        field: name.to_owned(),
    }
}

/// What stands behind a field of a backup.
fn column(name: &str) -> Option<Column<BackupField>> {
    Some(match name {
        "uuid" => Column::Id(BackupField::Id),
        "name" => Column::Text(BackupField::Name),
        "description" => Column::Text(BackupField::Description),
        "state" => Column::Is(ENABLED),
        "status" => Column::Word(BackupField::State, statuses()),
        "size" => Column::Size(BackupField::SourceBytes),
        "metadata" => Column::Word(BackupField::Kind, kinds()),
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
        "exportUrl" => Column::Null,
        "status" => Column::Word(BackupField::State, statuses()),
        "createDate" => Column::Time(BackupField::CreatedAt),
        "lastOpDate" => Column::Time(BackupField::UpdatedAt),
        _ => return None,
    })
}

fn statuses() -> Vec<(&'static str, &'static str)> {
    BackupState::ALL
        .iter()
        .map(|it| (it.as_str(), status(*it)))
        .collect()
}

fn kinds() -> Vec<(&'static str, &'static str)> {
    ResourceKind::ALL
        .iter()
        .map(|it| (it.as_str(), metadata(*it)))
        .collect()
}

fn field(condition: &Condition, storages: &[Repository]) -> Result<Filter<BackupField>, Unknown> {
    let Condition { name, test } = condition;
    match name.split_once('.') {
        None => on_field(name, test, DATABASE_BACKUP, column),
        // Of the copies, some one must pass.
        Some(("backupStorageRefs", rest)) => {
            let there = copied().and(on_copy(condition, rest, storages)?);
            let copy = Filter::Exists(Box::new(there.clone()));
            Ok(Filter::Any(vec![there, copy]))
        }
        Some((expanded, _)) => Err(unknown_expansion(
            name,
            DATABASE_BACKUP,
            DATABASE_BACKUP,
            expanded,
        )),
    }
}

fn on_copy(
    condition: &Condition,
    rest: &str,
    storages: &[Repository],
) -> Result<Filter<BackupField>, Unknown> {
    let Condition { name, test } = condition;
    match rest.split_once('.') {
        None => on_field(rest, test, DATABASE_BACKUP_REF, copy_column),
        Some(("backupStorage", rest)) => {
            let condition = Condition {
                name: rest.to_owned(),
                test: test.clone(),
            };
            let fitting = storages::matching(&condition, storages)?;
            let ids = fitting.iter().map(|it| it.id.uuid().into()).collect();
            Ok(Filter::In(BackupField::RepositoryId, ids))
        }
        Some((expanded, _)) => Err(unknown_expansion(
            name,
            DATABASE_BACKUP,
            DATABASE_BACKUP_REF,
            expanded,
        )),
    }
}

fn on_field(
    name: &str,
    test: &Test,
    class: &'static str,
    column: fn(&str) -> Option<Column<BackupField>>,
) -> Result<Filter<BackupField>, Unknown> {
    if let Some(holds) = on_tags(name, test) {
        return Ok(if holds {
            Filter::default()
        } else {
            Filter::Any(Vec::new())
        });
    }
    match column(name) {
        Some(column) => Ok(column.filter(test)),
        None => Err(Unknown::Field {
            class,
            field: name.to_owned(),
        }),
    }
}

fn copied() -> Filter<BackupField> {
    let without = BackupState::ALL.iter().filter(|it| !has_copy(**it));
    let without = without.map(|it| it.as_str().into()).collect();
    Filter::All(vec![Filter::Not(Box::new(Filter::In(
        BackupField::State,
        without,
    )))])
}

fn unknown_expansion(
    condition: &str,
    class: &'static str,
    target: &'static str,
    expanded: &str,
) -> Unknown {
    let (condition, expanded) = (condition.to_owned(), expanded.to_owned());
    Unknown::Expansion {
        condition,
        class,
        target,
        expanded,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn plan(raw: &str) -> Result<Plan, String> {
        Plan::of(&Query::parse(raw).unwrap(), &[]).map_err(|it| it.to_string())
    }

    #[test]
    fn every_member_but_the_list_can_be_queried_and_sorted_by() {
        for name in DatabaseBackup::MEMBERS {
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
