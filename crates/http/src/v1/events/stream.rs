//! `/api/v1/events/stream`: progress and events as they come (server-sent events).
//!
//! Level-triggered: on every change, and at least every few seconds, the present state is read
//! and what differs from what this client was told is sent. A slow client thus skips steps but
//! never misses how something ended.

use std::{
    collections::{BTreeMap, VecDeque},
    convert::Infallible,
    time::Duration,
};

use axum::{
    extract::{FromRequestParts, State},
    http::request::Parts,
    response::sse::{Event as Message, KeepAlive, Sse},
};
use futures_util::Stream;
use serde::Serialize;
use strongroom_domain::{
    BackupId, BackupState, EventId, Page, RestoreId, Start,
    event::Event,
    query::{BackupField, Filter, Value},
    restore::RestoreState,
};
use strongroom_service::{Caller, Result, Service};
use tokio::sync::watch;
use uuid::Uuid;

use crate::{
    auth::bearer,
    problem::{Problem, chain},
    v1::{
        document::Problems,
        request::{Auth, Read},
        wire::{self, ActiveWork},
    },
};

/// How often the state is read at most.
const PACE: Duration = Duration::from_millis(250);
/// How often it is read, and the credential checked again, when nobody says that it changed.
const IDLE: Duration = Duration::from_secs(5);
/// How many backups, restores and events are looked at each time.
const WINDOW: u64 = 1000;

/// Progress of active backups and restores, and events, as they come: messages `backup`,
/// `restore` and `event`. `Last-Event-ID` goes on after that event.
#[utoipa::path(get, path = "/api/v1/events/stream", operation_id = "stream_events",
    tag = "events", params(("Last-Event-ID" = Option<Uuid>, Header)),
    responses((status = 200, content_type = "text/event-stream", body = String), Problems))]
pub(in crate::v1) async fn stream(
    service: State<Service>,
    auth: Auth<Read>,
    token: Token,
    after: LastEvent,
) -> Result<Sse<impl Stream<Item = Result<Message, Infallible>>>, Problem> {
    let watcher = Watcher::begin(service.0, auth.0, token.0, after.0).await?;
    let messages = futures_util::stream::unfold(watcher, |mut watcher| async move {
        let message = watcher.next().await?;
        Some((Ok(message), watcher))
    });
    Ok(Sse::new(messages).keep_alive(KeepAlive::default()))
}

/// The bearer token itself, to check it again while the stream lasts.
#[derive(Debug)]
pub(in crate::v1) struct Token(String);

impl<S: Sync> FromRequestParts<S> for Token {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let token = bearer::token(&parts.headers);
        Ok(Self(
            token
                .map_err(strongroom_service::Error::Unauthenticated)?
                .to_owned(),
        ))
    }
}

/// The event that a reconnecting client saw last.
#[derive(Debug)]
pub(in crate::v1) struct LastEvent(Option<EventId>);

impl<S: Sync> FromRequestParts<S> for LastEvent {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let id = parts
            .headers
            .get("last-event-id")
            .and_then(|it| it.to_str().ok());
        Ok(Self(id.and_then(|it| it.parse().ok())))
    }
}

/// What one client was told, and what it is to be told next.
struct Watcher {
    service: Service,
    caller: Caller,
    token: String,
    changes: watch::Receiver<u64>,
    told: BTreeMap<(Noun, Uuid), ActiveWork>,
    last_event: Option<EventId>,
    queue: VecDeque<Message>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Noun {
    Backup,
    Restore,
}

impl Noun {
    fn as_str(self) -> &'static str {
        match self {
            Self::Backup => "backup",
            Self::Restore => "restore",
        }
    }
}

impl Watcher {
    /// Starts after `last_event`, or with what happens from now on.
    async fn begin(
        service: Service,
        caller: Caller,
        token: String,
        last_event: Option<EventId>,
    ) -> Result<Self> {
        let mut changes = service.changes();
        changes.mark_changed();
        let last_event = match last_event {
            Some(id) => Some(id),
            None => newest(&service, &caller, 1).await?.first().map(|it| it.id),
        };
        let (told, queue) = Default::default();
        Ok(Self {
            service,
            caller,
            token,
            changes,
            told,
            last_event,
            queue,
        })
    }

