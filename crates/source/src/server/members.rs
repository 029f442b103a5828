//! The members that a server's settings name.

use strongroom_domain::{FieldError, resource::Settings, tree::EntryPath};

/// One volume or directory of a server.
#[derive(Debug)]
pub(super) struct Member {
    /// The setting that names it.
    pub(super) key: &'static str,
    /// What it is called: as the settings say, else the last part of its path.
    pub(super) name: String,
    /// Where it stands in the tree.
    pub(super) directory: EntryPath,
    /// What the source of its kind is given.
    pub(super) settings: Settings,
}

/// The members in tree order, or everything that is wrong with what names them.
pub(super) fn members(settings: &Settings) -> Result<Vec<Member>, Vec<FieldError>> {
    let (mut members, mut faults) = (Vec::<Member>::new(), Vec::new());
    for key in ["paths", "volumes"] {
        let text = settings.get(key).unwrap_or_default();
        let lines = text.split(['\n', ',']).map(str::trim);
        for line in lines.filter(|it| !it.is_empty()) {
            let mut fault = |reason: String| {
                faults.push(FieldError::new(format!("settings.{key}"), reason));
            };
            match member(key, line) {
                Err(reason) => fault(reason),
                Ok(it) if members.iter().any(|other| other.name == it.name) => {
                    let name = it.name;
                    fault(format!("two members are called `{name}`: write NAME=PATH"));
                }
                Ok(it) => members.push(it),
            }
        }
    }
    if members.is_empty() && faults.is_empty() {
        let reason = "is required, unless `volumes` is given";
        faults.push(FieldError::new("settings.paths", reason));
    }
    members.sort_by(|a, b| a.directory.cmp(&b.directory));
    if faults.is_empty() {
        Ok(members)
    } else {
        Err(faults)
    }
}

/// Reads `PATH` or `NAME=PATH`.
fn member(key: &'static str, line: &str) -> Result<Member, String> {
    let (name, path) = match line.split_once('=') {
        Some((name, path)) if !name.contains('/') => (name.trim(), path.trim()),
        _ => {
            let name = line.trim_end_matches('/').rsplit('/').next();
            (name.filter(|it| !it.is_empty()).unwrap_or("root"), line)
        }
    };
    let directory = EntryPath::root().join(name.as_bytes());
    Ok(Member {
        key,
        name: name.to_owned(),
        directory: directory.map_err(|error| format!("`{name}`: {error}"))?,
        settings: Settings([("path".to_owned(), path.to_owned())].into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(paths: &str, volumes: &str) -> Result<Vec<String>, Vec<String>> {
        let settings = [("paths", paths), ("volumes", volumes)];
        let settings = settings.map(|(key, value)| (key.to_owned(), value.to_owned()));
        match members(&Settings(settings.into())) {
            Ok(found) => Ok(found
                .iter()
                .map(|it| format!("{} {} {}", it.key, it.name, it.settings.0["path"]))
                .collect()),
            Err(faults) => Err(faults.iter().map(ToString::to_string).collect()),
        }
    }

    #[test]
    fn members_are_called_by_their_last_part_or_as_they_are_named() {
        let found = named("/srv/www/, /", "disk=/dev/vdb\n/var/a=b.img").unwrap();
        assert_eq!(
            found,
            [
                "volumes a=b.img /var/a=b.img",
                "volumes disk /dev/vdb",
                "paths root /",
                "paths www /srv/www/"
            ]
        );
    }

    #[test]
    fn names_are_unique_and_there_is_at_least_one() {
        assert_eq!(named("", " , \n").unwrap_err().len(), 1);
        let twice = named("/srv/www,/opt/www", "/var/www").unwrap_err();
        assert_eq!(twice.len(), 2, "{twice:?}");
        assert!(twice[1].contains("settings.volumes"), "{twice:?}");
        named("/srv/www,home=/opt/www", "").unwrap();
        named("..=/srv", "").unwrap_err();
    }
}
