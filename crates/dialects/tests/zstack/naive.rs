//! What conditions mean, evaluated on rows as a client sees them.

use std::cmp::Ordering;

use jiff::civil::DateTime;
use serde_json::Value;

/// Values that rows have, nearly have, or never have; some contain operators.
pub(crate) fn values(rows: &Value) -> Vec<String> {
    let mut values: Vec<String> = [
        "a",
        "BETA",
        "beta  ",
        "%a%",
        "_____",
        "%\\%%",
        "%",
        "x",
        "0",
        "13107",
        "13107.0",
        "5.5",
        "1e4",
        "abc",
        "99999999999999999999",
        "-1",
        "2026",
        "2026-01-01",
        "Ready",
        "creating",
        "zstore://zsbak/",
        "zstore://zsbak/%",
        "%bak/0%3",
        "ENABLED",
        "null",
        "\\",
        "a\\",
        "alpha,beta,5",
        ",",
        "' or ''",
        "\u{1F600}",
        "%数%",
        "a=b",
        "1>=0",
        "~=%",
        "x is null",
        "blue",
        "B_UE",
        "été οδος",
        "%É%",
        "ёж__x",
        "ЁЖ%",
        "Ê",
        "ÉTÉ",
        "%::%",
    ]
    .map(str::to_owned)
    .to_vec();
    for row in rows.as_array().unwrap() {
        for cell in [
            row,
            row.pointer("/backupStorageRefs/0").unwrap_or(&Value::Null),
        ] {
            for value in cell.as_object().into_iter().flat_map(|it| it.values()) {
                if let Some(text) = shown(value).filter(|it| !it.is_empty()) {
                    values.push(text.to_uppercase());
                    values.push(text.chars().take(7).collect::<String>() + "%");
                    if let Some(at) = printed(&text) {
                        values.push(at.to_string().replace('T', " "));
                        values.push(at.to_string() + ".5");
                    }
                    values.push(text);
                }
            }
        }
    }
    values
}

pub(crate) fn shown(value: &Value) -> Option<String> {
    value
        .as_str()
        .map(str::to_owned)
        .or_else(|| value.as_u64().map(|it| it.to_string()))
}

fn printed(text: &str) -> Option<DateTime> {
    DateTime::strptime("%b %d, %Y %I:%M:%S %p", text).ok()
}

/// Whether the field of the row, as a client sees it, passes; of several, some one must.
pub(crate) fn some(row: &Value, field: &str, test: &dyn Fn(Option<&Value>) -> bool) -> bool {
    if let Some((list, field)) = field.split_once('.') {
        let children = row[list].as_array().unwrap();
        return children.iter().any(|it| some(it, field, test));
    }
    match row.get(field).and_then(Value::as_array) {
        Some(list) => list.iter().any(|it| test(Some(it))),
        None => test(row.get(field)),
    }
}

/// Whether a cell meets the condition.
pub(crate) fn naive(cell: Option<&Value>, operator: &str, value: &str) -> bool {
    match (operator, value) {
        (" is null", _) | ("=", "null") => return cell.is_none(),
        (" not null", _) | ("!=", "null") => return cell.is_some(),
        _ => {}
    }
    let items: Vec<_> = value.split(',').collect();
    match operator {
        "?=" => naive_in(cell, &items, true),
        "!?=" => naive_in(cell, &items, false),
        other => naive_compare(cell, other, value),
    }
}

/// Whether a cell is one of the items, or is not; NULL is neither.
pub(crate) fn naive_in(cell: Option<&Value>, items: &[&str], expected: bool) -> bool {
    cell.is_some_and(|cell| items.iter().any(|it| order(cell, it).is_eq()) == expected)
}

pub(crate) fn naive_compare(cell: Option<&Value>, operator: &str, value: &str) -> bool {
    let Some(cell) = cell else { return false };
    match operator {
        "~=" => naive_like(cell, value),
        "!~=" => !naive_like(cell, value),
        "=" => order(cell, value).is_eq(),
        "!=" => order(cell, value).is_ne(),
        ">" => order(cell, value).is_gt(),
        ">=" => order(cell, value).is_ge(),
        "<" => order(cell, value).is_lt(),
        "<=" => order(cell, value).is_le(),
        other => panic!("{other}"),
    }
}