    /// The next message; nothing once the server stops or the credential is no longer valid.
    async fn next(&mut self) -> Option<Message> {
        loop {
            if let Some(message) = self.queue.pop_front() {
                return Some(message);
            }
            if let Ok(Err(_)) = tokio::time::timeout(IDLE, self.changes.changed()).await {
                return None;
            }
            self.changes.borrow_and_update();
            if let Err(error) = self.look().await {
                tracing::info!("an event stream ends: {}", chain(&error));
                return None;
            }
            tokio::time::sleep(PACE).await;
        }
    }

    /// Reads the present state and queues what this client was not told yet.
    async fn look(&mut self) -> Result<()> {
        self.caller = self.service.token_caller(&self.token).await?;
        let mut present = BTreeMap::new();
        for backup in active_backups(&self.service, &self.caller).await? {
            present.insert((Noun::Backup, backup.id.uuid()), ActiveWork::from(&backup));
        }
        let (active, page) = (RestoreState::active(), window(WINDOW));
        let restores = self
            .service
            .list_restores(&self.caller, &active, &[], &page)
            .await?;
        for restore in restores.items {
            let key = (Noun::Restore, restore.id.uuid());
            present.insert(key, ActiveWork::from(&restore));
        }
        for (key, work) in self.ended(&present).await? {
            self.tell(key.0.as_str(), None, &work);
        }
        for (key, work) in &present {
            if self.told.get(key) != Some(work) {
                self.tell(key.0.as_str(), None, work);
            }
        }
        self.told = present;
        self.look_for_events().await
    }

    /// How work ended that was active when the client was last told of it.
    async fn ended(
        &self,
        present: &BTreeMap<(Noun, Uuid), ActiveWork>,
    ) -> Result<Vec<((Noun, Uuid), ActiveWork)>> {
        let mut ended = Vec::new();
        for key in self.told.keys().filter(|key| !present.contains_key(key)) {
            let work = match key {
                (Noun::Backup, id) => {
                    let id = BackupId::from_uuid(*id);
                    self.service
                        .backup(&self.caller, id)
                        .await
                        .map(|it| ActiveWork::from(&it))
                }
                (Noun::Restore, id) => {
                    let id = RestoreId::from_uuid(*id);
                    self.service
                        .restore(&self.caller, id)
                        .await
                        .map(|it| ActiveWork::from(&it))
                }
            };
            match work {
                Ok(work) => ended.push((*key, work)),
                // Deleted already: its events say so.
                Err(strongroom_service::Error::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(ended)
    }

    async fn look_for_events(&mut self) -> Result<()> {
        let mut events = newest(&self.service, &self.caller, WINDOW).await?;
        let known = events.iter().position(|it| Some(it.id) == self.last_event);
        events.truncate(known.unwrap_or(events.len()));
        for event in events.into_iter().rev() {
            let id = event.id;
            self.tell("event", Some(id), &wire::Event::from(event));
            self.last_event = Some(id);
        }
        Ok(())
    }

    fn tell(&mut self, name: &str, id: Option<EventId>, data: &impl Serialize) {
        let mut message = Message::default().event(name);
        if let Some(id) = id {
            message = message.id(id.to_string());
        }
        match message.json_data(data) {
            Ok(message) => self.queue.push_back(message),
            Err(error) => tracing::error!("a message cannot be written: {error}"),
        }
    }
}

fn window(limit: u64) -> Page {
    Page {
        limit,
        start: Start::First,
        total: false,
    }
}

async fn active_backups(
    service: &Service,
    caller: &Caller,
) -> Result<Vec<strongroom_domain::Backup>> {
    let states = BackupState::ALL.iter().filter(|it| it.is_active());
    let states = states.map(|it| Value::from(it.as_str())).collect();
    let active = Filter::In(BackupField::State, states);
    Ok(service
        .list_backups(caller, &active, &[], &window(WINDOW))
        .await?
        .items)
}

async fn newest(service: &Service, caller: &Caller, limit: u64) -> Result<Vec<Event>> {
    Ok(service.list_events(caller, &window(limit)).await?.items)
}
