//! The queryable fields of backup storages. A tenant has few, so queries on them are answered in
//! memory.

use std::cmp::Ordering;

use strongroom_domain::{
    query::{Direction, Filter, Value},
    repository::{Repository, RepositoryState},
};

use super::{Query, Unknown, check_members, condition::Condition, on_tags, plan::Column};
use crate::zstack::{
    map::{ENABLED, STORAGE_TYPE, storage_status},
    wire::{reply::BACKUP_STORAGE, storage::BackupStorage},
};

/// What a repository has of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Uuid,
    Name,
    Url,
    Total,
    Available,
    Status,
    Created,
    Updated,
}

/// What stands behind a field of a backup storage.
fn column(name: &str) -> Option<Column<Field>> {
    let statuses = || {
        RepositoryState::ALL
            .iter()
            .map(|it| (it.as_str(), storage_status(*it)))
    };
    Some(match name {
        "uuid" => Column::Id(Field::Uuid),
        "name" => Column::Text(Field::Name),
        "url" => Column::Text(Field::Url),
        "description" => Column::Null,
        "totalCapacity" => Column::Number(Field::Total),
        "availableCapacity" => Column::Number(Field::Available),
        "type" => Column::Is(STORAGE_TYPE),
        "state" => Column::Is(ENABLED),
        "status" => Column::Word(Field::Status, statuses().collect()),
        "createDate" => Column::Time(Field::Created),
        "lastOpDate" => Column::Time(Field::Updated),
        _ => return None,
    })
}

fn cell(storage: &Repository, field: Field) -> Option<Value> {
    let bytes = |it: u64| Value::Int(i64::try_from(it).unwrap_or(i64::MAX));
    Some(match field {
        Field::Uuid => storage.id.uuid().into(),
        Field::Name => storage.name.as_str().into(),
        Field::Url => storage.url.as_str().into(),
        Field::Total => bytes(storage.capacity_bytes?),
        Field::Available => bytes(storage.capacity_bytes?.saturating_sub(storage.stored_bytes)),
        Field::Status => storage.state.as_str().into(),
        Field::Created => storage.created_at.into(),
        Field::Updated => storage.updated_at.into(),
    })
}

/// The storages that meet a condition.
pub(crate) fn matching<'a>(
    condition: &Condition,
    storages: &'a [Repository],
) -> Result<Vec<&'a Repository>, Unknown> {
    let filter = filter(condition)?;
    Ok(storages.iter().filter(|it| holds(&filter, it)).collect())
}

fn holds(filter: &Filter<Field>, storage: &Repository) -> bool {
    filter.matches(&|field| cell(storage, *field))
}

fn filter(condition: &Condition) -> Result<Filter<Field>, Unknown> {
    let Condition { name, test } = condition;
    if let Some(holds) = on_tags(name, test) {
        return Ok(if holds {
            Filter::default()
        } else {
            Filter::Any(Vec::new())
        });
    }
    if let Some((expanded, _)) = name.split_once('.') {
        return Err(Unknown::Expansion {
            condition: name.clone(),
            class: BACKUP_STORAGE,
            target: BACKUP_STORAGE,
            expanded: expanded.to_owned(),
        });
    }
    let unknown = || Unknown::Field {
        class: BACKUP_STORAGE,
        field: name.clone(),
    };
    Ok(column(name).ok_or_else(unknown)?.filter(test))
}

/// Answers a query: the rows of the page, and how many match in all.
pub(crate) fn answer(
    query: &Query,
    mut storages: Vec<Repository>,
) -> Result<(Vec<Repository>, u64), Unknown> {
    check_members(query.fields.as_deref(), &BackupStorage::MEMBERS)?;
    for condition in &query.conditions {
        let filter = filter(condition)?;
        storages.retain(|it| holds(&filter, it));
    }
    if let Some((name, direction)) = &query.sort {
        let inventory = "BackupStorageInventory";
        let unknown = || Unknown::Sort {
            inventory,
            field: name.clone(),
        };
        if let Some(sort) = column(name).ok_or_else(unknown)?.sort(*direction) {
            storages.sort_by(|a, b| {
                let order = compare(cell(a, sort.field), cell(b, sort.field));
                match sort.direction {
                    Direction::Ascending => order,
                    Direction::Descending => order.reverse(),
                }
            });
        }
    }
    let total = u64::try_from(storages.len()).unwrap_or(u64::MAX);
    let at = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let page = storages
        .into_iter()
        .skip(at(query.start))
        .take(at(query.limit));
    Ok((page.collect(), total))
}

/// NULL comes first, as in MySQL.
fn compare(a: Option<Value>, b: Option<Value>) -> Ordering {
    match (a, b) {
        (Some(Value::Int(a)), Some(Value::Int(b))) => a.cmp(&b),
        (Some(Value::Time(a)), Some(Value::Time(b))) => a.cmp(&b),
        (Some(a), Some(b)) => a.text_form().cmp(&b.text_form()),
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use rstest::rstest;
    use strongroom_domain::{Annotations, RepositoryId, TenantId};
    use uuid::Uuid;

    use super::*;

    fn storage(number: u128, name: &str, capacity_bytes: Option<u64>) -> Repository {
        Repository {
            id: RepositoryId::from_uuid(Uuid::from_u128(number)),
            tenant_id: TenantId::from_uuid(Uuid::nil()),
            name: name.to_owned(),
            description: None,
            url: format!("/srv/{name}"),
            enabled: true,
            is_default: number == 1,
            state: RepositoryState::Ready,
            reason: None,
            sealed_master_key: Vec::new(),
            stored_bytes: 40,
            capacity_bytes,
            annotations: Annotations::default(),
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
            version: 1,
        }
    }

    #[rstest]
    #[case("", "main,remote,spare", 3)]
    #[case("q=name=MAIN", "main", 1)]
    #[case("q=availableCapacity>50", "remote", 1)]
    #[case("q=totalCapacity is null", "spare", 1)]
    #[case(
        "q=status=Connected&q=state=Enabled&sort=-name",
        "spare,remote,main",
        3
    )]
    #[case("sort=totalCapacity&limit=2", "spare,main", 3)]
    #[case("limit=1&start=1", "remote", 3)]
    #[case("start=9", "", 3)]
    #[case("limit=0", "", 3)]
    #[case(
        "q=url~=/srv/%25&q=__userTag__!=x&q=type!~=Sftp%25",
        "main,remote,spare",
        3
    )]
    fn a_query_is_answered_in_memory(#[case] raw: &str, #[case] names: &str, #[case] matches: u64) {
        let storages = vec![
            storage(1, "main", Some(90)),
            storage(2, "remote", Some(100)),
            storage(3, "spare", None),
        ];
        let (rows, total) = answer(&Query::parse(raw).unwrap(), storages).unwrap();
        let found: Vec<_> = rows.into_iter().map(|it| it.name).collect();
        assert_eq!(
            (found.join(","), total),
            (names.to_owned(), matches),
            "{raw}"
        );
    }
}
