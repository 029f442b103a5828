//! Filters and sort orders over lists, as values. Faces build them from their own query
//! language, the store compiles them to parameterised SQL.

mod case;
mod holds;

use jiff::Timestamp;
use uuid::Uuid;

pub use self::case::{fold, fold_ascii, fold_case, variants};
use crate::text_enum;

/// A condition on rows whose columns are named by `F`.
///
/// Some conditions look at a column's *text form*: an id as 32 lower-case hex digits, a number in
/// decimal, yes/no as `true` and `false`, a time in UTC as `YYYY-MM-DD HH:MM:SS` without its
/// fraction, text as it is.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter<F> {
    /// Every one holds; no condition at all holds always.
    All(Vec<Filter<F>>),
    /// At least one holds; no condition at all never holds.
    Any(Vec<Filter<F>>),
    /// It does not hold. A comparison with NULL holds in neither form.
    Not(Box<Filter<F>>),
    /// The column compares so with the value.
    Compare(F, Op, Value),
    /// The column equals one of the values.
    In(F, Vec<Value>),
    /// The column matches an SQL `LIKE` pattern (`%`, `_`, escape `\`), case-sensitively.
    Like(F, String),
    /// The column's text form matches an SQL `LIKE` pattern, case aside; see [`fold_case`].
    LikeFolded(F, String),
    /// The column is NULL.
    IsNull(F),
    /// The row has a further one that belongs to it (a backup: a copy in another repository) for
    /// which this holds; columns that both have are then those of the further one. In memory no
    /// row has any.
    Exists(Box<Filter<F>>),
}

impl<F> Default for Filter<F> {
    fn default() -> Self {
        Self::All(Vec::new())
    }
}

impl<F> Filter<F> {
    /// The column equals the value.
    pub fn eq(field: F, value: impl Into<Value>) -> Self {
        Self::Compare(field, Op::Eq, value.into())
    }

    /// The column contains the text.
    pub fn contains(field: F, text: &str) -> Self {
        let mut pattern = String::with_capacity(text.len() + 2);
        pattern.push('%');
        for c in text.chars() {
            if matches!(c, '%' | '_' | '\\') {
                pattern.push('\\');
            }
            pattern.push(c);
        }
        pattern.push('%');
        Self::Like(field, pattern)
    }

    /// Both hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match self {
            Self::All(mut all) => {
                all.push(other);
                Self::All(all)
            }
            one => Self::All(vec![one, other]),
        }
    }
}

/// How two values compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Less.
    Lt,
    /// Less or equal.
    Le,
    /// Greater.
    Gt,
    /// Greater or equal.
    Ge,
}

/// A value to compare with; except for [`Value::Folded`] its type must be the column's.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// An id column.
    Id(Uuid),
    /// A text column.
    Text(String),
    /// A number column.
    Int(i64),
    /// A yes/no column.
    Bool(bool),
    /// A time column.
    Time(Timestamp),
    /// Compares, byte by byte, with the text form of any column, case and trailing blanks on
    /// either side aside; must be given folded, see [`fold`]. Of the column's letters outside ASCII
    /// only those are folded that the value has too: all that counts for equality.
    Folded(String),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}
impl From<Uuid> for Value {
    fn from(id: Uuid) -> Self {
        Self::Id(id)
    }
}
impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}
impl From<bool> for Value {
    fn from(yes: bool) -> Self {
        Self::Bool(yes)
    }
}
impl From<Timestamp> for Value {
    fn from(at: Timestamp) -> Self {
        Self::Time(at)
    }
}

/// Which way a list is sorted by a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Smallest first.
    Ascending,
    /// Largest first.
    Descending,
}

/// A sort key. Every list is finally ordered by id, so that pages never overlap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort<F> {
    /// The column.
    pub field: F,
    /// Which way.
    pub direction: Direction,
    /// What is compared.
    pub form: SortForm,
}

impl<F> Sort<F> {
    /// By the column's own values, which an index can serve.
    pub fn new(field: F, direction: Direction) -> Self {
        Self {
            field,
            direction,
            form: SortForm::Value,
        }
    }

    /// The same, but comparing something else.
    #[must_use]
    pub fn by(self, form: SortForm) -> Self {
        Self { form, ..self }
    }
}

/// What a sort key compares. A form that does not fit the column's type is taken for `Value`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortForm {
    /// The value itself; a text byte by byte.
    Value,
    /// A text, ASCII case and trailing blanks aside; see [`fold_ascii`].
    Folded,
    /// The word of ASCII that it is shown as, folded; each value of the column with its word.
    Shown(&'static [(&'static str, &'static str)]),
    /// Of a number: 0 where it is NULL.
    OrZero,
}

text_enum! {
    /// The columns of backups that can be filtered and sorted by.
    pub enum BackupField {
        /// Its id.
        Id = "id",
        /// Its name.
        Name = "name",
        /// The free text.
        Description = "description",
        /// The resource.
        ResourceId = "resource_id",
        /// The resource's name at that time.
        ResourceName = "resource_name",
        /// The resource's kind, as text.
        Kind = "kind",
        /// The face, as text.
        Face = "face",
        /// The state, as text.
        State = "state",
        /// Manual or schedule, as text.
        Trigger = "trigger_kind",
        /// The repository.
        RepositoryId = "repository_id",
        /// The vault.
        VaultId = "vault_id",
        /// The checkpoint.
        CheckpointId = "checkpoint_id",
        /// The policy.
        PolicyId = "policy_id",
        /// The backup before it.
        ParentId = "parent_id",
        /// Bytes backed up.
        SourceBytes = "source_bytes",
        /// Bytes added to the repository.
        StoredBytes = "stored_bytes",
        /// When it was asked for.
        CreatedAt = "created_at",
        /// When its row last changed.
        UpdatedAt = "updated_at",
        /// When the source was read.
        StartedAt = "started_at",
        /// When it reached a final state.
        FinishedAt = "finished_at",
        /// When retention removes it.
        ExpiresAt = "expires_at",
    }
}

text_enum! {
    /// The columns of operations that can be filtered and sorted by.
    pub enum OperationField {
        /// Its id.
        Id = "id",
        /// What kind of work, as text.
        Kind = "kind",
        /// The face, as text.
        Face = "face",
        /// The state, as text.
        State = "state",
        /// The id of what it is about.
        SubjectId = "subject_id",
        /// When it was asked for.
        CreatedAt = "created_at",
        /// When work on it started.
        StartedAt = "started_at",
        /// When it ended.
        FinishedAt = "finished_at",
    }
}

text_enum! {
    /// The columns of restores that can be filtered and sorted by.
    pub enum RestoreField {
        /// Its id.
        Id = "id",
        /// What is restored.
        BackupId = "backup_id",
        /// The resource that it was a backup of.
        ResourceId = "resource_id",
        /// The state, as text.
        State = "state",
        /// When it was asked for.
        CreatedAt = "created_at",
        /// When it started.
        StartedAt = "started_at",
        /// When it reached a final state.
        FinishedAt = "finished_at",
    }
}
