//! How to reach S3: credentials and the rest, from the environment and files that all its clients
//! know.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use zeroize::Zeroizing;

use crate::error::{Error, Result};

/// A key pair, and a token if it is a passing one.
#[derive(Clone, PartialEq, Eq)]
pub struct S3Credentials {
    /// Its public half.
    pub access_key_id: String,
    /// Its secret half.
    pub secret_access_key: Zeroizing<String>,
    /// What a passing key needs besides.
    pub session_token: Option<Zeroizing<String>>,
}

impl S3Credentials {
    /// A lasting key pair.
    pub fn new(access_key_id: impl Into<String>, secret_access_key: impl Into<String>) -> Self {
        Self {
            access_key_id: access_key_id.into(),
            secret_access_key: Zeroizing::new(secret_access_key.into()),
            session_token: None,
        }
    }
}

impl fmt::Debug for S3Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Credentials")
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}

/// How to reach S3.
#[derive(Debug, Clone)]
pub struct S3Options {
    /// The key pair; nothing can be reached without one.
    pub credentials: Option<S3Credentials>,
    /// The region that requests are signed for.
    pub region: Option<String>,
    /// The bucket is a part of the host's name (`https://bucket.host/…`), not of the path.
    pub virtual_hosted: bool,
    /// More certificate authorities, in PEM.
    pub ca_certificates: Vec<u8>,
    /// How long making a connection may take.
    pub connect_timeout: Duration,
    /// Objects of so many bytes and more are sent in parts.
    pub multipart_from: usize,
}

impl Default for S3Options {
    fn default() -> Self {
        Self {
            credentials: None,
            region: None,
            virtual_hosted: false,
            ca_certificates: Vec::new(),
            connect_timeout: Duration::from_secs(10),
            multipart_from: 64 << 20,
        }
    }
}

impl S3Options {
    /// From the environment, as `variable` gives it, and the files that Amazon's tools use.
    ///
    /// Credentials: `AWS_ACCESS_KEY_ID` with `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`, else
    /// the profile `AWS_PROFILE` (or `default`) of `AWS_SHARED_CREDENTIALS_FILE` (or
    /// `~/.aws/credentials`) and `AWS_CONFIG_FILE` (or `~/.aws/config`). Region: `AWS_REGION`,
    /// `AWS_DEFAULT_REGION`, or the profile's. `AWS_CA_BUNDLE`: a file with more authorities.
    pub fn from_environment(variable: &dyn Fn(&str) -> Option<String>) -> Result<Self> {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let profile = set("AWS_PROFILE").unwrap_or_else(|| "default".to_owned());
        let home = set("HOME").map(PathBuf::from).unwrap_or_default();
        let file = |name: &str, usual: &str| {
            let path = set(name).map_or_else(|| home.join(".aws").join(usual), PathBuf::from);
            read_if_there(&path)
        };
        let stored = file("AWS_SHARED_CREDENTIALS_FILE", "credentials")?;
        let config = file("AWS_CONFIG_FILE", "config")?;
        let of_profile = |key: &str| {
            value(&stored, &[&profile], key).or_else(|| {
                let section = format!("profile {profile}");
                value(&config, &[&profile, &section], key)
            })
        };
        let pair = |id: Option<String>, secret: Option<String>, token: Option<String>| {
            let mut pair = S3Credentials::new(id?, secret?);
            pair.session_token = token.map(Zeroizing::new);
            Some(pair)
        };
        let credentials = pair(
            set("AWS_ACCESS_KEY_ID"),
            set("AWS_SECRET_ACCESS_KEY"),
            set("AWS_SESSION_TOKEN"),
        )
        .or_else(|| {
            pair(
                of_profile("aws_access_key_id"),
                of_profile("aws_secret_access_key"),
                of_profile("aws_session_token"),
            )
        });
        let ca_certificates = match set("AWS_CA_BUNDLE") {
            Some(path) => read(Path::new(&path))?,
            None => Vec::new(),
        };
        Ok(Self {
            credentials,
            region: set("AWS_REGION")
                .or_else(|| set("AWS_DEFAULT_REGION"))
                .or_else(|| of_profile("region")),
            ca_certificates,
            ..Self::default()
        })
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|source| Error::Storage {
        action: "read",
        object: format!("`{}`", path.display()),
        source,
    })
}

fn read_if_there(path: &Path) -> Result<String> {
    match read(path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(Error::Storage { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            Ok(String::new())
        }
        Err(error) => Err(error),
    }
}

/// A value of the first of these sections that has it.
fn value(file: &str, sections: &[&str], key: &str) -> Option<String> {
    let mut inside = false;
    for line in file.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
            inside = sections.contains(&section.trim());
        } else if inside
            && let Some((name, value)) = line.split_once('=')
            && name.trim() == key
        {
            return Some(value.trim().to_owned()).filter(|value| !value.is_empty());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(home: &Path, variables: &[(&str, &str)]) -> Result<S3Options> {
        S3Options::from_environment(&|name| {
            let found = variables.iter().find(|it| it.0 == name);
            let home = (name == "HOME").then(|| home.display().to_string());
            found.map(|it| it.1.to_owned()).or(home)
        })
    }

    fn home() -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(".aws")).unwrap();
        let write = |name, text| std::fs::write(home.path().join(".aws").join(name), text).unwrap();
        write(
            "credentials",
            "# keys\n[default]\naws_access_key_id = D\naws_secret_access_key=d=\n\n[ w ]\n\
             aws_access_key_id=W\naws_secret_access_key=w\naws_session_token=t\n[broken]\n\
             aws_access_key_id=B\n",
        );
        write("config", "[default]\nregion = r1\n[profile w]\nregion=r2\n");
        home
    }

    #[test]
    fn the_environment_wins_over_the_files() {
        let home = home();
        let set = [
            ("AWS_ACCESS_KEY_ID", "E"),
            ("AWS_SECRET_ACCESS_KEY", "e"),
            ("AWS_REGION", "r3"),
        ];
        let options = options(home.path(), &set).unwrap();
        assert_eq!(options.credentials, Some(S3Credentials::new("E", "e")));
        assert_eq!(options.region.unwrap(), "r3");
    }

    #[test]
    fn the_profile_is_the_named_one_or_default() {
        let home = home();
        let default = options(home.path(), &[]).unwrap();
        assert_eq!(default.credentials, Some(S3Credentials::new("D", "d=")));
        assert_eq!(default.region.unwrap(), "r1");
        let named = options(home.path(), &[("AWS_PROFILE", "w")]).unwrap();
        let mut pair = S3Credentials::new("W", "w");
        pair.session_token = Some(Zeroizing::new("t".to_owned()));
        assert_eq!(named.credentials, Some(pair));
        assert_eq!(named.region.unwrap(), "r2");
        let broken = options(home.path(), &[("AWS_PROFILE", "broken")]).unwrap();
        assert_eq!(broken.credentials, None);
    }

    #[test]
    fn no_file_is_no_credentials_and_an_unreadable_one_an_error() {
        let empty = tempfile::tempdir().unwrap();
        assert_eq!(options(empty.path(), &[]).unwrap().credentials, None);
        let set = [("AWS_CA_BUNDLE", "/nowhere/ca.pem")];
        let error = options(empty.path(), &set).unwrap_err().to_string();
        assert!(error.contains("`/nowhere/ca.pem`"), "{error}");
    }

    #[test]
    fn secrets_are_not_shown() {
        let shown = format!("{:?}", S3Credentials::new("id", "hush"));
        assert!(shown.contains("id") && !shown.contains("hush"), "{shown}");
    }
}
