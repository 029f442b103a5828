//! Handlers only translate: extract, map, one call of the service, map.

use super::{Problem, tree::Tree};

/// The lines that a handler's body may have.
const LIMIT: usize = 15;

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let handlers = tree.rust().filter(|(file, _)| holds_handlers(&file.path));
    handlers
        .flat_map(|(file, code)| code.functions().map(move |function| (file, function)))
        .filter(|(_, function)| function.body_lines > LIMIT)
        .map(|(file, function)| {
            let message = format!(
                "`{}` has {} lines; a handler has at most {LIMIT}: extract, map, call, map",
                function.name, function.body_lines
            );
            Problem::new(&file.path, function.line, message)
        })
        .collect()
}

/// `handlers.rs` and everything below a folder `handlers`, in the crates that speak HTTP.
fn holds_handlers(path: &str) -> bool {
    let speaks_http = ["crates/dialects/src/", "crates/http/src/"]
        .iter()
        .any(|folder| path.starts_with(folder));
    speaks_http
        && path
            .split('/')
            .any(|part| part == "handlers" || part == "handlers.rs")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handler(lines: usize) -> String {
        format!(
            "//! A.\npub async fn show(\n    id: u8,\n) {{\n{}}}\n",
            "    step();\n".repeat(lines)
        )
    }

    #[test]
    fn a_handler_that_does_too_much_is_reported() {
        let (good, bad) = (handler(LIMIT), handler(LIMIT + 1));
        let tree = Tree::of(&[
            ("crates/dialects/src/cbr/handlers/good.rs", &good),
            ("crates/dialects/src/cbr/handlers/bad.rs", &bad),
            ("crates/dialects/src/cbr/handlers.rs", &bad),
            ("crates/http/src/v1/handlers/bad.rs", &bad),
            ("crates/dialects/src/cbr/map.rs", &bad),
            ("crates/service/src/handlers.rs", &bad),
        ]);
        let problems = check(&tree);
        assert_eq!(problems.len(), 3, "{problems:?}");
        assert!(problems.iter().all(|it| it.line == Some(2)));
    }
}
