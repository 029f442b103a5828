//! Version 1.0's shapes from version 2's.

use crate::ges::wire::{v1, v2};

impl From<v2::Backup> for v1::Backup {
    fn from(backup: v2::Backup) -> Self {
        let v2::Backup {
            id,
            name,
            backup_method,
            graph_id,
            graph_name,
            graph_status,
            graph_size_type_index,
            data_store_version,
            arch,
            status,
            start_timestamp,
            start_time,
            end_timestamp,
            end_time,
            size,
            duration,
            encrypted,
        } = backup;
        Self {
            id,
            name,
            backup_method,
            graph_id,
            graph_name_again: graph_name.clone(),
            graph_name,
            graph_status,
            graph_size_type_index,
            data_store_version,
            arch,
            status,
            start_timestamp,
            start_time,
            end_timestamp,
            end_time,
            size,
            duration,
            encrypted,
        }
    }
}

impl From<v2::BackupList> for v1::BackupList {
    fn from(
        v2::BackupList {
            backup_count,
            backup_list,
        }: v2::BackupList,
    ) -> Self {
        let backup_list = backup_list.into_iter().map(Into::into).collect();
        Self {
            backup_count,
            backup_list,
        }
    }
}

impl From<v2::Started> for v1::Started {
    fn from(v2::Started { job_id, backup_id }: v2::Started) -> Self {
        Self { job_id, backup_id }
    }
}

impl From<v2::Job> for v1::Job {
    fn from(job: v2::Job) -> Self {
        let v2::Job {
            job_id,
            status,
            job_type,
            job_name,
            related_graph,
            begin_time,
            end_time,
            fail_reason,
            job_progress,
        } = job;
        Self {
            job_id,
            status,
            job_type,
            job_name,
            related_graph,
            begin_time,
            end_time,
            fail_reason,
            job_progress,
        }
    }
}

impl From<v2::JobList> for v1::JobList {
    fn from(
        v2::JobList {
            job_count,
            job_list,
        }: v2::JobList,
    ) -> Self {
        let job_list = job_list.into_iter().map(Into::into).collect();
        Self {
            job_count,
            job_list,
        }
    }
}

impl From<v2::Graph> for v1::Graph {
    fn from(graph: v2::Graph) -> Self {
        let v2::Graph {
            id,
            name,
            status,
            data_store_version,
            graph_size_type_index,
            arch,
            is_multi_az,
            created,
            updated,
            sys_tags,
            tags,
        } = graph;
        Self {
            id,
            name,
            status,
            data_store_version,
            graph_size_type_index,
            arch,
            is_multi_az,
            created,
            updated,
            sys_tags,
            tags,
        }
    }
}

impl From<v2::GraphList> for v1::GraphList {
    fn from(
        v2::GraphList {
            graph_count,
            graphs,
        }: v2::GraphList,
    ) -> Self {
        let graphs = graphs.into_iter().map(Into::into).collect();
        Self {
            graph_count,
            graphs,
        }
    }
}

impl From<v2::OneGraph> for v1::OneGraph {
    fn from(v2::OneGraph { graph }: v2::OneGraph) -> Self {
        let graph = graph.into();
        Self { graph }
    }
}
