//! The sources that this build has.

use std::{path::PathBuf, sync::Arc};

use strongroom_domain::{FieldError, ResourceKind, resource::Settings};

use crate::{
    Source,
    command::{CommandSource, CommandSpec},
    files::FilesSource,
    mariadb::MariadbSource,
    postgres::PostgresSource,
    server::ServerSource,
    volume::VolumeSource,
};

/// What the server's configuration says about sources.
#[derive(Debug, Clone, Default)]
pub struct SourceConfig {
    /// The commands that a `command` resource can name.
    pub commands: Vec<CommandSpec>,
    /// The directory with the databases' programs (`mariadb-dump`, `pg_dump` and others), if they
    /// are not to be looked for where they usually are.
    pub database_programs: Option<PathBuf>,
}

/// Finds the source of a kind. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Registry(Arc<[Box<dyn Source>]>);

impl Registry {
    /// All sources of this build. A new source is one entry here.
    pub fn new(config: SourceConfig) -> Self {
        Self::of(vec![
            Box::new(FilesSource),
            Box::new(VolumeSource),
            Box::new(ServerSource::new(
                Box::new(FilesSource),
                Box::new(VolumeSource),
            )),
            Box::new(MariadbSource::new(config.database_programs.clone())),
            Box::new(PostgresSource::new(config.database_programs)),
            Box::new(CommandSource::new(config.commands)),
        ])
    }

    /// Just these sources.
    pub fn of(sources: Vec<Box<dyn Source>>) -> Self {
        Self(sources.into())
    }

    /// The source of `kind`, if this build has one.
    pub fn get(&self, kind: ResourceKind) -> Option<&dyn Source> {
        self.iter().find(|source| source.kind() == kind)
    }

    /// All sources.
    pub fn iter(&self) -> impl Iterator<Item = &dyn Source> {
        self.0.iter().map(AsRef::as_ref)
    }

    /// Checks settings for a resource of `kind`: that there is a source, that it knows every key,
    /// that the required ones are there, and what the source itself checks.
    pub fn validate(&self, kind: ResourceKind, settings: &Settings) -> Vec<FieldError> {
        let Some(source) = self.get(kind) else {
            return vec![FieldError::new(
                "kind",
                format!("`{kind}` has no source in this build"),
            )];
        };
        let known = source.settings();
        let unknown = settings
            .0
            .keys()
            .filter(|key| known.iter().all(|it| it.name != *key))
            .map(|key| {
                let names: Vec<_> = known.iter().map(|it| format!("`{}`", it.name)).collect();
                let reason = format!("is not one of {}", names.join(", "));
                FieldError::new(format!("settings.{key}"), reason)
            });
        let missing = known
            .iter()
            .filter(|it| it.required && settings.get(it.name).is_none_or(str::is_empty))
            .map(|it| FieldError::new(format!("settings.{}", it.name), "is required"));
        let faults: Vec<_> = unknown.chain(missing).collect();
        if faults.is_empty() {
            source.validate(settings)
        } else {
            faults
        }
    }
}
