//! Talks to the server through PostgreSQL's own programs.

use std::{io, path::PathBuf, process::Command};

use serde::de::DeserializeOwned;
use strongroom_domain::{Secret, tree::Cancel};

use crate::{
    SourceError,
    database::{Server, Tls},
    process::{Program, ask},
    secret::{anonymous, path_of, read_password},
    tools::{Tool, Tools, Version},
};

/// Debian's package of the programs.
pub(super) const PACKAGE: &str = "postgresql-client";
/// The database to log in to for what concerns none in particular.
pub(super) const COMMON: &str = "postgres";
/// The port unless another is named.
const PORT: u16 = 5432;

/// A server, and whom it knows us as.
#[derive(Debug)]
pub(super) struct Client {
    tools: Tools,
    /// A name, or the directory of a socket.
    host: String,
    port: u16,
    user: Option<String>,
    password: Option<Secret>,
    tls: Option<Tls>,
    tls_ca: Option<PathBuf>,
    name: String,
}

/// What the server says of itself.
#[derive(Debug, serde::Deserialize)]
pub(super) struct Facts {
    pub(super) version: String,
    /// Nothing if this user may not know.
    pub(super) data_directory: Option<String>,
    /// Whether this user may read the roles' passwords.
    pub(super) sees_passwords: bool,
    /// Whether this user may do anything.
    pub(super) superuser: bool,
    /// Whether this user may make databases.
    pub(super) creates_databases: bool,
    /// Whether this user may copy the server's files.
    pub(super) replicates: bool,
    /// Tablespaces besides those that every server has.
    pub(super) tablespaces: u32,
    /// Where the log stands.
    pub(super) position: serde_json::Value,
}

impl Facts {
    pub(super) fn major(&self) -> u32 {
        Version::parse(&self.version).map_or(0, |it| it.major)
    }
}

/// Asks for [`Facts`]. The position is null if the user may not know it.
const FACTS: &str = "SELECT json_build_object(
    'version', current_setting('server_version'),
    'data_directory', CASE WHEN pg_has_role(current_user, 'pg_read_all_settings', 'USAGE')
        THEN current_setting('data_directory') END,
    'sees_passwords', has_table_privilege('pg_catalog.pg_authid', 'SELECT'),
    'superuser', r.rolsuper,
    'creates_databases', r.rolsuper OR r.rolcreatedb,
    'replicates', r.rolsuper OR r.rolreplication,
    'tablespaces', (SELECT count(*) FROM pg_tablespace
        WHERE spcname NOT IN ('pg_default', 'pg_global')),
    'position', json_build_object('lsn', CASE WHEN pg_is_in_recovery()
        THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END))
    FROM pg_roles r WHERE r.rolname = current_user";

impl Client {
    /// With the user and password that the settings name.
    pub(super) fn new(tools: &Tools, server: &Server) -> Result<Self, SourceError> {
        let password = server.password_file.as_deref().map(read_password);
        let password = password.transpose()?;
        Ok(Self::with(tools, server, server.user.as_deref(), password))
    }

    /// As this user.
    pub(super) fn with(
        tools: &Tools,
        server: &Server,
        user: Option<&str>,
        password: Option<Secret>,
    ) -> Self {
        let (mut host, mut port) = (server.host.clone().unwrap_or_default(), server.port);
        if let Some(socket) = &server.socket {
            // The directory that sockets are in is as good as the path of one.
            let file = socket
                .file_name()
                .and_then(|it| it.to_str())
                .unwrap_or_default();
            let number = file
                .strip_prefix(".s.PGSQL.")
                .and_then(|it| it.parse().ok());
            let directory = match number {
                Some(_) => socket.parent().unwrap_or(socket),
                None => socket,
            };
            host = directory.to_string_lossy().into_owned();
            port = port.or(number);
        }
        let port = port.unwrap_or(PORT);
        Self {
            tools: tools.clone(),
            name: format!("database server `{host}` (port {port})"),
            host,
            port,
            user: user.map(str::to_owned),
            password,
            tls: server.tls,
            tls_ca: server.tls_ca.clone(),
        }
    }

    /// What the server is called in errors.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// A program that is not too old for a server or an archive of that version.
    pub(super) fn tool(&self, name: &str, major: u32) -> Result<Tool, SourceError> {
        let tool = self.tools.postgres(name, major)?;
        tool.at_least(major, "the server or the backup", PACKAGE)
    }

