//! The statements that every noun needs in the same form.

use uuid::Uuid;

use crate::{
    Conn, Error, Result,
    db::{Reader, Row, Value, sql},
};

/// A noun with a table of its own.
pub(crate) trait Record: Sized {
    /// Its table.
    const TABLE: &'static str;
    /// The columns in the order of [`values`](Record::values) and [`read`](Record::read); the
    /// first is the id, the second the tenant, the last the version if it has one.
    const COLUMNS: &'static [&'static str];
    /// What is taken when a row of it cannot be inserted.
    const UNIQUE: &'static str;

    fn values(&self) -> Vec<Value>;

    fn read(row: &mut Reader<'_>) -> Result<Self>;
}

/// `SELECT` of all columns of `R`, followed by `rest`.
pub(crate) fn select<R: Record>(rest: &str) -> String {
    format!("SELECT {} FROM {} {rest}", R::COLUMNS.join(", "), R::TABLE)
}

pub(crate) fn read_all<R: Record>(rows: &[Row]) -> Result<Vec<R>> {
    rows.iter()
        .map(|row| R::read(&mut row.reader(R::TABLE)))
        .collect()
}

/// `INSERT` of all columns of `R`.
pub(crate) fn insert_text<R: Record>() -> String {
    let places: Vec<_> = (1..=R::COLUMNS.len()).map(|n| format!("${n}")).collect();
    format!(
        "INSERT INTO {} ({}) VALUES ({})",
        R::TABLE,
        R::COLUMNS.join(", "),
        places.join(", ")
    )
}

impl Conn {
    pub(crate) async fn insert<R: Record>(&mut self, record: &R) -> Result<()> {
        let statement = sql(insert_text::<R>()).bind_all(record.values());
        let done = self.execute(statement).await;
        done.map(drop)
            .map_err(|error| Error::of_write(error, R::TABLE, R::UNIQUE))
    }

    /// Writes every column of the row with this id and tenant. With a version, the row must have
    /// the record's version and gets the next one.
    pub(crate) async fn update<R: Record>(&mut self, record: &R) -> Result<()> {
        let versioned = R::COLUMNS.last() == Some(&"version");
        let written = R::COLUMNS.len() - usize::from(versioned);
        let mut sets: Vec<_> = (2..written)
            .map(|at| format!("{} = ${}", R::COLUMNS[at], at + 1))
            .collect();
        if versioned {
            sets.push("version = version + 1".to_owned());
        }
        let condition = if versioned {
            format!(
                "id = $1 AND tenant_id = $2 AND version = ${}",
                R::COLUMNS.len()
            )
        } else {
            "id = $1 AND tenant_id = $2".to_owned()
        };
        let text = format!(
            "UPDATE {} SET {} WHERE {condition}",
            R::TABLE,
            sets.join(", ")
        );
        let values = record.values();
        let id = id_of(&values);
        let done = self.execute(sql(text).bind_all(values)).await;
        match done.map_err(|error| Error::of_write(error, R::TABLE, R::UNIQUE))? {
            0 => Err(Error::Conflict {
                table: R::TABLE,
                id,
            }),
            _ => Ok(()),
        }
    }

    /// Deletes the row of a record, if it still has the record's version.
    pub(crate) async fn delete<R: Record>(&mut self, record: &R) -> Result<()> {
        let text = format!(
            "DELETE FROM {} WHERE id = $1 AND tenant_id = $2 AND version = $3",
            R::TABLE
        );
        let mut values = record.values();
        let id = id_of(&values);
        let version = values.pop();
        values.truncate(2);
        values.extend(version);
        let done = self.execute(sql(text).bind_all(values)).await;
        match done.map_err(|error| Error::of_write(error, R::TABLE, R::UNIQUE))? {
            0 => Err(Error::Conflict {
                table: R::TABLE,
                id,
            }),
            _ => Ok(()),
        }
    }

    /// The first row of `SELECT … rest`.
    pub(crate) async fn find<R: Record>(
        &mut self,
        rest: &str,
        values: Vec<Value>,
    ) -> Result<Option<R>> {
        let row = self.one(sql(select::<R>(rest)).bind_all(values)).await?;
        row.map(|row| R::read(&mut row.reader(R::TABLE)))
            .transpose()
    }

    /// All rows of `SELECT … rest`.
    pub(crate) async fn find_all<R: Record>(
        &mut self,
        rest: &str,
        values: Vec<Value>,
    ) -> Result<Vec<R>> {
        let rows = self.all(sql(select::<R>(rest)).bind_all(values)).await?;
        read_all(&rows)
    }
}

fn id_of(values: &[Value]) -> Uuid {
    match values.first() {
        Some(Value::Id(Some(id))) => *id,
        _ => Uuid::nil(),
    }
}

/// Values of several types as one list of bindings.
macro_rules! values {
    ($($value:expr),* $(,)?) => {
        vec![$($crate::db::Value::from($value)),*]
    };
}
pub(crate) use values;
