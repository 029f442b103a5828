//! What a ZQL text consists of.

use strongroom_domain::query::{Direction, Op};

/// One of the statements that a text has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Statement {
    pub(crate) verb: Verb,
    /// The inventory's name, as written.
    pub(crate) entity: String,
    /// The members wanted; all if there are none.
    pub(crate) fields: Vec<String>,
    /// Of `count`: rows that are the same count once.
    pub(crate) distinct: bool,
    /// The inventories whose rows stand beside its own.
    pub(crate) joins: Vec<Join>,
    /// All that narrows the rows: `where` and `restrict by`.
    pub(crate) conditions: Vec<Cond>,
    /// The number of all matching rows is wanted too.
    pub(crate) total: bool,
    pub(crate) group_by: Vec<String>,
    /// Fields, `entity.field` for one of a certain inventory.
    pub(crate) order_by: Vec<(String, Direction)>,
    pub(crate) limit: Option<u64>,
    pub(crate) offset: u64,
    /// What the answer to it shall be called.
    pub(crate) name: Option<String>,
}

/// What a statement asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Verb {
    /// Rows.
    #[default]
    Query,
    /// Different rows.
    Distinct,
    /// A value over all rows, of each field.
    Fold(Fold),
    /// The number of rows.
    Count,
    /// The sums of the fields for each value of this one.
    Sum(String),
}

/// How the values of a column make one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fold {
    Max,
    Min,
    Avg,
}

/// The rows of another inventory beside those that the statement has so far, as often as the
/// condition holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Join {
    pub(crate) kind: JoinKind,
    pub(crate) entity: String,
    pub(crate) on: Cond,
}

/// What becomes of a row for which the condition never holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JoinKind {
    /// It is left out.
    Inner,
    /// One that the statement has stays alone.
    Left,
    /// One of the other inventory stays alone.
    Right,
}

/// A condition on a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cond {
    All(Vec<Self>),
    Any(Vec<Self>),
    Test {
        /// The field, `a.b.c` for one of a related row.
        field: String,
        operator: Operator,
        operand: Operand,
    },
    /// One column compared with another one.
    Columns(ColumnName, Operator, ColumnName),
}

/// `entity.field`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ColumnName {
    pub(crate) entity: String,
    pub(crate) field: String,
}

/// How a field is tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Compare(Op),
    IsNull,
    NotNull,
    In,
    NotIn,
    Like,
    NotLike,
    /// It has all values.
    Has,
    /// It lacks at least one of them.
    NotHas,
}

/// What a field is tested with. Values are text, whatever the field holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Operand {
    /// None for null tests, one for comparisons, several for lists.
    Values(Vec<String>),
    /// The values that a field of other rows has.
    SubQuery(Box<SubQuery>),
}

/// A query inside a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SubQuery {
    pub(crate) entity: String,
    pub(crate) field: String,
    pub(crate) conditions: Vec<Cond>,
}
