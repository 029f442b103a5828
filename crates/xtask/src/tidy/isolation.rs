//! A dialect knows no other dialect, a source no other source: each is one folder that can be
//! read, and removed, alone.

use std::collections::BTreeSet;

use super::{Problem, rust::Code, tree::Tree};

/// The folders whose sub-folders must not know one another, and the crate each belongs to.
const ISOLATED: &[(&str, &str)] = &[
    ("crates/dialects/src", "strongroom_dialects"),
    ("crates/source/src", "strongroom_source"),
];

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (folder, krate) in ISOLATED {
        let siblings = tree.folders(folder);
        for (file, code) in tree.rust() {
            let Some(module) = module_path(folder, &file.path) else {
                continue;
            };
            let Some(own) = module.first().filter(|own| siblings.contains(*own)) else {
                continue;
            };
            for (other, line) in mentioned(code, krate, &module, &siblings) {
                if other != *own {
                    let message = format!("`{own}` must not know `{other}`");
                    problems.push(Problem::new(&file.path, line, message));
                }
            }
        }
    }
    problems
}

/// `crates/dialects/src/cbr/wire/vault.rs` is `[cbr, wire, vault]`.
fn module_path<'a>(folder: &str, path: &'a str) -> Option<Vec<&'a str>> {
    let inner = path
        .strip_prefix(folder)?
        .strip_prefix('/')?
        .strip_suffix(".rs")?;
    let mut module: Vec<_> = inner.split('/').collect();
    if module.last() == Some(&"mod") {
        module.pop();
    }
    Some(module)
}

/// The siblings that a file names, in `use` declarations and in paths, with the line.
fn mentioned<'a>(
    code: &Code,
    krate: &str,
    module: &[&str],
    siblings: &BTreeSet<&'a str>,
) -> Vec<(&'a str, usize)> {
    let uses = code.uses().iter().map(|it| (it.path.clone(), it.line));
    uses.chain(paths(code))
        .filter_map(|(path, line)| {
            let named = absolute(&path, krate, module)?;
            Some((*siblings.get(named.as_str())?, line))
        })
        .collect()
}

/// The first part of a path below the crate's root, if it is a path of this crate.
fn absolute(path: &[String], krate: &str, module: &[&str]) -> Option<String> {
    let first = path.first()?;
    if first == "crate" || first == krate {
        return path.get(1).cloned();
    }
    let up = path.iter().take_while(|part| *part == "super").count();
    // One `super` of a module at the top leads to the root.
    (up > 0 && up >= module.len()).then(|| path.get(up).cloned())?
}

/// Every `a::b::c` in the code, as far as its names reach.
fn paths(code: &Code) -> Vec<(Vec<String>, usize)> {
    let mut found: Vec<(Vec<String>, usize)> = Vec::new();
    let mut joined = false;
    let tokens = code.all_tokens();
    for (i, token) in tokens.iter().enumerate() {
        let is_name = token
            .text
            .starts_with(|c: char| c.is_alphabetic() || c == '_');
        match found.last_mut() {
            Some((path, _)) if is_name && joined => path.push(token.text.clone()),
            _ if is_name => found.push((vec![token.text.clone()], token.line)),
            _ => {}
        }
        let before = i.checked_sub(1).and_then(|i| tokens.get(i));
        joined = token.text == ":" && before.is_some_and(|it| it.text == ":");
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(path: &str, text: &str) -> Vec<Problem> {
        check(&Tree::of(&[
            ("crates/dialects/src/lib.rs", "//! All."),
            (
                "crates/dialects/src/registry.rs",
                "//! All.\nuse crate::{astra, cbr};",
            ),
            ("crates/dialects/src/astra/mod.rs", "//! Astra."),
            ("crates/dialects/src/cbr/mod.rs", "//! CBR."),
            (path, text),
        ]))
    }

    #[rstest::rstest]
    #[case("use crate::astra::wire;")]
    #[case("use crate::{registry, astra as other};")]
    #[case("use super::super::astra;")]
    #[case("fn a() { crate::astra::routes(); }")]
    #[case("fn a() { super::super::astra::routes(); }")]
    #[case("fn a() { format!(\"{}\", crate::astra::NAME); }")]
    #[case("fn a() { strongroom_dialects::astra::routes(); }")]
    fn a_dialect_that_names_another_is_reported(#[case] text: &str) {
        let problems = problems("crates/dialects/src/cbr/map.rs", text);
        assert!(!problems.is_empty());
        assert!(
            problems
                .iter()
                .all(|it| it.message == "`cbr` must not know `astra`")
        );
    }

    #[rstest::rstest]
    #[case("use crate::cbr::wire;")]
    #[case("use super::astra;")]
    #[case("use strongroom_http::astra;")]
    #[case("fn a() { let astra = 1; }")]
    fn its_own_folder_and_other_crates_are_no_problem(#[case] text: &str) {
        assert_eq!(problems("crates/dialects/src/cbr/map.rs", text), []);
    }

    #[test]
    fn a_source_that_names_another_is_reported() {
        let tree = Tree::of(&[
            (
                "crates/source/src/files/mod.rs",
                "//! Files.\nuse super::command;",
            ),
            ("crates/source/src/command/mod.rs", "//! Commands."),
        ]);
        assert_eq!(check(&tree)[0].message, "`files` must not know `command`");
    }
}
