//! The two databases have the same migrations: same numbers, same names, no gap.

use std::collections::BTreeSet;

use super::{Problem, tree::Tree};

const FOLDERS: [&str; 2] = [
    "crates/store/migrations/sqlite",
    "crates/store/migrations/postgres",
];

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let [sqlite, postgres] = FOLDERS.map(|folder| migrations(tree, folder));
    let mut problems = Vec::new();
    for (mine, other, folder) in [
        (&sqlite, &postgres, FOLDERS[1]),
        (&postgres, &sqlite, FOLDERS[0]),
    ] {
        let missing = mine.difference(other);
        problems.extend(missing.map(|name| {
            Problem::new(
                format!("{folder}/{name}"),
                None,
                "is missing; the other database has it",
            )
        }));
    }
    for (i, name) in sqlite.iter().enumerate() {
        let number = format!("{:04}_", i + 1);
        if !name.starts_with(&number) {
            let message =
                format!("should begin with `{number}`: migrations are numbered without gaps");
            problems.push(Problem::new(
                format!("{}/{name}", FOLDERS[0]),
                None,
                message,
            ));
        }
    }
    problems
}

fn migrations<'a>(tree: &'a Tree, folder: &str) -> BTreeSet<&'a str> {
    let name = |file: &'a super::tree::File| file.path.strip_prefix(folder)?.strip_prefix('/');
    tree.files
        .iter()
        .filter_map(name)
        .filter(|name| name.strip_suffix(".sql").is_some())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(files: &[&str]) -> Vec<String> {
        let files: Vec<_> = files.iter().map(|path| (*path, "")).collect();
        check(&Tree::of(&files))
            .into_iter()
            .map(|it| it.path)
            .collect()
    }

    #[test]
    fn a_migration_of_one_database_only_is_reported() {
        let both = [
            "crates/store/migrations/sqlite/0001_start.sql",
            "crates/store/migrations/postgres/0001_start.sql",
        ];
        assert_eq!(paths(&both), [] as [&str; 0]);
        assert_eq!(paths(&both[..1]), [both[1]]);
        assert_eq!(paths(&both[1..]), [both[0]]);
    }

    #[test]
    fn a_gap_in_the_numbers_is_reported() {
        let files = [
            "crates/store/migrations/sqlite/0002_start.sql",
            "crates/store/migrations/postgres/0002_start.sql",
        ];
        assert_eq!(paths(&files), [files[0]]);
    }
}
