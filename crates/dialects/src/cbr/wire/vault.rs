//! Vaults.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `{"vault": {…}}`.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = cbr::CreateVaultRequest)]
pub(in crate::cbr) struct CreateVaultRequest {
    /// The vault.
    pub(in crate::cbr) vault: CreateVault,
}

/// A vault to create.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = cbr::CreateVault)]
pub(in crate::cbr) struct CreateVault {
    /// 1 to 64 characters.
    pub(in crate::cbr) name: String,
    /// What it is for and how large.
    pub(in crate::cbr) billing: BillingRequest,
    /// The resources in it, possibly none.
    pub(in crate::cbr) resources: Vec<ResourceRef>,
    /// A free text, at most 64 characters without `<` and `>`.
    pub(in crate::cbr) description: Option<String>,
    /// The policy that runs it.
    pub(in crate::cbr) backup_policy_id: Option<String>,
    /// Tags, at most 20.
    pub(in crate::cbr) tags: Option<Vec<Tag>>,
    /// Write once; cannot be undone.
    pub(in crate::cbr) locked: Option<bool>,
    /// Kept and returned; resources are not bound by themselves.
    pub(in crate::cbr) auto_bind: Option<bool>,
    /// Kept and returned.
    pub(in crate::cbr) bind_rules: Option<BindRules>,
    /// Kept and returned; a vault does not grow by itself.
    pub(in crate::cbr) auto_expand: Option<bool>,
    /// Kept and returned: 1 to 100.
    pub(in crate::cbr) threshold: Option<i64>,
    /// Kept and returned.
    pub(in crate::cbr) smn_notify: Option<bool>,
    /// Begins the names of its backups, at most 32 characters.
    pub(in crate::cbr) backup_name_prefix: Option<String>,
    /// Kept and returned.
    pub(in crate::cbr) demand_billing: Option<bool>,
    /// Kept and returned.
    pub(in crate::cbr) enterprise_project_id: Option<String>,
    /// Kept and returned.
    pub(in crate::cbr) availability_zone: Option<String>,
    /// Kept and returned.
    pub(in crate::cbr) sys_lock_source_service: Option<String>,
}

/// What a vault is for and how large it is.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = cbr::BillingRequest)]
pub(in crate::cbr) struct BillingRequest {
    /// `crash_consistent` or `app_consistent`.
    pub(in crate::cbr) consistent_level: String,
    /// `server`, `disk` or `turbo`.
    pub(in crate::cbr) object_type: String,
    /// `backup`.
    pub(in crate::cbr) protect_type: String,
    /// GB, 10 to 10485760.
    pub(in crate::cbr) size: i64,
    /// `post_paid`.
    pub(in crate::cbr) charging_mode: Option<String>,
    /// `public` or `hybrid`.
    pub(in crate::cbr) cloud_type: Option<String>,
    /// Kept and returned.
    pub(in crate::cbr) is_multi_az: Option<bool>,
}

/// A resource that a client names.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(as = cbr::ResourceRef)]
pub(in crate::cbr) struct ResourceRef {
    /// Its id.
    pub(in crate::cbr) id: String,
    /// `OS::Nova::Server`, `OS::Cinder::Volume` or `OS::Sfs::Turbo`.
    #[serde(rename = "type")]
    pub(in crate::cbr) kind: String,
    /// What the client calls it; not used.
    #[expect(dead_code, reason = "accepted and ignored")]
    pub(in crate::cbr) name: Option<String>,
    /// What is left out of a server.
    pub(in crate::cbr) extra_info: Option<ExtraInfo>,
}

/// What is left out of a server.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = cbr::ExtraInfo)]
pub(in crate::cbr) struct ExtraInfo {
    /// Disks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::cbr) exclude_volumes: Option<Vec<String>>,
}

/// Which resources a vault would bind by itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = cbr::BindRules)]
pub(in crate::cbr) struct BindRules {
    /// Those with one of these tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::cbr) tags: Option<Vec<Tag>>,
}

/// A tag.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = cbr::Tag)]
pub(in crate::cbr) struct Tag {
    /// Its name.
    pub(in crate::cbr) key: String,
    /// Its value.
    #[serde(default)]
    pub(in crate::cbr) value: String,
}

