//! Counts and times requests by route, never by path: paths are unbounded.

use std::{
    fmt,
    hash::{Hash, Hasher},
};

use axum::{
    extract::{MatchedPath, Request},
    http::Method,
    response::Response,
};
use jiff::Timestamp;
use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder},
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::Registry,
};

use super::Frame;

/// Upper bounds of the latency buckets in seconds.
const BUCKETS: [f64; 12] = [
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0,
];

/// The request metrics, registered once per router.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    requests: Family<Answer, Counter>,
    seconds: Family<Route, Histogram, fn() -> Histogram>,
}

impl Metrics {
    /// Makes the metrics and registers them.
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            requests: Family::default(),
            seconds: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
        };
        registry.register(
            "strongroom_http_requests",
            "Requests answered, by route and status",
            metrics.requests.clone(),
        );
        registry.register(
            "strongroom_http_request_seconds",
            "Time from the request's head to the answer's head, by route",
            metrics.seconds.clone(),
        );
        metrics
    }
}

/// A request that is being answered.
pub(super) struct Measurement {
    route: Route,
    began: Timestamp,
}

impl Measurement {
    pub(super) fn begin(frame: &Frame, request: &Request) -> Self {
        Self {
            route: Route {
                method: MethodLabel(request.method().clone()),
                route: RouteLabel(request.extensions().get().cloned()),
            },
            began: frame.clock.now(),
        }
    }

    /// Counts and times it.
    pub(super) fn end(self, frame: &Frame, response: &Response) {
        let Self { route, began } = self;
        let took = frame.clock.now().duration_since(began).as_secs_f64();
        frame.metrics.seconds.get_or_create(&route).observe(took);
        let answer = Answer {
            method: route.method,
            route: route.route,
            status: response.status().as_u16(),
        };
        frame.metrics.requests.get_or_create(&answer).inc();
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    method: MethodLabel,
    route: RouteLabel,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answer {
    method: MethodLabel,
    route: RouteLabel,
    status: u16,
}

/// Methods that clients invent are one label.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct MethodLabel(Method);

impl EncodeLabelValue for MethodLabel {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        let known = [
            Method::GET,
            Method::HEAD,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
            Method::OPTIONS,
        ];
        let name = if known.contains(&self.0) {
            self.0.as_str()
        } else {
            "other"
        };
        name.encode(encoder)
    }
}

#[derive(Debug, Clone)]
struct RouteLabel(Option<MatchedPath>);

impl RouteLabel {
    fn as_str(&self) -> &str {
        self.0.as_ref().map_or("none", MatchedPath::as_str)
    }
}

impl PartialEq for RouteLabel {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for RouteLabel {}

impl Hash for RouteLabel {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl EncodeLabelValue for RouteLabel {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        self.as_str().encode(encoder)
    }
}
