//! Query parameters of lists.

use jiff::{Timestamp, civil::DateTime, tz::Offset};
use serde::Deserialize;
use utoipa::IntoParams;

use super::error::{Error, Result};

/// The largest page, and the page if none is asked for.
const MAX_LIMIT: u64 = 1000;

/// A page by limit and offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    /// At most this many.
    pub(super) limit: u64,
    /// After skipping this many.
    pub(super) offset: u64,
}

impl Window {
    /// Reads `limit` (1 to 1000) and `offset`.
    pub(super) fn new(limit: Option<u64>, offset: Option<u64>) -> Result<Self> {
        let limit = limit.unwrap_or(MAX_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            let reason = format!("it must be a number from 1 to {MAX_LIMIT}");
            return Err(Error::invalid("limit", reason));
        }
        let offset = offset.unwrap_or(0);
        Ok(Self { limit, offset })
    }

    /// The part of a list that a tenant keeps short.
    pub(super) fn cut<T>(self, items: Vec<T>) -> Vec<T> {
        let skip = usize::try_from(self.offset).unwrap_or(usize::MAX);
        let take = usize::try_from(self.limit).unwrap_or(usize::MAX);
        items.into_iter().skip(skip).take(take).collect()
    }
}

/// Which backups to list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct ListBackups {
    /// 1 to 1000; 1000 if nothing.
    pub(super) limit: Option<u64>,
    /// How many to skip.
    pub(super) offset: Option<u64>,
    /// The id of the page before's last backup.
    pub(super) marker: Option<String>,
    /// `key[:asc|desc],…` of created_at, updated_at, name, status, protected_at, id.
    pub(super) sort: Option<String>,
    /// Any of these.
    pub(super) status: Vec<String>,
    /// Exactly this name.
    pub(super) name: Option<String>,
    /// Exactly this name of the resource.
    pub(super) resource_name: Option<String>,
    /// Of this resource.
    pub(super) resource_id: Option<String>,
    /// Of this type of resource.
    pub(super) resource_type: Option<String>,
    /// In this availability zone.
    pub(super) resource_az: Option<String>,
    /// In this vault.
    pub(super) vault_id: Option<String>,
    /// Of this checkpoint.
    pub(super) checkpoint_id: Option<String>,
    /// Of disks below this server's backup.
    pub(super) parent_id: Option<String>,
    /// `backup` or `replication`.
    pub(super) image_type: Option<String>,
    /// Created then or later, `YYYY-MM-DDThh:mm:ssZ`.
    pub(super) start_time: Option<String>,
    /// Created then or earlier, `YYYY-MM-DDThh:mm:ssZ`.
    pub(super) end_time: Option<String>,
    /// `private`, `shared` or `all_granted`.
    pub(super) own_type: Option<String>,
    /// The state of being shared.
    pub(super) member_status: Option<String>,
    /// In vaults that are used to at least so many percent, 1 to 100.
    pub(super) used_percent: Option<String>,
    /// `0` or `all_granted_eps`.
    pub(super) enterprise_project_id: Option<String>,
    /// Of a dedicated cloud; without effect.
    pub(super) dec: Option<bool>,
    /// With their copies elsewhere; there are none.
    pub(super) show_replication: Option<bool>,
    /// Only those that reuse an earlier one's content, or only those that do not.
    pub(super) incremental: Option<bool>,
    /// Those kept by number; without effect.
    pub(super) existed_quantity_based_retention_backups: Option<bool>,
}

impl ListBackups {
    pub(super) fn window(&self) -> Result<Window> {
        Window::new(self.limit, self.offset)
    }
}

/// Which vaults to list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct ListVaults {
    /// 1 to 1000; 1000 if nothing.
    pub(super) limit: Option<u64>,
    /// How many to skip.
    pub(super) offset: Option<u64>,
    /// Any of these.
    pub(super) id: Vec<String>,
    /// Exactly this name.
    pub(super) name: Option<String>,
    /// `public` or `hybrid`.
    pub(super) cloud_type: Option<String>,
    /// `backup` or `replication`.
    pub(super) protect_type: Option<String>,
    /// `server`, `disk`, `turbo`, ….
    pub(super) object_type: Option<String>,
    /// `0` or `all_granted_eps`.
    pub(super) enterprise_project_id: Option<String>,
    /// Run by this policy.
    pub(super) policy_id: Option<String>,
    /// `available`, ….
    pub(super) status: Option<String>,
    /// With one of these resources in them, separated by commas.
    pub(super) resource_ids: Option<String>,
    /// In this zone.
    pub(super) availability_zone: Option<String>,
}

/// Which policies to list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct ListPolicies {
    /// `backup` or `replication`.
    pub(super) operation_type: Option<String>,
    /// The one that runs this vault.
    pub(super) vault_id: Option<String>,
}

/// Which operation logs to list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct ListLogs {
    /// 1 to 1000; 1000 if nothing.
    pub(super) limit: Option<u64>,
    /// How many to skip.
    pub(super) offset: Option<u64>,
    /// Started then or later.
    pub(super) start_time: Option<String>,
    /// Started then or earlier.
    pub(super) end_time: Option<String>,
    /// `backup`, `restore`, `delete`, ….
    pub(super) operation_type: Option<String>,
    /// Of this type of resource.
    pub(super) provider_id: Option<String>,
    /// About this resource.
    pub(super) resource_id: Option<String>,
    /// About the resource of this name.
    pub(super) resource_name: Option<String>,
    /// `waiting`, `running`, `success`, `failed`, ….
    pub(super) status: Option<String>,
    /// About this vault.
    pub(super) vault_id: Option<String>,
    /// About the vault of this name.
    pub(super) vault_name: Option<String>,
    /// `0` or `all_granted_eps`.
    pub(super) enterprise_project_id: Option<String>,
}

/// Which resources to list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct ListInstances {
    /// 1 to 1000; 1000 if nothing.
    pub(super) limit: Option<u64>,
    /// How many to skip.
    pub(super) offset: Option<u64>,
    /// The id of the page before's last one.
    pub(super) marker: Option<String>,
    /// Exactly this id.
    pub(super) id: Option<String>,
    /// With this text in their name.
    pub(super) name: Option<String>,
    /// `ACTIVE`.
    pub(super) status: Option<String>,
}

impl ListInstances {
    pub(super) fn window(&self) -> Result<Window> {
        Window::new(self.limit, self.offset)
    }
}

/// Nothing if the text is empty, as clients send for a parameter that is not set.
pub(super) fn id_or_nothing(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// Checks that a parameter has one of the values that there are.
pub(super) fn one_of(name: &str, value: &str, known: &[&str]) -> Result<()> {
    if known.contains(&value) {
        return Ok(());
    }
    let reason = format!("`{value}` is not one of {}", known.join(", "));
    Err(Error::invalid(name, reason))
}

/// Reads `YYYY-MM-DDThh:mm:ss[.ffffff][Z]`, always UTC.
pub(super) fn instant(name: &str, text: &str) -> Result<Timestamp> {
    let civil = text.strip_suffix('Z').unwrap_or(text).parse::<DateTime>();
    let at = civil.ok().filter(|_| text.contains('T'));
    let at = at.and_then(|at| Offset::UTC.to_timestamp(at).ok());
    at.ok_or_else(|| Error::invalid(name, "it must have the form YYYY-MM-DDThh:mm:ssZ"))
}
