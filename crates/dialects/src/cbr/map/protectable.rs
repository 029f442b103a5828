//! Resources that could be put into a vault.

use strongroom_domain::{Resource, ResourceKind};

use super::{ResourceType, gb};
use crate::cbr::{
    error::{Error, Result},
    page::ListInstances,
    wire,
};

/// Words in paths for which there are never any resources here.
const OTHERS: &[&str] = &["workspace", "workspace_v2"];

/// The kind that a word in a path stands for; nothing for one that CBR knows and this server has
/// no resources of.
pub(in crate::cbr) fn instance_kind(word: &str) -> Result<Option<ResourceKind>> {
    if let Some(found) = ResourceType::find(|it| it.object == word) {
        return Ok(Some(found.kind));
    }
    if OTHERS.contains(&word) {
        return Ok(None);
    }
    let reason = format!("`{word}` is not one of server, disk, turbo, workspace, workspace_v2");
    Err(Error::invalid("protectable_type", reason))
}

/// A resource, and the vault it is in.
pub(in crate::cbr) fn instance(resource: &Resource, vault: Option<wire::Vault>) -> wire::Instance {
    let message = vault.as_ref().map(|vault| {
        let (resource, vault) = (&resource.name, &vault.name);
        format!("Resource `{resource}` is in vault `{vault}` already.")
    });
    wire::Instance {
        children: Vec::new(),
        detail: serde_json::Map::new(),
        id: resource.id.to_string(),
        name: resource.name.clone(),
        protectable: wire::Protectable {
            code: vault.as_ref().map(|_| "BackupService.6103"),
            reason: message.clone(),
            message,
            result: vault.is_none(),
            vault,
        },
        size: gb(resource.size_bytes.unwrap_or(0)),
        status: "ACTIVE",
        kind: ResourceType::of(resource.kind).name,
    }
}

/// The resources that a client asked for from its marker on, and how many there are in all.
pub(in crate::cbr) fn instances_wanted(
    all: Vec<wire::Instance>,
    query: &ListInstances,
) -> Result<(u64, Vec<wire::Instance>)> {
    let given = |text: &Option<String>| text.clone().filter(|it| !it.is_empty());
    let (id, name, status) = (given(&query.id), given(&query.name), given(&query.status));
    let wanted = all.into_iter().filter(|it| {
        id.as_ref().is_none_or(|id| *id == it.id)
            && name
                .as_ref()
                .is_none_or(|name| it.name.contains(name.as_str()))
            && status
                .as_ref()
                .is_none_or(|status| status.eq_ignore_ascii_case(it.status))
    });
    let mut wanted: Vec<_> = wanted.collect();
    let count = wanted.len() as u64;
    if let Some(marker) = given(&query.marker) {
        let at = wanted.iter().position(|it| it.id == marker);
        let at = at.ok_or_else(|| Error::invalid("marker", "there is no such resource"))?;
        wanted.drain(..=at);
    }
    Ok((count, wanted))
}

/// The one with that id.
pub(in crate::cbr) fn instance_with_id(
    all: Vec<wire::Instance>,
    id: &str,
) -> Result<wire::Instance> {
    let found = all.into_iter().find(|it| it.id == id);
    found.ok_or_else(|| strongroom_service::Error::not_found("resource", id).into())
}
