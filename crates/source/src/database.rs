//! What the sources of database servers share of their settings: where a server is, whom it knows us
//! as, and what is wanted of it.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::FileTypeExt,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use strongroom_domain::{FieldError, Secret, resource::Settings};

use crate::{Setting, SourceError};

/// The settings of both kinds.
pub(crate) const SETTINGS: &[Setting] = &[
    setting("socket", "path of the server's socket; or give `host`"),
    setting("host", "name or address of the server"),
    setting("port", "its port, if it is not the usual one"),
    setting(
        "user",
        "whom to log in as; the user that Strongroom runs as if none",
    ),
    setting(
        "tls",
        "`required`, or `verified` to check the server's certificate and name, too",
    ),
    setting(
        "tls_ca",
        "file with the certificates to check the server's against",
    ),
    setting(
        "password_file",
        "file with the password, not readable by others",
    ),
    setting("databases", "names, separated by commas; all if none"),
    setting(
        "mode",
        "`logical` (the default): dumps; `physical`: the server's files",
    ),
    setting(
        "default",
        "`true` makes it the database that a face backs up when none is named",
    ),
];

const fn setting(name: &'static str, help: &'static str) -> Setting {
    Setting {
        name,
        required: false,
        help,
    }
}

/// How a server is backed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    /// As statements that make the databases anew.
    #[default]
    Logical,
    /// As the files of the whole server.
    Physical,
}

impl Mode {
    /// The word for it, as in settings.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Logical => "logical",
            Self::Physical => "physical",
        }
    }
}

/// How a connection over the network is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tls {
    /// Encrypted.
    Required,
    /// Encrypted, and the server is who its certificate says.
    Verified,
}

/// Where a server is, whom it knows us as, and what is wanted of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) socket: Option<PathBuf>,
    pub(crate) host: Option<String>,
    pub(crate) port: Option<u16>,
    pub(crate) user: Option<String>,
    pub(crate) password_file: Option<PathBuf>,
    /// What the server's program does on its own if none.
    pub(crate) tls: Option<Tls>,
    pub(crate) tls_ca: Option<PathBuf>,
    /// The databases that are asked for; all if empty.
    pub(crate) databases: BTreeSet<String>,
    pub(crate) mode: Mode,
}

impl Server {
    /// Reads settings, or gives everything that is wrong with them.
    pub(crate) fn parse(settings: &Settings) -> Result<Self, Vec<FieldError>> {
        let mut faults = Vec::new();
        let mut fault = |key: &str, reason: &str| {
            faults.push(FieldError::new(format!("settings.{key}"), reason));
        };
        let text = |key: &str| settings.get(key).filter(|it| !it.is_empty());
        for (key, value) in &settings.0 {
            if value.contains(char::is_control) {
                fault(key, "must not have control characters");
            }
        }
        let absolute = |key: &str, fault: &mut dyn FnMut(&str, &str)| {
            let path = text(key)?;
            if !path.starts_with('/') {
                fault(key, "must be an absolute path");
            }
            Some(PathBuf::from(path))
        };
        let socket = absolute("socket", &mut fault);
        let password_file = absolute("password_file", &mut fault);
        let tls_ca = absolute("tls_ca", &mut fault);
        let tls = match text("tls") {
            None => None,
            Some("required") => Some(Tls::Required),
            Some("verified") => Some(Tls::Verified),
            Some(_) => {
                fault("tls", "must be `required` or `verified`");
                None
            }
        };
        if tls.is_some() && socket.is_some() {
            fault(
                "tls",
                "is for `settings.host`; a socket leaves the machine by no wire",
            );
        }
        if text("host").is_some() == socket.is_some() {
            fault("socket", "or `settings.host` is required, not both");
        }
        let port = text("port").map(str::parse::<u16>);
        if matches!(port, Some(Err(_) | Ok(0))) {
            fault("port", "must be a number from 1 to 65535");
        }
        let mode = match text("mode") {
            None | Some("logical") => Mode::Logical,
            Some("physical") => Mode::Physical,
            Some(_) => {
                fault("mode", "must be `logical` or `physical`");
                Mode::Logical
            }
        };
        if !matches!(text("default"), None | Some("true" | "false")) {
            fault("default", "must be `true` or `false`");
        }
        let names = text("databases").unwrap_or_default().split(',');
        let databases = names.map(str::trim).filter(|it| !it.is_empty());
        let databases: BTreeSet<_> = databases.map(str::to_owned).collect();
        if mode == Mode::Physical && !databases.is_empty() {
            fault(
                "databases",
                "must be empty: a physical backup is of the whole server",
            );
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Self {
            socket,
            host: text("host").map(str::to_owned),
            port: port.and_then(Result::ok),
            user: text("user").map(str::to_owned),
            password_file,
            tls,
            tls_ca,
            databases,
            mode,
        })
    }
}

