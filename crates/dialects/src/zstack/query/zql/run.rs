//! Carries statements out: sub-queries first, then the rows, then what is made of them.

use std::{future::Future, pin::Pin};

use serde_json::Value as Json;
use strongroom_domain::{
    BackupId, Export, Page,
    page::Start,
    query::{Direction, Op},
    repository::Repository,
};
use strongroom_http::extract::Base;
use strongroom_service::{Caller, Service};

use super::{
    BadZql,
    aggregate::{cut, distinct, groups, one, sum},
    ast::{Cond, Operand, Operator, Statement, SubQuery, Verb},
    parse::parse,
};
use crate::zstack::{
    error::Error,
    handlers::{
        backups::{exports, metadata},
        inventory::tags,
        inventory::{TABLES, rows},
    },
    map::{self, places::Places},
    query::{
        Unknown,
        backups::{self, Beside, Plan},
        check_members,
        condition::{Condition, Test, Where},
        table::{Row, SortColumn, Table, order, page, row},
        tags::Tags,
    },
    wire::{
        reply::Schema,
        zql::{ZQL_RETURN, ZqlReply, ZqlReturn},
    },
};

/// At most this many rows are held in memory for a statement.
const MOST_ROWS: usize = 100_000;
/// Rows that are read from the catalog at once.
const PAGE: u64 = 1000;

/// Where the rows come from.
#[derive(Debug)]
pub(crate) struct Run<'a> {
    service: &'a Service,
    caller: &'a Caller,
    /// The tenant's storages, for conditions on them.
    storages: Vec<Repository>,
    tags: Tags,
    exports: Vec<(Export, String)>,
    /// Where the client reached us.
    base: &'a Base,
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

/// Which rows of a table, in which order.
struct Rows<'a> {
    table: &'static Table,
    conditions: &'a Where,
    order: &'a [(String, Direction)],
    offset: u64,
    limit: Option<u64>,
    /// The members that rows shall have.
    members: Vec<&'static str>,
}

type Later<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

