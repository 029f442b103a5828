//! Brings databases back from their archives.
//!
//! A database is restored beside the one it replaces, in one transaction, and takes its name only
//! when all of it is there: whatever fails, the old one is as it was.

use std::hash::{DefaultHasher, Hash, Hasher};

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
    process::feed,
    tools::{Tool, Version},
};

/// The longest name that a database may have, in bytes.
const LONGEST: usize = 63;
/// Where to do what cannot be done from within the database it is done to.
const OTHER: &str = "template1";

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
    if description.mode == Mode::Physical {
        let reason = "a physical backup is restored into a directory";
        return Err(SourceError::invalid("target", reason));
    }
    let globals = entry_path(GLOBALS)?;
    let mut parts = Vec::new();
    if request.include.is_empty() || request.include.matches(&globals) {
        // Roles come first: the databases' objects belong to them.
        parts.push(Part::Globals);
    }
    let databases = chosen(&description, request, SUFFIX, LONGEST)?;
    let needed = databases.iter().filter_map(|it| it.from.size_bytes).sum();
    parts.extend(databases.into_iter().map(Part::Database));
    if parts.is_empty() {
        let reason = "names no database of the backup";
        return Err(SourceError::invalid("include", reason));
    }
    let facts = client.facts(&context.cancel)?;
    let reader = check(client, &facts, &description, &parts)?;
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
    let path = |part: &Part<'_>| match part {
        Part::Globals => globals.clone(),
        Part::Database(one) => one.path.clone(),
    };
    restore_each(parts, path, |part| match part {
        Part::Globals => globals::restore(client, tree, context).map(Some),
        Part::Database(one) => run.restore(one),
    })
}

/// Everything that can be known to be wrong beforehand; gives the program that reads the archives.
fn check(
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
