//! What belongs to no database: roles, their settings and memberships, tablespaces.

use std::{collections::BTreeSet, io::Read};

use strongroom_domain::tree::{Context, TreeReader};

use super::client::{COMMON, Client, Facts};
use crate::{
    SourceError,
    dumps::{GLOBALS, entry_path},
    process::{Program, feed},
};

/// The last words of a whole dump.
pub(super) const TRAILER: &str = "-- PostgreSQL database cluster dump complete";
/// No dump of roles is larger.
const LARGEST: u64 = 256 << 20;

/// The program that dumps them; without the roles' passwords if the user may not read those.
pub(super) fn dump(client: &Client, facts: &Facts) -> Result<Program, SourceError> {
    let tool = client.tool("pg_dumpall", facts.major())?;
    let mut program = client.program(&tool, COMMON)?;
    program.command.args(["--globals-only", "--no-password"]);
    if !facts.sees_passwords {
        program.command.arg("--no-role-passwords");
    }
    Ok(program)
}

/// Makes what the server does not have yet. Roles that it has stay as they are.
pub(super) fn restore(
    client: &Client,
    tree: &dyn TreeReader,
    context: &Context,
) -> Result<u64, SourceError> {
    let dump = read(tree)?;
    let new = There::ask(client, context)?.without(&dump);
    let what = format!("restoring `{GLOBALS}`");
    feed(client.client(COMMON)?, &what, new.as_bytes(), context)
}

/// The roles that were backed up and are not there.
pub(super) fn missing_roles(
    client: &Client,
    tree: &dyn TreeReader,
    context: &Context,
) -> Result<Vec<String>, SourceError> {
    let dump = read(tree)?;
    Ok(There::ask(client, context)?.missing_roles(&dump))
}

fn read(tree: &dyn TreeReader) -> Result<String, SourceError> {
    let what = format!("reading `{GLOBALS}`");
    let mut dump = String::new();
    let file = tree.open(&entry_path(GLOBALS)?)?;
    file.take(LARGEST)
        .read_to_string(&mut dump)
        .map_err(|error| SourceError::failed(&what, error))?;
    if !dump.contains(TRAILER) {
        return Err(SourceError::failed(what, "the dump is cut off"));
    }
    Ok(dump)
}

/// What a server has, each name as statements quote it.
struct There {
    roles: BTreeSet<String>,
    tablespaces: BTreeSet<String>,
}

impl There {
    fn ask(client: &Client, context: &Context) -> Result<Self, SourceError> {
        let names = |sql: &str| -> Result<BTreeSet<String>, SourceError> {
            let lines = client.lines(COMMON, sql, &context.cancel)?;
            Ok(lines.into_iter().collect())
        };
        Ok(Self {
            roles: names("SELECT quote_ident(rolname) FROM pg_roles")?,
            tablespaces: names("SELECT quote_ident(spcname) FROM pg_tablespace")?,
        })
    }

    /// Those that a dump makes and that are not there, without quotes.
    fn missing_roles(&self, dump: &str) -> Vec<String> {
        let made = dump
            .lines()
            .filter_map(|it| it.strip_prefix("CREATE ROLE "));
        let missing = made.map(first_name).filter(|it| !self.roles.contains(*it));
        let plain = |name: &str| match name.strip_prefix('"').and_then(|it| it.strip_suffix('"')) {
            Some(quoted) => quoted.replace("\"\"", "\""),
            None => name.to_owned(),
        };
        missing.map(plain).collect()
    }

    /// The statements of a dump but for those that make or change what is there.
    fn without(&self, dump: &str) -> String {
        let kept = dump.split_inclusive('\n').filter(|line| {
            let of = |start: &str, names: &BTreeSet<String>| {
                line.strip_prefix(start)
                    .is_some_and(|rest| names.contains(first_name(rest)))
            };
            !(of("CREATE ROLE ", &self.roles)
                || of("ALTER ROLE ", &self.roles)
                || of("COMMENT ON ROLE ", &self.roles)
                || of("CREATE TABLESPACE ", &self.tablespaces))
        });
        kept.collect()
    }
}

/// The name that a text begins with, with its quotes if it has any.
fn first_name(text: &str) -> &str {
    let end = match text.strip_prefix('"') {
        None => text.find([' ', ';', '\n']).unwrap_or(text.len()),
        Some(quoted) => {
            let mut at = 0;
            loop {
                let Some(next) = quoted[at..].find('"') else {
                    return text;
                };
                at += next + 1;
                if !quoted[at..].starts_with('"') {
                    break at + 1;
                }
                at += 1;
            }
        }
    };
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_neither_made_nor_changed() {
        let names = |all: &[&str]| all.iter().map(|it| (*it).to_owned()).collect();
        let there = There {
            roles: names(&["postgres", "\"Odd \"\"one\"\"\""]),
            tablespaces: names(&["fast"]),
        };
        let dump = "CREATE ROLE postgres;\nALTER ROLE postgres WITH SUPERUSER;\n\
                    CREATE ROLE postgres2;\nALTER ROLE \"Odd \"\"one\"\"\" SET x TO 'y';\n\
                    CREATE ROLE \"Odd\";\nCREATE TABLESPACE fast OWNER a LOCATION '/x';\n\
                    GRANT postgres2 TO postgres;\n";
        let kept = "CREATE ROLE postgres2;\nCREATE ROLE \"Odd\";\nGRANT postgres2 TO postgres;\n";
        assert_eq!(there.without(dump), kept);
        let dump = "CREATE ROLE \"a \"\"b\"\"\";\nCREATE ROLE postgres;\nCREATE ROLE c;\n";
        assert_eq!(there.missing_roles(dump), ["a \"b\"", "c"]);
    }
}