impl Run<'_> {
    /// Answers all statements of a text, or refuses it for what is wrong with one of them.
    pub(crate) async fn answer(&self, text: &str, with_schema: bool) -> Result<ZqlReply, Error> {
        let mut reply = ZqlReply::default();
        let mut schema = Schema::default();
        for (at, statement) in parse(text)?.into_iter().enumerate() {
            let table = entity(&statement.entity)?;
            let result = self.statement(table, statement).await?;
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

    /// Answers a statement that was not written as text.
    pub(crate) async fn one(&self, statement: Statement) -> Result<ZqlReturn, Error> {
        self.statement(entity(&statement.entity)?, statement).await
    }

    async fn statement(
        &self,
        table: &'static Table,
        statement: Statement,
    ) -> Result<ZqlReturn, Error> {
        check_members(Some(&statement.fields), &table.members())?;
        let conditions = self.all(&statement.conditions).await?;
        let mut result = ZqlReturn {
            name: statement.name.clone(),
            ..ZqlReturn::default()
        };
        if statement.total || statement.verb == Verb::Count {
            result.total = Some(self.count(table, &conditions).await?);
        }
        let (verb, by) = (&statement.verb, columns(table, &statement.group_by)?);
        match verb {
            Verb::Count if by.is_empty() => {}
            Verb::Count => {
                let groups = self.grouped(table, &statement, &conditions, &by).await?;
                result.inventory_counts = groups;
            }
            Verb::Query if by.is_empty() => {
                let wanted = wanted(table, &statement, &conditions);
                let rows = self.rows(wanted).await?.into_iter();
                result.inventories = Some(rows.map(Json::Object).collect());
            }
            Verb::Query | Verb::Distinct => {
                let rows = self
                    .rows_of_groups(table, &statement, &conditions, &by)
                    .await?;
                result.inventories = Some(rows.into_iter().map(Json::Object).collect());
            }
            Verb::Fold(function) => {
                let values = columns(table, &statement.fields)?;
                let mut wanted = unpaged(table, &statement, &conditions);
                wanted.members.extend(by.iter().map(|it| it.0));
                let groups = groups(&by, self.rows(wanted).await?).into_iter();
                let value = |rows: &[Row]| {
                    let value =
                        |it: &SortColumn| Some((it.0.to_owned(), one(*function, rows, *it)?));
                    values.iter().filter_map(value).collect()
                };
                let folded = groups.map(|it| (it.key, value(&it.rows))).collect();
                let paged = page(folded, statement.offset, statement.limit);
                result.inventory_aggregate_functions = paged.collect();
            }
            Verb::Sum(by) => {
                let sums = self.sums(table, &statement, &conditions, by).await?;
                result.inventories = Some(sums);
            }
        }
        Ok(result)
    }

    /// How many rows each group has.
    async fn grouped(
        &self,
        table: &'static Table,
        statement: &Statement,
        conditions: &Where,
        by: &[SortColumn],
    ) -> Result<Vec<(Row, u64)>, Error> {
        let mut wanted = unpaged(table, statement, conditions);
        wanted.members = by.iter().map(|it| it.0).collect();
        let mut by_count = None;
        if let Some(((name, direction), rest)) = statement.order_by.split_first()
            && name == "groupCount"
        {
            by_count = Some(*direction);
            wanted.order = rest;
        }
        let counted = groups(by, self.rows(wanted).await?).into_iter();
        let count = |rows: &[Row]| u64::try_from(rows.len()).unwrap_or(u64::MAX);
        let mut counted: Vec<_> = counted.map(|it| (it.key, count(&it.rows))).collect();
        match by_count {
            None => {}
            Some(Direction::Ascending) => counted.sort_by_key(|it| it.1),
            Some(Direction::Descending) => counted.sort_by_key(|it| std::cmp::Reverse(it.1)),
        }
        Ok(page(counted, statement.offset, statement.limit).collect())
    }

    /// The first row of each group, or the different rows.
    async fn rows_of_groups(
        &self,
        table: &'static Table,
        statement: &Statement,
        conditions: &Where,
        by: &[SortColumn],
    ) -> Result<Vec<Row>, Error> {
        let mut wanted = unpaged(table, statement, conditions);
        let members = wanted.members.clone();
        wanted.members.extend(by.iter().map(|it| it.0));
        let mut rows = self.rows(wanted).await?;
        if !by.is_empty() {
            let groups = groups(by, rows).into_iter();
            rows = groups.filter_map(|it| it.rows.into_iter().next()).collect();
        }
        let mut rows: Vec<Row> = rows.iter().map(|it| cut(it, &members)).collect();
        if statement.verb == Verb::Distinct {
            rows = distinct(rows);
        }
        Ok(page(rows, statement.offset, statement.limit).collect())
    }

    /// Each group with its sums, as a list.
    async fn sums(
        &self,
        table: &'static Table,
        statement: &Statement,
        conditions: &Where,
        by: &str,
    ) -> Result<Vec<Json>, Error> {
        let by = columns(table, &[by.to_owned()])?;
        let values = columns(table, &statement.fields)?;
        let mut wanted = unpaged(table, statement, conditions);
        wanted.members.extend(by.iter().map(|it| it.0));
        let mut by_sum = None;
        if let Some(((name, direction), rest)) = statement.order_by.split_first()
            && let Some(column) = values.iter().find(|it| it.0 == name)
        {
            by_sum = Some((*column, *direction));
            wanted.order = rest;
        }
        let groups = groups(&by, self.rows(wanted).await?).into_iter();
        let summed = |rows: &[Row]| {
            let sum = |it: &SortColumn| (it.0.to_owned(), sum(rows, *it));
            values.iter().map(sum).collect::<Row>()
        };
        let mut sums: Vec<_> = groups.map(|it| (it.key, summed(&it.rows))).collect();
        if let Some(by_sum) = by_sum {
            sums.sort_by(|a, b| order(&[by_sum], &a.1, &b.1));
        }
        let list = |(key, sums): (Row, Row)| {
            let key = by.iter().map(|it| key.get(it.0));
            let all = key.chain(values.iter().map(|it| sums.get(it.0)));
            Json::Array(all.map(|it| it.cloned().unwrap_or_default()).collect())
        };
        Ok(page(sums, statement.offset, statement.limit)
            .map(list)
            .collect())
    }

    /// All conditions, with the sub-queries in them answered.
    fn all<'f>(&'f self, conditions: &'f [Cond]) -> Later<'f, Where> {
        Box::pin(async move {
            let mut all = Vec::new();
            for condition in conditions {
                all.push(self.resolved(condition).await?);
            }
            Ok(Where::All(all))
        })
    }

    async fn resolved(&self, condition: &Cond) -> Result<Where, Error> {
        let (field, operator, operand) = match condition {
            Cond::All(all) => return self.all(all).await,
            Cond::Any(any) => {
                return Ok(match self.all(any).await? {
                    Where::All(any) => Where::Any(any),
                    other => other,
                });
            }
            Cond::Test {
                field,
                operator,
                operand,
            } => (field, *operator, operand),
        };
        match operand {
            Operand::Values(values) => Ok(test(field, operator, values.clone())?),
            Operand::SubQuery(query) => {
                let values = self.sub_query(query).await?;
                Ok(test(field, operator, values)?)
            }
        }
    }

    /// The different values of the field in the rows that a sub-query is about.
    async fn sub_query(&self, query: &SubQuery) -> Result<Vec<String>, Error> {
        let table = entity(&query.entity)?;
        let path: Vec<&str> = query.field.split('.').collect();
        let member = known(table, &path)?;
        let conditions = self.all(&query.conditions).await?;
        let rows = self.rows(Rows {
            table,
            conditions: &conditions,
            order: &[],
            offset: 0,
            limit: None,
            members: vec![member],
        });
        let mut values = Vec::new();
        for row in rows.await? {
            texts(
                row.get(member),
                path.get(1..).unwrap_or_default(),
                &mut values,
            );
        }
        values.sort_unstable();
        values.dedup();
        Ok(values)
    }

    async fn count(&self, table: &'static Table, conditions: &Where) -> Result<u64, Error> {
        if is_catalog(table) {
            let metadata = metadata(self.service, self.caller, conditions).await?;
            let plan = Plan::select(conditions, &[], self.beside(&metadata))?;
            let page = Page::offset(0, 0);
            let found = self
                .service
                .list_backups(self.caller, &plan.filter, &[], &page);
            return Ok(found.await?.total.unwrap_or(0));
        }
        let selection = table.select(conditions, &self.tags)?;
        let rows = rows(table, self.service, self.caller).await?;
        let count = rows.iter().filter(|it| selection.holds(it)).count();
        Ok(u64::try_from(count).unwrap_or(u64::MAX))
    }

    async fn rows(&self, wanted: Rows<'_>) -> Result<Vec<Row>, Error> {
        if is_catalog(wanted.table) {
            return self.backups(wanted).await;
        }
        let Rows { table, members, .. } = wanted;
        let selection = table.select(wanted.conditions, &self.tags)?;
        let columns = wanted.order.iter();
        let columns = columns.map(|(name, direction)| Ok((table.sort_column(name)?, *direction)));
        let columns = columns.collect::<Result<Vec<_>, Unknown>>()?;
        let mut rows = rows(table, self.service, self.caller).await?;
        rows.retain(|it| selection.holds(it));
        rows.sort_by(|a, b| order(&columns, a, b));
        let rows = page(rows, wanted.offset, wanted.limit);
        Ok(rows.map(|it| cut(&it, &members)).collect())
    }

    async fn backups(&self, wanted: Rows<'_>) -> Result<Vec<Row>, Error> {
        let metadata = metadata(self.service, self.caller, wanted.conditions).await?;
        let beside = self.beside(&metadata);
        let Plan { filter, sort } = Plan::select(wanted.conditions, wanted.order, beside)?;
        let most = wanted.limit.unwrap_or(u64::MAX);
        let mut found = Vec::new();
        let mut page = Page {
            total: false,
            ..Page::offset(PAGE.min(most), wanted.offset)
        };
        loop {
            let list = self
                .service
                .list_backups(self.caller, &filter, &sort, &page);
            let slice = list.await?;
            let places = Places::of(self.service, self.caller, &slice.items, self.base).await?;
            for backup in &slice.items {
                let row = row(&map::backup(backup, &places))?;
                found.push(cut(&row, &wanted.members));
            }
            if found.len() > MOST_ROWS {
                return Err(BadZql::TooManyRows(MOST_ROWS).into());
            }
            let left = most.saturating_sub(u64::try_from(found.len()).unwrap_or(u64::MAX));
            match slice.next {
                Some(next) if left > 0 => {
                    page.start = Start::Cursor(next);
                    page.limit = PAGE.min(left);
                }
                _ => return Ok(found),
            }
        }
    }

    fn beside<'a>(&'a self, metadata: &'a [(BackupId, String)]) -> Beside<'a> {
        Beside {
            storages: &self.storages,
            tags: &self.tags,
            exports: &self.exports,
            metadata,
        }
    }
}

/// Database backups are found by the catalog, everything else in memory.
fn is_catalog(table: &'static Table) -> bool {
    std::ptr::eq(table, &raw const backups::TABLE)
}

/// The inventory of that name: its class without `Inventory`, case aside.
fn entity(name: &str) -> Result<&'static Table, BadZql> {
    let named = |it: &&&'static Table| {
        let own = it.name().strip_suffix("Inventory").unwrap_or(it.name());
        own.eq_ignore_ascii_case(name)
    };
    let found = [&backups::TABLE].iter().chain(TABLES).find(named).copied();
    found.ok_or_else(|| BadZql::Entity(name.to_owned()))
}

