//! `mariadb`: a MariaDB or MySQL server.
//!
//! A logical backup is what `mariadb-dump --single-transaction` says of each database, with its
//! routines, events and triggers; of a MySQL server what its own `mysqldump` says. Each dump is
//! consistent in itself; databases are dumped one after the other, so that two of them may be from
//! different moments. A physical backup, made by `mariadb-backup`, is of all at one moment.

mod client;
mod grants;
mod makers;
mod physical;
mod restore;

use std::{io, path::PathBuf, process::Stdio};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strongroom_domain::{
    Annotations, FieldError, ResourceKind, Secret,
    resource::Settings,
    tree::{Cancel, Content, Context, EntryPath, RestoreReport, TreeReader},
};

use self::client::{Client, Facts};
use crate::{
    Entries, Found, PrepareRequest, Prepared, RestoreRequest, RestoreTarget, Setting, Source,
    SourceError,
    database::{self, Mode, SETTINGS, Server},
    dumps::{self, Description, dump_path},
    process::Dump,
    source::restore_to_directory,
    tools::Tools,
    trailer::Trailer,
};

/// The last words of a whole dump.
const TRAILER: &str = "-- Dump completed";
/// The databases that belong to the server itself.
const SYSTEM: [&str; 4] = ["information_schema", "mysql", "performance_schema", "sys"];
/// How dumps are called in the backup.
const SUFFIX: &str = "sql";
/// Where servers have their sockets.
const SOCKETS: [&str; 3] = [
    "/run/mysqld/mysqld.sock",
    "/var/lib/mysql/mysql.sock",
    "/tmp/mysql.sock",
];

/// Protects MariaDB and MySQL servers.
#[derive(Debug, Clone, Default)]
pub struct MariadbSource {
    tools: Tools,
}

/// What it takes to make a database anew.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Details {
    character_set: String,
    collation: String,
    /// Tables that no transaction protects from changes during the dump (Aria, MyISAM).
    tables_without_transactions: u64,
}

type Described = Description<Details>;

impl MariadbSource {
    /// Runs the programs in `programs`, or those that are found as usual.
    pub fn new(programs: Option<PathBuf>) -> Self {
        let directory = programs;
        let tools = Tools { directory };
        Self { tools }
    }

    fn client(&self, settings: &Settings) -> Result<(Server, Client), SourceError> {
        let server = Server::parse(settings).map_err(SourceError::Invalid)?;
        let client = Client::new(&self.tools, &server)?;
        Ok((server, client))
    }

    fn describe(
        &self,
        request: &PrepareRequest,
        cancel: &Cancel,
    ) -> Result<Described, SourceError> {
        let (server, client) = self.client(&request.settings)?;
        let facts = client.facts(cancel)?;
        let grants = client.grants(cancel)?;
        let tool = match server.mode {
            Mode::Logical => client.dump_tool(&facts)?,
            Mode::Physical => {
                physical::check(&facts, &grants, client.name())?;
                Client::copy_tool(&self.tools, facts.series())?
            }
        };
        let mut description = Description {
            product: facts.product().to_owned(),
            position: position(&client, &facts, cancel)?,
            version: facts.version,
            tool: tool.version.to_string(),
            time: request.time,
            mode: server.mode,
            databases: client.rows(&list(), cancel)?,
        };
        description.keep(&server.databases)?;
        if server.mode == Mode::Logical {
            check_dump(&description, &server, &grants, client.name())?;
        }
        Ok(description)
    }
}

impl Source for MariadbSource {
    fn kind(&self) -> ResourceKind {
        ResourceKind::Mariadb
    }

