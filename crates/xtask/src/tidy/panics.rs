//! No input makes the program panic, nothing unfinished is called, and no lint is switched off
//! without being expected to fire.

use super::{Problem, rust::Token, tree::Tree};

/// What tokens must not follow one another outside tests, and why.
const FORBIDDEN: &[(&[&str], &str)] = &[
    (&[".", "unwrap", "("], "`.unwrap()` outside tests"),
    (&["todo", "!"], "`todo!` is unfinished work"),
    (
        &["unimplemented", "!"],
        "`unimplemented!` is unfinished work",
    ),
    (&["dbg", "!"], "`dbg!` is left over"),
    (
        &["[", "allow", "("],
        "`#[allow]`: use `#[expect(…, reason = …)]`",
    ),
];

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (file, code) in tree.rust() {
        let tokens = code.tokens();
        for (pattern, message) in FORBIDDEN {
            let found = tokens
                .windows(pattern.len())
                .filter(|it| matches(it, pattern));
            problems.extend(found.map(|it| Problem::new(&file.path, it[0].line, message)));
        }
    }
    problems
}

fn matches(tokens: &[&Token], pattern: &[&str]) -> bool {
    tokens
        .iter()
        .map(|token| token.text.as_str())
        .eq(pattern.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(path: &str, text: &str) -> usize {
        check(&Tree::of(&[(path, text)])).len()
    }

    #[rstest::rstest]
    #[case("fn a() { b().unwrap(); }")]
    #[case("fn a() { format!(\"{}\", b().unwrap()); }")]
    #[case("fn a() { todo!() }")]
    #[case("fn a() { unimplemented!(\"later\") }")]
    #[case("fn a() { dbg!(1); }")]
    #[case("#[allow(dead_code)]\nfn a() {}")]
    #[case("#![allow(dead_code)]\nfn a() {}")]
    fn what_may_panic_or_is_unfinished_is_reported(#[case] text: &str) {
        assert_eq!(problems("crates/store/src/a.rs", text), 1);
        assert_eq!(problems("crates/store/tests/a.rs", text), 0);
    }

    #[rstest::rstest]
    #[case("fn a() { b().unwrap_or(1); }")]
    #[case("/// Calls `.unwrap()` and todo!\nfn a() {}")]
    #[case("#[cfg(test)]\nmod tests { fn a() { b().unwrap(); } }")]
    fn other_code_is_no_problem(#[case] text: &str) {
        assert_eq!(problems("crates/store/src/a.rs", text), 0);
    }
}
