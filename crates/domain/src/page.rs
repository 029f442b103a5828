//! Pages of lists: by offset with an exact total, or by cursor.

/// Where a page begins.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Start {
    /// At the first row.
    #[default]
    First,
    /// After skipping this many rows.
    Offset(u64),
    /// After the row that this opaque text names (see [`Paged::next`]).
    Cursor(String),
}

/// The part of a list that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// At most this many rows.
    pub limit: u64,
    /// Where it begins.
    pub start: Start,
    /// Whether the exact number of all matching rows is wanted too.
    pub total: bool,
}

impl Page {
    /// All rows in one page, with their number; for lists that a tenant keeps short.
    pub const ALL: Self = Self {
        limit: u32::MAX as u64,
        start: Start::First,
        total: true,
    };

    /// `limit` rows after skipping `offset`, with the exact total.
    pub fn offset(limit: u64, offset: u64) -> Self {
        Self {
            limit,
            start: Start::Offset(offset),
            total: true,
        }
    }
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paged<T> {
    /// The rows.
    pub items: Vec<T>,
    /// How many rows match in all, if it was asked for.
    pub total: Option<u64>,
    /// Where the next page begins; nothing after the last row.
    pub next: Option<String>,
}

impl<T> Paged<T> {
    /// The same page with each row mapped.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Paged<U> {
        Paged {
            items: self.items.into_iter().map(f).collect(),
            total: self.total,
            next: self.next,
        }
    }
}