    fn settings(&self) -> &'static [Setting] {
        SETTINGS
    }

    fn validate(&self, settings: &Settings) -> Vec<FieldError> {
        Server::parse(settings).err().unwrap_or_default()
    }

    fn discover(&self) -> Result<Vec<Found>, SourceError> {
        let found = SOCKETS.iter().filter(|it| database::is_socket(it));
        let found = found.map(|socket| {
            let settings = Settings([("socket".to_owned(), (*socket).to_owned())].into());
            Found {
                name: "mariadb".to_owned(),
                size_bytes: self.size(&settings),
                settings,
            }
        });
        Ok(found.collect())
    }

    fn prepare(&self, request: PrepareRequest, context: &Context) -> Result<Prepared, SourceError> {
        let description = self.describe(&request, &context.cancel)?;
        let state = serde_json::to_value(&description);
        let state = state.map_err(|error| SourceError::failed("describing the server", error))?;
        Ok(Prepared {
            state,
            ..Prepared::plain(request, description.size_bytes())
        })
    }

    fn entries(&self, prepared: &Prepared, context: &Context) -> Result<Entries, SourceError> {
        let (_, client) = self.client(&prepared.settings)?;
        let description = Described::of(prepared)?;
        let files = match description.mode {
            Mode::Logical => dumps(&client, &description, &context.cancel)?,
            Mode::Physical => {
                let facts = client.facts(&context.cancel)?;
                physical::files(&self.tools, &client, &facts, &context.cancel)?
            }
        };
        let root = format!("/mariadb/{}", prepared.resource);
        dumps::entries(prepared, root, files)
    }

    fn check_login(
        &self,
        settings: &Settings,
        user: &str,
        password: &Secret,
    ) -> Result<(), SourceError> {
        let server = Server::parse(settings).map_err(SourceError::Invalid)?;
        database::check_login(user, password, |password| {
            let client = Client::with(&self.tools, &server, Some(user), Some(password));
            client.lines("SELECT 1", &Cancel::new()).map(drop)
        })
    }

    fn about(&self, tree: &dyn TreeReader) -> Result<Annotations, SourceError> {
        Described::stored(tree)?.about()
    }

    fn check_restore(
        &self,
        request: &RestoreRequest,
        tree: &dyn TreeReader,
        context: &Context,
    ) -> Result<(), SourceError> {
        let RestoreTarget::Resource { settings, .. } = &request.target else {
            return Ok(());
        };
        let (_, client) = self.client(settings)?;
        let description = Described::stored(tree)?;
        restore::check(&client, &description, request, tree, context).map(drop)
    }

    fn restore(
        &self,
        request: &RestoreRequest,
        tree: &dyn TreeReader,
        context: &Context,
    ) -> Result<RestoreReport, SourceError> {
        match &request.target {
            RestoreTarget::Resource { settings, .. } => {
                let (_, client) = self.client(settings)?;
                restore::restore(&client, request, tree, context)
            }
            // Single files are wanted as they are in the backup.
            RestoreTarget::Directory(path) if !request.include.is_empty() => {
                restore_to_directory(path, request, tree, context)
            }
            RestoreTarget::Directory(path) => {
                let description = Described::stored(tree)?;
                match description.mode {
                    Mode::Logical => restore_to_directory(path, request, tree, context),
                    Mode::Physical => {
                        let series = description.series();
                        physical::restore(&self.tools, series, path, tree, context)
                    }
                }
            }
        }
    }
}

impl MariadbSource {
    /// How much a server holds, if it can be backed up with these settings.
    fn size(&self, settings: &Settings) -> Option<u64> {
        let request = PrepareRequest {
            resource: String::new(),
            settings: settings.clone(),
            time: Timestamp::UNIX_EPOCH,
        };
        let described = self.describe(&request, &Cancel::new());
        described.ok()?.size_bytes()
    }
}

/// Lists the databases with their properties.
fn list() -> String {
    let system = SYSTEM.map(client::literal).join(", ");
    // Or MySQL tells sizes of up to a day ago; MariaDB takes it for a comment.
    format!(
        "/*!80000 SET SESSION information_schema_stats_expiry = 0 */; \
         SELECT JSON_OBJECT('name', s.schema_name, \
           'character_set', s.default_character_set_name, \
           'collation', s.default_collation_name, \
           'size_bytes', (SELECT CAST(COALESCE(SUM(t.data_length + t.index_length), 0) AS UNSIGNED) \
             FROM information_schema.tables t WHERE t.table_schema = s.schema_name), \
           'tables_without_transactions', (SELECT COUNT(*) FROM information_schema.tables t \
             JOIN information_schema.engines e ON e.engine = t.engine \
             WHERE t.table_schema = s.schema_name AND t.table_type = 'BASE TABLE' \
             AND COALESCE(e.transactions, 'NO') <> 'YES')) \
         FROM information_schema.schemata s WHERE s.schema_name NOT IN ({system})"
    )
}

