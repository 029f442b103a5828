//! Between ZStack's shapes and the core's: pure and total.

pub(crate) mod places;
pub(crate) mod scheduler;
pub(crate) mod store;
pub(crate) mod tag_pattern;

use aws_lc_rs::digest;
use strongroom_domain::{
    Backup, BackupId, BackupState, DatabaseServer, OperationId, RepositoryId, Resource,
    repository::{Repository, RepositoryState},
};
use strongroom_service::{backups::RequestBackup, identity::OpenedSession};

use self::places::Places;
use super::{
    error::{Code, Error},
    wire::{
        backup::{BackupMetadata, CreateDatabaseBackupParams, DatabaseBackup},
        session::Session,
        storage::BackupStorage,
        timestamp,
    },
};

/// What an install path begins with; a copy's id follows.
pub(crate) const INSTALL_PATH: &str = "zstore://zsbak/";

/// The state of every database backup and backup storage: nothing here is ever disabled.
pub(crate) const ENABLED: &str = "Enabled";

/// The type of every backup storage: what the vendor's clients take database backups to.
pub(crate) const STORAGE_TYPE: &str = "ImageStoreBackupStorage";

const CREATE_MESSAGE: &str = "org.zstack.header.storage.database.backup.APICreateDatabaseBackupMsg";

/// A backup as ZStack lists it.
pub(crate) fn backup(backup: &Backup, places: &Places) -> DatabaseBackup {
    let Backup {
        id,
        name,
        description,
        state,
        source_bytes,
        ..
    } = backup;
    DatabaseBackup {
        uuid: id.simple(),
        name: name.clone(),
        description: description.clone(),
        state: ENABLED,
        status: status(*state),
        size: source_bytes.unwrap_or(0),
        metadata: metadata(backup),
        create_date: timestamp(backup.created_at),
        last_op_date: timestamp(backup.updated_at),
        backup_storage_refs: places.refs(backup),
    }
}

/// The status of a backup in this state. ZStack has no word for a backup that lacks something, so
/// that one counts as failed.
pub(crate) fn status(state: BackupState) -> &'static str {
    match state {
        BackupState::Pending | BackupState::Discovering | BackupState::Running => "Creating",
        BackupState::Completed => "Ready",
        BackupState::Partial | BackupState::Failed | BackupState::Cancelled => "Failed",
        BackupState::Deleting | BackupState::Deleted | BackupState::Removed => "Deleted",
        BackupState::Unknown => "Unknown",
    }
}

/// Whether a backup in this state has, or is getting, a copy in its storage.
pub(crate) fn has_copy(state: BackupState) -> bool {
    match state {
        BackupState::Pending
        | BackupState::Discovering
        | BackupState::Running
        | BackupState::Completed
        | BackupState::Partial
        | BackupState::Deleting
        | BackupState::Unknown => true,
        BackupState::Failed
        | BackupState::Cancelled
        | BackupState::Deleted
        | BackupState::Removed => false,
    }
}

/// What a backup says about itself, as JSON.
pub(crate) fn metadata(backup: &Backup) -> String {
    let server = DatabaseServer::of(&backup.annotations);
    let metadata = BackupMetadata {
        kind: backup.kind.as_str(),
        name: &backup.name,
        version: server.as_ref().map(|it| it.version.as_str()),
        created_time: timestamp(backup.created_at),
        r#type: server.as_ref().map(scope),
    };
    serde_json::to_string(&metadata).unwrap_or_default()
}

/// The vendor's word for how many databases are in a backup.
pub(crate) fn scope(server: &DatabaseServer) -> &'static str {
    match server.databases {
        1 => "singleDatabase",
        _ => "multiDatabase",
    }
}

/// A repository as ZStack lists it.
pub(crate) fn storage(repository: &Repository) -> BackupStorage {
    let Repository {
        id,
        name,
        description,
        url,
        enabled,
        state,
        stored_bytes,
        capacity_bytes,
        ..
    } = repository;
    BackupStorage {
        uuid: id.simple(),
        name: name.clone(),
        description: description.clone(),
        url: url.clone(),
        total_capacity: *capacity_bytes,
        available_capacity: capacity_bytes.map(|it| it.saturating_sub(*stored_bytes)),
        r#type: STORAGE_TYPE,
        state: storage_state(*enabled),
        status: storage_status(*state),
        create_date: timestamp(repository.created_at),
        last_op_date: timestamp(repository.updated_at),
        attached_zone_uuids: Vec::new(),
    }
}

/// The member of `stateEvent`, in words.
pub(crate) fn enabled_by(message: &str, event: &str) -> Result<bool, Error> {
    match event {
        "enable" => Ok(true),
        "disable" => Ok(false),
        other => {
            let details = format!(
                "valid value for field[stateEvent] of message[{message}] are [enable, disable], \
                 but {other} found"
            );
            Err(Error::api(Code::InvalidArgument, details))
        }
    }
}

/// The state of a storage.
pub(crate) fn storage_state(enabled: bool) -> &'static str {
    if enabled { ENABLED } else { "Disabled" }
}