    /// A program that logs in to a database of the server.
    pub(super) fn program(&self, tool: &Tool, database: &str) -> Result<Program, SourceError> {
        let failed = |error| SourceError::failed(format!("`{}`", tool.program.display()), error);
        let mut line = String::new();
        if let Some(password) = &self.password {
            let password = password.expose().replace('\\', "\\\\").replace(':', "\\:");
            line = format!("*:*:*:*:{password}\n");
        }
        let file = anonymous(line.as_bytes()).map_err(failed)?;
        let mut command = Command::new(&tool.program);
        command
            .env("PGPASSFILE", path_of(&file))
            .env("PGHOST", &self.host)
            .env("PGPORT", self.port.to_string())
            // Here and not in the command line, where it could be taken for more than a name.
            .env("PGDATABASE", database)
            .env("PGCONNECT_TIMEOUT", "10")
            .env("PGAPPNAME", "strongroom")
            .env("LC_ALL", "C");
        for other in [
            "PGPASSWORD",
            "PGSERVICE",
            "PGHOSTADDR",
            "PGOPTIONS",
            "PGUSER",
        ] {
            command.env_remove(other);
        }
        if let Some(user) = &self.user {
            command.env("PGUSER", user);
        }
        match self.tls {
            Some(Tls::Required) => drop(command.env("PGSSLMODE", "require")),
            Some(Tls::Verified) => drop(command.env("PGSSLMODE", "verify-full")),
            None => {}
        }
        if let Some(ca) = &self.tls_ca {
            command.env("PGSSLROOTCERT", ca);
        }
        let files = vec![file];
        Ok(Program { command, files })
    }

    /// A client that runs statements in a database, stopping at the first that fails.
    pub(super) fn client(&self, database: &str) -> Result<Program, SourceError> {
        let tool = self.tools.postgres("psql", 0)?;
        let mut program = self.program(&tool, database)?;
        program.command.args([
            "--no-psqlrc",
            "--quiet",
            "--tuples-only",
            "--no-align",
            "--no-password",
            "--set=ON_ERROR_STOP=1",
            "--file=-",
        ]);
        Ok(program)
    }

    /// Runs statements in a database; gives the lines that they print.
    pub(super) fn lines(
        &self,
        database: &str,
        sql: &str,
        cancel: &Cancel,
    ) -> Result<Vec<String>, SourceError> {
        let program = self.client(database)?;
        let printed = ask(program, sql.as_bytes(), cancel).map_err(|error| {
            if cancel.is_cancelled() {
                return SourceError::Cancelled;
            }
            self.error(&error)
        })?;
        let printed = String::from_utf8_lossy(&printed);
        Ok(printed.lines().map(str::to_owned).collect())
    }

    /// Runs a query that gives one JSON value per row.
    pub(super) fn rows<T: DeserializeOwned>(
        &self,
        sql: &str,
        cancel: &Cancel,
    ) -> Result<Vec<T>, SourceError> {
        // A value may be printed over several lines; one object follows the other.
        let printed = self.lines(COMMON, sql, cancel)?.join("\n");
        let rows = serde_json::Deserializer::from_str(&printed).into_iter();
        rows.collect::<Result<_, _>>()
            .map_err(|error| SourceError::failed(self.name(), error))
    }

    /// What the server says of itself.
    pub(super) fn facts(&self, cancel: &Cancel) -> Result<Facts, SourceError> {
        let facts = self.rows(FACTS, cancel)?.pop();
        facts.ok_or_else(|| SourceError::failed(self.name(), "says nothing of itself"))
    }

    /// What an error of a client means: a server that is not there may come back.
    fn error(&self, error: &io::Error) -> SourceError {
        const PASSING: [&str; 8] = [
            "Connection refused",
            "No such file or directory",
            "could not translate host name",
            "timeout expired",
            "the database system is",
            "too many clients",
            "terminating connection",
            "server closed the connection",
        ];
        let message = error.to_string();
        if PASSING.iter().any(|it| message.contains(it)) {
            SourceError::unavailable(self.name(), message)
        } else {
            SourceError::failed(self.name(), message)
        }
    }
}

/// A name in a statement.
pub(super) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text in a statement.
pub(super) fn literal(text: &str) -> String {
    // Says itself what a backslash is, whatever the server's settings say.
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}
