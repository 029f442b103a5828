//! SQL for our own data is in `store` only.

use super::{Problem, rust::Token, tree::Tree};

/// Where SQL may be: the store, and the tools, which measure it bare.
const ALLOWED: &[&str] = &["crates/store/", "crates/xtask/"];

/// Where statements may be that are not about our own data: these ask the servers that are
/// protected, through their own clients.
const FOREIGN: &[&str] = &["crates/source/src/mariadb/", "crates/source/src/postgres/"];

/// How an SQL statement begins.
const STATEMENTS: &[&str] = &[
    "SELECT ",
    "INSERT INTO ",
    "UPDATE ",
    "DELETE FROM ",
    "CREATE TABLE ",
];

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    tree.rust()
        .filter(|(file, _)| !ALLOWED.iter().any(|folder| file.path.starts_with(folder)))
        .flat_map(|(file, code)| {
            let tokens = code.tokens();
            let names: Vec<_> = tokens
                .iter()
                .filter(|token| token.text == "sqlx")
                .map(|token| Problem::new(&file.path, token.line, "only `store` uses `sqlx`"))
                .collect();
            let is_foreign = FOREIGN.iter().any(|folder| file.path.starts_with(folder));
            let statements: Vec<_> = tokens
                .iter()
                .enumerate()
                .filter(|_| !is_foreign)
                .filter(|(i, token)| is_statement(token) && !is_documentation(&tokens[..*i]))
                .map(|(_, token)| Problem::new(&file.path, token.line, "only `store` contains SQL"))
                .collect();
            [names, statements].concat()
        })
        .collect()
}

fn is_statement(token: &Token) -> bool {
    let text = token.text.trim_start_matches(['r', '#']);
    let Some(text) = text.strip_prefix('"') else {
        return false;
    };
    // A text that begins on the next line starts with `\\` and white space.
    let text = text.trim_start_matches(['\\', '\n', ' ']);
    STATEMENTS
        .iter()
        .any(|statement| text.starts_with(statement))
}

/// Whether the next text is documentation, which reaches us as `#[doc = "…"]`.
fn is_documentation(before: &[&Token]) -> bool {
    matches!(before, [.., name, equals] if name.text == "doc" && equals.text == "=")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, text: &str) -> Vec<Option<usize>> {
        check(&Tree::of(&[(path, text)]))
            .into_iter()
            .map(|it| it.line)
            .collect()
    }

    #[rstest::rstest]
    #[case("use sqlx::Row;")]
    #[case("fn a() { sqlx::query(text); }")]
    #[case("const Q: &str = \"SELECT id FROM backups\";")]
    #[case("fn a() { run(r#\"INSERT INTO backups\"#); }")]
    #[case("fn a() { run(\"\\\n  DELETE FROM backups\"); }")]
    fn sql_outside_the_store_is_reported(#[case] text: &str) {
        assert_eq!(lines("crates/service/src/a.rs", text), [Some(1)]);
        assert_eq!(lines("crates/store/src/a.rs", text), []);
        assert_eq!(lines("crates/service/tests/a.rs", text), []);
    }

    #[test]
    fn what_protected_servers_are_asked_is_no_sql_of_ours() {
        let path = "crates/source/src/postgres/client.rs";
        assert_eq!(lines(path, "const Q: &str = \"SELECT 1\";"), []);
        assert_eq!(lines(path, "use sqlx::Row;"), [Some(1)]);
    }

    #[rstest::rstest]
    #[case("/// SELECT is what a database does.\nfn a() {}")]
    #[case("//! UPDATE is another.\n")]
    #[case("fn a() { say(\"SELECTED\"); }")]
    fn talk_about_sql_is_no_sql(#[case] text: &str) {
        assert_eq!(lines("crates/service/src/a.rs", text), []);
    }
}