/// The status of a storage in this state.
pub(crate) fn storage_status(state: RepositoryState) -> &'static str {
    match state {
        RepositoryState::Ready => "Connected",
        RepositoryState::Unavailable => "Disconnected",
    }
}

/// A session as ZStack shows it.
pub(crate) fn session(session: &OpenedSession) -> Session {
    let OpenedSession {
        id,
        created_at,
        expires_at,
        caller,
    } = session;
    Session {
        uuid: id.simple(),
        account_uuid: caller.tenant_id.simple(),
        user_uuid: caller.principal_id.simple(),
        user_type: "AccountVO",
        expired_date: timestamp(*expires_at),
        create_date: timestamp(*created_at),
    }
}

/// The parameters of a backup to make, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewBackup {
    id: Option<BackupId>,
    name: String,
    description: Option<String>,
    repository_id: RepositoryId,
}

impl NewBackup {
    /// Checks what the client sent, in the vendor's order and words.
    pub(crate) fn read(params: CreateDatabaseBackupParams) -> Result<Self, Error> {
        let CreateDatabaseBackupParams {
            name,
            description,
            backup_storage_uuid,
            resource_uuid,
            ..
        } = params;
        let name = mandatory("name", name)?;
        longest("name", &name, 255)?;
        let description = description.map(|it| it.trim().to_owned());
        if let Some(description) = &description {
            not_empty("description", description)?;
            longest("description", description, 1024)?;
        }
        let storage = mandatory("backupStorageUuid", backup_storage_uuid)?;
        let id = resource_uuid.as_deref().map(chosen_uuid).transpose()?;
        let id = id.map(BackupId::from_uuid);
        let repository_id =
            uuid(&storage).ok_or_else(|| no_storage("backupStorageUuid", &storage))?;
        Ok(Self {
            id,
            name,
            description,
            repository_id: RepositoryId::from_uuid(repository_id),
        })
    }

    /// The storage that it goes to.
    pub(crate) fn repository_id(&self) -> RepositoryId {
        self.repository_id
    }

    /// The request to the core, for a backup of `database`.
    pub(crate) fn of(self, database: &Resource) -> RequestBackup {
        let Self {
            id,
            name,
            description,
            repository_id,
        } = self;
        RequestBackup {
            id,
            name: Some(name),
            description,
            repository_id: Some(repository_id),
            ..RequestBackup::of(database.id)
        }
    }
}

/// The database that CreateDatabaseBackup takes: the one marked as default, or the only one.
pub(crate) fn default_database(databases: &[Resource]) -> Result<&Resource, Error> {
    let marked = |it: &&Resource| it.settings.get("default") == Some("true");
    match (databases.iter().find(marked), databases) {
        (Some(database), _) | (None, [database]) => Ok(database),
        (None, []) => Err(Error::api(
            Code::Failed,
            "fail to backup database: no database is registered",
        )),
        (None, several) => Err(Error::api(
            Code::Failed,
            format!(
                "fail to backup database: none of the {} databases is the default one",
                several.len()
            ),
        )),
    }
}

/// The backup storage that a field names does not exist.
pub(crate) fn no_storage(field: &str, uuid: &str) -> Error {
    let details =
        format!("invalid field[{field}], resource[uuid:{uuid}, type:BackupStorageVO] not found");
    Error::api(Code::NotFound, details)
}

/// Reads 32 hex digits.
pub(crate) fn uuid(text: &str) -> Option<uuid::Uuid> {
    (text.len() == 32).then(|| text.parse().ok()).flatten()
}

/// The uuid of what is to be deleted. What is unknown is gone already; what is no uuid is a mistake.
pub(crate) fn well_formed(text: &str) -> Result<uuid::Uuid, Error> {
    well_formed_in("uuid", text)
}

/// The same for another field.
pub(crate) fn well_formed_in(field: &str, text: &str) -> Result<uuid::Uuid, Error> {
    uuid(text).ok_or_else(|| {
        let details = format!("invalid value[{text}] of field [{field}]");
        Error::api(Code::NotFound, details)
    })
}

/// The operation behind a job's id: clients choose any 32 characters.
pub(crate) fn job(text: &str) -> Option<OperationId> {
    let hashed = || {
        let digest = digest::digest(&digest::SHA256, text.as_bytes());
        uuid::Uuid::from_slice(digest.as_ref().get(..16)?).ok()
    };
    let chosen = (text.len() == 32).then(|| uuid(text).or_else(hashed));
    chosen.flatten().map(OperationId::from_uuid)
}

/// A uuid that the client chose for a new resource.
pub(crate) fn chosen_uuid(text: &str) -> Result<uuid::Uuid, Error> {
    let lower = !text.bytes().any(|it| it.is_ascii_uppercase());
    let formed = |it: &uuid::Uuid| {
        let (version, variant) = (it.get_version_num(), it.get_variant());
        lower && (1..=5).contains(&version) && variant == uuid::Variant::RFC4122
    };
    let text = text.trim();
    uuid(text).filter(formed).ok_or_else(|| {
        Error::api(
            Code::InvalidArgument,
            format!(
                "resourceUuid[{text}] is not a valid uuid. A valid uuid is a UUID(v4 recommended) \
                 with '-' stripped"
            ),
        )
    })
}