/// Where the binary log stands, as far as this user may know.
fn position(
    client: &Client,
    facts: &Facts,
    cancel: &Cancel,
) -> Result<serde_json::Value, SourceError> {
    if facts.log_bin == 0 {
        return Ok(serde_json::Value::Null);
    }
    let gtid = match facts.product() {
        "MariaDB" => "SELECT @@gtid_binlog_pos",
        _ => "SELECT @@GLOBAL.gtid_executed",
    };
    // MySQL writes a long set over several lines.
    let gtid = Some(client.lines(gtid, cancel)?.concat()).filter(|it| !it.is_empty());
    let mut position = serde_json::json!({ "gtid": gtid });
    // Needs a privilege that a backup does not. MySQL 8.4 knows the second form only.
    let status = client.lines("SHOW MASTER STATUS", cancel);
    let status = status.or_else(|_| client.lines("SHOW BINARY LOG STATUS", cancel));
    if let Ok(lines) = status
        && let Some((file, rest)) = lines.first().and_then(|it| it.split_once('\t'))
    {
        let offset = rest
            .split('\t')
            .next()
            .and_then(|it| it.parse::<u64>().ok());
        position["file"] = file.into();
        position["offset"] = offset.into();
    }
    Ok(position)
}

/// Fails if something would be missing from the dumps because this user does not see it.
fn check_dump(
    description: &Described,
    server: &Server,
    grants: &grants::Grants,
    name: &str,
) -> Result<(), SourceError> {
    let fail = |message: String| Err(SourceError::failed(format!("backing up {name}"), message));
    if server.databases.is_empty()
        && !grants.has_everywhere("SELECT")
        && !grants.has_everywhere("SHOW DATABASES")
    {
        return fail(
            "the user may not see all databases: grant SHOW DATABASES ON *.*, or name \
                     the databases in the resource's settings"
                .to_owned(),
        );
    }
    for database in &description.databases {
        let wanted = ["SELECT", "SHOW VIEW", "TRIGGER", "EVENT"];
        let missing = grants.missing(&wanted, &database.name);
        if !missing.is_empty() {
            let (missing, name) = (missing.join(", "), &database.name);
            return fail(format!("the user lacks {missing} on database `{name}`"));
        }
    }
    if let Some(privilege) = grants.missing_for_routines(&description.product) {
        return fail(format!(
            "the user lacks {privilege}, without which it does not see all routines"
        ));
    }
    Ok(())
}

/// The dump of each database.
fn dumps(
    client: &Client,
    description: &Described,
    cancel: &Cancel,
) -> Result<Vec<(EntryPath, Content)>, SourceError> {
    let facts = client.facts(cancel)?;
    let tool = client.dump_tool(&facts)?;
    let mut files = Vec::new();
    for database in &description.databases {
        let mut program = client.program(&tool)?;
        program.command.args([
            "--single-transaction",
            "--quick",
            "--routines",
            "--events",
            "--triggers",
            "--hex-blob",
            "--no-tablespaces",
            "--default-character-set=utf8mb4",
            "--max-allowed-packet=1G",
            // An unchanged database gives an equal dump.
            "--skip-dump-date",
        ]);
        match facts.product() {
            "MySQL" => {
                // Else a restore would change what the server thinks it has replicated.
                program.command.arg("--set-gtid-purged=OFF");
                if tool.version.major >= 9 {
                    // They are the server's, like its users.
                    program.command.arg("--loose-skip-masking-policies");
                }
            }
            // As a comment: where to go on from in the binary log. MariaDB locks nothing for it.
            _ if facts.log_bin == 1 => drop(program.command.arg("--master-data=2")),
            _ => {}
        }
        program.command.arg("--").arg(&database.name);
        let cancel = cancel.clone();
        let content = Content::from_opener(move || {
            let dump = Dump::start(program, Stdio::null(), cancel, Trailer::new(TRAILER))?;
            Ok(Box::new(dump) as Box<dyn io::Read + Send>)
        });
        files.push((dump_path(&database.name, SUFFIX)?, content));
    }
    Ok(files)
}