/// How two cells are ordered: NULL first, texts without regard to the case of ASCII letters, the
/// rest as conditions compare them.
pub(crate) fn naive_order(a: Option<&Value>, b: Option<&Value>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => match (a.as_str(), b.as_str()) {
            (Some(a), Some(b)) if printed(a).is_none() => ascii(a).cmp(&ascii(b)),
            _ => order(a, &shown(b).unwrap()),
        },
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}

/// The operators in the order in which they are looked for.
const PRIORITY: [&str; 12] = [
    "!=", ">=", "<=", "!?=", "!~=", "~=", "?=", "=", ">", "<", "is null", "not null",
];

/// Whether the text is the condition that it is made of: an operator within the value may win.
pub(crate) fn reads_as(text: &str, field: &str, operator: &str) -> bool {
    let found = PRIORITY.iter().find(|it| text.contains(**it)).unwrap();
    let (name, _) = text.split_once(found).unwrap();
    *found == operator.trim() && name.trim() == field
}

/// Whether a row with these tags meets the condition; a negative one asks that no tag meets its
/// opposite.
pub(crate) fn naive_tagged(tags: &[Value], operator: &str, value: &str) -> bool {
    let some = |operator: &str| tags.iter().any(|it| naive(Some(it), operator, value));
    match (operator, value) {
        (" is null", _) | ("=", "null") => tags.is_empty(),
        (" not null", _) | ("!=", "null") => !tags.is_empty(),
        ("!=", _) => !some("="),
        ("!~=", _) => !some("~="),
        ("!?=", _) => !some("?="),
        (other, _) => some(other),
    }
}

/// How a cell compares with a value.
#[expect(
    clippy::cast_precision_loss,
    reason = "only compared with small fractions"
)]
fn order(cell: &Value, value: &str) -> Ordering {
    if let Some(number) = cell.as_u64() {
        if let Ok(value) = value.parse::<i128>() {
            return i128::from(number).cmp(&value);
        }
        let longest = (0..=value.len())
            .rev()
            .filter(|end| value.is_char_boundary(*end));
        let mut parts = longest.filter_map(|end| value[..end].parse::<f64>().ok());
        let value = parts.find(|it| it.is_finite()).unwrap_or(0.0);
        return (number as f64).partial_cmp(&value).unwrap();
    }
    let text = cell.as_str().unwrap();
    let folded = folded(value);
    let Some(at) = printed(text) else {
        // Letters that only one of them has are compared as they are.
        let text = text
            .trim_end_matches(' ')
            .chars()
            .map(|c| match caseless(c) {
                letter if c.is_ascii() || folded.contains(&letter) => letter,
                _ => c.to_string(),
            });
        return text.collect::<String>().cmp(&folded);
    };
    let given = value
        .trim()
        .parse::<DateTime>()
        .ok()
        .or_else(|| printed(value.trim()));
    let date = || {
        value
            .trim()
            .parse::<jiff::civil::Date>()
            .ok()
            .map(DateTime::from)
    };
    match given.or_else(date) {
        Some(given) => at.cmp(&given),
        None => at.to_string().replace('T', " ").cmp(&folded),
    }
}

fn folded(text: &str) -> String {
    text.trim_end_matches(' ').chars().map(caseless).collect()
}

fn caseless(c: char) -> String {
    c.to_uppercase().flat_map(char::to_lowercase).collect()
}

fn ascii(text: &str) -> String {
    text.trim_end_matches(' ').to_ascii_lowercase()
}

fn naive_like(cell: &Value, pattern: &str) -> bool {
    let mut text = shown(cell).unwrap();
    if let Some(at) = printed(&text) {
        text = at.to_string().replace('T', " ");
    }
    fn matches(pattern: &[char], text: &[char]) -> bool {
        match pattern {
            [] => text.is_empty(),
            ['%', rest @ ..] => (0..=text.len()).any(|from| matches(rest, &text[from..])),
            ['_', rest @ ..] => !text.is_empty() && matches(rest, &text[1..]),
            ['\\', c, rest @ ..] | [c, rest @ ..] => {
                text.first() == Some(c) && matches(rest, &text[1..])
            }
        }
    }
    let chars = |it: &str| {
        let folded: String = it.chars().map(caseless).collect();
        folded.chars().collect::<Vec<_>>()
    };
    matches(&chars(pattern), &chars(&text))
}