fn mandatory(field: &str, value: Option<String>) -> Result<String, Error> {
    mandatory_of(CREATE_MESSAGE, field, value)
}

/// The value of a field that must be given.
pub(crate) fn mandatory_of(
    message: &str,
    field: &str,
    value: Option<String>,
) -> Result<String, Error> {
    let Some(value) = value else {
        return Err(Error::api(
            Code::InvalidArgument,
            format!("field[{field}] of message[{message}] is mandatory, can not be null"),
        ));
    };
    let value = value.trim().to_owned();
    not_empty(field, &value)?;
    Ok(value)
}

fn not_empty(field: &str, value: &str) -> Result<(), Error> {
    if value.is_empty() {
        let details = format!("field[{field}] cannot be an empty string");
        return Err(Error::api(Code::InvalidArgument, details));
    }
    Ok(())
}

fn longest(field: &str, value: &str, most: usize) -> Result<(), Error> {
    longest_of(CREATE_MESSAGE, field, value, most)
}

/// Checks the name of something new.
pub(crate) fn name(message: &str, given: Option<String>) -> Result<String, Error> {
    let name = mandatory_of(message, "name", given)?;
    longest_of(message, "name", &name, 255)?;
    Ok(name)
}

/// Checks the name that something is given instead of its own, if any.
pub(crate) fn new_name(message: &str, given: Option<String>) -> Result<Option<String>, Error> {
    given.map(|it| name(message, Some(it))).transpose()
}

/// Checks a description of up to 2048 characters.
pub(crate) fn description(message: &str, given: Option<String>) -> Result<Option<String>, Error> {
    let given = given.map(|it| it.trim().to_owned());
    longest_of(
        message,
        "description",
        given.as_deref().unwrap_or_default(),
        2048,
    )?;
    Ok(given)
}

/// Checks the length of a text, in characters.
pub(crate) fn longest_of(
    message: &str,
    field: &str,
    value: &str,
    most: usize,
) -> Result<(), Error> {
    let length = value.chars().count();
    if length > most {
        return Err(Error::api(
            Code::InvalidArgument,
            format!(
                "field[{field}] of message[{message}] exceeds max length of string. \
                 expected was <= {most}, actual was {length}"
            ),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const STORAGE: &str = "742a7c7d4a4f4a01a206632a40ac414f";

    fn params(name: Option<&str>, storage: Option<&str>) -> CreateDatabaseBackupParams {
        CreateDatabaseBackupParams {
            name: name.map(str::to_owned),
            backup_storage_uuid: storage.map(str::to_owned),
            ..CreateDatabaseBackupParams::default()
        }
    }

    fn refused(params: CreateDatabaseBackupParams) -> (&'static str, String) {
        let error = NewBackup::read(params).unwrap_err().code().unwrap();
        (error.code, error.details)
    }

    #[rstest]
    #[case(params(None, Some(STORAGE)), "SYS.1007", format!("field[name] of message[{CREATE_MESSAGE}] is mandatory, can not be null"))]
    #[case(params(Some("  "), Some(STORAGE)), "SYS.1007", "field[name] cannot be an empty string".into())]
    #[case(params(Some(&"é".repeat(256)), Some(STORAGE)), "SYS.1007", format!("field[name] of message[{CREATE_MESSAGE}] exceeds max length of string. expected was <= 255, actual was 256"))]
    #[case(params(Some("a"), None), "SYS.1007", format!("field[backupStorageUuid] of message[{CREATE_MESSAGE}] is mandatory, can not be null"))]
    #[case(params(Some("a"), Some("x")), "SYS.1003", "invalid field[backupStorageUuid], resource[uuid:x, type:BackupStorageVO] not found".into())]
    fn what_is_wrong_with_a_new_backup_is_said_in_the_vendors_words(
        #[case] params: CreateDatabaseBackupParams,
        #[case] code: &str,
        #[case] details: String,
    ) {
        assert_eq!(refused(params), (code, details));
    }

    #[test]
    fn texts_are_trimmed_before_they_are_checked() {
        let new = NewBackup::read(params(Some(" nightly "), Some(STORAGE))).unwrap();
        assert_eq!(new.name, "nightly");
        assert_eq!(new.repository_id().simple(), STORAGE);
    }

    #[rstest]
    #[case(STORAGE, true)]
    #[case("742A7C7D4A4F4A01A206632A40AC414F", false)]
    #[case("742a7c7d-4a4f-4a01-a206-632a40ac414f", false)]
    #[case("742a7c7d4a4f9a01a206632a40ac414f", false)]
    #[case("742a7c7d4a4f4a011206632a40ac414f", false)]
    #[case("", false)]
    fn a_chosen_uuid_has_the_vendors_form(#[case] text: &str, #[case] good: bool) {
        let params = CreateDatabaseBackupParams {
            resource_uuid: Some(text.to_owned()),
            ..params(Some("a"), Some(STORAGE))
        };
        assert_eq!(NewBackup::read(params).is_ok(), good);
    }
}
