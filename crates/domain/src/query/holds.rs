//! What a filter means, in memory: for lists too short for a database, and as the reference that
//! the store's SQL is tested against.

use std::cmp::Ordering;

use super::{
    Filter, Op, Value,
    case::{fold_char, fold_towards},
};

impl<F> Filter<F> {
    /// Whether the condition holds for a row, whose columns `cell` gives (nothing is NULL).
    pub fn matches(&self, cell: &impl Fn(&F) -> Option<Value>) -> bool {
        self.holds(cell) == Some(true)
    }

    /// SQL's three-valued answer; nothing stands for UNKNOWN.
    fn holds(&self, cell: &impl Fn(&F) -> Option<Value>) -> Option<bool> {
        match self {
            Self::All(all) => {
                let mut answer = Some(true);
                for one in all {
                    match one.holds(cell) {
                        Some(false) => return Some(false),
                        None => answer = None,
                        Some(true) => {}
                    }
                }
                answer
            }
            Self::Any(any) => {
                let mut answer = Some(false);
                for one in any {
                    match one.holds(cell) {
                        Some(true) => return Some(true),
                        None => answer = None,
                        Some(false) => {}
                    }
                }
                answer
            }
            Self::Not(inner) => inner.holds(cell).map(|it| !it),
            Self::Compare(field, op, value) => {
                let found = cell(field)?;
                compare(&found, value).map(|order| op.accepts(order))
            }
            Self::In(field, values) => {
                let found = cell(field)?;
                let equal = |it: &Value| compare(&found, it) == Some(Ordering::Equal);
                Some(values.iter().any(equal))
            }
            Self::Like(field, pattern) => {
                let text = cell(field)?.text_form();
                Some(like(pattern, &text, |a, b| a == b))
            }
            Self::LikeFolded(field, pattern) => {
                let text = cell(field)?.text_form();
                Some(like(pattern, &text, |a, b| fold_char(a) == fold_char(b)))
            }
            Self::IsNull(field) => Some(cell(field).is_none()),
            Self::Exists(_) => Some(false),
        }
    }
}

impl Op {
    /// Whether two values in this order compare so.
    pub fn accepts(self, order: Ordering) -> bool {
        match self {
            Self::Eq => order.is_eq(),
            Self::Ne => order.is_ne(),
            Self::Lt => order.is_lt(),
            Self::Le => order.is_le(),
            Self::Gt => order.is_gt(),
            Self::Ge => order.is_ge(),
        }
    }
}

impl Value {
    /// The text form of a column that holds this value; see [`Filter`].
    pub fn text_form(&self) -> String {
        match self {
            Self::Id(id) => id.simple().to_string(),
            Self::Text(text) | Self::Folded(text) => text.clone(),
            Self::Int(number) => number.to_string(),
            Self::Bool(yes) => yes.to_string(),
            Self::Time(at) => at.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        }
    }
}

fn compare(found: &Value, wanted: &Value) -> Option<Ordering> {
    match (found, wanted) {
        (found, Value::Folded(text)) => {
            let found = fold_towards(&found.text_form(), text);
            Some(found.as_str().cmp(text))
        }
        (Value::Id(a), Value::Id(b)) => Some(a.cmp(b)),
        (Value::Text(a), Value::Text(b)) => Some(a.cmp(b)),
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::Time(a), Value::Time(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

/// SQL `LIKE` with escape `\`. Goes back to the last `%` only, so it takes at most
/// pattern × text steps.
fn like(pattern: &str, text: &str, same: impl Fn(char, char) -> bool) -> bool {
    enum Step {
        Run,
        One,
        Char(char),
    }
    let mut steps = Vec::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        steps.push(match c {
            '%' => Step::Run,
            '_' => Step::One,
            '\\' => Step::Char(chars.next().unwrap_or('\\')),
            other => Step::Char(other),
        });
    }
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut step) = (0, 0);
    let mut retry = None;
    loop {
        let fits = match steps.get(step) {
            Some(Step::Run) => {
                retry = Some((at, step));
                step += 1;
                continue;
            }
            None if at == text.len() => return true,
            None => false,
            Some(Step::One) => at < text.len(),
            Some(Step::Char(c)) => text.get(at).is_some_and(|it| same(*it, *c)),
        };
        if fits {
            (at, step) = (at + 1, step + 1);
        } else {
            match retry {
                Some((from, run)) if from < text.len() => {
                    retry = Some((from + 1, run));
                    (at, step) = (from + 1, run + 1);
                }
                _ => return false,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::fold;

    fn like(pattern: &str, text: &str) -> bool {
        Filter::LikeFolded((), pattern.to_owned()).matches(&|()| Some(Value::from(text)))
    }

    #[test]
    fn a_pattern_matches_as_in_sql() {
        for (pattern, text) in [
            ("", ""),
            ("%", ""),
            ("%", "anything"),
            ("a%c", "aBC"),
            ("a_c", "abc"),
            ("%b%b%", "abab"),
            (r"100\%", "100%"),
            (r"a\_b", "a_b"),
            ("%é_", "caféx"),
            ("%É_", "caféx"),
            ("ΟΔΟΣ", "οδος"),
            ("x\\", "x\\"),
        ] {
            assert!(like(pattern, text), "{text:?} like {pattern:?}");
        }
        for (pattern, text) in [
            ("", "a"),
            ("_", ""),
            ("a%c", "abd"),
            ("a", "a "),
            (r"100\%", "1000"),
            ("_", "ab"),
        ] {
            assert!(!like(pattern, text), "{text:?} not like {pattern:?}");
        }
    }

    #[test]
    fn a_comparison_with_null_holds_in_neither_form() {
        let null = |(): &()| None;
        let equal = Filter::eq((), "a");
        assert!(!equal.matches(&null));
        assert!(!Filter::Not(Box::new(equal.clone())).matches(&null));
        assert!(Filter::Any(vec![equal.clone(), Filter::IsNull(())]).matches(&null));
        assert!(!Filter::All(vec![equal, Filter::IsNull(())]).matches(&null));
    }

    #[test]
    fn folded_text_compares_with_the_text_form_of_any_column() {
        let holds = |cell: Value, op, text: &str| {
            Filter::Compare((), op, Value::Folded(fold(text))).matches(&|()| Some(cell.clone()))
        };
        assert!(holds(Value::from("Db "), Op::Eq, "dB"));
        assert!(holds(Value::from("b"), Op::Gt, "A"));
        assert!(holds(Value::from("ÉTÉ "), Op::Eq, "été"));
        assert!(holds(Value::from("ÉTÉ"), Op::Ge, "été"));
        // Not with a letter that only one of them has: by their bytes.
        assert!(holds(Value::from("É"), Op::Lt, "à"));
        assert!(holds(Value::Int(10), Op::Lt, "9"));
        let at = "2026-11-21T10:11:12.9Z".parse().unwrap();
        assert!(holds(Value::Time(at), Op::Eq, "2026-11-21 10:11:12"));
    }
}
