//! Events: appended, never changed.

use strongroom_domain::{
    EventId, Page, Paged, PrincipalId, TenantId, event::Event, query::Direction,
};

use crate::{
    Conn, Result, Tx,
    db::{Reader, Value},
    list::{Column, Conditions, Kind, Order},
    operations::{read_subject, subject_parts},
    record::{Record, values},
};

impl Record for Event {
    const TABLE: &'static str = "events";
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "tenant_id",
        "at",
        "name",
        "subject_kind",
        "subject_id",
        "principal_id",
        "details",
    ];
    const UNIQUE: &'static str = "event";

    fn values(&self) -> Vec<Value> {
        let Self {
            id,
            tenant_id,
            at,
            name,
            subject,
            principal_id,
            details,
        } = self;
        let (subject_kind, subject_id) = subject_parts(*subject);
        values![
            *id,
            *tenant_id,
            *at,
            name.as_str(),
            subject_kind,
            subject_id,
            *principal_id,
            Value::json(details),
        ]
    }

    fn read(row: &mut Reader<'_>) -> Result<Self> {
        Ok(Self {
            id: row.id(EventId::from_uuid)?,
            tenant_id: row.id(TenantId::from_uuid)?,
            at: row.time()?,
            name: row.text()?,
            subject: read_subject(Self::TABLE, row)?,
            principal_id: row.id_opt(PrincipalId::from_uuid)?,
            details: row.json()?,
        })
    }
}

const AT: Column = Column::required("at", Kind::Time);

impl Conn {
    /// The tenant's events, newest first.
    pub async fn list_events(&mut self, tenant: TenantId, page: &Page) -> Result<Paged<Event>> {
        self.events(tenant, Direction::Descending, page).await
    }

    /// The tenant's events, oldest first: with the cursor of the last page, what came after it.
    pub async fn list_events_forward(
        &mut self,
        tenant: TenantId,
        page: &Page,
    ) -> Result<Paged<Event>> {
        self.events(tenant, Direction::Ascending, page).await
    }

    async fn events(
        &mut self,
        tenant: TenantId,
        direction: Direction,
        page: &Page,
    ) -> Result<Paged<Event>> {
        let conditions = Conditions::of_tenant(self, tenant);
        self.page_of(conditions, Order::by(AT, direction), page)
            .await
    }

    /// The tenant's events that say that a policy did not run, oldest first.
    pub async fn skipped_runs(&mut self, tenant: TenantId) -> Result<Vec<Event>> {
        // Spelled out, so that it is seen to be what the index has.
        let rest = "WHERE tenant_id = $1 AND name = 'policy.skipped' ORDER BY at, id";
        self.find_all(rest, values![tenant]).await
    }

    /// The event with that id, if it is the tenant's.
    pub async fn event(&mut self, tenant: TenantId, id: EventId) -> Result<Option<Event>> {
        self.find("WHERE tenant_id = $1 AND id = $2", values![tenant, id])
            .await
    }

    /// At most `limit` of the tenant's events that came after `after` (all, if it is nothing or
    /// unknown), oldest first.
    pub async fn events_after(
        &mut self,
        tenant: TenantId,
        after: Option<EventId>,
        limit: u32,
    ) -> Result<Vec<Event>> {
        let known = match after {
            Some(id) => self.event(tenant, id).await?,
            None => None,
        };
        if let Some(event) = known {
            let rest = "WHERE tenant_id = $1 AND (at, id) > ($2, $3) ORDER BY at, id LIMIT $4";
            self.find_all(rest, values![tenant, event.at, event.id, limit])
                .await
        } else {
            let rest = "WHERE tenant_id = $1 ORDER BY at, id LIMIT $2";
            self.find_all(rest, values![tenant, limit]).await
        }
    }
}

impl Tx {
    /// Appends an event.
    pub async fn insert_event(&mut self, event: &Event) -> Result<()> {
        self.insert(event).await
    }
}
