//! Which call of the REST API a message is, and which statement a query.

use axum::http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use strongroom_domain::query::{Direction, Op};

use crate::zstack::query::zql::ast::{Cond, Operand, Operator, Statement, Verb};

/// The messages that are calls: the verb, the path with the members that stand in it, and the name.
const KNOWN: &str = include_str!("calls.txt");

fn known() -> impl Iterator<Item = (Method, &'static str, &'static str)> {
    KNOWN.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let method = words.next()?.parse().ok()?;
        Some((method, words.next()?, words.next()?))
    })
}

/// What the body of an action wraps its members in.
fn first_lower(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|it| it.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}

/// A message taken apart.
#[derive(Debug)]
pub(super) struct Message {
    /// The class without its package, `API` and `Msg`, e.g. `QueryDatabaseBackup`.
    name: String,
    /// The session that it came with.
    pub(super) session: Option<String>,
    members: Map<String, Value>,
}

/// A call of the REST API.
#[derive(Debug, PartialEq)]
pub(super) struct ToCall {
    pub(super) method: Method,
    pub(super) uri: String,
    pub(super) body: Value,
}

impl Message {
    pub(super) fn read(class: &str, content: Value) -> Self {
        let simple = class.rsplit('.').next().unwrap_or_default();
        let name = simple.strip_prefix("API").unwrap_or(simple);
        let name = name.strip_suffix("Msg").unwrap_or(name).to_owned();
        let mut members = match content {
            Value::Object(members) => members,
            _ => Map::new(),
        };
        members.retain(|_, it| !it.is_null());
        let session = members.remove("session");
        let session = session.and_then(|it| Some(it.get("uuid")?.as_str()?.to_owned()));
        Self {
            name,
            session,
            members,
        }
    }

    /// The call of the REST API that it is.
    pub(super) fn call(&self) -> Option<ToCall> {
        let (method, path) = known()
            .find(|it| it.2 == self.name)
            .map(|it| (it.0, it.1))?;
        let mut rest = self.members.clone();
        let mut uri = filled(path, &mut rest)?;
        let body = match method {
            Method::POST => json!({ "params": rest }),
            Method::PUT => json!({ first_lower(&self.name): rest }),
            _ => {
                let query = query_string(&rest);
                if !query.is_empty() {
                    uri = format!("{uri}?{query}");
                }
                Value::Null
            }
        };
        Some(ToCall { method, uri, body })
    }

    /// The statement that it is, if it is a query, and whether only the number is wanted; what is
    /// wrong with it otherwise.
    pub(super) fn query(&self) -> Option<Result<Statement, String>> {
        let entity = self.name.strip_prefix("Query")?.to_lowercase();
        let query = serde_json::from_value::<QueryMembers>(Value::Object(self.members.clone()));
        Some(
            query
                .map_err(|it| it.to_string())
                .and_then(|it| it.statement(entity)),
        )
    }
}

/// The members of every query.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct QueryMembers {
    conditions: Vec<ConditionMembers>,
    /// The command line sends numbers as text.
    limit: Option<Value>,
    start: Option<Value>,
    count: Option<Value>,
    reply_with_count: Option<Value>,
    sort_by: Option<String>,
    sort_direction: Option<String>,
    fields: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct ConditionMembers {
    name: String,
    op: String,
    #[serde(default)]
    value: Value,
}

impl QueryMembers {
    fn statement(self, entity: String) -> Result<Statement, String> {
        let number = |name: &str, value: &Option<Value>| {
            let read = |it: &Value| text(it).parse::<u64>();
            let read = value.as_ref().map(read).transpose();
            read.map_err(|_| format!("field[{name}] is not a number"))
        };
        let yes = |value: &Option<Value>| value.as_ref().is_some_and(|it| text(it) == "true");
        let descending = self
            .sort_direction
            .is_some_and(|it| it.eq_ignore_ascii_case("desc"));
        let direction = if descending {
            Direction::Descending
        } else {
            Direction::Ascending
        };
        let count = yes(&self.count);
        let conditions = self.conditions.into_iter().map(ConditionMembers::read);
        Ok(Statement {
            verb: if count { Verb::Count } else { Verb::Query },
            entity,
            fields: if count { Vec::new() } else { self.fields },
            conditions: conditions.collect::<Result<_, _>>()?,
            total: yes(&self.reply_with_count),
            order_by: self.sort_by.map(|it| (it, direction)).into_iter().collect(),
            limit: Some(number("limit", &self.limit)?.unwrap_or(1000)),
            offset: number("start", &self.start)?.unwrap_or(0),
            ..Statement::default()
        })
    }
}

