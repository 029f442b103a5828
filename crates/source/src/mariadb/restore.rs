//! Brings databases back from their dumps.
//!
//! All that can be known to be wrong is found before anything is overwritten: the server, its
//! version, the user's privileges, the room on its disk, and for each database that its stored
//! dump can be read to its end. What the user may make for whom is found by making it (`makers`).
//! Then the database is dropped and made anew from the dump; if that fails, what is half restored
//! is removed. A restore under a new name touches nothing else.

use std::io::{BufRead, BufReader, Read};

use strongroom_domain::tree::{Context, EntryPath, Overwrite, RestoreReport, TreeReader};

use super::{
    Described, Details, SUFFIX, SYSTEM, TRAILER,
    client::{Client, Facts, identifier, literal},
    grants::Grants,
    list,
    makers::{Makers, is_final},
};
use crate::{
    RestoreRequest, SourceError,
    database::{Mode, check_room},
    dumps::{Chosen, Listed, chosen, restore_each},
    process::Watch,
    trailer::Trailer,
};

/// What it takes to make a database and all that a dump may hold.
const WANTED: [&str; 13] = [
    "ALTER",
    "ALTER ROUTINE",
    "CREATE",
    "CREATE ROUTINE",
    "CREATE VIEW",
    "DROP",
    "EVENT",
    "INDEX",
    "INSERT",
    "LOCK TABLES",
    "REFERENCES",
    "SELECT",
    "TRIGGER",
];
/// The longest name that a database may have, in bytes that any name of 64 characters fits.
const LONGEST: usize = 64;
/// How much of a statement an error shows.
const SHOWN: usize = 100;

pub(super) fn restore(
    client: &Client,
    request: &RestoreRequest,
    tree: &dyn TreeReader,
    context: &Context,
) -> Result<RestoreReport, SourceError> {
    let description = Described::stored(tree)?;
    let Checked { run, parts } = check(client, &description, request, tree, context)?;
    restore_each(
        parts,
        |part| part.one.path.clone(),
        |part| match &part.makers {
            None => Ok(None),
            Some(makers) => run.restore(part, makers).map(Some),
        },
    )
}

/// A restore that nothing is known to be in the way of.
pub(super) struct Checked<'a> {
    run: Run<'a>,
    parts: Vec<Part<'a>>,
}

/// What becomes of one database.
struct Part<'a> {
    one: Chosen<'a, Details>,
    /// Whether the server has one of that name.
    is_there: bool,
    /// Nothing if that one stays.
    makers: Option<Makers>,
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
    let chosen = chosen(description, request, SUFFIX, LONGEST)?;
    if chosen.is_empty() {
        let reason = "names no database of the backup";
        return Err(SourceError::invalid("include", reason));
    }
    let facts = client.facts(&context.cancel)?;
    let grants = client.grants(&context.cancel)?;
    let there: Vec<Listed<Details>> = client.rows(&list(), &context.cancel)?;
    check_server(client, &facts, description)?;
    for one in &chosen {
        check_database(client, &grants, one)?;
    }
    check_room(facts.datadir.as_ref(), needed(&chosen, &there))?;
    let run = Run {
        client,
        facts,
        tree,
        context,
    };
    let mut parts = Vec::new();
    for one in chosen {
        let is_there = there.iter().any(|it| it.name == one.name);
        let stays = is_there && request.overwrite == Overwrite::Never;
        let makers = (!stays).then(|| run.prove(&one.path, one.name));
        parts.push(Part {
            makers: makers.transpose()?,
            one,
            is_there,
        });
    }
    for (at, part) in parts.iter().enumerate() {
        if let (Some(makers), true) = (&part.makers, part.is_there) {
            run.try_out(part.one.name, makers)?;
            // Those that come later are too late for it.
            let comes = |name: &str| parts[..=at].iter().any(|it| it.one.name == name);
            run.try_views(part.one.name, makers, comes)?;
        }
    }
    Ok(Checked { run, parts })
}

fn check_server(
    client: &Client,
    facts: &Facts,
    description: &Described,
) -> Result<(), SourceError> {
    let fail = |message| {
        Err(SourceError::failed(
            format!("restoring to {}", client.name()),
            message,
        ))
    };
    if facts.product() != description.product {
        let (here, there) = (facts.product(), &description.product);
        return fail(format!("the server is {here}, the backup is of {there}"));
    }
    if facts.series() < description.series() {
        let (here, there) = (&facts.version, &description.version);
        return fail(format!(
            "the server ({here}) is older than the backup ({there})"
        ));
    }
    Ok(())
}

fn check_database(
    client: &Client,
    grants: &Grants,
    one: &Chosen<'_, Details>,
) -> Result<(), SourceError> {
    if SYSTEM.contains(&one.name.to_lowercase().as_str()) {
        let reason = format!("`{}` belongs to the server itself", one.name);
        return Err(SourceError::invalid("rename", reason));
    }
    match grants.missing(&WANTED, one.name).join(", ") {
        none if none.is_empty() => Ok(()),
        missing => {
            let message = format!("the user lacks {missing} on database `{}`", one.name);
            let what = format!("restoring to {}", client.name());
            Err(SourceError::failed(what, message))
        }
    }
}

/// The bytes that come on top of what is replaced.
fn needed(chosen: &[Chosen<'_, Details>], there: &[Listed<Details>]) -> u64 {
    let sum = |sizes: &mut dyn Iterator<Item = Option<u64>>| sizes.flatten().sum::<u64>();
    let new = sum(&mut chosen.iter().map(|it| it.from.size_bytes));
    let replaced = there
        .iter()
        .filter(|it| chosen.iter().any(|one| one.name == it.name));
    new.saturating_sub(sum(&mut replaced.map(|it| it.size_bytes)))
}

/// A restore whose target is good.
struct Run<'a> {
    client: &'a Client,
    facts: Facts,
    tree: &'a dyn TreeReader,
    context: &'a Context,
}