/// What a vault was created with that the core has no use for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::cbr) struct Kept {
    pub(in crate::cbr) consistent_level: Option<String>,
    pub(in crate::cbr) object_type: Option<String>,
    pub(in crate::cbr) cloud_type: Option<String>,
    pub(in crate::cbr) is_multi_az: bool,
    pub(in crate::cbr) auto_bind: bool,
    pub(in crate::cbr) bind_rules: BindRules,
    pub(in crate::cbr) auto_expand: bool,
    pub(in crate::cbr) threshold: Option<i64>,
    pub(in crate::cbr) smn_notify: Option<bool>,
    pub(in crate::cbr) backup_name_prefix: Option<String>,
    pub(in crate::cbr) demand_billing: bool,
    pub(in crate::cbr) enterprise_project_id: Option<String>,
    pub(in crate::cbr) availability_zone: Option<String>,
    pub(in crate::cbr) sys_lock_source_service: Option<String>,
}

/// `{"vault": {…}}`.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = cbr::UpdateVaultRequest)]
pub(in crate::cbr) struct UpdateVaultRequest {
    /// The change.
    pub(in crate::cbr) vault: UpdateVault,
}

/// What may be changed of a vault.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = cbr::UpdateVault)]
pub(in crate::cbr) struct UpdateVault {
    /// A new name.
    pub(in crate::cbr) name: Option<String>,
    /// A new size or level.
    pub(in crate::cbr) billing: Option<BillingUpdate>,
    /// Kept and returned.
    pub(in crate::cbr) auto_bind: Option<bool>,
    /// Kept and returned.
    pub(in crate::cbr) bind_rules: Option<BindRules>,
    /// Kept and returned.
    pub(in crate::cbr) auto_expand: Option<bool>,
    /// Kept and returned.
    pub(in crate::cbr) smn_notify: Option<bool>,
    /// Kept and returned.
    pub(in crate::cbr) threshold: Option<i64>,
    /// Locks it for good.
    pub(in crate::cbr) locked: Option<bool>,
}

/// A vault's new size or level.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = cbr::BillingUpdate)]
pub(in crate::cbr) struct BillingUpdate {
    /// `crash_consistent` or `app_consistent`.
    pub(in crate::cbr) consistent_level: Option<String>,
    /// GB, 1 to 10485760.
    pub(in crate::cbr) size: Option<i64>,
}

/// `{"vault": …}`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = cbr::VaultEnvelope)]
pub(in crate::cbr) struct VaultEnvelope {
    /// The vault.
    pub(in crate::cbr) vault: Vault,
}

/// A page of vaults.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = cbr::VaultList)]
pub(in crate::cbr) struct VaultList {
    /// How many match in all.
    pub(in crate::cbr) count: u64,
    /// The page's limit.
    pub(in crate::cbr) limit: u64,
    /// How many were skipped.
    pub(in crate::cbr) offset: u64,
    /// The page.
    pub(in crate::cbr) vaults: Vec<Vault>,
}

/// A group of resources with a capacity and a policy.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = cbr::Vault)]
pub(in crate::cbr) struct Vault {
    pub(in crate::cbr) auto_bind: bool,
    pub(in crate::cbr) auto_expand: bool,
    pub(in crate::cbr) availability_zone: Option<String>,
    pub(in crate::cbr) backup_name_prefix: Option<String>,
    pub(in crate::cbr) billing: Billing,
    pub(in crate::cbr) bind_rules: BindRules,
    /// 0.
    pub(in crate::cbr) cbc_delete_count: u8,
    /// When it was created.
    pub(in crate::cbr) created_at: String,
    /// No.
    pub(in crate::cbr) cross_account: bool,
    pub(in crate::cbr) cross_account_urn: Option<String>,
    pub(in crate::cbr) demand_billing: bool,
    /// The free text.
    pub(in crate::cbr) description: Option<String>,
    pub(in crate::cbr) enterprise_project_id: String,
    /// No.
    pub(in crate::cbr) frozen: bool,
    /// Its id.
    pub(in crate::cbr) id: String,
    /// Whether its automatic backups cannot be deleted by hand.
    pub(in crate::cbr) locked: bool,
    /// Its name.
    pub(in crate::cbr) name: String,
    /// The project.
    pub(in crate::cbr) project_id: String,
    /// Which kind of resource, as an id.
    pub(in crate::cbr) provider_id: &'static str,
    /// The resources in it.
    pub(in crate::cbr) resources: Vec<VaultResource>,
    pub(in crate::cbr) smn_notify: bool,
    pub(in crate::cbr) supplier: Option<String>,
    pub(in crate::cbr) sys_lock_source_service: Option<String>,
    /// Its tags.
    pub(in crate::cbr) tags: Vec<Tag>,
    pub(in crate::cbr) threshold: i64,
    pub(in crate::cbr) user_id: Option<String>,
}

