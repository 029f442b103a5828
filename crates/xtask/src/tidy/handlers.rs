//! Handlers only translate: extract, map, one call of the service, map.

use super::{Problem, tree::Tree};

/// The lines that a handler's body may have.
const LIMIT: usize = 15;

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (file, code) in tree.rust() {
        let all_are = is_for_handlers(&file.path);
        for function in code.functions().filter(|it| all_are || it.is_route) {
            if function.body_lines > LIMIT {
                let message = format!(
                    "`{}` has {} lines; a handler has at most {LIMIT}: extract, map, call, map",
                    function.name, function.body_lines
                );
                problems.push(Problem::new(&file.path, function.line, message));
            }
        }
    }
    problems
}

/// `handlers.rs` and everything below a folder `handlers`: what helps a handler is a mapping and
/// has its place elsewhere.
fn is_for_handlers(path: &str) -> bool {
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
        let route = bad.replace(
            "pub async",
            "#[utoipa::path(get, path = \"/a\")]\npub async",
        );
        let tree = Tree::of(&[
            ("crates/dialects/src/cbr/handlers/good.rs", &good),
            ("crates/dialects/src/cbr/handlers/bad.rs", &bad),
            ("crates/dialects/src/cbr/handlers.rs", &bad),
            ("crates/http/src/v1/backups.rs", &route),
            ("crates/http/src/v1/map.rs", &bad),
            ("crates/dialects/src/cbr/map.rs", &bad),
            ("crates/service/src/handlers.rs", &bad),
        ]);
        let problems = check(&tree);
        assert_eq!(problems.len(), 3, "{problems:?}");
        assert_eq!(problems[2].path, "crates/http/src/v1/backups.rs");
    }
}
