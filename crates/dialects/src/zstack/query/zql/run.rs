//! Carries statements out: sub-queries first, then the rows, then what is made of them.

use serde_json::Value as Json;
use strongroom_domain::{BackupId, Export, repository::Repository};
use strongroom_http::extract::Base;
use strongroom_service::{Caller, Service};

use super::{
    BadZql,
    ast::{Statement, Verb},
    parse::parse,
    rows::{Rows, Source},
};
use crate::zstack::{
    error::Error,
    handlers::{
        backups::exports,
        inventory::{TABLES, tags},
    },
    query::{
        Unknown,
        backups::{self, Beside},
        check_members,
        condition::{Condition, Test, Where},
        table::{Row, SortColumn, Table},
        tags::Tags,
    },
    wire::{
        reply::Schema,
        zql::{ZQL_RETURN, ZqlReply, ZqlReturn},
    },
};

/// Where the rows come from.
#[derive(Debug)]
pub(crate) struct Run<'a> {
    pub(super) service: &'a Service,
    pub(super) caller: &'a Caller,
    /// The tenant's storages, for conditions on them.
    storages: Vec<Repository>,
    pub(super) tags: Tags,
    exports: Vec<(Export, String)>,
    /// Where the client reached us.
    pub(super) base: &'a Base,
}

impl<'a> Run<'a> {
    /// Everything that statements of the caller may refer to.
    pub(crate) async fn of(
        service: &'a Service,
        caller: &'a Caller,
        base: &'a Base,
    ) -> Result<Self, Error> {
        Ok(Self {
            service,
            caller,
            storages: service.list_repositories(caller).await?,
            tags: tags(service, caller).await?,
            exports: exports(service, caller, base).await?,
            base,
        })
    }
}

/// A statement that is being carried out.
pub(super) struct Task<'a> {
    pub(super) table: &'static Table,
    pub(super) statement: &'a Statement,
    /// Where its rows are taken from.
    pub(super) source: &'a Source,
}

impl Run<'_> {
    /// Answers all statements of a text, or refuses it for what is wrong with one of them.
    pub(crate) async fn answer(&self, text: &str, with_schema: bool) -> Result<ZqlReply, Error> {
        let mut reply = ZqlReply::default();
        let mut schema = Schema::default();
        for (at, statement) in parse(text)?.into_iter().enumerate() {
            let table = entity(&statement.entity)?;
            let result = self.one(statement).await?;
            let path = format!("results[{at}]");
            for (at, inventory) in result.inventories.iter().flatten().enumerate() {
                if let Json::Object(row) = inventory {
                    describe(&mut schema, format!("{path}.inventories[{at}]"), table, row);
                }
            }
            schema.insert(path, ZQL_RETURN);
            reply.results.push(result);
        }
        reply.schema = with_schema.then_some(schema);
        Ok(reply)
    }

    /// Answers a statement, which need not have been written as text.
    pub(crate) async fn one(&self, mut statement: Statement) -> Result<ZqlReturn, Error> {
        let table = entity(&statement.entity)?;
        check_members(Some(&statement.fields), &table.members())?;
        for (field, _) in &mut statement.order_by {
            if let Some((entity, rest)) = field.split_once('.')
                && entity.eq_ignore_ascii_case(&statement.entity)
            {
                *field = rest.to_owned();
            }
        }
        let source = self.source(table, &statement.joins, &statement.conditions);
        let source = source.await?;
        let task = Task {
            table,
            statement: &statement,
            source: &source,
        };
        self.carry_out(task).await
    }

    async fn carry_out(&self, task: Task<'_>) -> Result<ZqlReturn, Error> {
        let statement = task.statement;
        let mut result = ZqlReturn {
            name: statement.name.clone(),
            ..ZqlReturn::default()
        };
        if statement.total || statement.verb == Verb::Count {
            result.total = Some(self.total(&task).await?);
        }
        let by = columns(task.table, &statement.group_by)?;
        match &statement.verb {
            Verb::Count if by.is_empty() => {}
            Verb::Count => result.inventory_counts = self.counted(&task, &by).await?,
            Verb::Query if by.is_empty() => {
                let rows = self.rows(task.page()).await?.into_iter();
                result.inventories = Some(rows.map(Json::Object).collect());
            }
            Verb::Query | Verb::Distinct => {
                let rows = self.rows_of_groups(&task, &by).await?.into_iter();
                result.inventories = Some(rows.map(Json::Object).collect());
            }
            Verb::Fold(function) => {
                let folded = self.folded(&task, *function, &by).await?;
                result.inventory_aggregate_functions = folded;
            }
            Verb::Sum(by) => result.inventories = Some(self.sums(&task, by).await?),
        }
        Ok(result)
    }

    /// How many rows there are in all; of a field, how many of its values are not NULL.
    async fn total(&self, task: &Task<'_>) -> Result<u64, Error> {
        let Task {
            table,
            statement,
            source,
        } = *task;
        let different = statement.distinct || statement.verb == Verb::Distinct;
        let rows = if different {
            let field = statement.fields.first().cloned();
            self.different(task, field.into_iter().collect()).await?
        } else if statement.verb == Verb::Count
            && let Some(field) = statement.fields.first()
        {
            match source {
                Source::Where(conditions) => {
                    let given = Where::Test(Condition {
                        name: field.clone(),
                        test: Test::NotNull,
                    });
                    let conditions = Where::All(vec![conditions.clone(), given]);
                    return self.count(table, &Source::Where(conditions)).await;
                }
                Source::Joined(_) => {
                    let mut rows = self.rows(task.all()).await?;
                    rows.retain(|it| it.contains_key(field));
                    rows
                }
            }
        } else {
            return self.count(table, source).await;
        };
        Ok(u64::try_from(rows.len()).unwrap_or(u64::MAX))
    }

    pub(super) fn beside<'a>(&'a self, metadata: &'a [(BackupId, String)]) -> Beside<'a> {
        Beside {
            storages: &self.storages,
            tags: &self.tags,
            exports: &self.exports,
            metadata,
        }
    }
}

