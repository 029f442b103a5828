//! Shell patterns over [`EntryPath`]s, for what to include and exclude.

use super::EntryPath;

/// Why a text is not a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Nothing but slashes.
    #[error("pattern is empty")]
    Empty,
    /// `[` without `]`.
    #[error("pattern `{0}` has an open bracket")]
    OpenBracket(String),
}

/// One pattern.
///
/// `?` stands for one byte and `*` for any bytes within a name, `[a-z]` and `[!a-z]` for one of a
/// set, `**` for any number of names, `\` takes the next character literally. With a leading `/`
/// the pattern starts at the root, otherwise at any directory. It matches the entry and everything
/// below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    anchored: bool,
    names: Vec<Vec<u8>>,
}

impl Pattern {
    /// Reads a pattern.
    pub fn new(text: &str) -> Result<Self, PatternError> {
        let names: Vec<Vec<u8>> = text
            .split('/')
            .filter(|n| !n.is_empty() && *n != ".")
            .map(|n| n.as_bytes().to_vec())
            .collect();
        if names.is_empty() {
            return Err(PatternError::Empty);
        }
        if !names.iter().all(|n| brackets_closed(n)) {
            return Err(PatternError::OpenBracket(text.to_owned()));
        }
        Ok(Self {
            anchored: text.starts_with('/'),
            names,
        })
    }

    /// Exactly `path` and what is below it, whatever characters it has.
    pub fn literal(path: &EntryPath) -> Self {
        let quote = |name: &[u8]| name.iter().flat_map(|&b| [b'\\', b]).collect();
        Self {
            anchored: true,
            names: path.components().map(quote).collect(),
        }
    }

    /// Whether `path` or a directory above it matches.
    pub fn matches(&self, path: &EntryPath) -> bool {
        let names: Vec<&[u8]> = path.components().collect();
        let starts = if self.anchored {
            0..1
        } else {
            0..names.len().max(1)
        };
        starts
            .into_iter()
            .any(|at| prefix_matches(&self.names, &names[at.min(names.len())..]))
    }
}

/// Whether `pattern` matches `names` or the first few of them.
fn prefix_matches(pattern: &[Vec<u8>], names: &[&[u8]]) -> bool {
    let Some((first, rest)) = pattern.split_first() else {
        return true;
    };
    if first == b"**" {
        return (0..=names.len()).any(|skip| prefix_matches(rest, &names[skip..]));
    }
    names
        .split_first()
        .is_some_and(|(name, below)| name_matches(first, name) && prefix_matches(rest, below))
}

/// Matches one name without recursion: after a mismatch the last `*` takes one byte more.
fn name_matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        if pattern.get(p) == Some(&b'*') {
            star = Some((p, n));
            p += 1;
        } else if let Some(len) = token_matches(&pattern[p..], name[n]) {
            p += len;
            n += 1;
        } else if let Some((star_p, star_n)) = star {
            p = star_p + 1;
            n = star_n + 1;
            star = Some((star_p, n));
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|&b| b == b'*')
}

/// Length of the token at the start of `pattern` if it matches `byte`.
fn token_matches(pattern: &[u8], byte: u8) -> Option<usize> {
    match *pattern.first()? {
        b'?' => Some(1),
        b'\\' if pattern.len() > 1 => (pattern[1] == byte).then_some(2),
        b'[' => {
            let end = bracket_end(pattern)?;
            let (negated, set) = match pattern[1] {
                b'!' | b'^' => (true, &pattern[2..end]),
                _ => (false, &pattern[1..end]),
            };
            (set_contains(set, byte) != negated).then_some(end + 1)
        }
        literal => (literal == byte).then_some(1),
    }
}

fn set_contains(mut set: &[u8], byte: u8) -> bool {
    while let Some((&first, rest)) = set.split_first() {
        if let [b'-', last, ..] = *rest {
            if (first..=last).contains(&byte) {
                return true;
            }
            set = &rest[2..];
        } else if first == byte {
            return true;
        } else {
            set = rest;
        }
    }
    false
}

/// Index of the `]` that closes the `[` at index 0. A `]` right after `[` or `[!` is a member.
fn bracket_end(pattern: &[u8]) -> Option<usize> {
    let first = 1 + usize::from(matches!(pattern.get(1), Some(b'!' | b'^')));
    pattern
        .iter()
        .skip(first + 1)
        .position(|&b| b == b']')
        .map(|at| at + first + 1)
}

fn brackets_closed(name: &[u8]) -> bool {
    let mut at = 0;
    while at < name.len() {
        match name[at] {
            b'\\' => at += 2,
            b'[' => match bracket_end(&name[at..]) {
                Some(end) => at += end + 1,
                None => return false,
            },
            _ => at += 1,
        }
    }
    true
}

/// Several patterns, any of which may match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Patterns(Vec<Pattern>);

impl Patterns {
    /// Reads patterns.
    pub fn new<S: AsRef<str>>(texts: impl IntoIterator<Item = S>) -> Result<Self, PatternError> {
        texts
            .into_iter()
            .map(|t| Pattern::new(t.as_ref()))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a pattern.
    pub fn push(&mut self, pattern: Pattern) {
        self.0.push(pattern);
    }

    /// Whether any pattern matches `path` or a directory above it.
    pub fn matches(&self, path: &EntryPath) -> bool {
        self.0.iter().any(|p| p.matches(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("*.log", "var/x.log", true)]
    #[case("*.log", "var/x.log/inside", true)]
    #[case("*.log", "var/xlog", false)]
    #[case("/var", "var/log", true)]
    #[case("/var", "srv/var", false)]
    #[case("var/log", "srv/var/log/a", true)]
    #[case("/srv/**/cache", "srv/a/b/cache", true)]
    #[case("/srv/**/cache", "srv/cache", true)]
    #[case("/srv/*/cache", "srv/cache", false)]
    #[case("[a-c]?", "b1", true)]
    #[case("[!a-c]?", "b1", false)]
    #[case("[]]", "]", true)]
    #[case("\\*", "*", true)]
    #[case("\\*", "a", false)]
    #[case("a*b*c", "aXbbYc", true)]
    #[case("a*b*c", "aXbbY", false)]
    fn patterns_match_as_documented(
        #[case] pattern: &str,
        #[case] path: &str,
        #[case] expected: bool,
    ) {
        let path = EntryPath::try_from(path).unwrap();
        assert_eq!(Pattern::new(pattern).unwrap().matches(&path), expected);
    }

    #[test]
    fn a_literal_takes_special_characters_as_they_are() {
        let path = EntryPath::try_from("a*/[b").unwrap();
        assert!(Pattern::literal(&path).matches(&path));
        assert!(!Pattern::literal(&path).matches(&EntryPath::try_from("ax/[b").unwrap()));
    }

    #[test]
    fn an_open_bracket_is_an_error() {
        assert_eq!(
            Pattern::new("[a"),
            Err(PatternError::OpenBracket("[a".into()))
        );
        assert_eq!(Pattern::new("//"), Err(PatternError::Empty));
    }
}
