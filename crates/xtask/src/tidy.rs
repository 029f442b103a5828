//! `cargo xtask tidy`: the repository's rules, as checks.
//!
//! One module per rule. A rule is a pure function from the [`Tree`] of files (or from cargo's
//! metadata) to [`Problem`]s, so that each can be shown a bad sample.

mod coverage;
mod handlers;
mod headers;
mod isolation;
mod layering;
mod migrations;
mod panics;
mod places;
mod rust;
mod size;
mod sql;
mod tree;

use std::{fmt, path::Path, process::ExitCode};

use anyhow::Context;

use tree::Tree;

/// A rule is broken.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Problem {
    /// The file, relative to the root.
    path: String,
    /// The line, from 1, if the problem has one.
    line: Option<usize>,
    /// What is wrong.
    message: String,
}

impl Problem {
    fn new(
        path: impl Into<String>,
        line: impl Into<Option<usize>>,
        message: impl fmt::Display,
    ) -> Self {
        Self {
            path: path.into(),
            line: line.into(),
            message: message.to_string(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.path, self.message),
            None => write!(f, "{}: {}", self.path, self.message),
        }
    }
}

/// The rules that look at files.
const RULES: &[fn(&Tree) -> Vec<Problem>] = &[
    rust::check,
    headers::check,
    size::check,
    handlers::check,
    isolation::check,
    sql::check,
    panics::check,
    places::check,
    coverage::check,
    migrations::check,
];

/// Prints what is wrong, if anything, and the sizes.
#[expect(clippy::print_stdout, reason = "this is a program's output")]
pub(crate) fn run(root: &Path) -> anyhow::Result<ExitCode> {
    let tree = Tree::load(root)?;
    let problems = check(root, &tree)?;
    for problem in &problems {
        println!("{problem}");
    }
    println!("{}", size::Sizes::of(&tree));
    Ok(if problems.is_empty() {
        ExitCode::SUCCESS
    } else {
        println!("{} problems", problems.len());
        ExitCode::FAILURE
    })
}

fn check(root: &Path, tree: &Tree) -> anyhow::Result<Vec<Problem>> {
    let metadata = cargo_metadata::MetadataCommand::new()
        .current_dir(root)
        .no_deps()
        .exec()
        .context("cannot read the workspace's metadata")?;
    let mut problems = layering::check(&layering::edges(&metadata));
    problems.extend(RULES.iter().flat_map(|rule| rule(tree)));
    problems.sort();
    problems.dedup();
    Ok(problems)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_is_tidy() {
        let root = crate::root();
        let tree = Tree::load(root).unwrap();
        assert!(
            tree.files.len() > 50,
            "only {} files found",
            tree.files.len()
        );
        let problems: Vec<_> = check(root, &tree)
            .unwrap()
            .iter()
            .map(Problem::to_string)
            .collect();
        assert!(problems.is_empty(), "{}", problems.join("\n"));
    }
}