impl<'a> Task<'a> {
    /// The page that the statement asks for.
    fn page(&self) -> Rows<'a> {
        Rows {
            offset: self.statement.offset,
            limit: self.statement.limit,
            ..self.all()
        }
    }

    /// All rows that the statement is about.
    pub(super) fn all(&self) -> Rows<'a> {
        let mut members = self.table.members();
        let fields = &self.statement.fields;
        if !fields.is_empty() {
            members.retain(|it| fields.iter().any(|field| field == it));
        }
        Rows {
            table: self.table,
            source: self.source,
            order: &self.statement.order_by,
            offset: 0,
            limit: None,
            members,
        }
    }
}

/// The inventory of that name: its class without `Inventory`, case aside.
pub(super) fn entity(name: &str) -> Result<&'static Table, BadZql> {
    let named = |it: &&&'static Table| {
        let own = it.name().strip_suffix("Inventory").unwrap_or(it.name());
        own.eq_ignore_ascii_case(name)
    };
    let found = [&backups::TABLE, &backups::REFS]
        .iter()
        .chain(TABLES)
        .find(named)
        .copied();
    found.ok_or_else(|| BadZql::Entity(name.to_owned()))
}

/// The columns of these names.
pub(super) fn columns(table: &'static Table, names: &[String]) -> Result<Vec<SortColumn>, Unknown> {
    names.iter().map(|it| column(table, it)).collect()
}

/// The column of that name.
pub(super) fn column(table: &'static Table, name: &str) -> Result<SortColumn, Unknown> {
    let found = table.columns.iter().find(|it| it.0 == name);
    found.copied().ok_or_else(|| Unknown::Field {
        class: table.class,
        field: name.to_owned(),
    })
}

/// Names the classes of a row and of the rows in it.
fn describe(schema: &mut Schema, path: String, table: &Table, row: &Row) {
    for (member, child) in table.children {
        match row.get(*member) {
            Some(Json::Array(list)) => {
                for (at, it) in list.iter().enumerate() {
                    if let Json::Object(row) = it {
                        describe(schema, format!("{path}.{member}[{at}]"), child, row);
                    }
                }
            }
            Some(Json::Object(row)) => describe(schema, format!("{path}.{member}"), child, row),
            _ => {}
        }
    }
    schema.insert(path, table.class);
}
