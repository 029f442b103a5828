//! What several nouns share.

use std::str::FromStr;

use jiff::Timestamp;
use strongroom_domain::{
    self as domain, Page, Paged, Start,
    backup::{BackupProgress, FailedEntry},
    query::{Filter, Op, Sort, Value},
};

use crate::{
    problem::Problem,
    v1::wire::{self, Label, Limit, List, ListQuery, Sorting},
};

pub(in crate::v1) fn page(
    limit: Option<Limit>,
    cursor: Option<String>,
    total: Option<bool>,
) -> Page {
    Page {
        limit: limit.unwrap_or_default().get(),
        start: cursor.map_or(Start::First, Start::Cursor),
        total: total.unwrap_or_default(),
    }
}

impl From<ListQuery> for Page {
    fn from(query: ListQuery) -> Self {
        let ListQuery {
            limit,
            cursor,
            total,
        } = query;
        page(limit, cursor, total)
    }
}

/// A page of the core's as one on the wire.
pub(in crate::v1) fn list<T, U: From<T>>(page: Paged<T>) -> List<U> {
    let Paged { items, total, next } = page.map(U::from);
    List { items, next, total }
}

/// The sort keys, if there are any.
pub(in crate::v1) fn sort<F: FromStr>(sorting: Option<Sorting>) -> Result<Vec<Sort<F>>, Problem> {
    let Some(sorting) = sorting else {
        return Ok(Vec::new());
    };
    match sorting.read() {
        Some(sort) => Ok(vec![sort]),
        None => Err(Problem::field(
            "sort",
            format!("nothing is sorted by `{}`", sorting.0),
        )),
    }
}

/// Conditions that must all hold.
#[derive(Debug)]
pub(in crate::v1) struct Conditions<F>(Vec<Filter<F>>);

impl<F> Conditions<F> {
    pub(in crate::v1) fn new() -> Self {
        Self(Vec::new())
    }

    /// The column equals the value, if there is one.
    pub(in crate::v1) fn equal(&mut self, field: F, value: Option<impl Into<Value>>) {
        self.0.extend(value.map(|it| Filter::eq(field, it)));
    }

    /// The column is one of the texts, if there are any.
    pub(in crate::v1) fn one_of<'a, I>(&mut self, field: F, values: I)
    where
        I: Iterator<Item = &'a str>,
    {
        let values: Vec<Value> = values.map(Value::from).collect();
        if !values.is_empty() {
            self.0.push(Filter::In(field, values));
        }
    }

    /// The time is not before the one and before the other, as far as they are given.
    pub(in crate::v1) fn between(
        &mut self,
        field: F,
        from: Option<Timestamp>,
        before: Option<Timestamp>,
    ) where
        F: Copy,
    {
        let compare = |op, at| Filter::Compare(field, op, Value::Time(at));
        self.0.extend(from.map(|at| compare(Op::Ge, at)));
        self.0.extend(before.map(|at| compare(Op::Lt, at)));
    }

    /// Adds any other condition.
    pub(in crate::v1) fn push(&mut self, condition: Option<Filter<F>>) {
        self.0.extend(condition);
    }

    pub(in crate::v1) fn all(self) -> Filter<F> {
        Filter::All(self.0)
    }
}

/// Conversions between two structs that have the same fields.
macro_rules! both_ways {
    ($core:path, $wire:path { $($field:ident),* $(,)? }) => {
        impl From<$core> for $wire {
            fn from(it: $core) -> Self {
                let $core { $($field),* } = it;
                Self { $($field),* }
            }
        }

        impl From<$wire> for $core {
            fn from(it: $wire) -> Self {
                let $wire { $($field),* } = it;
                Self { $($field),* }
            }
        }
    };
}
pub(in crate::v1) use both_ways;

both_ways!(domain::Label, Label { name, value });

/// Each item converted.
pub(in crate::v1) fn each<T, U: From<T>>(items: Vec<T>) -> Vec<U> {
    items.into_iter().map(U::from).collect()
}

impl From<FailedEntry> for wire::FailedEntry {
    fn from(entry: FailedEntry) -> Self {
        let FailedEntry {
            path,
            phase,
            message,
        } = entry;
        Self {
            path,
            phase,
            message,
        }
    }
}

/// How far it is; `percent` is that of the whole, which knows whether it has ended.
pub(in crate::v1) fn progress(progress: BackupProgress, percent: Option<u8>) -> wire::Progress {
    let BackupProgress {
        bytes_done,
        bytes_total,
        entries_done,
    } = progress;
    wire::Progress {
        bytes_done,
        bytes_total,
        entries_done,
        percent,
    }
}

/// What stands in the place of a secret.
const HIDDEN: &str = "…";

/// The settings with secrets hidden: values whose key says so, and passwords within URLs.
pub(in crate::v1) fn without_secrets(settings: wire::Settings) -> wire::Settings {
    let hide = |(key, value): (String, String)| {
        let value = if is_secret(&key) {
            HIDDEN.to_owned()
        } else {
            without_password(value)
        };
        (key, value)
    };
    settings.into_iter().map(hide).collect()
}

fn is_secret(key: &str) -> bool {
    let names_file = key.ends_with("_file");
    !names_file
        && ["password", "secret", "token"]
            .iter()
            .any(|word| key.contains(word))
}

/// The text, with the password hidden if it is a URL that contains one.
pub(in crate::v1) fn without_password(text: String) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return text;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let Some((user_info, _)) = authority.rsplit_once('@') else {
        return text;
    };
    let user = user_info.split(':').next().unwrap_or_default();
    let after = &rest[user_info.len()..];
    format!("{scheme}://{user}:{HIDDEN}{after}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_in_settings_are_never_shown() {
        let settings = [
            ("password", "hunter2"),
            ("password_file", "/etc/pw"),
            ("url", "redis://me:hunter2@host:6379/0"),
            ("path", "/srv/data"),
        ];
        let settings = settings.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let shown = without_secrets(settings.into());
        assert_eq!(shown["password"], "…");
        assert_eq!(shown["password_file"], "/etc/pw");
        assert_eq!(shown["url"], "redis://me:…@host:6379/0");
        assert_eq!(shown["path"], "/srv/data");
    }
}
