//! From a test on one field, whose value is text, to a filter on the typed column behind it, with
//! MySQL's comparisons: text without regard to (ASCII) case and trailing blanks, numbers and times
//! by value.

use jiff::{SignedDuration, Timestamp};
use strongroom_domain::query::{Direction, Filter, Op, Sort, SortForm, Value, fold};

use super::{condition::Test, like::Pattern, value};

/// What stands behind a field that a client may query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Column<F> {
    /// An id, shown as 32 hex digits; never NULL.
    Id(F),
    /// A text.
    Text(F),
    /// A number that is shown as 0 while it is not known.
    Size(F),
    /// A number that may be NULL.
    Number(F),
    /// A time, shown in whole seconds.
    Time(F),
    /// A word that is shown as another one; each of the column's with the one shown.
    Word(F, &'static [(&'static str, &'static str)]),
    /// An id behind a fixed text.
    Prefixed(&'static str, F),
    /// The same in all rows.
    Is(&'static str),
}

fn always<F>() -> Filter<F> {
    Filter::All(Vec::new())
}

pub(crate) fn never<F>() -> Filter<F> {
    Filter::Any(Vec::new())
}

pub(crate) fn not<F>(filter: Filter<F>) -> Filter<F> {
    Filter::Not(Box::new(filter))
}

pub(crate) fn constant<F>(holds: bool) -> Filter<F> {
    if holds { always() } else { never() }
}

impl<F: Copy> Column<F> {
    /// The rows whose field passes the test.
    pub(crate) fn filter(&self, test: &Test) -> Filter<F> {
        match self {
            Self::Id(field) => id(*field, test),
            Self::Text(field) => text(*field, test),
            Self::Size(field) => size(*field, test),
            Self::Number(field) => number(*field, test),
            Self::Time(field) => time(*field, test),
            Self::Word(field, words) => word(*field, words, test),
            Self::Prefixed(prefix, field) => prefixed(prefix, *field, test),
            Self::Is(shown) => constant(passes(shown, test)),
        }
    }

    /// The order by this field as it is shown, compared as conditions compare it; nothing if it is
    /// the same in all rows.
    pub(crate) fn sort(&self, direction: Direction) -> Option<Sort<F>> {
        let (field, form) = match self {
            Self::Text(field) => (*field, SortForm::Folded),
            Self::Word(field, words) => (*field, SortForm::Shown(words)),
            Self::Size(field) => (*field, SortForm::OrZero),
            Self::Id(field)
            | Self::Number(field)
            | Self::Time(field)
            | Self::Prefixed(_, field) => (*field, SortForm::Value),
            Self::Is(_) => return None,
        };
        Some(Sort::new(field, direction).by(form))
    }
}

/// Whether a text that is not NULL passes the test.
pub(crate) fn passes(shown: &str, test: &Test) -> bool {
    text((), test).matches(&|()| Some(shown.into()))
}

fn text<F: Copy>(field: F, test: &Test) -> Filter<F> {
    let folded = |text: &String| Value::Folded(fold(text));
    match test {
        Test::Compare(op, value) => Filter::Compare(field, *op, folded(value)),
        Test::In(items) => Filter::In(field, items.iter().map(folded).collect()),
        Test::Like(pattern) => like(field, &Pattern::read(pattern)),
        Test::IsNull => Filter::IsNull(field),
        Test::NotIn(_) | Test::NotLike(_) | Test::NotNull => negated(test, |it| text(field, it)),
    }
}

fn like<F: Copy>(field: F, pattern: &Pattern) -> Filter<F> {
    pattern
        .text()
        .map_or_else(never, |text| Filter::LikeFolded(field, text))
}

/// The opposite of the test without its "not".
fn negated<F>(test: &Test, filter: impl Fn(&Test) -> Filter<F>) -> Filter<F> {
    not(match test {
        Test::NotIn(items) => filter(&Test::In(items.clone())),
        Test::NotLike(pattern) => filter(&Test::Like(pattern.clone())),
        Test::NotNull => filter(&Test::IsNull),
        other => filter(other),
    })
}

fn id<F: Copy>(field: F, test: &Test) -> Filter<F> {
    let exact = |text: &String| {
        let text = fold(text);
        let uuid = (text.len() == 32).then(|| text.parse().ok()).flatten();
        uuid.map(Value::Id)
    };
    match test {
        Test::Compare(Op::Eq, value) => match exact(value) {
            Some(id) => Filter::Compare(field, Op::Eq, id),
            None => never(),
        },
        Test::Compare(Op::Ne, value) => match exact(value) {
            Some(id) => Filter::Compare(field, Op::Ne, id),
            None => always(),
        },
        Test::In(items) => Filter::In(field, items.iter().filter_map(exact).collect()),
        Test::NotIn(_) => negated(test, |it| id(field, it)),
        Test::IsNull | Test::NotNull => constant(*test == Test::NotNull),
        Test::Compare(..) | Test::Like(_) | Test::NotLike(_) => text(field, test),
    }
}

fn size<F: Copy>(field: F, test: &Test) -> Filter<F> {
    if matches!(test, Test::IsNull | Test::NotNull) {
        return constant(*test == Test::NotNull);
    }
    let filter = number(field, test);
    if filter.matches(&|_| Some(Value::Int(0))) {
        Filter::Any(vec![filter, Filter::IsNull(field)])
    } else {
        // Untrue for NULL, not unknown: the opposite may be asked for.
        Filter::All(vec![filter, not(Filter::IsNull(field))])
    }
}

fn number<F: Copy>(field: F, test: &Test) -> Filter<F> {
    match test {
        Test::Compare(op, text) => {
            let floor = value::number(text);
            // Between two whole numbers lies none: below it means up to the lower one.
            let op = match (floor.exact, op) {
                (true, op) => *op,
                (false, Op::Eq) => return never(),
                (false, Op::Ne) => return not(Filter::IsNull(field)),
                (false, Op::Lt | Op::Le) => Op::Le,
                (false, Op::Gt | Op::Ge) => Op::Gt,
            };
            Filter::Compare(field, op, Value::Int(floor.at))
        }
        Test::In(items) => {
            let whole = items
                .iter()
                .map(|it| value::number(it))
                .filter(|it| it.exact);
            Filter::In(field, whole.map(|it| Value::Int(it.at)).collect())
        }
        Test::NotIn(_) => negated(test, |it| number(field, it)),
        Test::Like(_) | Test::NotLike(_) | Test::IsNull | Test::NotNull => text(field, test),
    }
}

fn time<F: Copy>(field: F, test: &Test) -> Filter<F> {
    match test {
        Test::Compare(op, given) => instant(field, *op, given),
        Test::In(items) => Filter::Any(items.iter().map(|it| instant(field, Op::Eq, it)).collect()),
        Test::NotIn(_) => negated(test, |it| time(field, it)),
        Test::Like(_) | Test::NotLike(_) | Test::IsNull | Test::NotNull => text(field, test),
    }
}

/// Compares the whole second that a time lies in, because that is what clients see.
fn instant<F: Copy>(field: F, op: Op, given: &str) -> Filter<F> {
    let Some((second, more)) = value::time(given) else {
        return text(field, &Test::Compare(op, given.to_owned()));
    };
    let next = second
        .checked_add(SignedDuration::from_secs(1))
        .unwrap_or(Timestamp::MAX);
    let from = |at| Filter::Compare(field, Op::Ge, Value::Time(at));
    let before = |at| Filter::Compare(field, Op::Lt, Value::Time(at));
    match (op, more) {
        (Op::Eq, false) => Filter::All(vec![from(second), before(next)]),
        (Op::Ne, false) => Filter::Any(vec![before(second), from(next)]),
        (Op::Eq, true) => never(),
        (Op::Ne, true) => not(Filter::IsNull(field)),
        (Op::Lt, false) => before(second),
        (Op::Ge, false) => from(second),
        (Op::Le, _) | (Op::Lt, true) => before(next),
        (Op::Gt, _) | (Op::Ge, true) => from(next),
    }
}

fn word<F: Copy>(field: F, words: &[(&'static str, &'static str)], test: &Test) -> Filter<F> {
    let fitting = words.iter().filter(|(_, shown)| passes(shown, test));
    let fitting: Vec<Value> = fitting.map(|(stored, _)| Value::from(*stored)).collect();
    if fitting.len() == words.len() {
        return always();
    }
    Filter::In(field, fitting)
}

fn prefixed<F: Copy>(prefix: &'static str, field: F, test: &Test) -> Filter<F> {
    match test {
        Test::Compare(op, value) => {
            let value = fold(value);
            match value.strip_prefix(prefix) {
                Some(rest) => id(field, &Test::Compare(*op, rest.to_owned())),
                None => constant(op.accepts(prefix.cmp(&value))),
            }
        }
        Test::In(items) => {
            let rest = |it: &String| fold(it).strip_prefix(prefix).map(str::to_owned);
            id(field, &Test::In(items.iter().filter_map(rest).collect()))
        }
        Test::Like(pattern) => {
            let rest = Pattern::read(pattern).after(prefix);
            Filter::Any(rest.iter().map(|it| like(field, it)).collect())
        }
        Test::NotIn(_) | Test::NotLike(_) => negated(test, |it| prefixed(prefix, field, it)),
        Test::IsNull | Test::NotNull => constant(*test == Test::NotNull),
    }
}

#[cfg(test)]
mod tests;
