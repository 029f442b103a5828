//! Cursors: the place of a row in an order, as opaque text.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use strongroom_domain::query::Direction;
use uuid::Uuid;

use crate::{
    Error, Result,
    db::{Reader, Value},
    list::{Conditions, Kind, Order},
};

/// What a cursor says once it is decoded.
#[derive(Serialize, Deserialize)]
struct Place {
    /// The order that it is a place in.
    #[serde(rename = "o")]
    order: String,
    /// The row's value of each key.
    #[serde(rename = "k")]
    keys: Vec<Key>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Key {
    Null,
    Int(i64),
    Text(String),
}

/// The cursor to what follows a row, of which `row` stands before the order's keys.
pub(crate) fn of(order: &Order, row: &mut Reader<'_>) -> Result<String> {
    let mut keys = Vec::with_capacity(order.keys.len());
    for key in &order.keys {
        keys.push(match key.kind {
            Kind::Id => row.id_opt(|id| id)?.map(|id| Key::Text(id.to_string())),
            Kind::Text => row.text_opt()?.map(Key::Text),
            Kind::Int | Kind::Time => row.int_opt()?.map(Key::Int),
        });
    }
    let place = Place {
        order: order.text(),
        keys: keys
            .into_iter()
            .map(|key| key.unwrap_or(Key::Null))
            .collect(),
    };
    Ok(encode(&place))
}

/// The cursor to what follows the row with that time of creation and id, in the order of those
/// two keys.
pub(crate) fn of_created(order: &Order, created_at: i64, id: Uuid) -> String {
    encode(&Place {
        order: order.text(),
        keys: vec![Key::Int(created_at), Key::Text(id.to_string())],
    })
}

fn encode(place: &Place) -> String {
    let text = serde_json::to_string(place).expect("text and numbers have a JSON form");
    BASE64_URL_SAFE_NO_PAD.encode(text)
}

/// Adds the condition that a row comes after the cursor's.
pub(crate) fn after(conditions: &mut Conditions, order: &Order, cursor: &str) -> Result<()> {
    let values = decode(order, cursor).ok_or(Error::InvalidCursor)?;
    let condition = if is_plain(order) {
        row_value(conditions, order, values)
    } else {
        one_by_one(conditions, order, values)
    };
    conditions.push(condition);
    Ok(())
}

fn decode(order: &Order, cursor: &str) -> Option<Vec<Option<Value>>> {
    let text = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let place: Place = serde_json::from_slice(&text).ok()?;
    if place.order != order.text() || place.keys.len() != order.keys.len() {
        return None;
    }
    let keys = place.keys.into_iter().zip(&order.keys);
    keys.map(|(key, by)| match (key, by.kind) {
        (Key::Null, _) if by.nullable => Some(None),
        (Key::Int(it), Kind::Int | Kind::Time) => Some(Some(Value::from(it))),
        (Key::Text(it), Kind::Text) => Some(Some(Value::from(it))),
        (Key::Text(it), Kind::Id) => Some(Some(Value::from(Uuid::parse_str(&it).ok()?))),
        _ => None,
    })
    .collect()
}

/// Whether a comparison of whole rows says it, which an index can serve.
fn is_plain(order: &Order) -> bool {
    let first = order.keys.first().map(|key| key.direction);
    order
        .keys
        .iter()
        .all(|key| !key.nullable && Some(key.direction) == first)
}

fn row_value(conditions: &mut Conditions, order: &Order, values: Vec<Option<Value>>) -> String {
    let names: Vec<_> = order.keys.iter().map(|key| &*key.text).collect();
    let places: Vec<_> = values
        .into_iter()
        .flatten()
        .map(|value| conditions.bind(value))
        .collect();
    let op = match order.keys.first().map(|key| key.direction) {
        Some(Direction::Descending) => "<",
        _ => ">",
    };
    format!("({}) {op} ({})", names.join(", "), places.join(", "))
}

/// Equal in the first keys and after in the next one, for any number of first keys.
fn one_by_one(conditions: &mut Conditions, order: &Order, values: Vec<Option<Value>>) -> String {
    let mut any = Vec::new();
    let mut equal: Vec<String> = Vec::new();
    for (key, value) in order.keys.iter().zip(values) {
        let name = &key.text;
        let (after, same) = match value {
            // NULL is smaller than everything.
            None => match key.direction {
                Direction::Ascending => (
                    Some(format!("{name} IS NOT NULL")),
                    format!("{name} IS NULL"),
                ),
                Direction::Descending => (None, format!("{name} IS NULL")),
            },
            Some(value) => {
                let place = conditions.bind(value);
                let after = match key.direction {
                    Direction::Ascending => format!("{name} > {place}"),
                    Direction::Descending if key.nullable => {
                        format!("({name} < {place} OR {name} IS NULL)")
                    }
                    Direction::Descending => format!("{name} < {place}"),
                };
                (Some(after), format!("{name} = {place}"))
            }
        };
        if let Some(after) = after {
            let mut all = equal.clone();
            all.push(after);
            any.push(format!("({})", all.join(" AND ")));
        }
        equal.push(same);
    }
    format!("({})", any.join(" OR "))
}
