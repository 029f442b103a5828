//! Names of users and groups, from the machine's own files.

use std::collections::HashMap;

/// Numeric ids to names, as `/etc/passwd` and `/etc/group` have them. Directory services are not
/// asked: a backup must not hang on a network that is down.
#[derive(Debug, Default)]
pub(super) struct Owners {
    users: HashMap<u32, String>,
    groups: HashMap<u32, String>,
}

impl Owners {
    /// Reads the files; one that is missing gives no names.
    pub(super) fn load() -> Self {
        let read = |path| std::fs::read(path).unwrap_or_default();
        Self {
            users: parse(&read("/etc/passwd")),
            groups: parse(&read("/etc/group")),
        }
    }

    pub(super) fn user(&self, uid: u32) -> String {
        self.users.get(&uid).cloned().unwrap_or_default()
    }

    pub(super) fn group(&self, gid: u32) -> String {
        self.groups.get(&gid).cloned().unwrap_or_default()
    }
}

/// `name:password:id:…` per line, the format that both files share. The first line of an id counts.
fn parse(bytes: &[u8]) -> HashMap<u32, String> {
    let mut names = HashMap::new();
    for line in String::from_utf8_lossy(bytes).lines() {
        let mut fields = line.split(':');
        if let (Some(name), Some(id)) = (fields.next(), fields.nth(1))
            && let Ok(id) = id.parse()
        {
            names.entry(id).or_insert_with(|| name.to_owned());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_name_of_an_id_counts_and_odd_lines_are_passed_over() {
        let names = parse(b"root:x:0:0::/root:/bin/sh\n# no\n\ntoor:x:0:\nwww:x:33:\n");
        assert_eq!(names[&0], "root");
        assert_eq!(names[&33], "www");
        assert_eq!(names.len(), 2);
    }
}
