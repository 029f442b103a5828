//! Brings databases back from their archives.
//!
//! A database is restored beside the one it replaces, in one transaction, and takes its name only
//! when all of it is there: whatever fails, the old one is as it was.

use std::{
    collections::BTreeSet,
    hash::{DefaultHasher, Hash, Hasher},
    io::{self, Read},
};

use strongroom_domain::tree::{Cancel, Context, Overwrite, RestoreReport, TreeReader};

use super::{
    Described, Details, SUFFIX,
    client::{COMMON, Client, Facts, identifier, literal},
    globals,
};
use crate::{
    RestoreRequest, SourceError,
    database::{Mode, check_room},
    dumps::{Chosen, GLOBALS, chosen, entry_path, restore_each},
    process::{ask, feed},
    tools::{Tool, Version},
};

/// The longest name that a database may have, in bytes.
const LONGEST: usize = 63;
/// Where to do what cannot be done from within the database it is done to.
const OTHER: &str = "template1";

/// No archive's table of contents is larger.
const LARGEST_LIST: u64 = 64 << 20;

/// One part of a restore.
enum Part<'a> {
    Globals,
    Database(Chosen<'a, Details>),
}

pub(super) fn restore(
    client: &Client,
    request: &RestoreRequest,
    tree: &dyn TreeReader,
    context: &Context,
) -> Result<RestoreReport, SourceError> {
    let description = Described::stored(tree)?;
    let Checked {
        run,
        parts,
        warnings,
    } = check(client, &description, request, tree, context)?;
    let globals = entry_path(GLOBALS)?;
    let path = |part: &Part<'_>| match part {
        Part::Globals => globals.clone(),
        Part::Database(one) => one.path.clone(),
    };
    let report = restore_each(parts, path, |part| match part {
        Part::Globals => globals::restore(client, tree, context).map(Some),
        Part::Database(one) => run.restore(one),
    })?;
    Ok(RestoreReport { warnings, ..report })
}

/// A restore that nothing is known to be in the way of.
pub(super) struct Checked<'a> {
    run: Run<'a>,
    parts: Vec<Part<'a>>,
    /// What is left out.
    warnings: Vec<String>,
}

/// Everything that can be known to be wrong beforehand.
pub(super) fn check<'a>(
    client: &'a Client,
    description: &'a Described,
    request: &'a RestoreRequest,
    tree: &'a dyn TreeReader,
    context: &'a Context,
) -> Result<Checked<'a>, SourceError> {
    if description.mode == Mode::Physical {
        let reason = "a physical backup is restored into a directory";
        return Err(SourceError::invalid("target", reason));
    }
    let facts = client.facts(&context.cancel)?;
    let is_everything = request.include.is_empty();
    // Whoever may not make roles gets the rest of everything, if that does without.
    let without_globals = is_everything && !facts.superuser && !description.databases.is_empty();
    let mut parts = Vec::new();
    let wanted = is_everything || request.include.matches(&entry_path(GLOBALS)?);
    if wanted && !without_globals {
        // Roles come first: the databases' objects belong to them.
        parts.push(Part::Globals);
    }
    let databases = chosen(description, request, SUFFIX, LONGEST)?;
    let needed = databases.iter().filter_map(|it| it.from.size_bytes).sum();
    parts.extend(databases.into_iter().map(Part::Database));
    if parts.is_empty() {
        let reason = "names no database of the backup";
        return Err(SourceError::invalid("include", reason));
    }
    let reader = check_server(client, &facts, description, &parts)?;
    if let Some(directory) = &facts.data_directory {
        check_room(directory.as_ref(), needed)?;
    }
    let run = Run {
        client,
        reader,
        tree,
        context,
        keep: request.overwrite == Overwrite::Never,
    };
    for part in &parts {
        if let Part::Database(one) = part {
            run.prove(one)?;
        }
    }
    let mut warnings = Vec::new();
    if without_globals {
        run.check_roles(&parts)?;
        warnings.push(format!(
            "`{GLOBALS}` was left out, which only a superuser restores: roles and tablespaces are \
             as they were"
        ));
    }
    Ok(Checked {
        run,
        parts,
        warnings,
    })
}