impl Run<'_> {
    /// Makes one database anew; gives the length of its dump.
    fn restore(&self, part: &Part<'_>, makers: &Makers) -> Result<u64, SourceError> {
        let one = &part.one;
        let name = identifier(one.name);
        let (charset, collation) = (&one.from.details.character_set, &one.from.details.collation);
        let properties = format!(
            "CHARACTER SET {} COLLATE {}",
            literal(charset),
            literal(collation)
        );
        let make = match self.facts.product() {
            // Refuses properties that the server does not know before it drops anything.
            "MariaDB" => format!("CREATE OR REPLACE DATABASE {name} {properties}"),
            _ => format!("DROP DATABASE IF EXISTS {name}; CREATE DATABASE {name} {properties}"),
        };
        // Whoever uses the old database may not hold the restore up for a day.
        let make = format!("SET SESSION lock_wait_timeout = 60; {make}");
        self.client.lines(&make, &self.context.cancel)?;
        // In one that was replaced it was tried out before.
        if !part.is_there {
            let tried = self.try_out(one.name, makers);
            tried.map_err(|error| self.undo(one.name, error, None))?;
        }
        let dump = self.tree.open(&one.path)?;
        let loaded = self.client.load(one.name, dump, self.context);
        loaded.map_err(|error| self.undo(one.name, error, Some(&one.path)))
    }

    /// Fails unless the user may make in a database what a dump makes there.
    fn try_out(&self, name: &str, makers: &Makers) -> Result<(), SourceError> {
        let tried = self.client.lines(&makers.trial(name), &self.context.cancel);
        match tried {
            Err(SourceError::Failed { message, .. }) => {
                let what = format!("making for database `{name}` what its dump has");
                Err(SourceError::failed(what, makers.refusal(&message)))
            }
            other => other.map(drop),
        }
    }

    /// Fails if the user may not make a dump's views, which the database it is tried out in is going
    /// to be dropped for.
    fn try_views(
        &self,
        name: &str,
        makers: &Makers,
        comes: impl Fn(&str) -> bool,
    ) -> Result<(), SourceError> {
        for view in &makers.views {
            let (trial, cancel) = (view.trial(), &self.context.cancel);
            match self.client.lines_in(Some(name), &trial, cancel) {
                Err(SourceError::Failed { message, .. }) if is_final(&message, &comes) => {
                    let what = format!("making view {} of database `{name}`", view.name);
                    return Err(SourceError::failed(what, message));
                }
                // The tables it is over may be of another form than in the dump.
                Ok(_) | Err(SourceError::Failed { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads a stored dump to its end, so that nothing is dropped for one that is damaged; gives
    /// whom it makes things for.
    fn prove(&self, path: &EntryPath, name: &str) -> Result<Makers, SourceError> {
        let what = || format!("reading the dump for database `{name}`");
        let mut dump = BufReader::with_capacity(1 << 20, self.tree.open(path)?);
        let mut trailer = Trailer::new(TRAILER);
        let mut makers = Makers::default();
        loop {
            if self.context.cancel.is_cancelled() {
                return Err(SourceError::Cancelled);
            }
            let bytes = dump.fill_buf();
            let bytes = bytes.map_err(|error| SourceError::failed(what(), error))?;
            if bytes.is_empty() {
                break;
            }
            let length = bytes.len();
            trailer
                .see(bytes)
                .map_err(|error| SourceError::failed(what(), error))?;
            makers.see(bytes);
            dump.consume(length);
        }
        trailer
            .check()
            .map_err(|error| SourceError::failed(what(), error))?;
        Ok(makers)
    }

    /// Removes what is half restored; the error then names the statement of the dump that failed.
    fn undo(&self, name: &str, error: SourceError, dump: Option<&EntryPath>) -> SourceError {
        let drop = format!(
            "SET SESSION lock_wait_timeout = 60; DROP DATABASE IF EXISTS {}",
            identifier(name)
        );
        // Also after a cancellation, and without being cancelled itself.
        let dropped = self
            .client
            .lines(&drop, &strongroom_domain::tree::Cancel::new());
        let SourceError::Failed { what, message } = error else {
            return error;
        };
        let statement = dump.zip(line_number(&message));
        let statement = statement.and_then(|(dump, at)| self.statement(dump, at));
        let statement =
            statement.map_or_else(String::new, |it| format!("; the statement is `{it}`"));
        let left = match dropped {
            Ok(_) => "what was restored of it was removed",
            Err(_) => "what was restored of it could not be removed",
        };
        SourceError::failed(what, format!("{message}{statement}; {left}"))
    }

    /// The start of what stands on a line of a dump.
    fn statement(&self, path: &EntryPath, line: usize) -> Option<String> {
        let mut dump = BufReader::new(self.tree.open(path).ok()?);
        for _ in 1..line {
            dump.skip_until(b'\n').ok()?;
        }
        let mut start = Vec::new();
        dump.take(SHOWN as u64).read_until(b'\n', &mut start).ok()?;
        Some(String::from_utf8_lossy(&start).trim().to_owned())
    }
}

/// The number in `ERROR 1064 (42000) at line 12: …`.
fn line_number(message: &str) -> Option<usize> {
    let (_, rest) = message.split_once(" at line ")?;
    rest.split(':').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_an_error_is_found() {
        let message = "`mariadb` exited with 1: ERROR 1064 (42000) at line 12: syntax";
        assert_eq!(line_number(message), Some(12));
        assert_eq!(line_number("ERROR 2013"), None);
    }
}
