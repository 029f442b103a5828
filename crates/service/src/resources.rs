//! Resources: what is protected.

use jiff::Timestamp;
use serde::Serialize;
use strongroom_domain::{
    Annotations, Face, FieldError, Label, Page, Paged, Resource, ResourceId, ResourceKind,
    TenantId, operation::Subject, policy::PolicyTarget, principal::Permission, resource::Settings,
};
use strongroom_store::{Conn, Tx};

use crate::{
    Caller, ConflictKind, Error, Result, Service,
    backups::request::active_backups,
    error::taken,
    validate::{Faults, check_version},
};

/// A resource to register.
#[derive(Debug, Clone)]
pub struct CreateResource {
    /// What kind it is.
    pub kind: ResourceKind,
    /// Unique among the tenant's living resources.
    pub name: String,
    /// What its source needs to know; checked by the source.
    pub settings: Settings,
    /// Labels and tags.
    pub labels: Vec<Label>,
    /// Vendor attributes.
    pub annotations: Annotations,
}

/// What may be changed of a resource; `None` leaves it as it is.
#[derive(Debug, Clone, Default)]
pub struct UpdateResource {
    /// A new name.
    pub name: Option<String>,
    /// All settings.
    pub settings: Option<Settings>,
    /// All labels.
    pub labels: Option<Vec<Label>>,
    /// All vendor attributes.
    pub annotations: Option<Annotations>,
}

/// Which resources to list.
#[derive(Debug, Clone, Default)]
pub struct ResourceFilter {
    /// Only those that this face shows.
    pub face: Option<Face>,
    /// Only this kind.
    pub kind: Option<ResourceKind>,
    /// Only with exactly this name.
    pub name: Option<String>,
    /// Also those that were removed.
    pub include_deleted: bool,
}

/// Something that a source found and that could be registered.
#[derive(Debug, Clone, Serialize)]
pub struct Discovered {
    /// What kind it is.
    pub kind: ResourceKind,
    /// A name to suggest.
    pub name: String,
    /// The settings to register it with.
    pub settings: Settings,
    /// Its size in bytes, if known.
    pub size_bytes: Option<u64>,
}

impl Service {
    /// Registers a resource after its source accepted the settings.
    pub async fn create_resource(
        &self,
        caller: &Caller,
        request: CreateResource,
    ) -> Result<Resource> {
        caller.require(Permission::Write)?;
        let make = self.add_resource(caller, request);
        self.once(caller, make, |id| self.resource(caller, id))
            .await
    }

    async fn add_resource(&self, caller: &Caller, request: CreateResource) -> Result<Resource> {
        let CreateResource {
            kind,
            name,
            settings,
            labels,
            annotations,
        } = request;
        let mut faults = Faults::default();
        faults.name("name", &name);
        faults.labels(&labels);
        let (face, wrong) = self.check_settings(kind, settings.clone()).await?;
        faults.extend(wrong);
        faults.check()?;
        let now = self.now();
        let resource = Resource {
            id: ResourceId::from_uuid(self.uuid()),
            tenant_id: caller.tenant_id,
            kind,
            face,
            name,
            settings,
            size_bytes: None,
            labels,
            annotations,
            created_at: now,
            updated_at: now,
            deleted_at: None,
            version: 1,
        };
        let mut tx = self.begin().await?;
        tx.insert_resource(&resource)
            .await
            .map_err(taken("resource", &resource.name))?;
        let subject = Some(Subject::Resource(resource.id));
        tx.insert_event(&self.event(caller, "resource.created", subject))
            .await?;
        self.remember(&mut tx, caller, &resource.id).await?;
        tx.commit().await?;
        self.changed();
        Ok(resource)
    }

    /// One living resource.
    pub async fn resource(&self, caller: &Caller, id: ResourceId) -> Result<Resource> {
        caller.require(Permission::Read)?;
        living_resource(&mut *self.read().await?, caller.tenant_id, id).await
    }

    /// The living resource with that name, or with that id as text.
    pub async fn resource_named(&self, caller: &Caller, name_or_id: &str) -> Result<Resource> {
        caller.require(Permission::Read)?;
        let mut read = self.read().await?;
        if let Some(found) = read.resource_named(caller.tenant_id, name_or_id).await? {
            return Ok(found);
        }
        match name_or_id.parse() {
            Ok(id) => living_resource(&mut read, caller.tenant_id, id).await,
            Err(_) => Err(Error::not_found("resource", name_or_id)),
        }
    }

    /// The resources of the tenant, oldest first.
    pub async fn list_resources(
        &self,
        caller: &Caller,
        filter: &ResourceFilter,
        page: &Page,
    ) -> Result<Paged<Resource>> {
        caller.require(Permission::Read)?;
        let ResourceFilter {
            face,
            kind,
            name,
            include_deleted,
        } = filter;
        let filter = strongroom_store::ResourceFilter {
            face: *face,
            kind: *kind,
            name: name.clone(),
            include_deleted: *include_deleted,
        };
        Ok(self
            .read()
            .await?
            .list_resources(caller.tenant_id, &filter, page)
            .await?)
    }