/// What is wrong with the server or what its user may do; gives the program that reads the archives.
fn check_server(
    client: &Client,
    facts: &Facts,
    description: &Described,
    parts: &[Part<'_>],
) -> Result<Tool, SourceError> {
    let what = || format!("restoring to {}", client.name());
    if facts.major() < description.major() {
        let (here, there) = (&facts.version, &description.version);
        let message = format!("the server ({here}) is older than the backup ({there})");
        return Err(SourceError::failed(what(), message));
    }
    for part in parts {
        let allowed = match part {
            Part::Globals => facts.superuser,
            Part::Database(_) => facts.creates_databases,
        };
        if !allowed {
            let message = match part {
                Part::Globals => format!("only a superuser restores `{GLOBALS}`; leave it out"),
                Part::Database(_) => {
                    "the user may not make databases: it lacks CREATEDB".to_owned()
                }
            };
            return Err(SourceError::failed(what(), message));
        }
        if let Part::Database(one) = part
            && matches!(one.name, "template0" | "template1")
        {
            let reason = format!("`{}` belongs to the server itself", one.name);
            return Err(SourceError::invalid("rename", reason));
        }
    }
    let archive = Version::parse(&description.tool).map_or(0, |it| it.major);
    client.tool("pg_restore", facts.major().max(archive))
}

/// A restore whose target is good.
struct Run<'a> {
    client: &'a Client,
    reader: Tool,
    tree: &'a dyn TreeReader,
    context: &'a Context,
    /// Leave what is there.
    keep: bool,
}