impl ConditionMembers {
    fn read(self) -> Result<Cond, String> {
        let operator = match self.op.trim() {
            "=" => Operator::Compare(Op::Eq),
            "!=" => Operator::Compare(Op::Ne),
            ">" => Operator::Compare(Op::Gt),
            ">=" => Operator::Compare(Op::Ge),
            "<" => Operator::Compare(Op::Lt),
            "<=" => Operator::Compare(Op::Le),
            "in" => Operator::In,
            "not in" => Operator::NotIn,
            "like" => Operator::Like,
            "not like" => Operator::NotLike,
            "is null" => Operator::IsNull,
            "is not null" => Operator::NotNull,
            other => return Err(format!("invalid operator[{other}] of field[{}]", self.name)),
        };
        let values = match operator {
            Operator::IsNull | Operator::NotNull => Vec::new(),
            Operator::In | Operator::NotIn => {
                text(&self.value).split(',').map(str::to_owned).collect()
            }
            _ => vec![text(&self.value)],
        };
        Ok(Cond::Test {
            field: self.name,
            operator,
            operand: Operand::Values(values),
        })
    }
}

/// The path with the members that stand in it, which are taken out.
fn filled(path: &str, members: &mut Map<String, Value>) -> Option<String> {
    let mut uri = "/zstack/v1".to_owned();
    for segment in path.split('/').skip(1) {
        uri.push('/');
        let member = segment
            .strip_prefix('{')
            .and_then(|it| it.strip_suffix('}'));
        match member {
            None => uri += segment,
            Some(member) => uri += &encoded(&text(&members.remove(member)?)),
        }
    }
    Some(uri)
}

/// The members as a query string; those of a list one by one.
fn query_string(members: &Map<String, Value>) -> String {
    let pairs = members.iter().flat_map(|(name, value)| {
        let values = value
            .as_array()
            .map_or(std::slice::from_ref(value), Vec::as_slice);
        values
            .iter()
            .map(move |it| format!("{name}={}", encoded(&text(it))))
    });
    pairs.collect::<Vec<_>>().join("&")
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// The class of the answer to a message.
pub(super) fn reply_class(class: &str) -> String {
    format!("{}Reply", class.strip_suffix("Msg").unwrap_or(class))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(class: &str, members: Value) -> Option<ToCall> {
        Message::read(class, members).call()
    }

    #[test]
    fn a_message_is_the_call_of_its_name() {
        let class = "org.zstack.header.storage.database.backup.APICreateDatabaseBackupMsg";
        let members = json!({"name": "a", "session": {"uuid": "s"}, "description": null});
        let expected = ToCall {
            method: Method::POST,
            uri: "/zstack/v1/database-backups".to_owned(),
            body: json!({"params": {"name": "a"}}),
        };
        assert_eq!(call(class, members), Some(expected));
        let members = json!({"uuid": "../x?y", "backupStorageUuids": ["b", "c"]});
        let delete = call("a.APIDeleteDatabaseBackupMsg", members).unwrap();
        assert_eq!(
            delete.uri,
            "/zstack/v1/database-backups/%2E%2E%2Fx%3Fy?backupStorageUuids=b&backupStorageUuids=c"
        );
        assert_eq!(call("a.APIDeleteDatabaseBackupMsg", json!({})), None);
        assert_eq!(call("a.APIExplodeMsg", json!({})), None);
    }

    #[test]
    fn every_known_call_is_routed() {
        let (_, document) = crate::zstack::router().split_for_parts();
        assert_eq!(known().count(), KNOWN.lines().count());
        for (method, path, name) in known() {
            let shape = |path: &str| {
                let segments = path
                    .split('/')
                    .map(|it| if it.starts_with('{') { "{}" } else { it });
                segments.collect::<Vec<_>>().join("/")
            };
            let wanted = shape(&format!("/zstack/v1{path}"));
            let found = document
                .paths
                .paths
                .iter()
                .find(|(it, _)| shape(it) == wanted);
            let (_, item) = found.unwrap_or_else(|| panic!("{name}: {wanted}"));
            let operation = match method {
                Method::GET => &item.get,
                Method::PUT => &item.put,
                Method::POST => &item.post,
                _ => &item.delete,
            };
            assert!(operation.is_some(), "{name}: {method} {wanted}");
        }
    }

    #[test]
    fn every_call_that_is_routed_is_known() {
        // Not calls of the vendor's, or under another name.
        let others = [
            "SendMessage",
            "QueryMessageResult",
            "QueryApiJob",
            "IsManagementNodeReady",
        ];
        let (_, document) = crate::zstack::router().split_for_parts();
        for item in document.paths.paths.values() {
            for operation in [&item.get, &item.put, &item.post, &item.delete] {
                let Some(name) = operation.as_ref().and_then(|it| it.operation_id.as_deref())
                else {
                    continue;
                };
                let known = known().any(|it| it.2 == name);
                let query = name.starts_with("Query");
                assert!(known || query || others.contains(&name), "{name}");
            }
        }
    }
}
