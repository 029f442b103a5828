//! Filters compiled to SQL: column names come from a fixed list, values are bound.

use std::borrow::Cow;

use strongroom_domain::query::{
    self, BackupField, Filter, Op, OperationField, RestoreField, Sort, SortForm, fold_ascii,
    fold_case, variants,
};

use crate::{
    Error, Result,
    db::Value,
    list::{Column, Conditions, Key, Kind, Order},
};

/// How many values a filter may mention: SQLite takes 32,766, but the time to plan many alternatives
/// grows with the square of their number.
const MAX_VALUES: usize = 5_000;

/// How many letters outside ASCII a condition may mention: SQLite takes expressions 1,000 deep.
const MAX_LETTERS: usize = 500;

/// A column that clients may filter by.
pub(crate) trait Field: Copy {
    fn column(self) -> Column;

    /// The table of the rows that belong to one, what ties them to it, and the column there, if it
    /// has this one.
    const FURTHER: Option<(&'static str, &'static str)> = None;

    fn further_column(self) -> Option<Column> {
        None
    }
}

/// The column that a condition is about.
fn column_of<F: Field>(out: &Conditions, field: F) -> Column {
    let further = field.further_column().filter(|_| out.further);
    further.unwrap_or_else(|| field.column())
}

impl Field for BackupField {
    fn column(self) -> Column {
        use BackupField as F;
        let name = self.as_str();
        match self {
            F::Id | F::ResourceId | F::RepositoryId => Column::required(name, Kind::Id),
            F::VaultId | F::CheckpointId | F::PolicyId | F::ParentId => {
                Column::nullable(name, Kind::Id)
            }
            F::Name | F::ResourceName | F::Kind | F::State | F::Trigger => {
                Column::required(name, Kind::Text)
            }
            F::Description | F::Face => Column::nullable(name, Kind::Text),
            F::SourceBytes | F::StoredBytes => Column::nullable(name, Kind::Int),
            F::CreatedAt | F::UpdatedAt => Column::required(name, Kind::Time),
            F::StartedAt | F::FinishedAt | F::ExpiresAt => Column::nullable(name, Kind::Time),
        }
    }

    const FURTHER: Option<(&'static str, &'static str)> =
        Some(("backup_copies", "backup_copies.backup_id = backups.id"));

    fn further_column(self) -> Option<Column> {
        use BackupField as F;
        Some(match self {
            F::Id => Column::required("backup_copies.backup_id", Kind::Id),
            F::RepositoryId => Column::required("backup_copies.repository_id", Kind::Id),
            F::State => Column::required("backup_copies.state", Kind::Text),
            F::CreatedAt => Column::required("backup_copies.created_at", Kind::Time),
            F::UpdatedAt => Column::required("backup_copies.updated_at", Kind::Time),
            _ => return None,
        })
    }
}

impl Field for OperationField {
    fn column(self) -> Column {
        use OperationField as F;
        let name = self.as_str();
        match self {
            F::Id => Column::required(name, Kind::Id),
            F::SubjectId => Column::nullable(name, Kind::Id),
            F::Kind | F::State => Column::required(name, Kind::Text),
            F::Face => Column::nullable(name, Kind::Text),
            F::CreatedAt => Column::required(name, Kind::Time),
            F::StartedAt | F::FinishedAt => Column::nullable(name, Kind::Time),
        }
    }
}

impl Field for RestoreField {
    fn column(self) -> Column {
        use RestoreField as F;
        let name = self.as_str();
        match self {
            F::Id | F::BackupId | F::ResourceId => Column::required(name, Kind::Id),
            F::State => Column::required(name, Kind::Text),
            F::CreatedAt => Column::required(name, Kind::Time),
            F::StartedAt | F::FinishedAt => Column::nullable(name, Kind::Time),
        }
    }
}

/// The order that a client asked for; newest first if none.
pub(crate) fn order<F: Field>(sort: &[Sort<F>]) -> Order {
    if sort.is_empty() {
        return Order::by(Column::CREATED_AT, query::Direction::Descending);
    }
    Order::new(sort.iter().map(key))
}

fn key<F: Field>(sort: &Sort<F>) -> Key {
    let column = sort.field.column();
    let key = Key::of(column, sort.direction);
    let name = column.name;
    let (text, nullable) = match (sort.form, column.kind) {
        // The collation of every column folds the letters of ASCII only.
        (SortForm::Folded, Kind::Text) => (format!("LOWER(RTRIM({name}, ' '))"), key.nullable),
        (SortForm::Shown(words), Kind::Text) => (places(name, words), false),
        (SortForm::OrZero, Kind::Int) => (format!("COALESCE({name}, 0)"), false),
        _ => return key,
    };
    let kind = match sort.form {
        SortForm::Shown(_) => Kind::Int,
        _ => key.kind,
    };
    Key {
        text: Cow::Owned(text),
        kind,
        nullable,
        ..key
    }
}

