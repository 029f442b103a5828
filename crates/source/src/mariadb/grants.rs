//! What a user may do, read from `SHOW GRANTS`.
//!
//! The dump program leaves out what its user may not see (triggers, routines) without a word; so
//! it must be known beforehand that nothing is hidden.

/// The privileges of a user and of its active roles.
#[derive(Debug, Default)]
pub(super) struct Grants {
    given: Vec<Grant>,
    /// What MySQL takes back for a database of what it gave for all.
    revoked: Vec<Grant>,
}

#[derive(Debug)]
struct Grant {
    privileges: Vec<String>,
    /// A pattern with `%`, `_` and `\`; `*` for all databases.
    database: String,
    /// `*` for all tables.
    table: String,
}

impl Grants {
    pub(super) fn parse(lines: &[String]) -> Self {
        let all = |verb, link| lines.iter().filter_map(move |it| grant(it, verb, link));
        Self {
            given: all("GRANT ", " TO ").collect(),
            revoked: all("REVOKE ", " FROM ").collect(),
        }
    }

    /// Whether something may be done to all of a database.
    pub(super) fn has(&self, privilege: &str, database: &str) -> bool {
        self.has_on(privilege, database, "*")
    }

    /// Whether something may be done to a table.
    pub(super) fn has_on(&self, privilege: &str, database: &str, table: &str) -> bool {
        let about = |it: &Grant| {
            it.gives(privilege)
                && (it.table == "*" || it.table == table)
                && (it.database == "*" || like(it.database.as_bytes(), database.as_bytes()))
        };
        let revoked = self.revoked.iter().any(about);
        // What is taken back is what was given for all databases.
        let counts = |it: &&Grant| !revoked || it.database != "*";
        self.given.iter().filter(counts).any(about)
    }

    /// The privilege that is missing to see the routines of others on a server of that kind. MySQL 8
    /// has no table of them that could be read.
    pub(super) fn missing_for_routines(&self, product: &str) -> Option<&'static str> {
        if self.has_on("SELECT", "mysql", "proc") {
            return None;
        }
        match product {
            "MySQL" if self.has_everywhere("SHOW_ROUTINE") || self.has_everywhere("SELECT") => None,
            "MySQL" => Some("SHOW_ROUTINE ON *.*"),
            _ => Some("SELECT on `mysql`.`proc`"),
        }
    }

    /// Whether something may be done to the whole server.
    pub(super) fn has_everywhere(&self, privilege: &str) -> bool {
        let gives = |it: &Grant| it.gives(privilege);
        let mut given = self.given.iter().filter(|it| it.database == "*");
        given.any(gives) && !self.revoked.iter().any(gives)
    }

    /// Those of the privileges that are missing on a database.
    pub(super) fn missing<'a>(&self, wanted: &[&'a str], database: &str) -> Vec<&'a str> {
        let missing = wanted.iter().filter(|it| !self.has(it, database));
        missing.copied().collect()
    }
}

impl Grant {
    fn gives(&self, privilege: &str) -> bool {
        let mut own = self.privileges.iter();
        own.any(|it| it == privilege || it == "ALL PRIVILEGES")
    }
}

/// Reads `GRANT a, b ON target TO somebody`, or what was taken back; nothing if it is another grant
/// (of a role, a routine). MySQL writes what its plugins know as `A,B`.
fn grant(line: &str, verb: &str, link: &str) -> Option<Grant> {
    let (privileges, rest) = line.strip_prefix(verb)?.split_once(" ON ")?;
    let privileges = privileges.split(',').map(|it| it.trim().to_owned());
    let privileges = privileges.collect();
    let (database, rest) = name(rest)?;
    let (table, rest) = name(rest.strip_prefix('.')?)?;
    rest.starts_with(link).then_some(Grant {
        privileges,
        database,
        table,
    })
}

/// A quoted name or `*` at the start of a text, and what follows.
fn name(text: &str) -> Option<(String, &str)> {
    if let Some(rest) = text.strip_prefix('*') {
        return Some(("*".to_owned(), rest));
    }
    let mut found = String::new();
    let mut rest = text.strip_prefix('`')?;
    loop {
        let (part, after) = rest.split_once('`')?;
        found.push_str(part);
        match after.strip_prefix('`') {
            Some(more) => {
                found.push('`');
                rest = more;
            }
            None => return Some((found, after)),
        }
    }
}

