//! What the vendor's server makes of a verb that a path does not have.

use axum::{
    extract::{Request, State},
    http::{Method, StatusCode},
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
};
use strongroom_http::extract::RawBody;
use strongroom_service::Service;
use tower::ServiceExt as _;
use utoipa_axum::router::UtoipaMethodRouter;

use super::error::{Error, JOBS, without_context, wrong_method};

/// Refuses `HEAD`, which would otherwise be answered as `GET`, and the verbs that the path has not.
pub(super) fn strict(routes: UtoipaMethodRouter<Service>) -> UtoipaMethodRouter<Service> {
    let (schemas, paths, methods) = routes;
    (schemas, paths, methods.head(refused).fallback(refused))
}

/// A path of the vendor's with one call only: any verb means that call.
pub(super) fn alone(routes: UtoipaMethodRouter<Service>) -> UtoipaMethodRouter<Service> {
    let (schemas, paths, methods) = routes;
    let only = paths.paths.values().find_map(|it| {
        let put = it.put.as_ref().map(|_| Method::PUT);
        let delete = it.delete.as_ref().map(|_| Method::DELETE);
        put.or(delete).or(it.get.as_ref().map(|_| Method::GET))
    });
    let only = only.unwrap_or(Method::GET);
    let inner = methods.clone();
    let any = async move |State(service): State<Service>, mut request: Request| {
        *request.method_mut() = only.clone();
        let Ok(answer) = inner
            .clone()
            .with_state::<()>(service)
            .oneshot(request)
            .await;
        answer
    };
    let known = [Method::GET, Method::POST, Method::PUT, Method::DELETE];
    let fallback = async move |state: State<Service>, request: Request| {
        if known.contains(request.method()) {
            any(state, request).await
        } else {
            refused(request).await
        }
    };
    (schemas, paths, methods.head(refused).fallback(fallback))
}

/// A path where the body's one member says which call is meant: without a body there is nothing to
/// look into.
pub(super) fn shared(routes: UtoipaMethodRouter<Service>) -> UtoipaMethodRouter<Service> {
    let (schemas, paths, methods) = routes;
    let looked = async |request: Request, next: Next| {
        if request.method() == Method::PUT && has_no_body(&request) {
            return no_body().into_response();
        }
        next.run(request).await
    };
    (schemas, paths, methods.layer(from_fn(looked)))
}

async fn refused(request: Request) -> Response {
    let path = without_context(request.uri().path());
    let of_job = path.starts_with(JOBS);
    if request.method() == Method::PUT && !of_job && has_no_body(&request) {
        return no_body().into_response();
    }
    let (status, text) = wrong_method(request.method().as_str(), path);
    Error::transport(status, text).into_response()
}

fn has_no_body(request: &Request) -> bool {
    let body = request.extensions().get::<RawBody>();
    body.is_none_or(|it| it.0.trim_ascii().is_empty())
}

/// The vendor's server stumbles over it.
fn no_body() -> Error {
    Error::transport(StatusCode::INTERNAL_SERVER_ERROR, "the body is empty")
}
