//! Typed segments of the path.

use std::marker::PhantomData;

use axum::{
    extract::{FromRequestParts, Path, path::ErrorKind, rejection::PathRejection},
    http::request::Parts,
    response::IntoResponse,
};
use serde::de::DeserializeOwned;

use super::Rejection;

/// The path's parameters read into a struct, a tuple or, for a single one, a value.
#[derive(Debug)]
pub struct PathParams<T, E>(pub T, PhantomData<fn() -> E>);

impl<S, T, E> FromRequestParts<S> for PathParams<T, E>
where
    S: Send + Sync,
    T: DeserializeOwned + Send,
    E: From<Rejection> + IntoResponse,
{
    type Rejection = E;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, E> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(value)) => Ok(Self(value, PhantomData)),
            Err(error) => Err(reject(error).into()),
        }
    }
}

fn reject(error: PathRejection) -> Rejection {
    let PathRejection::FailedToDeserializePathParams(error) = error else {
        return named("", &error.body_text());
    };
    match error.into_kind() {
        ErrorKind::ParseErrorAtKey { key, value, .. } => {
            named(&key, &format!("`{value}` is not acceptable"))
        }
        ErrorKind::DeserializeError { key, message, .. } => named(&key, &message),
        ErrorKind::InvalidUtf8InPathParam { key } => named(&key, "is not UTF-8"),
        other => named("", &other.to_string()),
    }
}

fn named(name: &str, reason: &str) -> Rejection {
    Rejection::Path {
        name: name.to_owned(),
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use axum::{Router, body::Body, extract::Request, response::Response, routing::get};
    use strongroom_domain::BackupId;
    use tower::ServiceExt;

    use super::*;

    struct Problem(Rejection);

    impl From<Rejection> for Problem {
        fn from(rejection: Rejection) -> Self {
            Self(rejection)
        }
    }

    impl IntoResponse for Problem {
        fn into_response(self) -> Response {
            self.0.to_string().into_response()
        }
    }

    async fn answer(uri: &str) -> String {
        let one = |id: PathParams<BackupId, Problem>| async move { id.0.to_string() };
        let two = |ids: PathParams<(String, BackupId), Problem>| async move { ids.0.0 };
        let app: Router = Router::new()
            .route("/one/{backup_id}", get(one))
            .route("/two/{name}/{backup_id}", get(two));
        let request = Request::get(uri).body(Body::empty()).unwrap();
        let body = app.oneshot(request).await.unwrap().into_body();
        let bytes = axum::body::to_bytes(body, 1 << 16).await.unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn a_segment_that_cannot_be_read_is_named() {
        let id = "bab39d53-2d04-5297-b92e-58df89a2117b";
        assert_eq!(answer(&format!("/one/{id}")).await, id);
        assert_eq!(answer(&format!("/two/a%20b/{id}")).await, "a b");
        for bad in ["/one/7", "/one/%ff", "/two/a/7"] {
            let text = answer(bad).await;
            assert!(text.starts_with("`backup_id`: "), "{bad}: {text}");
        }
    }
}