/// The page that a statement asks for.
fn wanted<'a>(table: &'static Table, statement: &'a Statement, conditions: &'a Where) -> Rows<'a> {
    Rows {
        offset: statement.offset,
        limit: statement.limit,
        ..unpaged(table, statement, conditions)
    }
}

/// All rows that a statement is about.
fn unpaged<'a>(table: &'static Table, statement: &'a Statement, conditions: &'a Where) -> Rows<'a> {
    let mut members = table.members();
    if !statement.fields.is_empty() {
        members.retain(|it| statement.fields.iter().any(|field| field == it));
    }
    Rows {
        table,
        conditions,
        order: &statement.order_by,
        offset: 0,
        limit: None,
        members,
    }
}

/// The columns of these names.
fn columns(table: &'static Table, names: &[String]) -> Result<Vec<SortColumn>, Unknown> {
    let column = |name: &String| {
        let found = table.columns.iter().find(|it| it.0 == name);
        found.copied().ok_or_else(|| Unknown::Field {
            class: table.class,
            field: name.clone(),
        })
    };
    names.iter().map(column).collect()
}

/// Checks that a path leads to a column, and gives the member that it begins with.
fn known(table: &'static Table, path: &[&str]) -> Result<&'static str, Unknown> {
    let unknown = |name: &str| Unknown::Field {
        class: table.class,
        field: name.to_owned(),
    };
    match path {
        [name, rest @ ..] if !rest.is_empty() => {
            let child = table.children.iter().find(|it| it.0 == *name);
            let (member, child) = child.ok_or_else(|| unknown(name))?;
            known(child, rest)?;
            Ok(member)
        }
        path => {
            let name = path.first().copied().unwrap_or_default();
            let column = table.columns.iter().find(|it| it.0 == name);
            Ok(column.ok_or_else(|| unknown(name))?.0)
        }
    }
}

/// Collects the texts of all values that a path leads to.
fn texts(value: Option<&Json>, path: &[&str], found: &mut Vec<String>) {
    match value {
        None | Some(Json::Null) => {}
        Some(Json::Array(list)) => list.iter().for_each(|it| texts(Some(it), path, found)),
        Some(Json::Object(row)) => {
            if let [name, rest @ ..] = path {
                texts(row.get(*name), rest, found);
            }
        }
        Some(Json::String(text)) => found.push(text.clone()),
        Some(other) => found.push(other.to_string()),
    }
}

/// What a test with these values means.
fn test(field: &str, operator: Operator, values: Vec<String>) -> Result<Where, BadZql> {
    let of = |test| {
        Where::Test(Condition {
            name: field.to_owned(),
            test,
        })
    };
    let equal = |value: &String| of(Test::Compare(Op::Eq, value.clone()));
    let single: fn(Operator, String) -> Test = |operator, value| match operator {
        Operator::Like => Test::Like(value),
        Operator::NotLike => Test::NotLike(value),
        Operator::Compare(op) => Test::Compare(op, value),
        _ => Test::In(vec![value]),
    };
    Ok(match operator {
        Operator::IsNull => of(Test::IsNull),
        Operator::NotNull => of(Test::NotNull),
        Operator::In => of(Test::In(values)),
        Operator::NotIn => of(Test::NotIn(values)),
        Operator::Has => Where::All(values.iter().map(equal).collect()),
        Operator::NotHas => {
            let mut all: Vec<_> = values.iter().map(equal).collect();
            // So that it is not unknown for NULL.
            if !all.is_empty() {
                all.push(of(Test::NotNull));
            }
            Where::Not(Box::new(Where::All(all)))
        }
        // A comparison with no row is one with NULL.
        _ => match <[String; 1]>::try_from(values) {
            Ok([value]) => of(single(operator, value)),
            Err(values) if values.is_empty() => Where::Any(Vec::new()),
            Err(_) => return Err(BadZql::SeveralRows),
        },
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
