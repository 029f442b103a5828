//! Repositories.

use strongroom_domain::{Annotations, Secret, repository::Repository};
use strongroom_service::repositories::{CreateRepository, UpdateRepository};

use super::common::without_password;
use crate::v1::wire;

impl From<Repository> for wire::Repository {
    fn from(repository: Repository) -> Self {
        let Repository {
            id,
            tenant_id: _,
            name,
            description,
            url,
            enabled,
            is_default,
            state,
            reason,
            sealed_master_key: _,
            stored_bytes,
            capacity_bytes,
            annotations,
            created_at,
            updated_at,
            version,
        } = repository;
        Self {
            id,
            name,
            description,
            url: without_password(url),
            enabled,
            is_default,
            state,
            reason,
            stored_bytes,
            capacity_bytes,
            annotations: annotations.0,
            created_at,
            updated_at,
            version,
        }
    }
}

impl From<wire::CreateRepository> for CreateRepository {
    fn from(body: wire::CreateRepository) -> Self {
        let wire::CreateRepository {
            name,
            description,
            url,
            password,
            is_default,
            capacity_bytes,
            annotations,
        } = body;
        Self {
            id: None,
            name,
            description,
            url,
            password: password.map(Secret::new),
            is_default,
            capacity_bytes,
            annotations: Annotations(annotations),
        }
    }
}

impl From<wire::UpdateRepository> for UpdateRepository {
    fn from(change: wire::UpdateRepository) -> Self {
        let wire::UpdateRepository {
            name,
            description,
            enabled,
            is_default,
            capacity_bytes,
            annotations,
        } = change;
        Self {
            name,
            description,
            enabled,
            is_default,
            capacity_bytes,
            annotations: annotations.map(Annotations),
        }
    }
}
