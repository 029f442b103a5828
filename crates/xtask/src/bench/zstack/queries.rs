//! Ten queries as clients send them, each with the SQL for the same rows.

use anyhow::{Context as _, Result};
use jiff::SignedDuration;
use strongroom_domain::{Backup, RepositoryId};

use super::{
    super::{fill, server::Subject},
    sql::Bound,
};

/// A query in both forms.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) label: &'static str,
    /// Whether the number of rows is what is asked for.
    pub(super) counts: bool,
    pub(super) path: String,
    pub(super) sql: String,
    pub(super) values: Vec<Bound>,
}

/// What SQL says of every backup that the face shows.
const SHOWN: &str = "tenant_id = $1 AND face = 'zstack' AND state <> 'deleted'";
/// A backup that has a copy somewhere.
const STORED: &str = "state NOT IN ('failed', 'cancelled')";

struct Cases {
    tenant: Bound,
    all: Vec<Case>,
}

impl Cases {
    /// Rows: `query` behind the path, `rest` behind the conditions that all have.
    fn rows(&mut self, label: &'static str, query: &str, rest: &str, values: &[Bound]) {
        let sql = format!("SELECT * FROM backups WHERE {SHOWN} {rest}");
        let path = format!("/zstack/v1/database-backups{query}");
        self.add(label, false, path, sql, values);
    }

    /// A number of rows.
    fn number(&mut self, label: &'static str, query: &str, rest: &str, values: &[Bound]) {
        let sql = format!("SELECT COUNT(*) FROM backups WHERE {SHOWN} {rest}");
        let path = format!("/zstack/v1/database-backups{query}");
        self.add(label, true, path, sql, values);
    }

    fn add(
        &mut self,
        label: &'static str,
        counts: bool,
        path: String,
        sql: String,
        values: &[Bound],
    ) {
        let values = [std::slice::from_ref(&self.tenant), values].concat();
        self.all.push(Case {
            label,
            counts,
            path,
            sql,
            values,
        });
    }
}

/// The ten.
pub(super) async fn typical(
    subject: &Subject,
    remote: RepositoryId,
    count: u64,
) -> Result<Vec<Case>> {
    let backups = fill::some(subject, count).await?;
    let middle = backups.get(backups.len() / 2);
    let middle = middle.context("the catalog is empty")?;
    let mut cases = Cases {
        tenant: Bound::Id(subject.tenant.uuid()),
        all: Vec::new(),
    };
    in_pages(&mut cases, middle, count);
    by_fields(&mut cases, middle)?;
    by_storages(&mut cases, remote);
    Ok(cases.all)
}

fn in_pages(cases: &mut Cases, middle: &Backup, count: u64) {
    let uuid = middle.id.simple();
    cases.rows(
        "one by its uuid",
        &format!("/{uuid}"),
        "AND id = $2",
        &[Bound::Id(middle.id.uuid())],
    );
    cases.rows(
        "the newest 20",
        "?sort=-createDate&limit=20",
        "ORDER BY created_at DESC, id DESC LIMIT 20",
        &[],
    );
    let start = count / 2;
    cases.rows(
        "100 from the middle of the list",
        &format!("?sort=-createDate&limit=100&start={start}"),
        &format!("ORDER BY created_at DESC, id DESC LIMIT 100 OFFSET {start}"),
        &[],
    );
    cases.rows(
        "no conditions, default limit",
        "",
        "ORDER BY created_at DESC, id DESC LIMIT 1000",
        &[],
    );
    cases.number("how many there are", "?count=true", "", &[]);
}

fn by_fields(cases: &mut Cases, middle: &Backup) -> Result<()> {
    let name = &middle.name;
    cases.rows(
        "by name",
        &format!("?q=name={name}"),
        "AND name = $2",
        &[Bound::Text(name.clone())],
    );
    let prefix = &name[..name.len() - 3];
    cases.rows(
        "by the beginning of the name, 20 newest",
        &format!("?q=name~={prefix}%25&sort=-createDate&limit=20"),
        "AND name LIKE $2 ORDER BY created_at DESC, id DESC LIMIT 20",
        &[Bound::Text(format!("{prefix}%"))],
    );
    let day = middle
        .created_at
        .checked_add(SignedDuration::from_hours(24))?;
    let shown = |at: jiff::Timestamp| at.strftime("%Y-%m-%d%%20%H:%M:%S").to_string();
    cases.number(
        "how many failed on one day",
        &format!(
            "?q=status=Failed&q=createDate%3E={}&q=createDate%3C{}&count=true",
            shown(middle.created_at),
            shown(day)
        ),
        "AND state = 'failed' AND created_at >= $2 AND created_at < $3",
        &[micros(middle.created_at), micros(day)],
    );
    Ok(())
}

fn by_storages(cases: &mut Cases, remote: RepositoryId) {
    let uuid = remote.simple();
    let copied = format!(
        "AND (repository_id = $2 AND {STORED} OR EXISTS (SELECT 1 FROM backup_copies AS c \
         WHERE c.backup_id = backups.id AND c.repository_id = $2 AND c.{STORED})) \
         ORDER BY created_at DESC, id DESC LIMIT 20"
    );
    let remote = [Bound::Id(remote.uuid())];
    cases.rows(
        "the newest 20 of a storage",
        &format!("?q=backupStorageRefs.backupStorageUuid={uuid}&sort=-createDate&limit=20"),
        &copied,
        &remote,
    );
    let text = "query%20databasebackup%20where%20status='Ready'%20and%20\
                backupStorageRefs.backupStorage.name='remote'%20\
                order%20by%20createDate%20desc%20limit%2020";
    cases.add(
        "the same of a storage's name, in ZQL",
        false,
        format!("/zstack/v1/zql?zql={text}"),
        format!("SELECT * FROM backups WHERE {SHOWN} AND state = 'completed' {copied}"),
        &remote,
    );
}

fn micros(at: jiff::Timestamp) -> Bound {
    Bound::Int(at.as_microsecond())
}
