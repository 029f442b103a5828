//! Huawei Cloud Backup and Recovery, v3.
