//! A storage that is named by its URL, and what lies in it.

use percent_encoding::percent_decode_str;
use strongroom_domain::{Backup, DatabaseServer, repository::Repository};
use url::Url;

use super::{INSTALL_PATH, scope};
use crate::zstack::{
    error::{Code, Error},
    wire::{backup::DatabaseBackupStruct, storage::ImageStore, timestamp},
};

/// How the vendor's server would reach a storage, as annotations.
pub(crate) const HOST_NAME: &str = "zstack.hostname";
/// See [`HOST_NAME`].
pub(crate) const USER_NAME: &str = "zstack.username";
/// See [`HOST_NAME`].
pub(crate) const SSH_PORT: &str = "zstack.sshPort";

impl ImageStore {
    /// A repository as ZStack lists it among the image stores.
    pub(crate) fn of(repository: &Repository) -> Self {
        let text = |key| repository.annotations.text(key).map(str::to_owned);
        Self {
            storage: super::storage(repository),
            hostname: text(HOST_NAME),
            username: text(USER_NAME),
            ssh_port: text(SSH_PORT).and_then(|it| it.parse().ok()),
        }
    }
}

/// A backup as it lies in a storage.
pub(crate) fn stored(backup: &Backup) -> DatabaseBackupStruct {
    let Backup {
        id,
        name,
        source_bytes,
        created_at,
        annotations,
        ..
    } = backup;
    let server = DatabaseServer::of(annotations);
    DatabaseBackupStruct {
        name: name.clone(),
        r#type: server.as_ref().map(scope),
        version: server.map(|it| it.version),
        install_path: format!("{INSTALL_PATH}{}", id.simple()),
        size: source_bytes.unwrap_or(0),
        created_time: timestamp(*created_at),
    }
}

/// `ssh://user:password@host[:port]/path`, taken apart.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct StoreUrl {
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) path: String,
    /// The URL without its password.
    pub(crate) shown: String,
}

impl StoreUrl {
    /// Reads one.
    pub(crate) fn read(text: &str) -> Result<Self, Error> {
        let read = || {
            let url = Url::parse(text.trim())
                .ok()
                .filter(|it| it.scheme() == "ssh")?;
            let decoded = |it: &str| {
                let decoded = percent_decode_str(it).decode_utf8().ok()?;
                Some(decoded.into_owned()).filter(|it| !it.is_empty())
            };
            let host = url.host_str()?;
            Some(Self {
                user: decoded(url.username())?,
                password: decoded(url.password()?)?,
                path: decoded(url.path()).filter(|it| it != "/")?,
                shown: format!("ssh://{host}{}", url.path()),
            })
        };
        read().ok_or_else(|| {
            // A malformed URL may still hold a password.
            let shown = text.rsplit('@').next().unwrap_or_default();
            let details = format!(
                "illegal url[{shown}], correct example is \
                 ssh://username:password@hostname[:sshPort]/path"
            );
            Error::api(Code::InvalidArgument, details)
        })
    }
}

/// Checks a port that may be given.
pub(crate) fn check_port(field: &str, port: Option<i64>) -> Result<(), Error> {
    match port {
        Some(port) if !(1..=65535).contains(&port) => Err(no_port(field)),
        _ => Ok(()),
    }
}

/// A number is no port.
pub(crate) fn no_port(field: &str) -> Error {
    let details = format!("field[{field}] must be in range of [1, 65535]");
    Error::api(Code::InvalidArgument, details)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_named_by_user_password_and_path() {
        let url = StoreUrl::read("ssh://admin:p%40ss@10.0.0.7:2222/srv/backups").unwrap();
        assert_eq!(
            (url.user.as_str(), url.password.as_str()),
            ("admin", "p@ss")
        );
        assert_eq!(url.path, "/srv/backups");
        assert!(!url.shown.contains("p@ss") && !url.shown.contains("p%40ss"));
    }

    #[test]
    fn what_names_no_store_is_refused_without_its_password() {
        for bad in [
            "",
            "http://a:secret@b/c",
            "ssh://b/c",
            "ssh://a@b/c",
            "ssh://a:secret@b",
            "ssh://a:secret@b/",
        ] {
            let error = StoreUrl::read(bad).err().unwrap().code().unwrap();
            assert_eq!(error.code, "SYS.1007", "{bad}");
            assert!(
                error.details.starts_with("illegal url["),
                "{}",
                error.details
            );
            assert!(!error.details.contains("secret"), "{}", error.details);
        }
    }
}
