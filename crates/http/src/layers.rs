//! What happens around every handler, in this order: request id, log span, metrics, panic
//! catcher, timeout, body buffering.

mod buffer;
mod metrics;
mod panics;
mod request_id;
mod timeout;
mod trace;

use std::{sync::Arc, time::Duration};

use axum::{
    http::{Method, Uri},
    response::{IntoResponse, Response},
};
use strongroom_domain::{Clock, Ids};

pub(crate) use self::{
    buffer::buffer, metrics::Metrics, metrics::measure, panics::catch_panics, request_id::identify,
    timeout::limit_time, trace::trace,
};
use crate::{
    dialect::{Dialect, Fallback, FallbackReason},
    extract::RequestId,
    problem::Problem,
};

/// What the layers need to know; one for the whole router.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) dialects: &'static [Dialect],
    pub(crate) body_limit: usize,
    pub(crate) time_limit: Duration,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn Ids>,
    pub(crate) metrics: Metrics,
}

impl Frame {
    /// Answers in the format of whoever owns the path; problem+json for everything else.
    pub(crate) fn fallback(
        &self,
        reason: FallbackReason,
        method: Method,
        uri: Uri,
        request_id: RequestId,
    ) -> Response {
        let fallback = Fallback {
            reason,
            method,
            uri,
            request_id,
        };
        let owner = self
            .dialects
            .iter()
            .find(|it| (it.owns)(fallback.uri.path()));
        match owner {
            Some(dialect) => (dialect.fallback)(fallback),
            None => Problem::from(&fallback).into_response(),
        }
    }
}
