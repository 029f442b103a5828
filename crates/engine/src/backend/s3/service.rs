//! HTTP as we want it: an answer that is a refusal is an error that says why.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
    ReqwestConnector,
};

use super::failure::Refusal;

/// Gives all users of one storage the same client, so that they share its connections.
#[derive(Debug, Clone, Default)]
pub(super) struct Connector(Arc<Mutex<Option<HttpClient>>>);

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        // A client is put in whole or not at all.
        let mut shared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = &*shared {
            return Ok(client.clone());
        }
        let inner = ReqwestConnector::default().connect(options)?;
        let client = HttpClient::new(Refusing(inner));
        *shared = Some(client.clone());
        Ok(client)
    }
}

#[derive(Debug)]
struct Refusing(HttpClient);

type Answer<'a> = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'a>>;

impl HttpService for Refusing {
    fn call<'a, 'b>(&'a self, request: HttpRequest) -> Answer<'b>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(async move {
            let response = self.0.execute(request).await?;
            let status = response.status();
            if status.is_success() {
                return Ok(response);
            }
            // The answer to HEAD has no body, and a connection that breaks now changes nothing.
            let body = response.into_body().bytes().await.unwrap_or_default();
            let refusal = Refusal::parse(status.as_u16(), &body);
            Err(HttpError::new(HttpErrorKind::Unknown, refusal))
        })
    }
}
