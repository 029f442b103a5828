//! Relative, byte-based paths that cannot leave the directory they are joined to.

use std::cmp::Ordering;
use std::fmt;

/// Why bytes are not an [`EntryPath`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// The path starts with `/`.
    #[error("path is absolute")]
    Absolute,
    /// Two slashes meet, or the path ends with one.
    #[error("path has an empty component")]
    EmptyComponent,
    /// A component is `.` or `..`.
    #[error("path has a component `.` or `..`")]
    DotComponent,
    /// A component contains a NUL byte.
    #[error("path has a NUL byte")]
    Nul,
    /// A name contains a `/`.
    #[error("name has a slash")]
    Slash,
}

/// A path below a root: components of arbitrary bytes joined by `/`.
///
/// Never absolute; no component is empty, `.`, `..` or contains NUL. The path without components
/// is the root itself. Paths are ordered component by component, which is tree order: a directory
/// comes before everything in it, and all of that comes before its next sibling.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct EntryPath(Vec<u8>);

impl EntryPath {
    /// The root: no components.
    pub const fn root() -> Self {
        Self(Vec::new())
    }

    /// Checks `bytes`, which may be empty (the root).
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, PathError> {
        let bytes = bytes.into();
        if bytes.is_empty() {
            return Ok(Self::root());
        }
        if bytes[0] == b'/' {
            return Err(PathError::Absolute);
        }
        bytes.split(|&b| b == b'/').try_for_each(check_name)?;
        Ok(Self(bytes))
    }

    /// Reads what a person typed: leading and trailing slashes and `.` are ignored.
    pub fn parse_lenient(bytes: &[u8]) -> Result<Self, PathError> {
        let mut path = Self::root();
        for name in bytes.split(|&b| b == b'/') {
            if !name.is_empty() && name != b"." {
                path = path.join(name)?;
            }
        }
        Ok(path)
    }

    /// The child `name` of this directory.
    pub fn join(&self, name: &[u8]) -> Result<Self, PathError> {
        if name.contains(&b'/') {
            return Err(PathError::Slash);
        }
        check_name(name)?;
        let mut bytes = Vec::with_capacity(self.0.len() + 1 + name.len());
        bytes.extend_from_slice(&self.0);
        if !bytes.is_empty() {
            bytes.push(b'/');
        }
        bytes.extend_from_slice(name);
        Ok(Self(bytes))
    }

    /// The path that `inner`, a path within this directory, has from the root.
    #[must_use]
    pub fn under(&self, inner: &Self) -> Self {
        match (self.is_root(), inner.is_root()) {
            (true, _) => inner.clone(),
            (_, true) => self.clone(),
            _ => Self([&self.0[..], b"/", &inner.0[..]].concat()),
        }
    }

    /// The components joined by `/`; empty for the root.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether this is the root.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The components from the root down.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.0.split(|&b| b == b'/').filter(|c| !c.is_empty())
    }

    /// The last component; `None` for the root.
    pub fn name(&self) -> Option<&[u8]> {
        self.components().next_back()
    }

    /// The directory this is in; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        let end = self.0.iter().rposition(|&b| b == b'/').unwrap_or(0);
        Some(Self(self.0[..end].to_vec()))
    }

    /// Number of components.
    pub fn depth(&self) -> usize {
        if self.is_root() {
            return 0;
        }
        let slashes = self.0.iter().map(|&byte| usize::from(byte == b'/'));
        1 + slashes.sum::<usize>()
    }

    /// Whether `self` is `other` or lies below it.
    pub fn starts_with(&self, other: &Self) -> bool {
        other.is_root()
            || self
                .0
                .strip_prefix(other.0.as_slice())
                .is_some_and(|r| r.is_empty() || r[0] == b'/')
    }

    /// For people: bytes that are not UTF-8 are replaced.
    pub fn display(&self) -> impl fmt::Display + '_ {
        String::from_utf8_lossy(&self.0)
    }
}

fn check_name(name: &[u8]) -> Result<(), PathError> {
    match name {
        b"" => Err(PathError::EmptyComponent),
        b"." | b".." => Err(PathError::DotComponent),
        _ if name.contains(&0) => Err(PathError::Nul),
        _ => Ok(()),
    }
}

impl Ord for EntryPath {
    fn cmp(&self, other: &Self) -> Ordering {
        // A slash ends a component: it comes before every byte that a name may have.
        let key = |byte: Option<&u8>| byte.map(|&byte| if byte == b'/' { 0 } else { byte });
        let differs = std::iter::zip(&self.0, &other.0).position(|(a, b)| a != b);
        let at = differs.unwrap_or(self.0.len().min(other.0.len()));
        key(self.0.get(at)).cmp(&key(other.0.get(at)))
    }
}

impl PartialOrd for EntryPath {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for EntryPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.0.escape_ascii())
    }
}

impl fmt::Display for EntryPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.display(), f)
    }
}

impl TryFrom<&str> for EntryPath {
    type Error = PathError;

    fn try_from(value: &str) -> Result<Self, PathError> {
        Self::new(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn refuses_whatever_could_leave_the_root() {
        assert_eq!(EntryPath::new("/etc"), Err(PathError::Absolute));
        assert_eq!(EntryPath::new("a/../b"), Err(PathError::DotComponent));
        assert_eq!(EntryPath::new("a//b"), Err(PathError::EmptyComponent));
        assert_eq!(EntryPath::new("a/"), Err(PathError::EmptyComponent));
        assert_eq!(EntryPath::new("a\0"), Err(PathError::Nul));
        assert_eq!(EntryPath::root().join(b"a/b"), Err(PathError::Slash));
    }

    #[test]
    fn order_is_tree_order() {
        let mut paths: Vec<_> = ["a.b", "a/b", "a", "a/b/c", "b"]
            .into_iter()
            .map(|p| EntryPath::try_from(p).unwrap())
            .collect();
        paths.sort();
        let names: Vec<_> = paths.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["a", "a/b", "a/b/c", "a.b", "b"]);
    }

    #[test]
    fn parent_name_and_prefix() {
        let path = EntryPath::try_from("a/b/c").unwrap();
        assert_eq!(path.name(), Some(&b"c"[..]));
        assert_eq!(path.parent().unwrap().to_string(), "a/b");
        assert!(path.starts_with(&EntryPath::try_from("a/b").unwrap()));
        assert!(
            !EntryPath::try_from("ab")
                .unwrap()
                .starts_with(&EntryPath::try_from("a").unwrap())
        );
        assert_eq!(
            EntryPath::parse_lenient(b"/a/./b/").unwrap().to_string(),
            "a/b"
        );
    }

    proptest! {
        #[test]
        fn order_and_depth_are_those_of_the_components(a in "([./ab]|é){0,9}", b in "([./ab]|é){0,9}") {
            if let (Ok(a), Ok(b)) = (EntryPath::new(a), EntryPath::new(b)) {
                prop_assert_eq!(a.cmp(&b), a.components().cmp(b.components()));
                prop_assert_eq!(a.depth(), a.components().count());
            }
        }

        #[test]
        fn an_accepted_path_joins_back_from_its_components(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(path) = EntryPath::new(bytes.clone()) {
                let mut again = EntryPath::root();
                for name in path.components() {
                    again = again.join(name).unwrap();
                }
                prop_assert_eq!(again.as_bytes(), &bytes[..]);
            }
        }
    }
}
