//! Nothing in the repository knows the machine it was written on, nor where packages come from:
//! that is every reader's own configuration.

use super::{Problem, tree::Tree};

/// What no file contains. Written in two parts, so that this file does not either.
const FORBIDDEN: &[(&str, &str)] = &[
    ("/wo", "rk/"),
    ("/tmp", "/w/"),
    ("/ho", "me/"),
    ("/ro", "ot/"),
    ("crates", ".io"),
    ("pypi", ".org"),
    ("pythonhosted", ".org"),
    ("npmjs", ".org"),
    ("deb.debian", ".org"),
];

/// Written by cargo, which names the registry.
const EXEMPT: &[&str] = &["Cargo.lock"];

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let files = tree
        .files
        .iter()
        .filter(|file| !EXEMPT.contains(&file.path.as_str()));
    files
        .flat_map(|file| {
            let lines = file.text.lines().enumerate();
            lines.filter_map(|(i, line)| {
                let found = forbidden().find(|text| line.contains(text))?;
                Some(Problem::new(
                    &file.path,
                    i + 1,
                    format!("names a place: `{found}`"),
                ))
            })
        })
        .collect()
}

fn forbidden() -> impl Iterator<Item = String> {
    FORBIDDEN.iter().map(|(head, tail)| format!("{head}{tail}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_forbidden_place_is_reported_in_any_file() {
        for place in forbidden() {
            let text = format!("first\nsee {place}x\n");
            let tree = Tree::of(&[("docs/a.md", &text), ("Cargo.lock", &text)]);
            let problems = check(&tree);
            assert_eq!(problems.len(), 1, "{place}");
            assert_eq!(
                (problems[0].path.as_str(), problems[0].line),
                ("docs/a.md", Some(2))
            );
        }
    }

    #[test]
    fn other_paths_are_no_problem() {
        let tree = Tree::of(&[(
            "a.md",
            "/var/lib/strongroom /network/ https://example.org\n",
        )]);
        assert_eq!(check(&tree), []);
    }
}