/// The place of the word that a column's value is shown as among all those words.
fn places(column: &str, words: &[(&'static str, &'static str)]) -> String {
    let mut shown: Vec<String> = words.iter().map(|(_, shown)| fold_ascii(shown)).collect();
    shown.sort_unstable();
    shown.dedup();
    let cases = words.iter().map(|(value, word)| {
        let place = shown
            .iter()
            .position(|it| *it == fold_ascii(word))
            .unwrap_or(0);
        format!("WHEN '{}' THEN {place} ", value.replace('\'', "''"))
    });
    let cases: String = cases.collect();
    format!("CAST(CASE {column} {cases}ELSE -1 END AS BIGINT)")
}

impl Conditions {
    /// Adds what the filter says.
    pub(crate) fn filter<F: Field>(&mut self, filter: &Filter<F>) -> Result<()> {
        // The parts of a conjunction stand side by side, so that the planner sees each; too many
        // would be too deep for SQLite, see `joined`.
        match filter {
            Filter::All(all) if all.len() <= 100 => all.iter().try_for_each(|one| self.filter(one)),
            one => {
                let text = compile(self, one)?;
                self.push(text);
                Ok(())
            }
        }
    }
}

fn compile<F: Field>(out: &mut Conditions, filter: &Filter<F>) -> Result<String> {
    Ok(match filter {
        Filter::All(all) => joined(out, all, " AND ", "1 = 1")?,
        Filter::Any(any) => joined(out, any, " OR ", "1 = 0")?,
        Filter::Not(one) => format!("(NOT {})", compile(out, one)?),
        Filter::Compare(field, op, value) => {
            let column = column_of(out, *field);
            let left = compared(out, column, &[value])?;
            format!("{left} {} {}", symbol(*op), place(out, column, value)?)
        }
        Filter::In(field, values) => {
            let column = column_of(out, *field);
            let folded = |it: &&query::Value| matches!(it, query::Value::Folded(_));
            let (folded, exact): (Vec<_>, Vec<_>) = values.iter().partition(folded);
            let lists = [list(out, column, &folded)?, list(out, column, &exact)?];
            match lists.into_iter().flatten().collect::<Vec<_>>().join(" OR ") {
                // Even so it is unknown, not untrue, whether NULL is a member.
                none if none.is_empty() => format!("{0} <> {0}", column.name),
                any => format!("({any})"),
            }
        }
        Filter::Like(field, pattern) => {
            let place = out.bind(complete(pattern));
            format!(
                "{} LIKE {place} ESCAPE '\\'",
                text_form(out, column_of(out, *field))
            )
        }
        Filter::LikeFolded(field, pattern) => {
            let pattern = fold_case(pattern);
            let text = text_form(out, column_of(out, *field));
            let text = folded_towards(out, &text, &pattern)?;
            let place = out.bind(complete(&pattern));
            format!("{text} LIKE {place} ESCAPE '\\'")
        }
        Filter::IsNull(field) => format!("{} IS NULL", column_of(out, *field).name),
        Filter::Exists(inner) => match F::FURTHER {
            None => "1 = 0".to_owned(),
            Some((table, tie)) => {
                let outer = std::mem::replace(&mut out.further, true);
                let inner = compile(out, inner);
                out.further = outer;
                format!("EXISTS (SELECT 1 FROM {table} WHERE {tie} AND {})", inner?)
            }
        },
    })
}

/// Joins in pairs of halves: SQLite refuses expressions more than 1,000 deep.
fn joined<F: Field>(
    out: &mut Conditions,
    filters: &[Filter<F>],
    with: &str,
    none: &str,
) -> Result<String> {
    match filters {
        [] => Ok(none.to_owned()),
        [one] => compile(out, one),
        _ => {
            let (left, right) = filters.split_at(filters.len() / 2);
            let left = joined(out, left, with, none)?;
            let right = joined(out, right, with, none)?;
            Ok(format!("({left}{with}{right})"))
        }
    }
}

/// Whether the column equals one of the values, all of which are folded or none is.
fn list(out: &mut Conditions, column: Column, values: &[&query::Value]) -> Result<Option<String>> {
    if values.is_empty() {
        return Ok(None);
    }
    let left = compared(out, column, values)?;
    let places = values.iter().map(|value| place(out, column, value));
    let places = places.collect::<Result<Vec<_>>>()?.join(", ");
    Ok(Some(format!("{left} IN ({places})")))
}

