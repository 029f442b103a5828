//! Astra's JSON shapes, exactly as its clients read and write them. No logic.

mod app;
mod backup;
mod bucket;
mod common;
mod list;
mod topology;

pub(crate) use self::{
    app::{App, NamespaceScopedResource},
    backup::{AppBackup, AppSnap, CreateAppBackup, CreateMetadata},
    bucket::{Bucket, BucketParameters, S3Parameters},
    common::{Label, Metadata, StateDetail},
    list::{Items, List, ListMetadata},
    topology::{Cloud, Cluster, Namespace},
};
