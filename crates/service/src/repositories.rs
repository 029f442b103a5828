//! Repositories.

use strongroom_domain::{Annotations, RepositoryId, Secret, repository::Repository};

use crate::{Caller, Result, Service};

/// A repository to register: an existing one if `password` opens it, else a new one.
#[derive(Debug, Clone)]
pub struct CreateRepository {
    /// Unique within the tenant.
    pub name: String,
    /// Where it is: an absolute path, `s3:…` or `memory:NAME`.
    pub url: String,
    /// The restic password; a random one is made for a new repository if nothing is given.
    pub password: Option<Secret>,
    /// Becomes the tenant's default.
    pub is_default: bool,
    /// Bytes that may be stored in it, if limited.
    pub capacity_bytes: Option<u64>,
    /// Vendor attributes.
    pub annotations: Annotations,
}

/// What may be changed of a repository; `None` leaves it as it is.
#[derive(Debug, Clone, Default)]
pub struct UpdateRepository {
    /// A new name.
    pub name: Option<String>,
    /// Becomes the default.
    pub is_default: Option<bool>,
    /// A new limit.
    pub capacity_bytes: Option<Option<u64>>,
    /// All vendor attributes.
    pub annotations: Option<Annotations>,
}

impl Service {
    /// Registers a repository, initialising it if there is none at its place.
    pub async fn create_repository(
        &self,
        caller: &Caller,
        request: CreateRepository,
    ) -> Result<Repository> {
        todo!()
    }

    /// One repository.
    pub async fn repository(&self, caller: &Caller, id: RepositoryId) -> Result<Repository> {
        todo!()
    }

    /// All repositories of the tenant, oldest first.
    pub async fn list_repositories(&self, caller: &Caller) -> Result<Vec<Repository>> {
        todo!()
    }

    /// Changes a repository; `version` must be the one read, if given.
    pub async fn update_repository(
        &self,
        caller: &Caller,
        id: RepositoryId,
        version: Option<i64>,
        change: UpdateRepository,
    ) -> Result<Repository> {
        todo!()
    }

    /// Forgets a repository. Refused while backups are in it; its data are never touched.
    pub async fn delete_repository(&self, caller: &Caller, id: RepositoryId) -> Result<()> {
        todo!()
    }
}
