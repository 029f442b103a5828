//! The query of `GET /backups`.

use std::collections::HashSet;

use jiff::Timestamp;
use strongroom_domain::{
    Backup, BackupId, BackupState, CheckpointId, Face, ResourceId, VaultId,
    query::{BackupField, Direction, Filter, Op, Sort, Value},
};
use uuid::Uuid;

use super::{AVAILABILITY_ZONE, ENTERPRISE_PROJECT, ResourceType, backup::status};
use crate::cbr::{
    error::{Error, Result},
    page::{ListBackups, Window, id_or_nothing, instant, one_of},
};

/// What a client asked for.
#[derive(Debug)]
pub(in crate::cbr) struct BackupQuery {
    /// What is independent of the present state of things.
    filter: Filter<BackupField>,
    /// The statuses wanted; any if empty.
    statuses: Vec<String>,
    /// The least part of their capacity, in percent, that backups' vaults must use.
    pub(in crate::cbr) used_percent: Option<u64>,
    /// The order.
    pub(in crate::cbr) sort: Vec<Sort<BackupField>>,
    /// The last backup of the page before.
    pub(in crate::cbr) marker: Option<BackupId>,
    /// The page.
    pub(in crate::cbr) window: Window,
}

/// Reads the query. Nothing at all matches a filter that no backup here can fulfil.
pub(in crate::cbr) fn backup_query(query: ListBackups) -> Result<BackupQuery> {
    let window = query.window()?;
    let sort = sort(query.sort.as_deref())?;
    let statuses = query.status.into_iter().filter(|it| !it.is_empty());
    let statuses: Vec<String> = statuses.collect();
    for wanted in &statuses {
        one_of("status", wanted, STATUSES)?;
    }
    let mut filter = Conditions::default();
    filter.equal_text(BackupField::Name, query.name);
    filter.equal_text(BackupField::ResourceName, query.resource_name);
    filter.equal_id::<ResourceId>(BackupField::ResourceId, query.resource_id, ResourceId::uuid);
    filter.equal_id::<VaultId>(BackupField::VaultId, query.vault_id, VaultId::uuid);
    let checkpoint = query.checkpoint_id;
    filter.equal_id::<CheckpointId>(BackupField::CheckpointId, checkpoint, CheckpointId::uuid);
    filter.resource_type(query.resource_type.as_deref())?;
    filter.constant(
        "image_type",
        query.image_type,
        &["backup", "replication"],
        "backup",
    )?;
    filter.constant("own_type", query.own_type, OWN_TYPES, "private")?;
    if query.member_status.is_some_and(|it| !it.is_empty()) {
        filter.nothing();
    }
    if query.parent_id.is_some_and(|it| !it.is_empty()) {
        filter.nothing();
    }
    filter.only(query.resource_az, &[AVAILABILITY_ZONE]);
    let all = [ENTERPRISE_PROJECT, "all_granted_eps"];
    filter.only(query.enterprise_project_id, &all);
    filter.since(Op::Ge, "start_time", query.start_time)?;
    filter.since(Op::Le, "end_time", query.end_time)?;
    if let Some(incremental) = query.incremental {
        let whole = Filter::IsNull(BackupField::ParentId);
        filter.push(if incremental {
            Filter::Not(Box::new(whole))
        } else {
            whole
        });
    }
    Ok(BackupQuery {
        filter: filter.finish(),
        statuses,
        used_percent: used_percent(query.used_percent.as_deref())?,
        sort,
        marker: query.marker.map(|it| marker(&it)).transpose()?.flatten(),
        window,
    })
}

impl BackupQuery {
    /// Everything that a backup must fulfil, given which backups are being restored and which
    /// vaults are full enough.
    pub(in crate::cbr) fn filter(
        &self,
        restoring: &HashSet<BackupId>,
        vaults: Option<Vec<VaultId>>,
    ) -> Filter<BackupField> {
        let mut filter = self.filter.clone();
        if !self.statuses.is_empty() {
            let any = self.statuses.iter().map(|it| with_status(it, restoring));
            filter = filter.and(Filter::Any(any.collect()));
        }
        if let Some(vaults) = vaults {
            let ids = vaults.into_iter().map(|it| Value::Id(it.uuid()));
            filter = filter.and(Filter::In(BackupField::VaultId, ids.collect()));
        }
        filter
    }

