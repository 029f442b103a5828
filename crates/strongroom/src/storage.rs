//! How repositories on S3 are reached: as the configuration says of their place, else as the
//! environment says.

use std::{path::PathBuf, sync::Arc};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use strongroom_engine::{
    Error, StorageOptions,
    backend::{Bandwidth, S3Credentials, S3Location, S3Options},
};
use strongroom_service::StorageOptionsFor;

use crate::runtime;

/// `[[s3]]` in the configuration: a place on S3 and how to reach it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct S3Place {
    /// Repositories at this URL or below it, such as `s3:https://host/bucket`.
    url: String,
    access_key_id: Option<String>,
    /// File with nothing but the secret key.
    secret_access_key_file: Option<PathBuf>,
    region: Option<String>,
    /// PEM file with more certificate authorities.
    ca_file: Option<PathBuf>,
    /// The bucket is a part of the host's name.
    #[serde(default)]
    virtual_hosted: bool,
    /// KiB per second.
    limit_upload: Option<u64>,
    /// KiB per second.
    limit_download: Option<u64>,
}

impl S3Place {
    /// Says what is wrong with it.
    pub(crate) fn check(&self) -> Result<()> {
        if normal(&self.url).is_none() {
            bail!("`s3.url`: `{}` is not an address on S3", self.url);
        }
        if self.access_key_id.is_some() != self.secret_access_key_file.is_some() {
            bail!(
                "`s3` for `{}`: `access_key_id` and `secret_access_key_file` belong together",
                self.url
            );
        }
        Ok(())
    }

    /// Length of the part of `url` that this place covers.
    fn covers(&self, url: &str) -> Option<usize> {
        let place = normal(&self.url)?;
        let rest = url.strip_prefix(&place)?;
        (rest.is_empty() || rest.starts_with('/')).then_some(place.len())
    }

    fn options(&self) -> Result<StorageOptions> {
        let mut s3 = S3Options::from_environment(&runtime::environment)?;
        if let Some((id, file)) = self
            .access_key_id
            .as_ref()
            .zip(self.secret_access_key_file.as_ref())
        {
            let secret = std::fs::read_to_string(file)
                .with_context(|| format!("cannot read the secret key `{}`", file.display()))?;
            s3.credentials = Some(S3Credentials::new(id, secret.trim_end()));
        }
        if let Some(file) = &self.ca_file {
            s3.ca_certificates = std::fs::read(file)
                .with_context(|| format!("cannot read the certificates `{}`", file.display()))?;
        }
        s3.region = self.region.clone().or(s3.region);
        s3.virtual_hosted = self.virtual_hosted;
        Ok(StorageOptions {
            s3,
            bandwidth: bandwidth(self.limit_upload, self.limit_download),
            ..StorageOptions::default()
        })
    }
}

/// Limits in KiB per second; 0 is no limit, as for restic.
pub(crate) fn bandwidth(upload: Option<u64>, download: Option<u64>) -> Bandwidth {
    let bytes = |kib: Option<u64>| {
        kib.filter(|kib| *kib > 0)
            .map(|kib| kib.saturating_mul(1024))
    };
    Bandwidth {
        upload: bytes(upload),
        download: bytes(download),
    }
}

/// The same URL for all ways to write it; `None` if it is not on S3.
fn normal(url: &str) -> Option<String> {
    let location = S3Location::parse(url.strip_prefix("s3:")?);
    Some(location.ok()?.to_string())
}

/// How the environment says to reach a repository.
pub(crate) fn from_environment(url: &str) -> Result<StorageOptions, Error> {
    let mut options = StorageOptions::default();
    if url.starts_with("s3:") {
        options.s3 = S3Options::from_environment(&runtime::environment)?;
    }
    Ok(options)
}

/// How the server reaches a repository. Secrets are read when a repository is opened, so that they
/// can be changed.
pub(crate) fn from_config(places: Vec<S3Place>) -> StorageOptionsFor {
    Arc::new(move |url| {
        let normal = normal(url);
        let covering = |it: &&S3Place| normal.as_deref().and_then(|url| it.covers(url));
        let place = places
            .iter()
            .filter(|it| covering(it).is_some())
            .max_by_key(covering);
        let mut options = match place {
            Some(place) => place
                .options()
                .map_err(|error| Error::Invalid(format!("{error:#}")))?,
            None => from_environment(url)?,
        };
        options.retry.notice = Some(Arc::new(|text| tracing::warn!("storage: {text}")));
        Ok(options)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> S3Place {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn the_closest_place_counts() {
        let dir = tempfile::tempdir().unwrap();
        let secret = dir.path().join("secret");
        std::fs::write(&secret, "hush\n").unwrap();
        let with_key = |url: &str, id: &str| {
            let file = secret.display();
            let text =
                format!("url = '{url}'\naccess_key_id = '{id}'\nsecret_access_key_file = '{file}'");
            place(&text)
        };
        let options = from_config(vec![
            with_key("s3:https://host/bucket", "outer"),
            with_key("s3:host/bucket/a/", "inner"),
        ]);
        let key = |url: &str| options(url).unwrap().s3.credentials;
        assert_eq!(
            key("s3:host/bucket/b"),
            Some(S3Credentials::new("outer", "hush"))
        );
        assert_eq!(
            key("s3:https://host/bucket/a/x"),
            Some(S3Credentials::new("inner", "hush"))
        );
        let other = key("s3:https://host/bucket/ab").unwrap();
        assert_eq!(other.access_key_id, "outer");
        std::fs::remove_file(&secret).unwrap();
        let error = options("s3:host/bucket/b").unwrap_err().to_string();
        assert!(error.contains("secret"), "{error}");
    }

    #[test]
    fn mistakes_are_named() {
        let error = |text| place(text).check().unwrap_err().to_string();
        assert!(error("url = '/srv'").contains("`/srv`"));
        assert!(error("url = 's3:h/b'\naccess_key_id = 'x'").contains("belong together"));
        assert!(place("url = 's3:h/b'").check().is_ok());
    }

    #[test]
    fn a_rate_of_nothing_is_no_limit() {
        let limits = bandwidth(Some(0), Some(2));
        assert_eq!((limits.upload, limits.download), (None, Some(2_048)));
    }
}
