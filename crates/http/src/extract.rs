//! Extractors that every face uses, generic over the face's error.
//!
//! Each dialect names them once with its own error, e.g.
//! `type Body<T> = strongroom_http::extract::Body<T, Error>`, where
//! `Error: From<Rejection> + IntoResponse`. The request body has been read before any of them
//! runs, so none of them must come last and a signature can be checked over the same bytes.

mod base;
mod body;
mod object;
mod params;
mod path;
mod raw;

pub use self::{
    base::{Base, Reached},
    body::{Body, from_json},
    object::Object,
    params::{Params, RawParams, from_query, pairs},
    path::PathParams,
    raw::{Arrival, RawBody, RawTarget, RequestId},
};

/// A part of the request is not acceptable. Each face words it in its vendor's shape.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The body is not JSON at all.
    #[error("the body is not JSON: {reason}")]
    Syntax {
        /// Where and why reading stopped.
        reason: String,
    },
    /// A field of the body is missing, has a wrong type or an unknown value.
    #[error("`{path}`: {reason}")]
    Json {
        /// The field, e.g. `vault.resources[0].id`; empty if the body as a whole is meant.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A query parameter is missing or has an unacceptable value.
    #[error("`{name}`: {reason}")]
    Query {
        /// The parameter; empty if the query as a whole cannot be read.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A segment of the path cannot be what it stands for.
    #[error("`{name}`: {reason}")]
    Path {
        /// The parameter as the route names it.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A header has an unacceptable value.
    #[error("`{name}`: {reason}")]
    Header {
        /// The header in lower case.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl Rejection {
    /// The field, parameter or segment that is not acceptable; empty if it is the whole.
    pub fn field(&self) -> &str {
        match self {
            Self::Syntax { .. } => "",
            Self::Json { path, .. } => path,
            Self::Query { name, .. } | Self::Path { name, .. } | Self::Header { name, .. } => name,
        }
    }

    /// What is wrong with it.
    pub fn reason(&self) -> &str {
        match self {
            Self::Syntax { reason }
            | Self::Json { reason, .. }
            | Self::Query { reason, .. }
            | Self::Path { reason, .. }
            | Self::Header { reason, .. } => reason,
        }
    }
}

/// Serde reports a missing or unknown field at its parent; this moves the field's name from the
/// message into the path.
fn locate(mut path: String, message: &str) -> (String, String) {
    let named = |prefix: &str| {
        let rest = message.strip_prefix(prefix)?;
        rest.split_once('`').map(|(name, _)| name.to_owned())
    };
    let (name, reason) = if let Some(name) = named("missing field `") {
        (name, "is missing")
    } else if let Some(name) = named("unknown field `") {
        (name, "is not known")
    } else {
        return (path, message.to_owned());
    };
    if path.rsplit('.').next() == Some(&*name) && reason == "is not known" {
        // Some readers have named it already.
    } else if !path.is_empty() && path != "." {
        path.push('.');
        path.push_str(&name);
    } else {
        path = name;
    }
    (path, reason.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_field_is_named_by_its_full_path() {
        assert_eq!(
            locate("vault".into(), "missing field `name` at line 1 column 9"),
            ("vault.name".into(), "is missing".into())
        );
        assert_eq!(
            locate("vault.nam".into(), "unknown field `nam`, expected `name`"),
            ("vault.nam".into(), "is not known".into())
        );
        assert_eq!(
            locate(".".into(), "missing field `name`"),
            ("name".into(), "is missing".into())
        );
    }
}
