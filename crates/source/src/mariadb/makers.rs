//! What a dump makes, and for whom.
//!
//! Views, routines, events and triggers run as their definer. Whether a user may make them for
//! another, for one who is not there, for one with more privileges, and functions at all while the
//! server keeps a binary log, are privileges that each server and version calls otherwise. A view
//! may be over another database, of which its user must see something. So it is tried out in the
//! database that is about to be replaced, or in the new one before it is filled.

use std::collections::BTreeSet;

use super::client::identifier;

/// What of the start of a line is looked at.
const START: usize = 512;
/// What a line with the text of a view begins with.
const VIEW: &[u8] = b"/*!50001 VIEW `";
/// No view that is tried out is longer.
const LONGEST: usize = 64 << 10;
/// No dump needs more; beyond that the restore itself finds out.
const MOST: usize = 1000;
/// What is made and dropped again.
const TRIAL: &str = "strongroom_trial";

/// The definers and views in a dump that goes by.
#[derive(Debug, Default)]
pub(super) struct Makers {
    /// The start of the line that goes by.
    line: Vec<u8>,
    /// Accounts as statements quote them.
    definers: BTreeSet<String>,
    /// Whether there are functions or triggers.
    has_code: bool,
    /// What makes the views, in their order.
    pub(super) views: Vec<View>,
}

/// A view in a dump.
#[derive(Debug)]
pub(super) struct View {
    /// As statements quote it.
    pub(super) name: String,
    /// What follows its name.
    text: String,
}

impl View {
    fn parse(line: &[u8]) -> Option<Self> {
        let line = str::from_utf8(line).ok()?;
        // Cut off if the end of the line is not there.
        let line = line.strip_suffix('\n')?.trim_end();
        let line = line.strip_suffix(';').unwrap_or(line);
        let line = line.strip_suffix("*/").unwrap_or(line);
        let rest = &line[VIEW.len() - 1..];
        let (name, text) = rest.split_at(quoted(rest)?);
        Some(Self {
            name: name.to_owned(),
            text: text.to_owned(),
        })
    }

    /// Statements that make it under another name in the database they run in, and drop it again.
    pub(super) fn trial(&self) -> String {
        let text = &self.text;
        format!(
            "SET SESSION lock_wait_timeout = 60;\n\
             CREATE OR REPLACE VIEW {TRIAL}{text};\nDROP VIEW {TRIAL};\n"
        )
    }
}

/// Whether the server's refusal of a view will be the same in the restore. The database that it was
/// tried out in may lack the tables that the restore brings, but not those of others; `comes` says
/// which databases will be there.
pub(super) fn is_final(message: &str, comes: impl Fn(&str) -> bool) -> bool {
    let code = message.strip_prefix("ERROR ");
    match code.and_then(|it| it.split(' ').next()) {
        // A database, a table, a column, a function that it may not use; another privilege.
        Some("1044" | "1142" | "1143" | "1370" | "1227") => true,
        // No such database, no such table: `'a'`, `'a.b'`.
        Some("1049" | "1146") => {
            let name = message.split('\'').nth(1).unwrap_or_default();
            !comes(name.split('.').next().unwrap_or_default())
        }
        _ => false,
    }
}

impl Makers {
    /// The next piece of the dump.
    pub(super) fn see(&mut self, bytes: &[u8]) {
        for part in bytes.split_inclusive(|it| *it == b'\n') {
            self.keep(part);
            if part.ends_with(b"\n") {
                self.look();
                self.line.clear();
            }
        }
    }

    /// Keeps as much of a line as is looked at.
    fn keep(&mut self, mut part: &[u8]) {
        while !part.is_empty() {
            let is_view = self.line.starts_with(VIEW);
            let room = if is_view { LONGEST } else { START } - self.line.len();
            let (now, later) = part.split_at(room.min(part.len()));
            if now.is_empty() {
                return;
            }
            self.line.extend_from_slice(now);
            part = later;
        }
    }