    /// What comes after `last` in the order asked for.
    pub(in crate::cbr) fn after(&self, last: &Backup) -> Filter<BackupField> {
        let mut keys = self.sort.clone();
        if keys.iter().all(|key| key.field != BackupField::Id) {
            let direction = keys.last().map_or(Direction::Descending, |it| it.direction);
            let field = BackupField::Id;
            keys.push(Sort::new(field, direction));
        }
        let mut any = Vec::new();
        let mut equal: Vec<Filter<BackupField>> = Vec::new();
        for key in keys {
            let value = value_of(last, key.field);
            if let Some(after) = beyond(key, value.clone()) {
                let mut all = equal.clone();
                all.push(after);
                any.push(Filter::All(all));
            }
            equal.push(match value {
                Some(value) => Filter::Compare(key.field, Op::Eq, value),
                None => Filter::IsNull(key.field),
            });
            if key.field == BackupField::Id {
                break;
            }
        }
        Filter::Any(any)
    }
}

/// The backups that are being made.
pub(in crate::cbr) fn being_made() -> Filter<BackupField> {
    let active = BackupState::ALL.iter().filter(|it| it.is_active());
    let active = active.map(|it| it.as_str().into()).collect();
    Filter::eq(BackupField::Face, Face::Cbr.as_str()).and(Filter::In(BackupField::State, active))
}

/// A row whose `key` comes after `value`; nothing is before everything.
fn beyond(key: Sort<BackupField>, value: Option<Value>) -> Option<Filter<BackupField>> {
    let nothing = Filter::IsNull(key.field);
    match (key.direction, value) {
        (Direction::Ascending, None) => Some(Filter::Not(Box::new(nothing))),
        (Direction::Ascending, Some(value)) => Some(Filter::Compare(key.field, Op::Gt, value)),
        (Direction::Descending, None) => None,
        (Direction::Descending, Some(value)) => {
            let less = Filter::Compare(key.field, Op::Lt, value);
            Some(match key.field {
                BackupField::StartedAt => Filter::Any(vec![less, nothing]),
                _ => less,
            })
        }
    }
}

/// What a backup has in a column that lists are sorted by.
fn value_of(backup: &Backup, field: BackupField) -> Option<Value> {
    match field {
        BackupField::CreatedAt => Some(backup.created_at.into()),
        BackupField::UpdatedAt => Some(backup.updated_at.into()),
        BackupField::StartedAt => backup.started_at.map(Into::into),
        BackupField::Name => Some(backup.name.clone().into()),
        BackupField::State => Some(backup.state.as_str().into()),
        _ => Some(backup.id.uuid().into()),
    }
}

/// The states that are shown so. A backup that is read is the only difference between two.
fn with_status(wanted: &str, restoring: &HashSet<BackupId>) -> Filter<BackupField> {
    let read = Filter::In(
        BackupField::Id,
        restoring.iter().map(|it| Value::Id(it.uuid())).collect(),
    );
    let in_states = |being_read: bool| {
        let states = BackupState::ALL
            .iter()
            .filter(|state| status(**state, being_read) == wanted)
            .map(|state| state.as_str().into())
            .collect();
        Filter::In(BackupField::State, states)
    };
    Filter::Any(vec![
        in_states(true).and(read.clone()),
        in_states(false).and(Filter::Not(Box::new(read))),
    ])
}

/// Every status that there is in CBR; some of them no backup here ever has.
const STATUSES: &[&str] = &[
    "available",
    "protecting",
    "deleting",
    "restoring",
    "error",
    "waiting_protect",
    "waiting_delete",
    "waiting_restore",
];
const OWN_TYPES: &[&str] = &["private", "shared", "all_granted"];

/// Types that CBR knows and that nothing here has.
const OTHER_TYPES: &[&str] = &[
    "OS::Workspace::DesktopV2",
    "OS::Ironic::BareMetalServer",
    "OS::Native::Server",
];

/// Collects conditions.
#[derive(Debug, Default)]
struct Conditions {
    all: Vec<Filter<BackupField>>,
}

impl Conditions {
    fn push(&mut self, condition: Filter<BackupField>) {
        self.all.push(condition);
    }

    fn nothing(&mut self) {
        self.push(Filter::Any(Vec::new()));
    }

    fn equal_text(&mut self, field: BackupField, text: Option<String>) {
        if let Some(text) = text.filter(|it| !it.is_empty()) {
            self.push(Filter::eq(field, text));
        }
    }

