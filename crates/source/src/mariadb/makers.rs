//! Whom a dump makes things for.
//!
//! Views, routines, events and triggers run as their definer. Whether a user may make them for
//! another, for one who is not there, for one with more privileges, and functions at all while the
//! server keeps a binary log, are privileges that each server and version calls otherwise. So it is
//! tried out in the database that is about to be replaced, or in the new one before it is filled.

use std::collections::BTreeSet;

use super::client::identifier;

/// What of the start of a line is looked at.
const START: usize = 512;
/// No dump needs more; beyond that the restore itself finds out.
const MOST: usize = 1000;
/// What is made and dropped again.
const TRIAL: &str = "strongroom_trial";

/// The definers in a dump that goes by.
#[derive(Debug, Default)]
pub(super) struct Makers {
    /// The start of the line that goes by.
    line: Vec<u8>,
    /// Accounts as statements quote them.
    definers: BTreeSet<String>,
    /// Whether there are functions or triggers.
    has_code: bool,
}

impl Makers {
    /// The next piece of the dump.
    pub(super) fn see(&mut self, bytes: &[u8]) {
        for part in bytes.split_inclusive(|it| *it == b'\n') {
            let room = START - self.line.len();
            self.line.extend_from_slice(&part[..room.min(part.len())]);
            if part.ends_with(b"\n") {
                self.look();
                self.line.clear();
            }
        }
    }

    /// Data cannot be taken for a definer: no line of it begins like that.
    fn look(&mut self) {
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
        self.has_code |= rest.contains(" FUNCTION `") || rest.contains(" TRIGGER `");
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

/// The length of `\`user\`@\`host\`` at the start of a text.
fn account(text: &str) -> Option<usize> {
    let user = quoted(text)?;
    let host = quoted(text[user..].strip_prefix('@')?)?;
    Some(user + 1 + host)
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
        let mut plain = Makers::default();
        plain.see(b"-- DEFINER=`x`@`y`\nCREATE DEFINER=`x`@`y\n");
        assert!(plain.definers.is_empty() && !plain.has_code);
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
