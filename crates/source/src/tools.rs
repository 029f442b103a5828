//! Finds the databases' own programs and tells their versions.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use crate::SourceError;

/// Where Debian keeps the programs of each version of PostgreSQL.
const POSTGRES_VERSIONS: &str = "/usr/lib/postgresql";

/// Where MySQL's programs are if they were not installed as packages, or beside MariaDB's.
const MYSQL_PROGRAMS: &str = "/usr/local/mysql/bin";

/// A version of a program or server, as it says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) major: u32,
    /// 0 if it is not told.
    pub(crate) minor: u32,
    text: String,
}

impl Version {
    /// Reads what begins with a number.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.');
        let text = text[..end.unwrap_or(text.len())].trim_end_matches('.');
        let mut numbers = text.split('.');
        let major = numbers.next()?.parse().ok()?;
        let minor = numbers.next().and_then(|it| it.parse().ok()).unwrap_or(0);
        let text = text.to_owned();
        Some(Self { major, minor, text })
    }

    /// What MariaDB and MySQL develop side by side, e.g. 10.11 or 8.4.
    pub(crate) fn series(&self) -> Series {
        Series(self.major, self.minor)
    }

    /// Finds the number in what a program says when it is asked for its version.
    fn find(said: &str) -> Option<Self> {
        let marks = [
            "(PostgreSQL) ",
            "MariaDB server ",
            "Distrib ",
            "from ",
            "Ver ",
        ];
        let found = marks.iter().find_map(|mark| said.split_once(mark));
        Self::parse(found?.1)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The first two numbers of a version; 0.0 if it is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Series(u32, u32);

impl Series {
    /// That of a version as a server says it.
    pub(crate) fn of(version: &str) -> Self {
        Version::parse(version).map_or_else(Self::default, |it| it.series())
    }
}

impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// A program that is there.
#[derive(Debug, Clone)]
pub(crate) struct Tool {
    pub(crate) program: PathBuf,
    pub(crate) version: Version,
    /// Whether it is of MariaDB, whose programs have the names of MySQL's too.
    pub(crate) is_mariadb: bool,
}

impl Tool {
    /// Asks a program for its version; nothing if there is no such program.
    fn probe(program: &Path) -> Result<Option<Self>, SourceError> {
        let failed =
            |message: String| SourceError::failed(format!("`{}`", program.display()), message);
        let output = match Command::new(program).arg("--version").output() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(|error| failed(error.to_string()))?,
        };
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        let version = Version::find(&said)
            .ok_or_else(|| failed(format!("does not tell its version but `{}`", said.trim())))?;
        Ok(Some(Self {
            program: program.to_owned(),
            version,
            is_mariadb: said.contains("MariaDB"),
        }))
    }

    /// Fails if the program is older than what it is to work with.
    pub(crate) fn at_least(
        self,
        major: u32,
        what: &str,
        package: &str,
    ) -> Result<Self, SourceError> {
        if self.version.major >= major {
            return Ok(self);
        }
        let than = format!("{what} ({major})");
        Err(self.unfit(&format!("older than {than}"), package))
    }

    /// Fails if the program is of an older series than the server.
    pub(crate) fn not_before(self, series: Series, package: &str) -> Result<Self, SourceError> {
        if self.version.series() >= series {
            return Ok(self);
        }
        Err(self.unfit(&format!("older than the server ({series})"), package))
    }

    /// Fails unless the program is of this very series.
    pub(crate) fn exactly(self, series: Series, package: &str) -> Result<Self, SourceError> {
        if self.version.series() == series {
            return Ok(self);
        }
        Err(self.unfit(&format!("not that of the server ({series})"), package))
    }

    fn unfit(&self, how: &str, package: &str) -> SourceError {
        let (program, version) = (self.program.display(), &self.version);
        let message =
            format!("version {version} is {how}; install package `{package}` of that version");
        SourceError::failed(format!("`{program}`"), message)
    }
}

/// Where programs are looked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tools {
    /// Only in this directory, instead of where programs usually are.
    pub(crate) directory: Option<PathBuf>,
}