    /// An id that is none matches nothing, as one that does not exist.
    fn equal_id<I: std::str::FromStr>(
        &mut self,
        field: BackupField,
        text: Option<String>,
        uuid: fn(I) -> Uuid,
    ) {
        match text.filter(|it| !it.is_empty()).map(|it| it.parse::<I>()) {
            None => {}
            Some(Ok(id)) => self.push(Filter::eq(field, uuid(id))),
            Some(Err(_)) => self.nothing(),
        }
    }

    fn resource_type(&mut self, wanted: Option<&str>) -> Result<()> {
        let Some(wanted) = wanted.filter(|it| !it.is_empty()) else {
            return Ok(());
        };
        if let Some(found) = ResourceType::find(|it| it.name == wanted) {
            self.push(Filter::eq(BackupField::Kind, found.kind.as_str()));
            return Ok(());
        }
        one_of("resource_type", wanted, OTHER_TYPES)?;
        self.nothing();
        Ok(())
    }

    /// A parameter whose value is the same for all backups here.
    fn constant(
        &mut self,
        name: &str,
        wanted: Option<String>,
        known: &[&str],
        ours: &str,
    ) -> Result<()> {
        let Some(wanted) = wanted.filter(|it| !it.is_empty()) else {
            return Ok(());
        };
        one_of(name, &wanted, known)?;
        // `all_granted` is one's own and those shared by others.
        if wanted != ours && wanted != "all_granted" {
            self.nothing();
        }
        Ok(())
    }

    fn only(&mut self, wanted: Option<String>, ours: &[&str]) {
        if wanted.is_some_and(|it| !it.is_empty() && !ours.contains(&it.as_str())) {
            self.nothing();
        }
    }

    fn since(&mut self, op: Op, name: &str, text: Option<String>) -> Result<()> {
        if let Some(at) = text.filter(|it| !it.is_empty()) {
            let at: Timestamp = instant(name, &at)?;
            self.push(Filter::Compare(BackupField::CreatedAt, op, at.into()));
        }
        Ok(())
    }

    /// The face comes first: its index serves the list without any other condition.
    fn finish(self) -> Filter<BackupField> {
        let face = Filter::eq(BackupField::Face, Face::Cbr.as_str());
        if self.all.is_empty() {
            return face;
        }
        let mut all = vec![face];
        all.extend(self.all);
        Filter::All(all)
    }
}

fn used_percent(text: Option<&str>) -> Result<Option<u64>> {
    let Some(text) = text.filter(|it| !it.is_empty()) else {
        return Ok(None);
    };
    match text.parse() {
        Ok(percent @ 1..=100) => Ok(Some(percent)),
        _ => Err(Error::invalid(
            "used_percent",
            "it must be a number from 1 to 100",
        )),
    }
}

fn marker(text: &str) -> Result<Option<BackupId>> {
    let id = id_or_nothing(text).map(str::parse::<BackupId>);
    id.transpose()
        .map_err(|error| Error::invalid("marker", error))
}

/// The longest `sort` in characters.
const LONGEST_SORT: usize = 255;

/// Reads `key[:asc|desc],…`; a key alone is descending, nothing is newest first.
fn sort(text: Option<&str>) -> Result<Vec<Sort<BackupField>>> {
    let text = text.filter(|it| !it.is_empty()).unwrap_or("created_at");
    if text.chars().count() > LONGEST_SORT {
        let reason = format!("it must have at most {LONGEST_SORT} characters");
        return Err(Error::invalid("sort", reason));
    }
    text.split(',').map(sort_key).collect()
}

fn sort_key(text: &str) -> Result<Sort<BackupField>> {
    let (key, direction) = text.split_once(':').unwrap_or((text, "desc"));
    let field = match key.trim() {
        "created_at" => BackupField::CreatedAt,
        "updated_at" => BackupField::UpdatedAt,
        "protected_at" => BackupField::StartedAt,
        "name" => BackupField::Name,
        "status" => BackupField::State,
        "id" => BackupField::Id,
        other => {
            let reason = format!("`{other}` is not a key to sort by");
            return Err(Error::invalid("sort", reason));
        }
    };
    let direction = match direction.trim() {
        "asc" => Direction::Ascending,
        "desc" => Direction::Descending,
        other => {
            let reason = format!("`{other}` is neither `asc` nor `desc`");
            return Err(Error::invalid("sort", reason));
        }
    };
    Ok(Sort::new(field, direction))
}