/// Whether a pattern of `LIKE` matches; as databases' names are compared in grants.
fn like(pattern: &[u8], text: &[u8]) -> bool {
    match pattern {
        [] => text.is_empty(),
        [b'%', rest @ ..] => (0..=text.len()).any(|at| like(rest, &text[at..])),
        [b'\\', c, rest @ ..] => text
            .split_first()
            .is_some_and(|(t, more)| t == c && like(rest, more)),
        [c, rest @ ..] => text
            .split_first()
            .is_some_and(|(t, more)| (*c == b'_' || t == c) && like(rest, more)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grants(lines: &[&str]) -> Grants {
        Grants::parse(&lines.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn grants_on_patterns_and_tables_reach_no_further() {
        let grants = grants(&[
            "GRANT USAGE ON *.* TO `bk`@`localhost` IDENTIFIED BY PASSWORD '*76'",
            r"GRANT SELECT, SHOW VIEW ON `shop\_%`.* TO `bk`@`localhost`",
            "GRANT SELECT ON `mysql`.`proc` TO `bk`@`localhost`",
            "GRANT EXECUTE ON PROCEDURE `a`.`b` TO `bk`@`localhost`",
            "GRANT `some role` TO `bk`@`localhost`",
            "GRANT TRIGGER ON `odd``na.me`.* TO `some role`",
        ]);
        assert!(grants.has("SHOW VIEW", "shop_a"));
        assert!(!grants.has("SELECT", "shopxa"));
        assert!(grants.has_on("SELECT", "mysql", "proc"));
        assert!(!grants.has("SELECT", "mysql"));
        assert!(grants.has("TRIGGER", "odd`na.me"));
        assert!(!grants.has_everywhere("SELECT"));
        assert_eq!(grants.missing(&["SELECT", "EVENT"], "shop_a"), ["EVENT"]);
    }

    #[test]
    fn routines_are_seen_with_what_each_server_has_for_it() {
        let few = grants(&["GRANT SELECT, SHOW VIEW ON `shop`.* TO `bk`@`localhost`"]);
        let (mariadb, mysql) = ("SELECT on `mysql`.`proc`", "SHOW_ROUTINE ON *.*");
        assert_eq!(few.missing_for_routines("MariaDB"), Some(mariadb));
        assert_eq!(few.missing_for_routines("MySQL"), Some(mysql));
        let proc = grants(&["GRANT SELECT ON `mysql`.`proc` TO `bk`@`localhost`"]);
        assert_eq!(proc.missing_for_routines("MariaDB"), None);
        let show = grants(&["GRANT SHOW_ROUTINE ON *.* TO `bk`@`localhost`"]);
        assert_eq!(show.missing_for_routines("MySQL"), None);
        assert_eq!(show.missing_for_routines("MariaDB"), Some(mariadb));
    }

    #[test]
    fn what_mysql_lists_without_blanks_or_takes_back_is_understood() {
        let grants = grants(&[
            "GRANT SELECT, TRIGGER ON *.* TO `bk`@`%`",
            "GRANT BACKUP_ADMIN,SET_ANY_DEFINER,SHOW_ROUTINE ON *.* TO `bk`@`%`",
            "REVOKE SELECT ON `secret`.* FROM `bk`@`%`",
        ]);
        assert!(grants.has_everywhere("SHOW_ROUTINE") && grants.has_everywhere("TRIGGER"));
        assert!(!grants.has_everywhere("SELECT"));
        assert!(grants.has("SELECT", "shop") && grants.has("TRIGGER", "secret"));
        assert!(!grants.has("SELECT", "secret"));
    }

    #[test]
    fn all_privileges_are_each_of_them() {
        let grants =
            grants(&["GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` WITH GRANT OPTION"]);
        assert!(grants.has_everywhere("SET USER"));
        assert!(grants.has_on("SELECT", "mysql", "proc"));
    }
}