    /// Data cannot be taken for a definer: no line of it begins like that.
    fn look(&mut self) {
        if self.line.starts_with(VIEW) {
            let view = View::parse(&self.line).filter(|_| self.views.len() < MOST);
            self.views.extend(view);
        }
        if !self.line.starts_with(b"CREATE DEFINER=") && !self.line.starts_with(b"/*!") {
            return;
        }
        let line = String::from_utf8_lossy(&self.line);
        let Some((_, rest)) = line.split_once("DEFINER=") else {
            return;
        };
        let Some(length) = account(rest) else {
            return;
        };
        let (account, rest) = rest.split_at(length);
        // MariaDB keeps a trigger's text as it was written: in any case, the name in quotes or not.
        let mut code = ["FUNCTION", "AGGREGATE", "TRIGGER"].iter();
        let kind = kind(rest);
        self.has_code |= code.any(|it| it.eq_ignore_ascii_case(kind));
        if self.definers.len() < MOST {
            self.definers.insert(account.to_owned());
        }
    }

    /// Statements that make in a database what the dump makes, and drop it again.
    pub(super) fn trial(&self, database: &str) -> String {
        let name = format!("{}.{TRIAL}", identifier(database));
        let mut sql = vec!["SET SESSION lock_wait_timeout = 60;\n".to_owned()];
        sql.extend(self.definers.iter().map(|definer| {
            format!(
                "CREATE OR REPLACE DEFINER={definer} VIEW {name} AS SELECT 1;\nDROP VIEW {name};\n"
            )
        }));
        if self.has_code {
            sql.push(format!(
                "DROP FUNCTION IF EXISTS {name};\n\
                 CREATE FUNCTION {name}() RETURNS INT DETERMINISTIC RETURN 1;\n\
                 DROP FUNCTION {name};\n"
            ));
        }
        sql.concat()
    }

    /// What the server's refusal of a trial is about.
    pub(super) fn refusal(&self, message: &str) -> String {
        // Two statements for each, after the first line.
        let line = message.split_once(" at line ").map(|(_, rest)| rest);
        let line: Option<usize> = line.and_then(|it| it.split(':').next()?.parse().ok());
        let at = line.and_then(|it| it.checked_sub(2));
        match at.and_then(|it| self.definers.iter().nth(it / 2)) {
            Some(definer) => format!("the user may not make things for {definer}: {message}"),
            None => format!("the user may not make functions or triggers: {message}"),
        }
    }
}

/// The length of `\`user\`@\`host\`` or `\`role\`` at the start of a text.
fn account(text: &str) -> Option<usize> {
    let user = quoted(text)?;
    match text[user..].strip_prefix('@') {
        Some(host) => Some(user + 1 + quoted(host)?),
        None => Some(user),
    }
}

/// The word that says what is made, past the marks of the comments that hide it from old servers.
fn kind(text: &str) -> &str {
    let mut words = text.split_whitespace();
    let word = words.find(|it| *it != "*/" && !it.starts_with("/*!"));
    let word = word.unwrap_or_default();
    let end = word.find(|it: char| !it.is_ascii_alphabetic());
    &word[..end.unwrap_or(word.len())]
}

