//! Handlers only translate: extract, map, one call of the service, map.

use super::{Problem, tree::Tree};

/// The lines that the body of a handler, a function that answers a route, may have.
const LIMIT: usize = 15;
/// The lines that any other function beside handlers may have: finding what a path names, calling
/// a verb for two versions of a route. More is a mapping and has its place elsewhere.
const HELPER_LIMIT: usize = 30;

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (file, code) in tree.rust() {
        let beside_handlers = is_for_handlers(&file.path);
        for function in code.functions().filter(|it| it.is_route || beside_handlers) {
            let limit = if function.is_route {
                LIMIT
            } else {
                HELPER_LIMIT
            };
            if function.body_lines > limit {
                let message = format!(
                    "`{}` has {} lines, the limit is {limit}: extract, map, call, map",
                    function.name, function.body_lines
                );
                problems.push(Problem::new(&file.path, function.line, message));
            }
        }
    }
    problems
}

/// `handlers.rs` and everything below a folder `handlers`.
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

    fn function(attribute: &str, lines: usize) -> String {
        let body = "    step();\n".repeat(lines);
        format!("//! A.\n{attribute}\npub async fn show(\n    id: u8,\n) {{\n{body}}}\n")
    }

    fn paths(path: &str, text: &str) -> Vec<String> {
        check(&Tree::of(&[(path, text)]))
            .into_iter()
            .map(|it| it.path)
            .collect()
    }

    #[rstest::rstest]
    #[case("crates/dialects/src/cbr/handlers/backups.rs")]
    #[case("crates/dialects/src/cbr/routes.rs")]
    #[case("crates/http/src/v1/backups.rs")]
    fn a_handler_that_does_too_much_is_reported(#[case] path: &str) {
        let route = "#[utoipa::path(get, path = \"/a\")]";
        assert_eq!(paths(path, &function(route, LIMIT)), [] as [&str; 0]);
        assert_eq!(paths(path, &function(route, LIMIT + 1)), [path]);
    }

    #[rstest::rstest]
    #[case("crates/dialects/src/cbr/handlers/backups.rs", 1)]
    #[case("crates/dialects/src/cbr/handlers.rs", 1)]
    #[case("crates/dialects/src/cbr/map.rs", 0)]
    #[case("crates/service/src/handlers.rs", 0)]
    fn what_stands_beside_handlers_is_short_too(#[case] path: &str, #[case] problems: usize) {
        assert_eq!(paths(path, &function("", HELPER_LIMIT)), [] as [&str; 0]);
        assert_eq!(paths(path, &function("", HELPER_LIMIT + 1)).len(), problems);
    }
}
