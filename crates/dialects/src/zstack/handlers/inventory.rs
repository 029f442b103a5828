//! What the handlers of all short inventories have in common; see `query::table`.

use axum::http::Uri;
use strongroom_service::{Caller, Service};

use super::{Answer, ok};
use crate::zstack::{
    error::Error,
    query::{
        Query,
        table::{self, Table},
        tags::{Tag, Tags},
    },
    wire::{
        reply::{Inventory, Listed},
        tags::TagInventory,
    },
};

/// Answers a query over all `rows` of the tenant.
pub(crate) async fn listed<T: Inventory>(
    service: &Service,
    caller: &Caller,
    uri: &Uri,
    table: &Table,
    rows: Vec<T>,
) -> Answer<Listed<T>> {
    let query = Query::parse(uri.query().unwrap_or_default())?;
    let tags = tags(service, caller).await?;
    let (found, total) = table::answer(&query, table, rows, &tags)?;
    if query.count {
        return Ok(ok(Listed::count(total)));
    }
    let total = query.reply_with_count.then_some(total);
    Ok(ok(Listed::rows(found, total, query.fields.as_deref())?))
}

/// Answers with the row of that uuid, or with an empty list.
pub(crate) fn shown<T: Inventory>(uuid: &str, rows: Vec<T>) -> Answer<Listed<T>> {
    let mut found = Vec::new();
    for it in rows {
        let row = table::row(&it)?;
        let own = row.get("uuid").and_then(|it| it.as_str());
        if own.is_some_and(|it| it.eq_ignore_ascii_case(uuid)) {
            found.push(it);
        }
    }
    Ok(ok(Listed::rows(found, None, None)?))
}

/// The tags of the tenant's rows, for conditions on them.
pub(crate) async fn tags(service: &Service, caller: &Caller) -> Result<Tags, Error> {
    let mut all = super::tags::system(service, caller).await?;
    all.extend(super::tags::user(service, caller).await?);
    let tag = |it: TagInventory| {
        let (kind, text, pattern) = (it.kind, it.tag, it.tag_pattern_uuid);
        let tag = Tag {
            kind,
            text,
            pattern,
        };
        (it.resource_uuid, tag)
    };
    Ok(all.into_iter().map(tag).collect())
}
