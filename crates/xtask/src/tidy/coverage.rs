//! Every dialect says what it covers: a `COVERAGE.md` in its folder.

use super::{Problem, tree::Tree};

const DIALECTS: &str = "crates/dialects/src";

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let has = |path: &str| tree.files.iter().any(|file| file.path == path);
    tree.folders(DIALECTS)
        .into_iter()
        .map(|dialect| format!("{DIALECTS}/{dialect}/COVERAGE.md"))
        .filter(|path| !has(path))
        .map(|path| {
            Problem::new(
                path,
                None,
                "is missing; it lists every operation of the vendor",
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dialect_without_its_coverage_is_reported() {
        let tree = Tree::of(&[
            ("crates/dialects/src/astra/COVERAGE.md", "# Astra"),
            ("crates/dialects/src/astra/mod.rs", "//! Astra."),
            ("crates/dialects/src/cbr/mod.rs", "//! CBR."),
            ("crates/dialects/src/lib.rs", "//! All."),
        ]);
        let paths: Vec<_> = check(&tree).into_iter().map(|it| it.path).collect();
        assert_eq!(paths, ["crates/dialects/src/cbr/COVERAGE.md"]);
    }
}
