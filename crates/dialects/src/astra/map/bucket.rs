//! Buckets.

use strongroom_domain::repository::{Repository, RepositoryState};

use super::{NIL, bounded, metadata};
use crate::astra::wire;

/// A repository as the bucket that Astra shows. Where on the server's disk a local one is stays
/// the operator's business: it is a bucket without a server.
pub(in super::super) fn bucket(repository: &Repository) -> wire::Bucket {
    let Repository {
        id,
        tenant_id: _,
        name,
        description: _,
        url,
        enabled: _,
        is_default: _,
        state,
        reason: cause,
        sealed_master_key: _,
        stored_bytes: _,
        capacity_bytes: _,
        annotations: _,
        created_at,
        updated_at,
        version: _,
    } = repository;
    let (server_url, bucket_name) = s3(url).unwrap_or_else(|| (String::new(), bounded(name, 63)));
    let detail = |cause: &String| wire::StateDetail {
        kind: "about:blank".to_owned(),
        title: "Repository unavailable".to_owned(),
        detail: bounded(cause, 511),
    };
    wire::Bucket {
        media_type: "application/astra-bucket",
        version: "1.2",
        id: id.to_string(),
        name: name.clone(),
        credential_id: NIL.to_string(),
        state: match state {
            RepositoryState::Ready => "available",
            RepositoryState::Unavailable => "failed",
        },
        state_details: cause.as_ref().map(detail).into_iter().collect(),
        retention_time: 0,
        provider: if server_url.contains(".amazonaws.com") {
            "aws"
        } else {
            "generic-s3"
        },
        bucket_parameters: wire::BucketParameters {
            s3: wire::S3Parameters {
                server_url,
                bucket_name,
            },
        },
        metadata: metadata(&[], *created_at, *updated_at, None),
    }
}

/// Server and bucket of an `s3:https://host/bucket/prefix` URL.
fn s3(url: &str) -> Option<(String, String)> {
    let (scheme, rest) = url.strip_prefix("s3:")?.split_once("://")?;
    let mut parts = rest.split('/');
    let (host, bucket) = (parts.next()?, parts.next()?);
    Some((format!("{scheme}://{host}"), bounded(bucket, 63)))
}
