//! The OpenAPI documents and the page that shows them, offline.

use std::sync::Arc;

use axum::{
    Router,
    extract::Path,
    http::{StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use bytes::Bytes;
use utoipa::openapi::{OpenApi, PathItem, path::Operation};
use utoipa_swagger_ui::{Config, Url};

/// A face's document.
pub(crate) struct Document {
    /// The face, e.g. `astra`.
    pub(crate) name: &'static str,
    /// Shown in the page's list.
    pub(crate) title: &'static str,
    /// Where it is served.
    pub(crate) path: String,
    /// The document.
    pub(crate) openapi: OpenApi,
}

/// Serves each document at its path and the page with all of them at `/docs/`.
pub(crate) fn router<S>(documents: &[Document]) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let listed = documents.iter().map(|it| (it.title, it.path.clone()));
    let listed: Arc<[(&'static str, String)]> = listed.collect();
    let index = listed.clone();
    let page = Router::new()
        .route("/docs", get(async || Redirect::permanent("/docs/")))
        .route("/docs/", get(async move || file(&index, "")))
        .route(
            "/docs/{*file}",
            get(async move |Path(name): Path<String>| file(&listed, &name)),
        );
    documents.iter().fold(page, |router, document| {
        let json = Bytes::from(serde_json::to_vec(&document.openapi).unwrap_or_default());
        let answer = async move || ([(header::CONTENT_TYPE, "application/json")], json);
        router.route(&document.path, get(answer))
    })
}

/// Gives each operation a name of its own: handlers of different nouns are called `list` and
/// `get`, but generators of clients want one name per operation.
pub(crate) fn name_operations(document: &mut OpenApi) {
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in methods(item) {
            let Some(operation) = operation else { continue };
            let words = path.split(|c: char| !c.is_ascii_alphanumeric() && c != '.');
            let words = words.filter(|it| !it.is_empty());
            let mut name = words.fold(method.to_owned(), |name, word| name + "_" + word);
            // Some vendors' clients ask with a slash at the end, too.
            if path.len() > 1 && path.ends_with('/') {
                name.push_str("_slash");
            }
            operation.operation_id = Some(name);
        }
    }
}

fn methods(item: &mut PathItem) -> [(&'static str, &mut Option<Operation>); 6] {
    [
        ("get", &mut item.get),
        ("head", &mut item.head),
        ("post", &mut item.post),
        ("put", &mut item.put),
        ("patch", &mut item.patch),
        ("delete", &mut item.delete),
    ]
}

/// A file of the page, with the list of documents filled in.
fn file(listed: &[(&'static str, String)], name: &str) -> Response {
    let urls = listed.iter().map(|(title, path)| Url::new(title, path));
    let config = Config::new(urls).validator_url("none");
    match utoipa_swagger_ui::serve(name, Arc::new(config)) {
        Ok(Some(file)) => {
            let kind = [(header::CONTENT_TYPE, file.content_type)];
            (kind, file.bytes.into_owned()).into_response()
        }
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => {
            tracing::error!("the documents' page cannot be rendered: {error}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
