//! Files and functions stay short enough to be read at once.

use std::fmt;

use super::{Problem, tree::Tree};

/// No Rust file has more lines.
const FILE_LIMIT: usize = 600;
/// 95 of 100 files, tests left out, have at most so many lines.
const FILE_P95: usize = 400;
/// 95 of 100 functions, tests left out, have at most so many lines.
const FUNCTION_P95: usize = 50;

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems: Vec<_> = tree
        .rust()
        .map(|(file, _)| (&file.path, file.text.lines().count()))
        .filter(|(_, lines)| *lines > FILE_LIMIT)
        .map(|(path, lines)| {
            Problem::new(
                path,
                None,
                format!("has {lines} lines; no file has more than {FILE_LIMIT}"),
            )
        })
        .collect();
    let sizes = Sizes::of(tree);
    let (files, functions) = (
        percentile(&sizes.files, 95),
        percentile(&sizes.functions, 95),
    );
    if files > FILE_P95 {
        let message =
            format!("95 of 100 files have at most {files} lines; the limit is {FILE_P95}");
        problems.push(Problem::new("crates", None, message));
    }
    if functions > FUNCTION_P95 {
        let message = format!(
            "95 of 100 functions have at most {functions} lines; the limit is {FUNCTION_P95}"
        );
        problems.push(Problem::new("crates", None, message));
    }
    problems
}

/// How long things are, shortest first, tests left out.
pub(super) struct Sizes {
    files: Vec<usize>,
    functions: Vec<usize>,
}

impl Sizes {
    pub(super) fn of(tree: &Tree) -> Self {
        let production = || tree.rust().filter(|(_, code)| !code.is_test());
        let mut sizes = Self {
            files: production()
                .map(|(file, code)| code.production_lines(&file.text))
                .collect(),
            functions: production()
                .flat_map(|(_, code)| code.functions().map(|it| it.lines))
                .collect(),
        };
        sizes.files.sort_unstable();
        sizes.functions.sort_unstable();
        sizes
    }
}

impl fmt::Display for Sizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |values: &[usize]| {
            let [median, p95, most] = [50, 95, 100].map(|percent| percentile(values, percent));
            format!(
                "{}: median {median} lines, p95 {p95}, longest {most}",
                values.len()
            )
        };
        writeln!(f, "files {}", line(&self.files))?;
        write!(f, "functions {}", line(&self.functions))
    }
}

/// The smallest value that at least `percent` of 100 do not exceed; 0 of nothing.
fn percentile(sorted: &[usize], percent: usize) -> usize {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_over_the_limit_is_reported() {
        let at_limit = "//! A.\n".to_owned() + &"// b\n".repeat(FILE_LIMIT - 1);
        let over = at_limit.clone() + "// c\n";
        let short: Vec<_> = (0..40).map(|i| (format!("s{i}.rs"), "//! S.\n")).collect();
        let mut files: Vec<_> = short
            .iter()
            .map(|(path, text)| (path.as_str(), *text))
            .collect();
        files.extend([("a.rs", at_limit.as_str()), ("b.rs", over.as_str())]);
        let problems = check(&Tree::of(&files));
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].path, "b.rs");
    }

    #[test]
    fn too_many_long_files_or_functions_are_reported() {
        let body = "    step();\n".repeat(FUNCTION_P95);
        let long = format!("//! A.\nfn a() {{\n{body}}}\n");
        let problems = check(&Tree::of(&[("a.rs", &long)]));
        assert!(problems[0].message.contains("functions"), "{problems:?}");

        let long = "//! A.\n".to_owned() + &"// b\n".repeat(FILE_P95);
        let problems = check(&Tree::of(&[("a.rs", &long)]));
        assert!(problems[0].message.contains("files"), "{problems:?}");
    }

    #[test]
    fn tests_do_not_count() {
        let body = "        step();\n".repeat(FUNCTION_P95);
        let text = format!("//! A.\n#[cfg(test)]\nmod tests {{\n    fn a() {{\n{body}    }}\n}}\n");
        assert_eq!(check(&Tree::of(&[("a.rs", &text)])), []);
    }

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let values: Vec<_> = (1..=20).collect();
        assert_eq!(
            [0, 50, 95, 100].map(|p| percentile(&values, p)),
            [1, 10, 19, 20]
        );
        assert_eq!(percentile(&[], 95), 0);
    }
}