impl Tools {
    /// The first of these that is there.
    pub(crate) fn find(&self, names: &[&str], package: &str) -> Result<Tool, SourceError> {
        for name in names {
            if let Some(tool) = Tool::probe(&self.path(name))? {
                return Ok(tool);
            }
        }
        Err(missing(names, package))
    }

    /// MySQL's own program of a name that MariaDB has, too.
    pub(crate) fn mysql(&self, name: &str) -> Result<Tool, SourceError> {
        let mut paths = vec![self.path(name)];
        if self.directory.is_none() {
            paths.push(Path::new(MYSQL_PROGRAMS).join(name));
        }
        for path in paths {
            if let Some(tool) = Tool::probe(&path)?.filter(|it| !it.is_mariadb) {
                return Ok(tool);
            }
        }
        let message = format!(
            "a MySQL server needs MySQL's own `{name}`, here or in `{MYSQL_PROGRAMS}`: what \
             MariaDB's writes of generated columns and of vectors cannot be restored"
        );
        Err(SourceError::failed(
            format!("looking for `{name}`"),
            message,
        ))
    }

    /// Where a program is, if it is there.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        match &self.directory {
            Some(directory) => directory.join(name),
            None => PathBuf::from(name),
        }
    }

    /// A program of PostgreSQL: of the lowest version that is not below `major`, as a newer one
    /// writes what an older server may not read; else the newest there is.
    pub(crate) fn postgres(&self, name: &str, major: u32) -> Result<Tool, SourceError> {
        const PACKAGE: &str = "postgresql-client";
        if self.directory.is_some() {
            return self.find(&[name], PACKAGE);
        }
        let entries = fs::read_dir(POSTGRES_VERSIONS).into_iter().flatten();
        let versions = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        let mut versions: Vec<u32> = versions.collect();
        versions.sort_by_key(|it| (*it < major, it.abs_diff(major)));
        for version in versions {
            let program = format!("{POSTGRES_VERSIONS}/{version}/bin/{name}");
            if let Some(tool) = Tool::probe(Path::new(&program))? {
                return Ok(tool);
            }
        }
        self.find(&[name], PACKAGE)
    }
}

fn missing(names: &[&str], package: &str) -> SourceError {
    let names: Vec<_> = names.iter().map(|it| format!("`{it}`")).collect();
    SourceError::failed(
        format!("looking for {}", names.join(" or ")),
        format!("there is no such program here; install package `{package}`"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", 15, "15.18")]
    #[case("psql (PostgreSQL) 18beta1", 18, "18")]
    #[case(
        "mariadb  Ver 15.1 Distrib 10.11.19-MariaDB, for debian-linux-gnu",
        10,
        "10.11.19"
    )]
    #[case(
        "mariadb-dump from 11.8.3-MariaDB, client 10.19 for Linux",
        11,
        "11.8.3"
    )]
    #[case("mysqldump  Ver 8.0.40 for Linux on x86_64", 8, "8.0.40")]
    #[case(
        "mariadb-backup based on MariaDB server 10.11.19-MariaDB",
        10,
        "10.11.19"
    )]
    fn versions_are_read_as_the_programs_say_them(
        #[case] said: &str,
        #[case] major: u32,
        #[case] text: &str,
    ) {
        let version = Version::find(said).unwrap();
        assert_eq!((version.major, version.to_string().as_str()), (major, text));
    }

    #[test]
    fn series_are_compared_by_both_numbers() {
        assert!(Series::of("10.6.18-MariaDB") < Series::of("10.11.2-MariaDB"));
        assert_eq!(Series::of("8.4.3"), Series::of("8.4.0-commercial"));
        assert_eq!(Series::of("8.4.3").to_string(), "8.4");
        assert_eq!(Series::of("?").to_string(), "0.0");
    }

    #[test]
    fn what_is_no_version_is_none() {
        assert_eq!(Version::find("bash: not found"), None);
        assert_eq!(Version::parse("x"), None);
    }
}