/// A vault's capacity and what of it is used.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = cbr::Billing)]
pub(in crate::cbr) struct Billing {
    /// GB: the sizes of its resources together.
    pub(in crate::cbr) allocated: u64,
    /// `post_paid`.
    pub(in crate::cbr) charging_mode: &'static str,
    pub(in crate::cbr) cloud_type: String,
    pub(in crate::cbr) consistent_level: String,
    pub(in crate::cbr) frozen_scene: Option<String>,
    pub(in crate::cbr) is_double_az: bool,
    pub(in crate::cbr) is_multi_az: bool,
    /// `server`, `disk` or `turbo`.
    pub(in crate::cbr) object_type: String,
    pub(in crate::cbr) order_id: Option<String>,
    pub(in crate::cbr) partner_bp_id: Option<String>,
    pub(in crate::cbr) product_id: Option<String>,
    /// `backup`.
    pub(in crate::cbr) protect_type: &'static str,
    /// GB.
    pub(in crate::cbr) size: u64,
    /// Follows from the object type.
    pub(in crate::cbr) spec_code: &'static str,
    /// `available`.
    pub(in crate::cbr) status: &'static str,
    pub(in crate::cbr) storage_unit: Option<String>,
    /// MB.
    pub(in crate::cbr) used: u64,
}

/// A resource in a vault.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = cbr::VaultResource)]
pub(in crate::cbr) struct VaultResource {
    /// Yes.
    pub(in crate::cbr) auto_protect: bool,
    /// How many backups of it the vault has.
    pub(in crate::cbr) backup_count: u64,
    /// MB that they take up.
    pub(in crate::cbr) backup_size: u64,
    /// What is left out of it.
    pub(in crate::cbr) extra_info: ExtraInfo,
    /// Its id.
    pub(in crate::cbr) id: String,
    /// Its name.
    pub(in crate::cbr) name: String,
    /// `available`, `protecting` or `restoring`.
    pub(in crate::cbr) protect_status: &'static str,
    /// GB; 0 while it is not known.
    pub(in crate::cbr) size: u64,
    /// Its type.
    #[serde(rename = "type")]
    pub(in crate::cbr) kind: &'static str,
}

/// The vaults' capacity together.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = cbr::VaultSummary)]
pub(in crate::cbr) struct Summary {
    /// GB.
    pub(in crate::cbr) size: u64,
    /// GB.
    pub(in crate::cbr) used_size: u64,
}

/// Resources to put into a vault.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = cbr::AddResources)]
pub(in crate::cbr) struct AddResources {
    /// 1 to 256.
    pub(in crate::cbr) resources: Vec<ResourceRef>,
}

/// Resources that were put into a vault.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = cbr::AddedResources)]
pub(in crate::cbr) struct AddedResources {
    /// Their ids.
    pub(in crate::cbr) add_resource_ids: Vec<String>,
}

/// Resources to take out of a vault; their backups in it are deleted.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = cbr::RemoveResources)]
pub(in crate::cbr) struct RemoveResources {
    /// 1 to 256.
    pub(in crate::cbr) resource_ids: Vec<String>,
}

/// Resources that were taken out of a vault.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = cbr::RemovedResources)]
pub(in crate::cbr) struct RemovedResources {
    /// Their ids.
    pub(in crate::cbr) remove_resource_ids: Vec<String>,
}

/// A policy to run a vault.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = cbr::Associate)]
pub(in crate::cbr) struct Associate {
    /// The policy.
    pub(in crate::cbr) policy_id: Option<String>,
    /// The same in newer clients; a vault takes one.
    pub(in crate::cbr) add_policy_ids: Option<Vec<String>>,
}

/// The policy that runs a vault now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = cbr::Associated)]
pub(in crate::cbr) struct Associated {
    /// Which.
    pub(in crate::cbr) associate_policy: PolicyOfVault,
}

/// A policy to stop running a vault.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = cbr::Dissociate)]
pub(in crate::cbr) struct Dissociate {
    /// The policy.
    pub(in crate::cbr) policy_id: String,
}

/// The policy that no longer runs a vault.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = cbr::Dissociated)]
pub(in crate::cbr) struct Dissociated {
    /// Which.
    pub(in crate::cbr) dissociate_policy: PolicyOfVault,
}

/// A policy and a vault.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = cbr::PolicyOfVault)]
pub(in crate::cbr) struct PolicyOfVault {
    /// The policy.
    pub(in crate::cbr) policy_id: String,
    /// The vault.
    pub(in crate::cbr) vault_id: String,
}
