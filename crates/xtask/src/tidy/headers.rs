//! Every Rust file opens with `//!`: what it is for.

use super::{Problem, tree::Tree};

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let missing = |file: &&super::tree::File| {
        let first = file.text.lines().next().unwrap_or_default();
        let said = first.strip_prefix("//!").unwrap_or_default().trim();
        file.code.is_some() && said.is_empty()
    };
    tree.files
        .iter()
        .filter(missing)
        .map(|file| Problem::new(&file.path, 1, "does not open with `//!` and what it is for"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_header_is_reported() {
        let tree = Tree::of(&[
            ("a.rs", "//! Adds.\nfn a() {}\n"),
            ("b.rs", "fn b() {}\n"),
            ("c.rs", "//!\nfn c() {}\n"),
            ("d.txt", "no header needed"),
        ]);
        let paths: Vec<_> = check(&tree).into_iter().map(|it| it.path).collect();
        assert_eq!(paths, ["b.rs", "c.rs"]);
    }
}
