//! The one router: native API, dialects, documents and probes, with what they share around
//! them.

use std::{fmt, sync::Arc, time::Duration};

use axum::{Router, extract::Request, middleware::from_fn_with_state};
use prometheus_client::registry::Registry;
use strongroom_domain::{Clock, Ids};
use strongroom_service::Service;
use utoipa::openapi::OpenApi;

use crate::{
    dialect::{Dialect, FallbackReason},
    docs::{self, Document},
    download,
    extract::RequestId,
    layers::{self, Frame, Metrics},
    probes, v1,
};

/// What the router is made of.
#[derive(Debug)]
pub struct Parts {
    /// The application core.
    pub service: Service,
    /// The dialects served besides the native API.
    pub dialects: &'static [Dialect],
    /// Times requests.
    pub clock: Arc<dyn Clock>,
    /// Makes request ids.
    pub ids: Arc<dyn Ids>,
    /// What may be asked of it.
    pub limits: Limits,
    /// Where metrics are registered; others may be there already.
    pub metrics: Registry,
    /// Serve `/metrics` here; otherwise [`Composed::metrics`] is for another listener.
    pub serve_metrics: bool,
}

/// How much one request may ask for.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The longest request body in bytes.
    pub body_bytes: usize,
    /// The longest time until an answer begins.
    pub time: Duration,
}

impl Default for Limits {
    /// 1 MiB and a minute.
    fn default() -> Self {
        Self {
            body_bytes: 1 << 20,
            time: Duration::from_mins(1),
        }
    }
}

/// The router and what was made along the way.
pub struct Composed {
    /// Answers everything.
    pub router: Router,
    /// `/metrics` alone, for a listener of its own.
    pub metrics: Router,
    /// Each face's name and OpenAPI document, the native API first.
    pub documents: Vec<(&'static str, OpenApi)>,
}

impl fmt::Debug for Composed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faces: Vec<_> = self.documents.iter().map(|(name, _)| name).collect();
        f.debug_struct("Composed")
            .field("faces", &faces)
            .finish_non_exhaustive()
    }
}

/// Puts the router together.
pub fn compose(mut parts: Parts) -> Composed {
    let frame = Arc::new(Frame {
        dialects: parts.dialects,
        body_limit: parts.limits.body_bytes,
        time_limit: parts.limits.time,
        clock: parts.clock,
        ids: parts.ids,
        metrics: Metrics::register(&mut parts.metrics),
    });
    let registry = Arc::new(parts.metrics);
    let (faces, documents) = faces(parts.dialects);
    let mut router = faces.merge(probes::health()).merge(download::router());
    if parts.serve_metrics {
        router = router.merge(probes::metrics(registry.clone()));
    }
    let router = framed(router, &frame).with_state(parts.service);
    Composed {
        router,
        metrics: probes::metrics(registry),
        documents: documents
            .into_iter()
            .map(|it| (it.name, it.openapi))
            .collect(),
    }
}

/// The routes of all faces and of the documents that describe them.
fn faces(dialects: &[Dialect]) -> (Router<Service>, Vec<Document>) {
    let (mut router, native) = v1::router().split_for_parts();
    let mut documents = vec![Document {
        name: "native",
        title: "Strongroom",
        path: format!("{}/openapi.json", v1::PREFIX),
        openapi: native,
    }];
    for dialect in dialects {
        let (routes, mut openapi) = (dialect.router)().split_for_parts();
        docs::name_operations(&mut openapi);
        router = router.merge(routes);
        documents.push(Document {
            name: dialect.name,
            title: dialect.title,
            path: format!("/docs/{}.json", dialect.name),
            openapi,
        });
    }
    (router.merge(docs::router(&documents)), documents)
}

/// Adds the fallbacks and everything that happens around every handler.
fn framed(router: Router<Service>, frame: &Arc<Frame>) -> Router<Service> {
    let fall_back = |reason: FallbackReason| {
        let frame = frame.clone();
        async move |id: RequestId, request: Request| {
            let (parts, _) = request.into_parts();
            frame.fallback(reason, parts.method, parts.uri, id)
        }
    };
    router
        .fallback(fall_back(FallbackReason::NotFound))
        .method_not_allowed_fallback(fall_back(FallbackReason::MethodNotAllowed))
        .layer(from_fn_with_state(frame.clone(), layers::around))
}