impl Run<'_> {
    /// Restores one database; gives its archive's length, or nothing if it is left alone.
    fn restore(&self, one: &Chosen<'_, Details>) -> Result<Option<u64>, SourceError> {
        let is_there = format!(
            "SELECT 1 FROM pg_database WHERE datname = {}",
            literal(one.name)
        );
        let is_there = !self.sql(one, &is_there)?.is_empty();
        if is_there && self.keep {
            return Ok(None);
        }
        let (new, old) = (beside(one.name, "new"), beside(one.name, "old"));
        // What an attempt left that was killed. The database itself never has these names.
        for left in [&new, &old] {
            self.sql(one, &drop_database(left))?;
        }
        self.sql(one, &one.from.details.create(&new))?;
        match self.fill(one, &new).and_then(|bytes| {
            self.put(one, &new, is_there.then_some(&old))?;
            Ok(bytes)
        }) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) => {
                // What went wrong first is what to tell; the next attempt drops it, too.
                let _dropped = self
                    .client
                    .lines(admin(one), &drop_database(&new), &Cancel::new());
                Err(error)
            }
        }
    }

    /// Has a stored archive read to its end, so that no database is replaced if another's is damaged.
    fn prove(&self, one: &Chosen<'_, Details>) -> Result<(), SourceError> {
        let mut program = self.client.program(&self.reader, COMMON)?;
        program.command.arg("--file=/dev/null");
        let what = format!("reading the archive of database `{}`", one.name);
        feed(program, &what, self.tree.open(&one.path)?, self.context).map(drop)
    }

    /// Fails if a role that something in the databases belongs to is not there.
    fn check_roles(&self, parts: &[Part<'_>]) -> Result<(), SourceError> {
        let missing = globals::missing_roles(self.client, self.tree, self.context)?;
        if missing.is_empty() {
            return Ok(());
        }
        let mut needed = BTreeSet::new();
        for part in parts {
            let Part::Database(one) = part else { continue };
            let list = self.list(one)?;
            // The owner stands at the end of a line.
            let owns = |role: &str| list.iter().any(|it| it.ends_with(&format!(" {role}")));
            let is_needed = |role: &&String| one.from.details.names(role) || owns(role);
            needed.extend(missing.iter().filter(is_needed).map(|it| identifier(it)));
        }
        if needed.is_empty() {
            return Ok(());
        }
        let needed = Vec::from_iter(needed).join(", ");
        let message = format!(
            "the server lacks the roles {needed}, to which something in the backup belongs; have a \
             superuser make them, or restore `{GLOBALS}`"
        );
        let what = format!("restoring to {}", self.client.name());
        Err(SourceError::failed(what, message))
    }

    /// An archive's table of contents, which it begins with.
    fn list(&self, one: &Chosen<'_, Details>) -> Result<Vec<String>, SourceError> {
        let what = format!("reading the archive of database `{}`", one.name);
        let failed = |error: io::Error| SourceError::failed(&what, error);
        let mut start = Vec::new();
        let mut dump = self.tree.open(&one.path)?.take(LARGEST_LIST);
        dump.read_to_end(&mut start).map_err(failed)?;
        let mut program = self.client.program(&self.reader, COMMON)?;
        program.command.arg("--list");
        let list = ask(program, &start, &self.context.cancel).map_err(failed)?;
        let list = String::from_utf8_lossy(&list);
        Ok(list.lines().map(str::to_owned).collect())
    }

    /// Restores the archive into the new database.
    fn fill(&self, one: &Chosen<'_, Details>, new: &str) -> Result<u64, SourceError> {
        let mut program = self.client.program(&self.reader, new)?;
        let name = new.replace('\\', "\\\\").replace('\'', "\\'");
        program
            .command
            .args(["--single-transaction", "--exit-on-error", "--no-password"])
            .arg(format!("--dbname=dbname='{name}'"));
        let what = format!("restoring database `{}`", one.name);
        let dump = self.tree.open(&one.path)?;
        let bytes = feed(program, &what, dump, self.context)?;
        self.sql(one, &one.from.details.finish(new))?;
        Ok(bytes)
    }

    /// Gives the new database its name, and drops the one that had it.
    fn put(
        &self,
        one: &Chosen<'_, Details>,
        new: &str,
        old: Option<&String>,
    ) -> Result<(), SourceError> {
        let [name, new] = [one.name, new].map(identifier);
        let rename = format!("ALTER DATABASE {new} RENAME TO {name};");
        let Some(old) = old else {
            return self.sql(one, &rename).map(drop);
        };
        let quoted = identifier(old);
        // Nobody gets in any more, and those who are in are sent out; then both names change at
        // once.
        let swap = format!(
            "ALTER DATABASE {name} ALLOW_CONNECTIONS false;\n\
             SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
               WHERE datname = {} AND pid <> pg_backend_pid();\n\
             BEGIN;\nALTER DATABASE {name} RENAME TO {quoted};\n{rename}\nCOMMIT;",
            literal(one.name)
        );
        if let Err(error) = self.sql(one, &swap) {
            let open = format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true");
            // What went wrong first is what to tell.
            let _opened = self.client.lines(admin(one), &open, &Cancel::new());
            return Err(error);
        }
        self.sql(one, &drop_database(old)).map(drop)
    }

    fn sql(&self, one: &Chosen<'_, Details>, sql: &str) -> Result<Vec<String>, SourceError> {
        self.client.lines(admin(one), sql, &self.context.cancel)
    }
}

/// The database from which another is replaced.
fn admin(one: &Chosen<'_, Details>) -> &'static str {
    if one.name == COMMON { OTHER } else { COMMON }
}

/// A name beside that of a database. The same for each attempt, so that the next one finds what
/// the last one left.
fn beside(name: &str, which: &str) -> String {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    format!("strongroom_{which}_{:016x}", hasher.finish())
}

fn drop_database(name: &str) -> String {
    format!("DROP DATABASE IF EXISTS {};", identifier(name))
}
