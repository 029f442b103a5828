-- The whole schema. Times are microseconds since 1970 UTC, sizes are bytes, JSON is kept as the text
-- that was written.

CREATE TABLE tenants (
    id BLOB PRIMARY KEY NOT NULL,
    name TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE principals (
    id BLOB PRIMARY KEY NOT NULL,
    tenant_id BLOB NOT NULL REFERENCES tenants (id),
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    password_hash TEXT,
    UNIQUE (tenant_id, name)
) STRICT;
CREATE INDEX principals_by_name ON principals (name);

CREATE TABLE credentials (
    id BLOB PRIMARY KEY NOT NULL,
    tenant_id BLOB NOT NULL REFERENCES tenants (id),
    principal_id BLOB NOT NULL REFERENCES principals (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    lookup TEXT NOT NULL,
    sealed_secret BLOB,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    UNIQUE (lookup, kind)
) STRICT;
CREATE INDEX credentials_by_tenant ON credentials (tenant_id, created_at, id);
CREATE INDEX credentials_by_principal ON credentials (principal_id);

CREATE TABLE sessions (
    id BLOB PRIMARY KEY NOT NULL,
    lookup TEXT NOT NULL UNIQUE,
    tenant_id BLOB NOT NULL REFERENCES tenants (id),
    principal_id BLOB NOT NULL REFERENCES principals (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_by_end ON sessions (expires_at);
CREATE INDEX sessions_by_principal ON sessions (principal_id);

CREATE TABLE repositories (
    id BLOB PRIMARY KEY NOT NULL,
    tenant_id BLOB NOT NULL REFERENCES tenants (id),
    name TEXT NOT NULL,
    url TEXT NOT NULL,
    is_default INTEGER NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    sealed_master_key BLOB NOT NULL,
    stored_bytes INTEGER NOT NULL,
    capacity_bytes INTEGER,
    annotations TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    UNIQUE (tenant_id, name)
) STRICT;
CREATE UNIQUE INDEX repositories_default ON repositories (tenant_id) WHERE is_default;

-- A removed resource stays as a row (deleted_at) and frees its name.
CREATE TABLE resources (
    id BLOB PRIMARY KEY NOT NULL,
    tenant_id BLOB NOT NULL REFERENCES tenants (id),
    kind TEXT NOT NULL,
    face TEXT,
    name TEXT NOT NULL,
    settings TEXT NOT NULL,
    size_bytes INTEGER,
    labels TEXT NOT NULL,
    annotations TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER,
    version INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX resources_name ON resources (tenant_id, name) WHERE deleted_at IS NULL;
CREATE INDEX resources_by_tenant ON resources (tenant_id, created_at, id);
CREATE INDEX resources_by_face ON resources (tenant_id, face, created_at, id);

CREATE TABLE policies (
    id BLOB PRIMARY KEY NOT NULL,
    tenant_id BLOB NOT NULL REFERENCES tenants (id),
    name TEXT NOT NULL,
    description TEXT,
    face TEXT,
    enabled INTEGER NOT NULL,
    schedule TEXT NOT NULL,
    retention TEXT NOT NULL,
    repository_id BLOB,
    next_run INTEGER,
    last_run INTEGER,
    labels TEXT NOT NULL,
    annotations TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    UNIQUE (tenant_id, name)
) STRICT;
CREATE INDEX policies_due ON policies (next_run) WHERE next_run IS NOT NULL;

CREATE TABLE policy_targets (
    policy_id BLOB NOT NULL REFERENCES policies (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    kind TEXT NOT NULL,
    target_id BLOB NOT NULL,
    PRIMARY KEY (policy_id, kind, target_id)
) STRICT;
CREATE INDEX policy_targets_by_target ON policy_targets (target_id);

CREATE TABLE vaults (
    id BLOB PRIMARY KEY NOT NULL,
    tenant_id BLOB NOT NULL REFERENCES tenants (id),
    name TEXT NOT NULL,
    description TEXT,
    repository_id BLOB NOT NULL,
    policy_id BLOB REFERENCES policies (id) ON DELETE SET NULL,
    quota_bytes INTEGER NOT NULL,
    locked INTEGER NOT NULL,
    labels TEXT NOT NULL,
    annotations TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;
CREATE INDEX vaults_by_tenant ON vaults (tenant_id, created_at, id);
CREATE INDEX vaults_by_policy ON vaults (policy_id) WHERE policy_id IS NOT NULL;

-- A resource is in at most one vault.
CREATE TABLE vault_resources (
    resource_id BLOB PRIMARY KEY NOT NULL REFERENCES resources (id),
    vault_id BLOB NOT NULL REFERENCES vaults (id) ON DELETE CASCADE,
    position INTEGER NOT NULL
) STRICT;
CREATE INDEX vault_resources_by_vault ON vault_resources (vault_id, position);

CREATE TABLE checkpoints (
    id BLOB PRIMARY KEY NOT NULL,
    tenant_id BLOB NOT NULL REFERENCES tenants (id),
    vault_id BLOB NOT NULL,
    name TEXT,
    description TEXT,
    skipped TEXT NOT NULL,
    annotations TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX checkpoints_by_vault ON checkpoints (tenant_id, vault_id, created_at, id);

-- Backups outlive their vault, policy and repository, so those are not references.
CREATE TABLE backups (
    id BLOB PRIMARY KEY NOT NULL,
    tenant_id BLOB NOT NULL REFERENCES tenants (id),
    resource_id BLOB NOT NULL REFERENCES resources (id),
    resource_name TEXT NOT NULL,
    kind TEXT NOT NULL,
    face TEXT,
    repository_id BLOB NOT NULL,
    vault_id BLOB,
    checkpoint_id BLOB,
    policy_id BLOB,
    parent_id BLOB,
    name TEXT NOT NULL,
    description TEXT,
    state TEXT NOT NULL,
    trigger_kind TEXT NOT NULL,
    scheduled_for INTEGER,
    bytes_done INTEGER NOT NULL,
    bytes_total INTEGER,
    entries_done INTEGER NOT NULL,
    source_bytes INTEGER,
    stored_bytes INTEGER,
    entries INTEGER,
    snapshot TEXT,
    reason TEXT,
    failed_entries TEXT NOT NULL,
    failed_entry_count INTEGER NOT NULL,
    created_by BLOB,
    labels TEXT NOT NULL,
    annotations TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER,
    expires_at INTEGER,
    version INTEGER NOT NULL
) STRICT;
-- One backup per occurrence of a schedule, whoever fires it.
CREATE UNIQUE INDEX backups_occurrence ON backups (policy_id, resource_id, scheduled_for)
    WHERE policy_id IS NOT NULL AND scheduled_for IS NOT NULL;
CREATE INDEX backups_by_tenant ON backups (tenant_id, created_at, id) WHERE state <> 'deleted';
CREATE INDEX backups_by_face ON backups (tenant_id, face, created_at, id) WHERE state <> 'deleted';
CREATE INDEX backups_by_state ON backups (tenant_id, state, created_at, id, face) WHERE state <> 'deleted';
CREATE INDEX backups_by_resource ON backups (tenant_id, resource_id, created_at, id) WHERE state <> 'deleted';
CREATE INDEX backups_by_repository ON backups (tenant_id, repository_id, created_at, id) WHERE state <> 'deleted';
CREATE INDEX backups_by_name ON backups (tenant_id, name, created_at, id) WHERE state <> 'deleted';
CREATE INDEX backups_by_resource_name ON backups (tenant_id, resource_name, created_at, id) WHERE state <> 'deleted';
CREATE INDEX backups_by_vault ON backups (tenant_id, vault_id, created_at, id) WHERE vault_id IS NOT NULL;
CREATE INDEX backups_by_checkpoint ON backups (tenant_id, checkpoint_id, created_at, id) WHERE checkpoint_id IS NOT NULL;
CREATE INDEX backups_by_policy ON backups (tenant_id, policy_id, created_at, id) WHERE policy_id IS NOT NULL;
CREATE INDEX backups_by_parent ON backups (tenant_id, parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX backups_by_end ON backups (expires_at) WHERE expires_at IS NOT NULL AND state <> 'deleted';

-- How many backups that are not deleted lie between two points of (created_at, id): series is a
-- face, `none` or `all`; a range begins at its start and ends before the next one's.
CREATE TABLE backup_ranges (
    tenant_id BLOB NOT NULL REFERENCES tenants (id),
    series TEXT NOT NULL,
    start_at INTEGER NOT NULL,
    start_id BLOB NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, series, start_at, start_id)
) STRICT, WITHOUT ROWID;
-- What has changed since backup_ranges was last brought up to date; appended to, so that
-- transactions never wait for one another's counters.
CREATE TABLE backup_changes (
    seq INTEGER PRIMARY KEY,
    tenant_id BLOB NOT NULL,
    series TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    backup_id BLOB NOT NULL,
    n INTEGER NOT NULL
) STRICT;
CREATE INDEX backup_changes_by_tenant ON backup_changes (tenant_id, series);

CREATE TABLE restores (
    id BLOB PRIMARY KEY NOT NULL,
    tenant_id BLOB NOT NULL REFERENCES tenants (id),
    backup_id BLOB NOT NULL REFERENCES backups (id),
    resource_id BLOB NOT NULL REFERENCES resources (id),
    target TEXT NOT NULL,
    include TEXT NOT NULL,
    conflict TEXT NOT NULL,
    state TEXT NOT NULL,
    bytes_done INTEGER NOT NULL,
    bytes_total INTEGER,
    entries_done INTEGER NOT NULL,
    reason TEXT,
    failed_entries TEXT NOT NULL,
    failed_entry_count INTEGER NOT NULL,
    created_by BLOB,
    annotations TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER,
    version INTEGER NOT NULL
) STRICT;
CREATE INDEX restores_by_tenant ON restores (tenant_id, created_at, id);
CREATE INDEX restores_by_backup ON restores (backup_id);
CREATE INDEX restores_by_resource ON restores (resource_id);

CREATE TABLE operations (
    id BLOB PRIMARY KEY NOT NULL,
    tenant_id BLOB NOT NULL REFERENCES tenants (id),
    kind TEXT NOT NULL,
    face TEXT,
    subject_kind TEXT,
    subject_id BLOB,
    state TEXT NOT NULL,
    percent INTEGER NOT NULL,
    error_code TEXT,
    error_message TEXT,
    annotations TEXT NOT NULL,
    created_by BLOB,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER
) STRICT;
CREATE INDEX operations_by_tenant ON operations (tenant_id, created_at, id);
CREATE INDEX operations_by_face ON operations (tenant_id, face, created_at, id);
CREATE INDEX operations_by_subject ON operations (tenant_id, subject_id, created_at, id);

CREATE TABLE events (
    id BLOB PRIMARY KEY NOT NULL,
    tenant_id BLOB NOT NULL REFERENCES tenants (id),
    at INTEGER NOT NULL,
    name TEXT NOT NULL,
    subject_kind TEXT,
    subject_id BLOB,
    principal_id BLOB,
    details TEXT NOT NULL
) STRICT;
CREATE INDEX events_by_tenant ON events (tenant_id, at, id);

-- lane and place repeat the first exclusive and the first shared lock, so that a scan of the
-- queue passes over blocked jobs within the index.
CREATE TABLE jobs (
    id BLOB PRIMARY KEY NOT NULL,
    tenant_id BLOB NOT NULL REFERENCES tenants (id),
    work TEXT NOT NULL,
    locks TEXT NOT NULL,
    priority INTEGER NOT NULL,
    state TEXT NOT NULL,
    run_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    fence INTEGER NOT NULL,
    lease_until INTEGER,
    cancel_requested INTEGER NOT NULL,
    operation_id BLOB,
    checkpoint TEXT,
    last_error TEXT,
    created_at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    subject_id BLOB NOT NULL,
    lane TEXT NOT NULL,
    place TEXT NOT NULL,
    lease_owner TEXT,
    finished_at INTEGER
) STRICT;
CREATE INDEX jobs_queued ON jobs (tenant_id, priority, run_at, id, lane, place) WHERE state = 'queued';
CREATE INDEX jobs_leased ON jobs (lease_until, tenant_id) WHERE state = 'leased';
CREATE INDEX jobs_finished ON jobs (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX jobs_by_subject ON jobs (subject_id, created_at);
CREATE INDEX jobs_by_operation ON jobs (operation_id) WHERE operation_id IS NOT NULL;

-- The locks of jobs that are not finished; held while the job is leased.
CREATE TABLE job_locks (
    job_id BLOB NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    lock_key TEXT NOT NULL,
    exclusive INTEGER NOT NULL,
    PRIMARY KEY (job_id, lock_key)
) STRICT;

CREATE TABLE leases (
    name TEXT PRIMARY KEY NOT NULL,
    owner TEXT NOT NULL,
    fence INTEGER NOT NULL,
    lease_until INTEGER NOT NULL
) STRICT;

CREATE TABLE idempotency (
    tenant_id BLOB NOT NULL REFERENCES tenants (id),
    idempotency_key TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    answer TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, idempotency_key)
) STRICT;
CREATE INDEX idempotency_by_end ON idempotency (expires_at);
