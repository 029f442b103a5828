//! The `filter` grammar: `path op 'value'`, several of them separated by commas.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::Value;

/// A condition on a resource's JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Clause {
    /// What is compared.
    pub(in super::super) path: Path,
    /// How.
    pub(in super::super) op: Comparison,
    /// With what.
    pub(in super::super) value: String,
}

/// How a field compares with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Comparison {
    /// Equal.
    Eq,
    /// Less.
    Lt,
    /// Greater.
    Gt,
    /// Less or equal.
    Lte,
    /// Greater or equal.
    Gte,
    /// The field contains the value as a part of its text.
    In,
}

/// A dotted path into JSON. A part that is an array stands for each of its elements, whether the
/// client marked it with `[*]` or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Path(Vec<String>);

impl Path {
    /// A path of plain names.
    pub(super) fn field(dotted: &str) -> Self {
        Self(dotted.split('.').map(str::to_owned).collect())
    }

    /// The path with dots and without marks.
    pub(in super::super) fn dotted(&self) -> String {
        self.0.join(".")
    }

    /// The first value found along the path.
    pub(super) fn first<'a>(&self, row: &'a Value) -> Option<&'a Value> {
        self.values(row).into_iter().find(|value| !value.is_null())
    }

    fn values<'a>(&self, row: &'a Value) -> Vec<&'a Value> {
        let mut found = vec![row];
        for name in &self.0 {
            found = found
                .into_iter()
                .flat_map(each)
                .filter_map(|it| it.get(name))
                .collect();
        }
        found.into_iter().flat_map(each).collect()
    }
}

fn each(value: &Value) -> &[Value] {
    match value {
        Value::Array(all) => all,
        one => std::slice::from_ref(one),
    }
}

impl Clause {
    /// Whether any value along the path compares so. What is missing compares in no way.
    pub(super) fn holds(&self, row: &Value) -> bool {
        self.path
            .values(row)
            .into_iter()
            .any(|found| self.compares(found))
    }

    fn compares(&self, found: &Value) -> bool {
        let text = match found {
            Value::Null | Value::Array(_) | Value::Object(_) => return false,
            Value::String(text) => text.clone(),
            Value::Bool(_) | Value::Number(_) => found.to_string(),
        };
        let ordering = match found {
            Value::Number(number) => {
                let pair = number.as_f64().zip(self.value.parse::<f64>().ok());
                pair.and_then(|(a, b)| a.partial_cmp(&b))
            }
            _ => Some(compare_texts(&text, &self.value)),
        };
        match self.op {
            Comparison::In => text.contains(&self.value),
            Comparison::Eq => ordering == Some(Ordering::Equal),
            Comparison::Lt => ordering == Some(Ordering::Less),
            Comparison::Gt => ordering == Some(Ordering::Greater),
            Comparison::Lte => matches!(ordering, Some(Ordering::Less | Ordering::Equal)),
            Comparison::Gte => matches!(ordering, Some(Ordering::Greater | Ordering::Equal)),
        }
    }
}

/// Compares two times as times, whatever fraction they carry, and other texts as texts.
fn compare_texts(a: &str, b: &str) -> Ordering {
    match (a.parse::<Timestamp>(), b.parse::<Timestamp>()) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        _ => a.cmp(b),
    }
}

/// Orders two values of one field: numbers by size, all else by text.
pub(super) fn order(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            let pair = a.as_f64().zip(b.as_f64());
            pair.and_then(|(a, b)| a.partial_cmp(&b))
                .unwrap_or(Ordering::Equal)
        }
        (Value::String(a), Value::String(b)) => compare_texts(a, b),
        _ => a.to_string().cmp(&b.to_string()),
    }
}

/// Reads a `filter` parameter.
pub(super) fn parse(text: &str) -> Result<Vec<Clause>, String> {
    let mut clauses = Vec::new();
    let mut rest = text;
    loop {
        let (clause, after) = one(rest)?;
        clauses.push(clause);
        match after.strip_prefix(',') {
            Some(next) => rest = next.trim_start_matches(' '),
            None if after.is_empty() => return Ok(clauses),
            None => return Err(format!("`{after}` follows a complete condition")),
        }
    }
}

fn one(text: &str) -> Result<(Clause, &str), String> {
    let malformed = || format!("`{text}` is not `path op 'value'`");
    let (path, rest) = text.split_once(' ').ok_or_else(malformed)?;
    let (op, rest) = rest.split_once(' ').ok_or_else(malformed)?;
    let rest = rest.strip_prefix('\'').ok_or_else(malformed)?;
    let (value, after) = rest.split_once('\'').ok_or_else(malformed)?;
    let op = comparison(op).ok_or_else(|| format!("`{op}` is no comparison"))?;
    let path = self::path(path).ok_or_else(|| format!("`{path}` does not name a field"))?;
    let value = value.to_owned();
    Ok((Clause { path, op, value }, after))
}

fn comparison(op: &str) -> Option<Comparison> {
    Some(match op {
        "eq" => Comparison::Eq,
        "lt" => Comparison::Lt,
        "gt" => Comparison::Gt,
        "lte" => Comparison::Lte,
        "gte" => Comparison::Gte,
        "in" => Comparison::In,
        _ => return None,
    })
}

fn path(text: &str) -> Option<Path> {
    let parts = text
        .split('.')
        .map(|part| part.strip_suffix("[*]").unwrap_or(part));
    let parts: Vec<String> = parts.map(str::to_owned).collect();
    parts
        .iter()
        .all(|part| super::is_word(part))
        .then_some(Path(parts))
}
