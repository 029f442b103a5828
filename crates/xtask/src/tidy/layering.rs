//! Which crate may use which: arrows point only down.

use cargo_metadata::{DependencyKind, Metadata};

use super::Problem;

/// Every crate and the crates of the workspace that it may use.
const LAYERS: &[(&str, &[&str])] = &[
    ("strongroom-domain", &[]),
    ("strongroom-store", &["strongroom-domain"]),
    ("strongroom-engine", &["strongroom-domain"]),
    ("strongroom-source", &["strongroom-domain"]),
    (
        "strongroom-service",
        &[
            "strongroom-domain",
            "strongroom-store",
            "strongroom-engine",
            "strongroom-source",
        ],
    ),
    (
        "strongroom-http",
        &["strongroom-domain", "strongroom-service"],
    ),
    (
        "strongroom-dialects",
        &["strongroom-domain", "strongroom-service", "strongroom-http"],
    ),
    ("strongroom", &[ANY]),
    ("strongroom-testkit", &[ANY]),
    ("xtask", &[ANY]),
];

/// Any crate but those that nothing uses.
const ANY: &str = "*";

/// For tests only.
const TESTKIT: &str = "strongroom-testkit";

/// The top: nothing uses them.
const TOPS: &[&str] = &["strongroom", "xtask"];

/// What only some crates may use from outside, and which.
const OUTSIDE: &[(&str, &[&str])] = &[("sqlx", &["strongroom-store", TESTKIT, "xtask"])];

/// One crate's use of another.
#[derive(Debug, Clone)]
pub(super) struct Edge {
    from: String,
    to: String,
    /// Only its tests use it.
    dev: bool,
    /// Both are ours.
    inside: bool,
}

/// All uses that the crates of the workspace declare.
pub(super) fn edges(metadata: &Metadata) -> Vec<Edge> {
    let ours: Vec<_> = metadata
        .workspace_packages()
        .iter()
        .map(|it| it.name.to_string())
        .collect();
    metadata
        .workspace_packages()
        .iter()
        .flat_map(|package| package.dependencies.iter().map(move |it| (package, it)))
        .map(|(package, dependency)| Edge {
            from: package.name.to_string(),
            to: dependency.name.clone(),
            dev: dependency.kind == DependencyKind::Development,
            inside: ours.contains(&dependency.name),
        })
        .collect()
}

pub(super) fn check(edges: &[Edge]) -> Vec<Problem> {
    edges.iter().filter_map(problem).collect()
}

fn problem(edge: &Edge) -> Option<Problem> {
    let Edge { from, to, .. } = edge;
    let reason = if edge.inside {
        inside(edge)
    } else {
        outside(edge)
    }?;
    Some(Problem::new(
        "Cargo.toml",
        None,
        format!("`{from}` must not use `{to}`: {reason}"),
    ))
}

fn inside(edge: &Edge) -> Option<&'static str> {
    let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == edge.from) else {
        return Some("it has no place in the layers");
    };
    let to = edge.to.as_str();
    if to == TESTKIT {
        return (!edge.dev && edge.from != "xtask").then_some("it is for tests");
    }
    if TOPS.contains(&to) {
        return Some("nothing uses it");
    }
    (!allowed.contains(&to) && !allowed.contains(&ANY)).then_some("arrows point only down")
}

fn outside(edge: &Edge) -> Option<&'static str> {
    let (_, users) = OUTSIDE.iter().find(|(name, _)| *name == edge.to)?;
    (!users.contains(&edge.from.as_str()))
        .then_some("only the store does, and what tests and measures it")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(from: &str, to: &str, dev: bool, inside: bool) -> bool {
        let (from, to) = (from.to_owned(), to.to_owned());
        !check(&[Edge {
            from,
            to,
            dev,
            inside,
        }])
        .is_empty()
    }

    #[rstest::rstest]
    #[case("strongroom-domain", "strongroom-store")]
    #[case("strongroom-store", "strongroom-engine")]
    #[case("strongroom-engine", "strongroom-source")]
    #[case("strongroom-service", "strongroom-http")]
    #[case("strongroom-dialects", "strongroom-store")]
    #[case("strongroom-dialects", "strongroom")]
    #[case("strongroom-service", "strongroom-testkit")]
    #[case("strongroom-newcomer", "strongroom-domain")]
    fn an_arrow_that_points_up_or_sideways_is_reported(#[case] from: &str, #[case] to: &str) {
        assert!(refused(from, to, false, true));
    }

    #[rstest::rstest]
    #[case("strongroom", "strongroom-dialects", false)]
    #[case("strongroom-dialects", "strongroom-http", false)]
    #[case("strongroom-service", "strongroom-testkit", true)]
    #[case("strongroom-testkit", "strongroom-dialects", false)]
    fn an_arrow_that_points_down_is_no_problem(
        #[case] from: &str,
        #[case] to: &str,
        #[case] dev: bool,
    ) {
        assert!(!refused(from, to, dev, true));
    }

    #[test]
    fn only_the_store_uses_sqlx() {
        assert!(refused("strongroom-service", "sqlx", false, false));
        assert!(refused("strongroom-http", "sqlx", true, false));
        assert!(!refused("strongroom-store", "sqlx", false, false));
        assert!(!refused("strongroom-service", "tokio", false, false));
    }
}