/// Fails if the file system of `directory` has no room for that much. A directory that cannot be
/// looked at from here (the server is elsewhere) is taken to have.
pub(crate) fn check_room(directory: &Path, needed: u64) -> Result<(), SourceError> {
    let Ok(found) = rustix::fs::statvfs(directory) else {
        return Ok(());
    };
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    if free >= needed {
        return Ok(());
    }
    let what = format!("looking for room in `{}`", directory.display());
    let message = format!("{needed} bytes are needed, {free} are free");
    Err(SourceError::failed(what, message))
}

/// Whether a user can log in with a password, and only with that: a server that asks for none, as
/// some do on their socket, cannot tell.
pub(crate) fn check_login(
    user: &str,
    password: &Secret,
    log_in: impl Fn(Secret) -> Result<(), SourceError>,
) -> Result<(), SourceError> {
    let refused = |reason: String| Err(SourceError::invalid("password", reason));
    match log_in(password.clone()) {
        Err(SourceError::Failed { .. }) => {
            refused(format!("the server does not let `{user}` in with it"))
        }
        Err(other) => Err(other),
        Ok(()) => match log_in(Secret::new(format!("{}-", password.expose()))) {
            Ok(()) => refused(format!("the server lets `{user}` in with any password")),
            Err(SourceError::Failed { .. }) => Ok(()),
            Err(other) => Err(other),
        },
    }
}

/// Whether there is a socket at a path.
pub(crate) fn is_socket(path: impl AsRef<Path>) -> bool {
    fs::metadata(path).is_ok_and(|it| it.file_type().is_socket())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(pairs: &[(&str, &str)]) -> Result<Server, Vec<String>> {
        let pairs = pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        let faults = |faults: Vec<FieldError>| faults.into_iter().map(|it| it.field).collect();
        Server::parse(&Settings(pairs.collect())).map_err(faults)
    }

    #[test]
    fn settings_name_a_server_by_socket_or_host() {
        let server = parse(&[("socket", "/run/s.sock"), ("databases", "b, a,,b")]).unwrap();
        assert_eq!(server.socket, Some("/run/s.sock".into()));
        assert_eq!(Vec::from_iter(server.databases), ["a", "b"]);
        let server = parse(&[("host", "db"), ("port", "3307"), ("mode", "physical")]).unwrap();
        assert_eq!((server.port, server.mode), (Some(3307), Mode::Physical));
    }

    #[test]
    fn room_is_missed_where_it_can_be_looked_for() {
        let here = tempfile::tempdir().unwrap();
        check_room(here.path(), 0).unwrap();
        let error = check_room(here.path(), u64::MAX).unwrap_err().to_string();
        assert!(error.contains("bytes are needed"), "{error}");
        check_room(&here.path().join("elsewhere"), u64::MAX).unwrap();
    }

    #[test]
    fn every_wrong_setting_is_named() {
        let faults = parse(&[
            ("socket", "s.sock"),
            ("host", "db"),
            ("port", "0"),
            ("mode", "magic"),
            ("default", "yes"),
            ("user", "a\nb"),
        ]);
        let named = ["user", "socket", "socket", "port", "mode", "default"];
        assert_eq!(
            faults.unwrap_err(),
            named.map(|it| format!("settings.{it}"))
        );
        assert_eq!(parse(&[]).unwrap_err(), ["settings.socket"]);
        let some = [("host", "db"), ("mode", "physical"), ("databases", "a")];
        assert_eq!(parse(&some).unwrap_err(), ["settings.databases"]);
    }
}
