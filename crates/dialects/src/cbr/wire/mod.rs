//! CBR's JSON, field by field. Every field of an answer is always present, `null` where empty;
//! requests may leave out or null what is optional, and may hold fields that nobody knows.

mod backup;
mod checkpoint;
mod identity;
mod operation_log;
mod policy;
mod protectable;
mod vault;

pub(super) use self::{
    backup::{
        AppConsistency, Backup, BackupEnvelope, BackupList, BackupRestore, ExtendInfo, Mapping,
        RestoreAccepted, RestoreRequest, UpdateBackupRequest,
    },
    checkpoint::{
        Checkpoint, CheckpointEnvelope, CheckpointExtra, CheckpointResource, CheckpointVault,
        CreateCheckpoint, CreateCheckpointRequest, SkippedResource,
    },
    identity::{
        AuthRequest, Catalog, CatalogEntry, Domain, DomainRef, Domains, Endpoint, Link,
        ListedDomain, ListedVersion, Login, MediaType, Project, Projects, Role, Scope,
        ScopedProject, Token, TokenEnvelope, TokenUser, UserRef, Version, VersionEnvelope,
        VersionLink, VersionList,
    },
    operation_log::{
        ErrorInfo, LogBackup, LogCommon, LogDelete, LogExtra, LogResource, LogRestore,
        OperationLog, OperationLogEnvelope, OperationLogList,
    },
    policy::{
        AssociatedVault, CreatePolicy, CreatePolicyRequest, OperationDefinition, Policy,
        PolicyEnvelope, PolicyList, Trigger, TriggerProperties, TriggerRequest, UpdatePolicy,
        UpdatePolicyRequest, WantedProperties,
    },
    protectable::{Instance, InstanceEnvelope, InstanceList, Protectable},
    vault::{
        AddResources, AddedResources, Associate, Associated, Billing, BillingRequest,
        BillingUpdate, CreateVault, CreateVaultRequest, Dissociate, Dissociated, ExtraInfo, Kept,
        PolicyOfVault, RemoveResources, RemovedResources, ResourceRef, Summary, Tag, UpdateVault,
        UpdateVaultRequest, Vault, VaultEnvelope, VaultList, VaultResource,
    },
};
