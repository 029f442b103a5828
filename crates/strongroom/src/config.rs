//! The server's configuration: flags over file over defaults.

use std::{net::SocketAddr, path::PathBuf};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use strongroom_service::RestoreDirectories;
use strongroom_source::command::CommandSpec;

use crate::{
    args::{Role, ServeArgs},
    data_dir::DataDir,
    storage::S3Place,
};

/// What a configuration file may say. Everything is optional.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    data_dir: Option<PathBuf>,
    listen: Option<SocketAddr>,
    database_url: Option<String>,
    roles: Option<Vec<Role>>,
    tls: Option<Tls>,
    behind_proxy: bool,
    workers: Option<usize>,
    restore: Restore,
    command: Vec<CommandSpec>,
    s3: Vec<S3Place>,
}

/// What a configuration file may say of restores.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Restore {
    /// Absolute paths.
    directories: Option<Vec<PathBuf>>,
}

/// Where the server's certificate is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tls {
    /// PEM file with the chain.
    pub(crate) cert: PathBuf,
    /// PEM file with the key.
    pub(crate) key: PathBuf,
}

/// What the server runs with.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) data_dir: DataDir,
    pub(crate) listen: SocketAddr,
    pub(crate) database_url: String,
    pub(crate) roles: Vec<Role>,
    pub(crate) tls: Option<Tls>,
    /// Requests come through a proxy that says how clients reached it.
    pub(crate) behind_proxy: bool,
    /// Jobs carried out at the same time.
    pub(crate) workers: usize,
    pub(crate) commands: Vec<CommandSpec>,
    pub(crate) s3: Vec<S3Place>,
    /// The directories that restores may write below.
    pub(crate) restore_directories: RestoreDirectories,
}

/// Where a server listens unless told otherwise.
pub(crate) const DEFAULT_LISTEN: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 7878);

impl Config {
    /// Reads the file, if any, and lets the flags win over it. Without `--config` the file
    /// `strongroom.toml` in the data directory counts, if there is one.
    pub(crate) fn load(args: ServeArgs) -> Result<Self> {
        let beside = args
            .data_dir
            .as_ref()
            .map(|dir| dir.join("strongroom.toml"));
        let path = args
            .config
            .clone()
            .or_else(|| beside.filter(|it| it.exists()));
        let file = match &path {
            Some(path) => read(path)?,
            None => File::default(),
        };
        let Some(data_dir) = args.data_dir.or(file.data_dir) else {
            bail!("no data directory was given: use `--data-dir` or the configuration file");
        };
        let data_dir = DataDir::new(&data_dir)?;
        let flags = args
            .tls_cert
            .zip(args.tls_key)
            .map(|(cert, key)| Tls { cert, key });
        let database_url = args.database_url.or(file.database_url);
        let config = Self {
            database_url: database_url.unwrap_or_else(|| data_dir.database_url()),
            listen: args.listen.or(file.listen).unwrap_or(DEFAULT_LISTEN),
            roles: args
                .roles
                .or(file.roles)
                .unwrap_or_else(|| vec![Role::Api, Role::Scheduler, Role::Worker]),
            tls: flags.or(file.tls),
            behind_proxy: file.behind_proxy,
            workers: file.workers.unwrap_or(2).max(1),
            commands: file.command,
            s3: file.s3,
            restore_directories: file.restore.directories.map_or_else(
                || RestoreDirectories::PerTenant(data_dir.restores()),
                RestoreDirectories::Below,
            ),
            data_dir,
        };
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<()> {
        self.s3.iter().try_for_each(S3Place::check)?;
        let faults: Vec<_> = self
            .commands
            .iter()
            .flat_map(CommandSpec::validate)
            .collect();
        if let Some(fault) = faults.first() {
            bail!("the configuration is not valid: {fault}");
        }
        if let RestoreDirectories::Below(directories) = &self.restore_directories
            && let Some(relative) = directories.iter().find(|it| it.is_relative())
        {
            bail!(
                "the configuration is not valid: restore.directories: `{}` is not an absolute path",
                relative.display()
            );
        }
        for (at, spec) in self.commands.iter().enumerate() {
            if self.commands[..at].iter().any(|it| it.name == spec.name) {
                bail!(
                    "the configuration defines the command `{}` twice",
                    spec.name
                );
            }
        }
        Ok(())
    }
}

fn read(path: &std::path::Path) -> Result<File> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the configuration `{}`", path.display()))?;
    toml::from_str(&text)
        .with_context(|| format!("the configuration `{}` is not valid", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(config: Option<PathBuf>) -> ServeArgs {
        ServeArgs {
            data_dir: Some(PathBuf::from("/srv/strongroom")),
            listen: None,
            config,
            database_url: None,
            roles: None,
            tls_cert: None,
            tls_key: None,
        }
    }

    fn load(text: &str) -> Result<Config> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("c.toml");
        std::fs::write(&path, text).unwrap();
        Config::load(args(Some(path)))
    }

    #[test]
    fn flags_win_over_the_file_and_the_file_over_defaults() {
        let config = load("listen = '127.0.0.1:1'\nroles = ['api']").unwrap();
        assert_eq!(config.listen.port(), 1);
        assert_eq!(config.roles, [Role::Api]);
        assert_eq!(Config::load(args(None)).unwrap().listen, DEFAULT_LISTEN);
    }

    #[test]
    fn mistakes_in_the_file_are_named() {
        let error = |text| format!("{:#}", load(text).unwrap_err());
        assert!(error("lisen = '127.0.0.1:1'").contains("lisen"));
        assert!(error("[[command]]\nname = 'x'\ndump = []").contains("command.x.dump"));
        let relative = error("[restore]\ndirectories = ['restores']");
        assert!(relative.contains("restore.directories: `restores`"));
        let twice = "[[command]]\nname='x'\ndump=['a']\n[[command]]\nname='x'\ndump=['b']";
        assert!(error(twice).contains("twice"));
    }
}
