//! `LIKE` patterns as MySQL reads them: `%` any run, `_` one character, `\` takes the next one
//! literally.

/// The longest text that any column holds is shorter than this many characters, so a pattern that
/// needs more can never match; databases limit the length of a pattern.
const LONGEST: usize = 4096;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Run,
    One,
    Char(char),
}

/// A pattern that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern(Vec<Step>);

impl Pattern {
    /// Every text is a pattern; one backslash at the end stands for itself.
    pub(crate) fn read(text: &str) -> Self {
        let mut steps = Vec::new();
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            let step = match c {
                '%' => Step::Run,
                '_' => Step::One,
                '\\' => Step::Char(chars.next().unwrap_or('\\')),
                other => Step::Char(other),
            };
            if step != Step::Run || steps.last() != Some(&Step::Run) {
                steps.push(step);
            }
        }
        Self(steps)
    }

    /// The pattern in the form that all databases read alike; nothing if no text can match it.
    pub(crate) fn text(&self) -> Option<String> {
        let needed = self.0.iter().filter(|it| **it != Step::Run).count();
        if needed > LONGEST {
            return None;
        }
        let mut text = String::new();
        for step in &self.0 {
            match *step {
                Step::Run => text.push('%'),
                Step::One => text.push('_'),
                Step::Char(c) => {
                    if matches!(c, '%' | '_' | '\\') {
                        text.push('\\');
                    }
                    text.push(c);
                }
            }
        }
        Some(text)
    }

    /// The patterns of which at least one must match the rest of a text that begins with
    /// `prefix`, for the whole to match; ASCII case aside.
    pub(crate) fn after(&self, prefix: &str) -> Vec<Self> {
        // Where in the pattern one can be after each character; runs are stepped over freely.
        let mut places = self.spread(vec![0]);
        for c in prefix.chars() {
            let next = places.iter().filter_map(|place| match self.0.get(*place)? {
                Step::Run => Some(*place),
                Step::One => Some(place + 1),
                Step::Char(it) => it.eq_ignore_ascii_case(&c).then_some(place + 1),
            });
            places = self.spread(next.collect());
        }
        // Where a run stands, stepping over it adds nothing: the run may be empty.
        let covered = |place: usize| {
            place > 0 && self.0.get(place - 1) == Some(&Step::Run) && places.contains(&(place - 1))
        };
        let rest = places.iter().filter(|place| !covered(**place));
        rest.map(|place| Self(self.0.get(*place..).unwrap_or_default().to_vec()))
            .collect()
    }

    fn spread(&self, mut places: Vec<usize>) -> Vec<usize> {
        let over: Vec<_> = places
            .iter()
            .filter(|place| self.0.get(**place) == Some(&Step::Run))
            .map(|place| place + 1)
            .collect();
        places.extend(over);
        places.sort_unstable();
        places.dedup();
        places
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use strongroom_domain::query::Filter;

    use super::*;

    fn matches(pattern: &Pattern, text: &str) -> bool {
        let filter = Filter::LikeFolded((), pattern.text().unwrap());
        filter.matches(&|()| Some(text.into()))
    }

    #[test]
    fn a_pattern_is_written_so_that_all_databases_read_it_alike() {
        for (given, written) in [
            ("a%%%b_", "a%b_"),
            (r"\a\%\_\\", r"a\%\_\\"),
            ("end\\", r"end\\"),
            ("it's", "it's"),
        ] {
            assert_eq!(Pattern::read(given).text().as_deref(), Some(written));
        }
        assert_eq!(Pattern::read(&"a".repeat(5000)).text(), None);
        assert_eq!(
            Pattern::read(&"%".repeat(5000)).text().as_deref(),
            Some("%")
        );
    }

    proptest! {
        #[test]
        fn what_is_left_after_a_prefix_matches_what_the_whole_matches(
            pattern in "[aB%_]{0,8}", prefix in "[ab]{0,3}", rest in "[ab]{0,5}",
        ) {
            let pattern = Pattern::read(&pattern);
            let whole = matches(&pattern, &format!("{prefix}{rest}"));
            let left = pattern.after(&prefix).iter().any(|it| matches(it, &rest));
            prop_assert_eq!(left, whole);
        }
    }
}
