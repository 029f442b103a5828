//! `postgres`: a PostgreSQL server.
//!
//! A logical backup is what `pg_dump` says of each database, in its own archive format and not
//! compressed, which the engine does after it found what it has already; and the roles and
//! tablespaces, by `pg_dumpall --globals-only`. Each dump is consistent in itself; databases are
//! dumped one after the other, so that two of them may be from different moments. A physical
//! backup, made by `pg_basebackup`, is of all at one moment.

mod archive;
mod client;
mod globals;
mod physical;
mod properties;
mod restore;

use std::{fs, io, path::PathBuf, process::Stdio};

use jiff::Timestamp;
use strongroom_domain::{
    Annotations, FieldError, ResourceKind, Secret,
    resource::Settings,
    tree::{Cancel, Content, Context, EntryPath, RestoreReport, TreeReader},
};

use self::{
    archive::Archive,
    client::{COMMON, Client, Facts},
    properties::{Details, LIST},
};
use crate::{
    Entries, Found, PrepareRequest, Prepared, RestoreRequest, RestoreTarget, Setting, Source,
    SourceError,
    database::{self, Mode, SETTINGS, Server},
    dumps::{self, Description, GLOBALS, dump_path, entry_path},
    process::Dump,
    source::restore_to_directory,
    tools::Tools,
    trailer::Trailer,
};

/// How dumps are called in the backup.
const SUFFIX: &str = "dump";
/// The directories where servers have their sockets.
const SOCKETS: [&str; 2] = ["/run/postgresql", "/tmp"];

/// Protects PostgreSQL servers.
#[derive(Debug, Clone)]
pub struct PostgresSource {
    tools: Tools,
    sockets: Vec<PathBuf>,
}

type Described = Description<Details>;

impl PostgresSource {
    /// Runs the programs in `programs`, or those that are found as usual.
    pub fn new(programs: Option<PathBuf>) -> Self {
        let directory = programs;
        Self {
            tools: Tools { directory },
            sockets: SOCKETS.map(PathBuf::from).into(),
        }
    }

    /// Discovers servers by the sockets in these directories instead of the usual ones.
    #[must_use]
    pub fn looking_in(self, sockets: Vec<PathBuf>) -> Self {
        Self { sockets, ..self }
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
        let name = match server.mode {
            Mode::Logical => "pg_dump",
            Mode::Physical => "pg_basebackup",
        };
        let tool = client.tool(name, facts.major())?;
        if server.mode == Mode::Physical {
            physical::check(&client, &facts)?;
        }
        let mut description = Description {
            product: "PostgreSQL".to_owned(),
            version: facts.version,
            tool: tool.version.to_string(),
            time: request.time,
            mode: server.mode,
            position: facts.position,
            databases: client.rows(LIST, cancel)?,
        };
        description.keep(&server.databases)?;
        Ok(description)
    }

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

impl Source for PostgresSource {
    fn kind(&self) -> ResourceKind {
        ResourceKind::Postgres
    }

    fn settings(&self) -> &'static [Setting] {
        SETTINGS
    }

    fn validate(&self, settings: &Settings) -> Vec<FieldError> {
        Server::parse(settings).err().unwrap_or_default()
    }

    fn discover(&self) -> Result<Vec<Found>, SourceError> {
        let directories = self.sockets.iter().filter_map(|it| fs::read_dir(it).ok());
        let paths = directories.flatten().filter_map(|it| Some(it.ok()?.path()));
        let mut found = Vec::new();
        for socket in paths.filter(|it| database::is_socket(it)) {
            let Some(path) = socket.to_str() else {
                continue;
            };
            let Some((_, port)) = path.split_once("/.s.PGSQL.") else {
                continue;
            };
            let settings = Settings([("socket".to_owned(), path.to_owned())].into());
            found.push(Found {
                name: format!("postgres-{port}"),
                size_bytes: self.size(&settings),
                settings,
            });
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
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
        let facts = client.facts(&context.cancel)?;
        let files = match description.mode {
            Mode::Logical => dumps(&client, &facts, &description, &context.cancel)?,
            Mode::Physical => physical::files(&client, &facts, &context.cancel)?,
        };
        let root = format!("/postgres/{}", prepared.resource);
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
            client.lines(COMMON, "SELECT 1", &Cancel::new()).map(drop)
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
            RestoreTarget::Directory(path) => match Described::stored(tree)?.mode {
                Mode::Logical => restore_to_directory(path, request, tree, context),
                Mode::Physical => physical::restore(path, tree, context),
            },
        }
    }
}

/// The dump of each database, and what belongs to none.
fn dumps(
    client: &Client,
    facts: &Facts,
    description: &Described,
    cancel: &Cancel,
) -> Result<Vec<(EntryPath, Content)>, SourceError> {
    let tool = client.tool("pg_dump", facts.major())?;
    let reader = client.tool("pg_restore", tool.version.major)?;
    let globals = globals::dump(client, facts)?;
    let stop = cancel.clone();
    let content = Content::from_opener(move || {
        let watch = Trailer::new(globals::TRAILER);
        let dump = Dump::start(globals, Stdio::null(), stop, watch)?;
        Ok(Box::new(dump) as Box<dyn io::Read + Send>)
    });
    let mut files = vec![(entry_path(GLOBALS)?, content)];
    for database in &description.databases {
        let mut program = client.program(&tool, &database.name)?;
        let arguments = ["--format=custom", "--compress=0", "--no-password"];
        program.command.args(arguments);
        let (cancel, reader) = (cancel.clone(), reader.program.clone());
        let content = Content::from_opener(move || {
            let watch = Archive::new(&reader, cancel.clone())?;
            let dump = Dump::start(program, Stdio::null(), cancel, watch)?;
            Ok(Box::new(dump) as Box<dyn io::Read + Send>)
        });
        files.push((dump_path(&database.name, SUFFIX)?, content));
    }
    Ok(files)
}
