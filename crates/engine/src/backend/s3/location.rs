//! Addresses of buckets, as restic writes them.

use std::fmt;

use super::S3Options;
use crate::error::{Error, Result};

/// Where a repository is: a server, a bucket, a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Location {
    plain: bool,
    /// `host` or `host:port`.
    host: String,
    bucket: String,
    /// Without slashes at its ends; may be empty.
    prefix: String,
}

impl S3Location {
    /// From what follows `s3:`: `https://host/bucket/prefix`, `http://…` without encryption, or
    /// without a scheme `host/bucket/prefix`, which is `https`.
    pub fn parse(text: &str) -> Result<Self> {
        let invalid = || Error::InvalidUrl(format!("s3:{text}"));
        let (plain, rest) = match text.split_once("://") {
            Some(("http", rest)) => (true, rest),
            Some(("https" | "", rest)) => (false, rest),
            Some(_) => return Err(invalid()),
            None => (false, text.strip_prefix("//").unwrap_or(text)),
        };
        let (host, path) = rest.split_once('/').ok_or_else(invalid)?;
        let (bucket, prefix) = path.split_once('/').unwrap_or((path, ""));
        let is_host = |c: char| c.is_ascii_alphanumeric() || ".-:[]_".contains(c);
        let is_bucket = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
        let is_prefix = |part: &str| {
            !matches!(part, "" | "." | "..") && !part.contains(|c: char| c.is_control())
        };
        let prefix = prefix.trim_matches('/');
        if host.is_empty()
            || bucket.is_empty()
            || !host.chars().all(is_host)
            || !bucket.chars().all(is_bucket)
            || matches!(bucket, "." | "..")
            || !(prefix.is_empty() || prefix.split('/').all(is_prefix))
        {
            return Err(invalid());
        }
        Ok(Self {
            plain,
            host: host.to_owned(),
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
        })
    }

    /// Whether it is reached without encryption.
    pub(super) fn is_plain(&self) -> bool {
        self.plain
    }

    pub(super) fn bucket(&self) -> &str {
        &self.bucket
    }

    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    fn scheme(&self) -> &'static str {
        if self.plain { "http" } else { "https" }
    }

    /// The URL of the server, with the bucket as a part of the host's name if asked for.
    pub(super) fn endpoint(&self, virtual_hosted: bool) -> String {
        let (scheme, host, bucket) = (self.scheme(), &self.host, &self.bucket);
        if virtual_hosted {
            format!("{scheme}://{bucket}.{host}")
        } else {
            format!("{scheme}://{host}")
        }
    }

    /// What errors call it.
    pub(super) fn place(&self) -> String {
        format!("bucket `{}` at `{}`", self.bucket, self.endpoint(false))
    }

    /// The region that requests are signed for: as given, or as Amazon's host names say it, or the
    /// one that other servers take.
    pub(super) fn region(&self, options: &S3Options) -> String {
        let of_host = || {
            let rest = self.host.strip_prefix("s3.")?;
            rest.strip_suffix(".amazonaws.com").map(str::to_owned)
        };
        let region = options.region.clone().or_else(of_host);
        region.unwrap_or_else(|| "us-east-1".to_owned())
    }
}

impl fmt::Display for S3Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3:{}/{}", self.endpoint(false), self.bucket)?;
        if !self.prefix.is_empty() {
            write!(f, "/{}", self.prefix)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_restic_reads_them() {
        let cases = [
            ("https://host/bucket/a/b", "s3:https://host/bucket/a/b"),
            ("http://127.0.0.1:9000/b", "s3:http://127.0.0.1:9000/b"),
            ("host:1/b-1.x/p/", "s3:https://host:1/b-1.x/p"),
            ("//host/b", "s3:https://host/b"),
            (
                "s3.eu-west-1.amazonaws.com/b",
                "s3:https://s3.eu-west-1.amazonaws.com/b",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(S3Location::parse(text).unwrap().to_string(), expected);
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "host",
            "https://host",
            "https://host/",
            "ftp://h/b",
            "https:///b",
            "h/..",
            "http://user:secret@host/b",
            "h/b/../c",
            "h/b/c//d",
            "h/b?x",
            "h /b",
            "h/b/c\nd",
        ] {
            let error = S3Location::parse(text).unwrap_err().to_string();
            assert!(error.contains(&format!("s3:{text}")), "{text}: {error}");
        }
    }

    #[test]
    fn the_region_is_the_one_given_or_the_one_in_amazons_name() {
        let region = |host: &str, given: Option<&str>| {
            let options = S3Options {
                region: given.map(str::to_owned),
                ..S3Options::default()
            };
            S3Location::parse(&format!("{host}/b"))
                .unwrap()
                .region(&options)
        };
        assert_eq!(region("s3.eu-west-1.amazonaws.com", None), "eu-west-1");
        assert_eq!(region("s3.eu-west-1.amazonaws.com", Some("x")), "x");
        assert_eq!(region("s3.amazonaws.com", None), "us-east-1");
        assert_eq!(region("ceph.lan:8080", None), "us-east-1");
    }
}
