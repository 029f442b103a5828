//! Telling clients that their jobs have ended: the URL in `X-Web-Hook` gets what a poll would say.

use std::{net::IpAddr, time::Duration};

use axum::{
    body::to_bytes,
    http::{StatusCode, header::CONTENT_TYPE},
};
use futures_util::{FutureExt as _, future::BoxFuture};
use reqwest::{Client, redirect::Policy};
use strongroom_domain::{Face, callback::Callback};
use strongroom_http::extract::Base;
use strongroom_service::Service;
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval, timeout},
};
use url::{Host, Url};

use super::{
    call::{BASE, JOB, SCHEMA},
    error::Error,
    handlers::jobs,
};

/// How often the vendor's server tries.
const ATTEMPTS: u32 = 15;
/// How long it waits between tries.
const PAUSE: Duration = Duration::from_secs(2);
/// How long a client may take to answer.
const TIMEOUT: Duration = Duration::from_secs(30);
/// When a call is made again that nothing is heard of, because the server ended meanwhile. More
/// than a call takes, so that a client is never called twice at a time.
const LEASE: Duration = Duration::from_mins(1);
/// Clients that are called at the same time. One that is slow holds up no other.
const AT_ONCE: usize = 32;

/// The URL of a header, if it is one that may be called.
pub(crate) fn checked(text: &str) -> Result<String, Error> {
    match Url::parse(text.trim()) {
        Ok(url) if is_callable(&url) => Ok(url.into()),
        _ => {
            let text = format!("Invalid header[X-Web-Hook], [{text}] cannot be called");
            Err(Error::transport(StatusCode::BAD_REQUEST, text))
        }
    }
}

/// Whether a client may have us call it: over HTTP, and not the addresses that clouds answer their
/// machines' secrets at.
fn is_callable(url: &Url) -> bool {
    let special = match url.host() {
        None => true,
        Some(Host::Domain(name)) => name.is_empty(),
        Some(Host::Ipv4(ip)) => is_special(ip.into()),
        Some(Host::Ipv6(ip)) => is_special(ip.into()),
    };
    matches!(url.scheme(), "http" | "https") && url.password().is_none() && !special
}

fn is_special(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.is_link_local() || ip.is_unspecified() || ip.is_broadcast(),
        IpAddr::V6(ip) => ip.is_unicast_link_local() || ip.is_unspecified() || ip.is_multicast(),
    }
}

/// Makes the calls that are due, for as long as the server runs.
pub(crate) fn run(service: Service) -> BoxFuture<'static, ()> {
    async move {
        let client = match Client::builder().redirect(Policy::none()).build() {
            Ok(client) => client,
            Err(error) => {
                tracing::error!(%error, "clients cannot be called back");
                return;
            }
        };
        let mut calls = JoinSet::new();
        let mut changes = service.changes();
        let mut ticks = interval(PAUSE);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            for callback in due(&service, AT_ONCE - calls.len()).await {
                calls.spawn(tell(service.clone(), client.clone(), callback));
            }
            tokio::select! {
                _ = ticks.tick() => {}
                changed = changes.changed() => if changed.is_err() { return },
                Some(_) = calls.join_next() => {}
            }
        }
    }
    .boxed()
}

/// At most so many calls that are due, which are ours to make.
async fn due(service: &Service, most: usize) -> Vec<Callback> {
    let most = u32::try_from(most).unwrap_or_default();
    if most == 0 {
        return Vec::new();
    }
    let due = service.due_callbacks(Face::Zstack, LEASE, most).await;
    due.unwrap_or_else(|error| {
        tracing::warn!(%error, "calls that are due cannot be looked up");
        Vec::new()
    })
}

/// Makes a call, and has it made again if it does not get through.
async fn tell(service: Service, client: Client, callback: Callback) {
    let called = timeout(TIMEOUT, call(&service, &client, &callback)).await;
    let called = called.unwrap_or_else(|_| Err("it did not answer in time".to_owned()));
    let noted = match called {
        Ok(()) => service.called_back(&callback).await,
        Err(reason) if callback.attempts < ATTEMPTS => {
            let attempt = callback.attempts;
            tracing::debug!(reason, attempt, "a client was not reached");
            service.call_back_later(&callback, PAUSE).await
        }
        Err(reason) => {
            tracing::warn!(reason, "a client was not reached; given up");
            service.called_back(&callback).await
        }
    };
    if let Err(error) = noted {
        tracing::warn!(%error, "a call that was made cannot be noted");
    }
}

async fn call(service: &Service, client: &Client, callback: &Callback) -> Result<(), String> {
    check_address(&callback.url).await?;
    let id = callback.operation_id;
    let found = service.operation_result(id).await;
    let found = found.map_err(|error| error.to_string())?;
    let annotations = &found.operation.annotations;
    let base = annotations.text(BASE).map(|it| Base(it.to_owned()));
    let schema = annotations.get(SCHEMA).is_some();
    let job = annotations.text(JOB).map(str::to_owned);
    let answer = jobs::answer(found, service.now(), base.as_ref(), schema);
    let answer = answer.map_err(|error| format!("{error:?}"))?;
    let success = answer.status() == StatusCode::OK;
    let body = to_bytes(answer.into_body(), usize::MAX).await;
    let answered = client
        .post(&callback.url)
        .header(CONTENT_TYPE, "application/json; charset=utf-8")
        .header("X-Job-UUID", job.unwrap_or_else(|| id.simple()))
        .header("X-Job-Success", success.to_string())
        .body(body.map_err(|error| error.to_string())?)
        .send()
        .await;
    let answered = answered.map_err(|error| error.without_url().to_string())?;
    match answered.status() {
        status if status.is_success() => Ok(()),
        status => Err(format!("it answered {status}")),
    }
}

/// A name may lead anywhere, so where it leads is looked at before each call.
async fn check_address(url: &str) -> Result<(), String> {
    let url = Url::parse(url).map_err(|error| error.to_string())?;
    let (Some(Host::Domain(name)), Some(port)) = (url.host(), url.port_or_known_default()) else {
        return Ok(());
    };
    let found = tokio::net::lookup_host((name, port)).await;
    let mut found = found.map_err(|error| error.to_string())?;
    match found.find(|it| is_special(it.ip())) {
        None => Ok(()),
        Some(_) => Err(format!("`{name}` leads to an address that is not called")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_clients_can_be_called() {
        for good in [
            "http://10.0.0.7:8080/hook",
            "https://client.example/a?b=c",
            "http://[::1]/",
        ] {
            assert!(checked(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "client.example/hook",
            "file:///etc/passwd",
            "ftp://client.example/",
            "http://169.254.169.254/latest/meta-data",
            "http://[::ffff:169.254.169.254]/",
            "http://2852039166/",
            "http://0.0.0.0/",
            "http://[fe80::1]/",
            "http://user:password@client.example/",
        ] {
            assert!(checked(bad).is_err(), "{bad}");
        }
    }
}