/// The column, or what is compared instead of it with folded values.
fn compared(out: &mut Conditions, column: Column, values: &[&query::Value]) -> Result<String> {
    let folded = values.iter().filter_map(|value| match value {
        query::Value::Folded(text) => Some(text.as_str()),
        _ => None,
    });
    let folded: Vec<_> = folded.collect();
    if folded.is_empty() {
        return Ok(column.name.to_owned());
    }
    let text = format!("RTRIM({}, ' ')", text_form(out, column));
    folded_towards(out, &text, &folded.concat())
}

/// Binds a value; gives its place.
fn place(out: &mut Conditions, column: Column, value: &query::Value) -> Result<String> {
    if out.values.len() >= MAX_VALUES {
        return Err(Error::TooComplex { limit: MAX_VALUES });
    }
    let bound = match (value, column.kind) {
        (query::Value::Folded(it), _) => Value::from(it.as_str()),
        (query::Value::Id(it), Kind::Id) => Value::from(*it),
        (query::Value::Text(it), Kind::Text) => Value::from(it.as_str()),
        (query::Value::Int(it), Kind::Int) => Value::from(*it),
        (query::Value::Time(it), Kind::Time) => Value::from(*it),
        _ => return Err(Error::WrongType { field: column.name }),
    };
    Ok(out.bind(bound))
}

fn symbol(op: Op) -> &'static str {
    match op {
        Op::Eq => "=",
        Op::Ne => "<>",
        Op::Lt => "<",
        Op::Le => "<=",
        Op::Gt => ">",
        Op::Ge => ">=",
    }
}

/// A column's text form as the filter's documentation defines it.
fn text_form(out: &Conditions, column: Column) -> String {
    let name = column.name;
    match (column.kind, out.postgres) {
        (Kind::Text, _) => name.to_owned(),
        (Kind::Int, false) => format!("CAST({name} AS TEXT)"),
        (Kind::Int, true) => format!("CAST({name} AS TEXT) COLLATE \"C\""),
        // HEX(NULL) is not NULL but empty.
        (Kind::Id, false) => format!("NULLIF(LOWER(HEX({name})), '')"),
        (Kind::Id, true) => format!("REPLACE(CAST({name} AS TEXT), '-', '') COLLATE \"C\""),
        (Kind::Time, false) => {
            format!("STRFTIME('%Y-%m-%d %H:%M:%S', {name} / 1000000, 'unixepoch')")
        }
        (Kind::Time, true) => format!(
            "TO_CHAR(TO_TIMESTAMP({name} / 1000000) AT TIME ZONE 'UTC', \
             'YYYY-MM-DD HH24:MI:SS') COLLATE \"C\""
        ),
    }
}

/// Folds the case of ASCII letters, and of those others that `other`, which is folded, has too:
/// the databases fold only the former alike. Without others an index of folded names serves it.
fn folded_towards(out: &mut Conditions, text: &str, other: &str) -> Result<String> {
    let mut letters: Vec<char> = other.chars().filter(|it| !it.is_ascii()).collect();
    letters.sort_unstable();
    letters.dedup();
    let pairs = letters
        .iter()
        .flat_map(|to| variants(*to).iter().map(|from| (*from, *to)));
    let pairs: Vec<_> = pairs.collect();
    let mut text = lower(out, text);
    if pairs.is_empty() {
        return Ok(text);
    }
    if pairs.len() > MAX_LETTERS {
        return Err(Error::TooComplex { limit: MAX_LETTERS });
    }
    if out.postgres {
        let (from, to): (String, String) = pairs.into_iter().unzip();
        let (from, to) = (out.bind(from), out.bind(to));
        return Ok(format!("TRANSLATE({text}, {from}, {to})"));
    }
    for (from, to) in pairs {
        let (from, to) = (out.bind(from.to_string()), out.bind(to.to_string()));
        text = format!("REPLACE({text}, {from}, {to})");
    }
    Ok(text)
}

/// Folds the case of ASCII letters, and of no others.
fn lower(out: &Conditions, text: &str) -> String {
    if out.postgres {
        format!("LOWER({text} COLLATE \"C\")")
    } else {
        format!("LOWER({text})")
    }
}

/// A pattern that ends with a lone escape character stands for that character.
fn complete(pattern: &str) -> String {
    let escapes = pattern.chars().rev().take_while(|c| *c == '\\').count();
    let rest = if escapes % 2 == 1 { "\\" } else { "" };
    format!("{pattern}{rest}")
}