    /// Changes a resource; `version` must be the one read, if given.
    pub async fn update_resource(
        &self,
        caller: &Caller,
        id: ResourceId,
        version: Option<i64>,
        change: UpdateResource,
    ) -> Result<Resource> {
        caller.require(Permission::Write)?;
        let mut resource = self.resource(caller, id).await?;
        check_version("resource", &id, version, resource.version)?;
        let UpdateResource {
            name,
            settings,
            labels,
            annotations,
        } = change;
        let mut faults = Faults::default();
        if let Some(name) = name {
            faults.name("name", &name);
            resource.name = name;
        }
        if let Some(labels) = labels {
            faults.labels(&labels);
            resource.labels = labels;
        }
        if let Some(settings) = settings {
            let (face, wrong) = self.check_settings(resource.kind, settings.clone()).await?;
            faults.extend(wrong);
            resource.face = face;
            resource.settings = settings;
        }
        faults.check()?;
        if let Some(annotations) = annotations {
            resource.annotations = annotations;
        }
        resource.updated_at = self.now();
        let mut tx = self.begin().await?;
        tx.update_resource(&resource)
            .await
            .map_err(taken("resource", &resource.name))?;
        let subject = Some(Subject::Resource(id));
        tx.insert_event(&self.event(caller, "resource.changed", subject))
            .await?;
        tx.commit().await?;
        self.changed();
        resource.version += 1;
        Ok(resource)
    }

    /// Stops protecting a resource. Its backups stay; it leaves its vault and policies. Refused
    /// while a backup or restore of it is active. `version` must be the one read, if given.
    pub async fn delete_resource(
        &self,
        caller: &Caller,
        id: ResourceId,
        version: Option<i64>,
    ) -> Result<()> {
        caller.require(Permission::Write)?;
        let mut tx = self.begin().await?;
        let mut resource = living_resource(&mut tx, caller.tenant_id, id).await?;
        check_version("resource", &id, version, resource.version)?;
        if is_busy(&mut tx, &resource).await? {
            let message = format!(
                "a backup or restore of resource `{}` is active",
                resource.name
            );
            return Err(Error::conflict(ConflictKind::InUse, "resource", message));
        }
        resource.deleted_at = Some(self.now());
        resource.updated_at = self.now();
        tx.update_resource(&resource).await?;
        leave_groups(&mut tx, caller.tenant_id, id, self.now()).await?;
        let subject = Some(Subject::Resource(id));
        tx.insert_event(&self.event(caller, "resource.removed", subject))
            .await?;
        tx.commit().await?;
        self.changed();
        Ok(())
    }

    /// What the sources of `kind` (or all) find on this machine that could be registered.
    pub async fn discover(
        &self,
        caller: &Caller,
        kind: Option<ResourceKind>,
    ) -> Result<Vec<Discovered>> {
        caller.require(Permission::Read)?;
        self.blocking(move |service| {
            let mut all = Vec::new();
            for source in service.sources().iter() {
                if kind.is_some_and(|kind| kind != source.kind()) {
                    continue;
                }
                let found = source.discover().map_err(|error| Error::Unavailable {
                    what: format!("discovery of `{}`", source.kind()),
                    message: error.to_string(),
                })?;
                all.extend(found.into_iter().map(|it| Discovered {
                    kind: source.kind(),
                    name: it.name,
                    settings: it.settings,
                    size_bytes: it.size_bytes,
                }));
            }
            Ok(all)
        })
        .await?
    }

    /// What is wrong with the settings, and the face that shows the resource. A source may look
    /// at the disk for it.
    async fn check_settings(
        &self,
        kind: ResourceKind,
        settings: Settings,
    ) -> Result<(Option<Face>, Vec<FieldError>)> {
        self.blocking(move |service| {
            let sources = service.sources();
            let face = sources.get(kind).and_then(|source| source.face(&settings));
            (face, sources.validate(kind, &settings))
        })
        .await
    }
}

/// The resource, unless it was removed or is another tenant's.
pub(crate) async fn living_resource(
    conn: &mut Conn,
    tenant: TenantId,
    id: ResourceId,
) -> Result<Resource> {
    let found = conn.resource(tenant, id).await?;
    let living = found.filter(|resource| resource.deleted_at.is_none());
    living.ok_or_else(|| Error::not_found("resource", id))
}

/// Whether a backup or restore of the resource has not ended.
async fn is_busy(conn: &mut Conn, resource: &Resource) -> Result<bool> {
    Ok(active_backups(conn, resource).await? > 0
        || !conn
            .active_restores_of_resource(resource.tenant_id, resource.id)
            .await?
            .is_empty())
}

/// Takes a resource out of its vault and of the policies that name it.
async fn leave_groups(tx: &mut Tx, tenant: TenantId, id: ResourceId, now: Timestamp) -> Result<()> {
    if let Some(mut vault) = tx.vault_of(tenant, id).await? {
        vault.resources.retain(|it| *it != id);
        vault.updated_at = now;
        tx.update_vault(&vault).await?;
    }
    let target = PolicyTarget::Resource(id);
    for mut policy in tx.policies_targeting(tenant, target).await? {
        policy.targets.retain(|it| *it != target);
        policy.updated_at = now;
        tx.update_policy(&policy).await?;
    }
    Ok(())
}