/// The length of a quoted name at the start of a text.
fn quoted(text: &str) -> Option<usize> {
    let mut at = text.strip_prefix('`').map(|_| 1)?;
    loop {
        at += text[at..].find('`')? + 1;
        if !text[at..].starts_with('`') {
            return Some(at);
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DUMP: &str = "INSERT INTO t VALUES ('CREATE DEFINER=`no`@`no` FUNCTION `f`');\n\
        /*!50013 DEFINER=`root`@`localhost` SQL SECURITY INVOKER */\n\
        /*!50003 CREATE*/ /*!50017 DEFINER=`o``dd`@`%`*/ /*!50003 TRIGGER `t` BEFORE */;;\n\
        CREATE DEFINER=`root`@`localhost` PROCEDURE `p`()\n";

    #[test]
    fn definers_are_found_across_pieces_and_not_in_data() {
        for size in [1, 7, 4096] {
            let mut makers = Makers::default();
            for piece in DUMP.as_bytes().chunks(size) {
                makers.see(piece);
            }
            let definers = Vec::from_iter(&makers.definers);
            assert_eq!(definers, ["`o``dd`@`%`", "`root`@`localhost`"]);
            assert!(makers.has_code);
        }
        for (rest, expected) in [
            ("*/ /*!50003 TRIGGER tr BEFORE", "TRIGGER"),
            ("*/ /*!50003 trigger/**/tr", "trigger"),
            (" AGGREGATE FUNCTION `f`(", "AGGREGATE"),
            (" SQL SECURITY DEFINER */", "SQL"),
            ("*/", ""),
        ] {
            assert_eq!(kind(rest), expected, "{rest}");
        }
        let mut plain = Makers::default();
        plain.see(b"-- DEFINER=`x`@`y`\nCREATE DEFINER=`x`@`y\n");
        assert!(plain.definers.is_empty() && !plain.has_code);
    }

    #[test]
    fn a_role_that_makes_a_trigger_without_quotes_is_found() {
        let mut makers = Makers::default();
        makers.see(b"/*!50003 CREATE*/ /*!50017 DEFINER=`keeper`*/ /*!50003 trigger\n");
        assert_eq!(Vec::from_iter(&makers.definers), ["`keeper`"]);
        assert!(makers.has_code);
    }

    #[test]
    fn views_are_found_whole_or_not_at_all() {
        let long = "x".repeat(LONGEST);
        let dump = format!(
            "/*!50001 VIEW `o``dd` AS select '{}' AS `a` */;\n\
             /*!50001 VIEW `long` AS select '{long}' AS `a` */;\n\
             /*!50001 VIEW `b` (`c`) AS select 1 AS `c`*/\n\
             /*!50002 WITH CASCADED CHECK OPTION */;\n",
            "y".repeat(START)
        );
        for size in [1, 700, 1 << 20] {
            let mut makers = Makers::default();
            for piece in dump.as_bytes().chunks(size) {
                makers.see(piece);
            }
            let names: Vec<_> = makers.views.iter().map(|it| &*it.name).collect();
            assert_eq!(names, ["`o``dd`", "`b`"]);
            let trial = makers.views[1].trial();
            let made =
                "VIEW strongroom_trial (`c`) AS select 1 AS `c`;\nDROP VIEW strongroom_trial;";
            assert!(trial.contains(made), "{trial}");
        }
    }

    #[test]
    fn what_the_restore_brings_is_no_reason_to_refuse_a_view() {
        let comes = |it: &str| it == "shop";
        for (message, expected) in [
            (
                "ERROR 1142 (42000) at line 2: ANY command denied to user 'a'@'b' for table `x`.`y`",
                true,
            ),
            (
                "ERROR 1146 (42S02) at line 2: Table 'shop.t' doesn't exist",
                false,
            ),
            (
                "ERROR 1146 (42S02) at line 2: Table 'other.t' doesn't exist",
                true,
            ),
            (
                "ERROR 1049 (42000) at line 2: Unknown database 'other'",
                true,
            ),
            (
                "ERROR 1054 (42S22) at line 2: Unknown column 'a' in 'field list'",
                false,
            ),
        ] {
            assert_eq!(is_final(message, comes), expected, "{message}");
        }
    }

    #[test]
    fn a_refusal_names_whom_it_is_about() {
        let mut makers = Makers::default();
        makers.see(DUMP.as_bytes());
        let trial = makers.trial("a`b");
        let lines: Vec<_> = trial.lines().collect();
        let what = |at: usize| makers.refusal(&format!("ERROR 1227 (42000) at line {at}: no"));
        for (at, line) in (1..).zip(&lines).skip(1) {
            let about = match line {
                it if it.contains("VIEW") && at < 4 => "for `o``dd`@`%`:",
                it if it.contains("VIEW") => "for `root`@`localhost`:",
                _ => "functions or triggers:",
            };
            assert!(what(at).contains(about), "{at}: {line}: {}", what(at));
        }
        assert_eq!(lines.len(), 8);
        assert!(trial.contains("VIEW `a``b`.strongroom_trial"));
    }
}
