//! Talks to the server through its own command-line client.

use std::{io::Read, process::Command};

use serde::de::DeserializeOwned;
use strongroom_domain::{Secret, tree::Cancel};

use super::grants::Grants;
use crate::{
    SourceError,
    database::{Server, Tls},
    process::{Program, ask, feed},
    secret::{anonymous, path_of, read_password},
    tools::{Series, Tool, Tools},
};

/// Debian's package of the clients.
const PACKAGE: &str = "mariadb-client";

/// A server, and whom it knows us as.
#[derive(Debug)]
pub(super) struct Client {
    tools: Tools,
    server: Server,
    user: Option<String>,
    password: Option<Secret>,
    name: String,
}

/// What the server says of itself.
#[derive(Debug, serde::Deserialize)]
pub(super) struct Facts {
    pub(super) version: String,
    pub(super) datadir: String,
    /// 1 if the server keeps a binary log.
    pub(super) log_bin: u8,
}

impl Facts {
    pub(super) fn product(&self) -> &'static str {
        if self.version.contains("MariaDB") {
            "MariaDB"
        } else {
            "MySQL"
        }
    }

    pub(super) fn series(&self) -> Series {
        Series::of(&self.version)
    }
}

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
        let name = match (&server.socket, &server.host) {
            (Some(socket), _) => format!("database server `{}`", socket.display()),
            (None, host) => format!("database server `{}`", host.as_deref().unwrap_or_default()),
        };
        Self {
            tools: tools.clone(),
            server: server.clone(),
            user: user.map(str::to_owned),
            password,
            name,
        }
    }

    /// The options file of a program, which has the password. MariaDB's and MySQL's programs differ
    /// in how they are told to use TLS.
    fn options(&self, is_mariadb: bool) -> Secret {
        let server = &self.server;
        let port = server.port.map(|it| it.to_string());
        let socket = server.socket.as_ref().map(|it| it.to_string_lossy());
        let ca = server.tls_ca.as_ref().map(|it| it.to_string_lossy());
        // Or else `localhost` is a socket, whatever the port says.
        let protocol = server.host.as_ref().map(|_| "tcp");
        let (tls, verify) = match (server.tls, is_mariadb) {
            (None, _) => (None, None),
            (Some(Tls::Required), true) => (Some(("ssl", "1")), None),
            (Some(Tls::Verified), true) => {
                (Some(("ssl", "1")), Some(("ssl-verify-server-cert", "1")))
            }
            (Some(Tls::Required), false) => (Some(("ssl-mode", "REQUIRED")), None),
            (Some(Tls::Verified), false) => (Some(("ssl-mode", "VERIFY_IDENTITY")), None),
        };
        let pairs = [
            protocol.map(|it| ("protocol", it)),
            tls,
            verify,
            ca.as_deref().map(|it| ("ssl-ca", it)),
            socket.as_deref().map(|it| ("socket", it)),
            server.host.as_deref().map(|it| ("host", it)),
            port.as_deref().map(|it| ("port", it)),
            self.user.as_deref().map(|it| ("user", it)),
            self.password.as_ref().map(|it| ("password", it.expose())),
        ];
        let mut options = "[client]\n".to_owned();
        for (key, value) in pairs.into_iter().flatten() {
            let value = value.replace('\\', "\\\\").replace('"', "\\\"");
            options.extend([key, "=\"", &value, "\"\n"]);
        }
        Secret::new(options)
    }

    /// What the server is called in errors.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The program that dumps, if it is the server's own and not too old for it.
    pub(super) fn dump_tool(&self, facts: &Facts) -> Result<Tool, SourceError> {
        if facts.product() == "MySQL" {
            let tool = self.tools.mysql("mysqldump")?;
            return tool.not_before(facts.series(), "mysql-client");
        }
        let tool = self.tools.find(&["mariadb-dump", "mysqldump"], PACKAGE)?;
        if !tool.is_mariadb {
            let message = format!("is MySQL's, but the server is MariaDB; install `{PACKAGE}`");
            let what = format!("`{}`", tool.program.display());
            return Err(SourceError::failed(what, message));
        }
        tool.not_before(facts.series(), PACKAGE)
    }

    /// The program that copies a server's files. Copies are made and prepared by the very series.
    pub(super) fn copy_tool(tools: &Tools, series: Series) -> Result<Tool, SourceError> {
        let package = "mariadb-backup";
        let tool = tools.find(&["mariadb-backup", "mariabackup"], package)?;
        tool.exactly(series, package)
    }

    /// A program that logs in to the server.
    pub(super) fn program(&self, tool: &Tool) -> Result<Program, SourceError> {
        let failed = |error| SourceError::failed(format!("`{}`", tool.program.display()), error);
        let file = anonymous(self.options(tool.is_mariadb).expose().as_bytes()).map_err(failed)?;
        let mut command = Command::new(&tool.program);
        command
            // First, and instead of the user's own files: nothing there is meant for us.
            .arg(format!("--defaults-file={}", path_of(&file)))
            .env_remove("MYSQL_PWD")
            .env("LC_ALL", "C");
        let files = vec![file];
        Ok(Program { command, files })
    }

    fn client(&self) -> Result<Program, SourceError> {
        let tool = self.tools.find(&["mariadb", "mysql"], PACKAGE)?;
        let mut program = self.program(&tool)?;
        // Nothing that a dump says reaches a shell or this machine's files.
        program.command.arg(if tool.is_mariadb {
            "--loose-sandbox"
        } else {
            "--loose-skip-system-command"
        });
        program.command.args([
            "--local-infile=0",
            // MariaDB's leaves them out of routines otherwise.
            "--comments",
            "--batch",
            "--skip-column-names",
            "--default-character-set=utf8mb4",
            "--connect-timeout=10",
        ]);
        Ok(program)
    }

    /// Runs statements; gives the lines that they print, values in a line parted by tabs.
    pub(super) fn lines(&self, sql: &str, cancel: &Cancel) -> Result<Vec<String>, SourceError> {
        self.lines_in(None, sql, cancel)
    }

    /// The same in a database.
    pub(super) fn lines_in(
        &self,
        database: Option<&str>,
        sql: &str,
        cancel: &Cancel,
    ) -> Result<Vec<String>, SourceError> {
        let mut program = self.client()?;
        program.command.arg("--raw");
        let database = database.map(|it| format!("--database={it}"));
        program.command.args(database);
        let printed = ask(program, sql.as_bytes(), cancel).map_err(|error| {
            if cancel.is_cancelled() {
                return SourceError::Cancelled;
            }
            self.error(essence(&error.to_string()))
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
        let lines = self.lines(sql, cancel)?;
        let rows = lines.iter().map(|line| serde_json::from_str(line));
        rows.collect::<Result<_, _>>()
            .map_err(|error| SourceError::failed(self.name(), error))
    }

    /// What the server says of itself.
    pub(super) fn facts(&self, cancel: &Cancel) -> Result<Facts, SourceError> {
        let sql = "SELECT JSON_OBJECT('version', @@version, 'datadir', @@datadir, \
                   'log_bin', IF(@@log_bin, 1, 0))";
        let facts = self.rows(sql, cancel)?.pop();
        facts.ok_or_else(|| SourceError::failed(self.name(), "says nothing of itself"))
    }

    /// What this user may do.
    pub(super) fn grants(&self, cancel: &Cancel) -> Result<Grants, SourceError> {
        Ok(Grants::parse(&self.lines("SHOW GRANTS", cancel)?))
    }

    /// Runs a dump in a database; gives its length.
    pub(super) fn load(
        &self,
        database: &str,
        dump: impl Read,
        context: &strongroom_domain::tree::Context,
    ) -> Result<u64, SourceError> {
        let mut program = self.client()?;
        program
            .command
            .arg("--max-allowed-packet=1G")
            .arg(format!("--database={database}"));
        let what = format!("restoring database `{database}`");
        feed(program, &what, dump, context).map_err(|error| match error {
            SourceError::Failed { what, message } => SourceError::failed(what, essence(&message)),
            other => other,
        })
    }

    /// What an error of the client means: a server that is not there may come back.
    fn error(&self, message: &str) -> SourceError {
        // Cannot connect, gone away, lost connection, too many connections, shutting down.
        let passing = ["ERROR 20", "ERROR 1040", "ERROR 1053", "ERROR 1203"];
        if passing.iter().any(|code| message.contains(code)) {
            SourceError::unavailable(self.name(), message)
        } else {
            SourceError::failed(self.name(), message)
        }
    }
}

/// An error without the statement that the client shows before it, which may hold a megabyte of
/// somebody's data.
fn essence(message: &str) -> &str {
    message.rfind("ERROR ").map_or(message, |at| &message[at..])
}

/// A name in a statement.
pub(super) fn identifier(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A text in a statement.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}
