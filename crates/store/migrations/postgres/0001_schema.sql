-- The whole schema. Times are microseconds since 1970 UTC, sizes are bytes, JSON is kept as the text
-- that was written.

CREATE TABLE tenants (
    id UUID PRIMARY KEY NOT NULL,
    name TEXT COLLATE "C" NOT NULL UNIQUE,
    created_at BIGINT NOT NULL
);

CREATE TABLE principals (
    id UUID PRIMARY KEY NOT NULL,
    tenant_id UUID NOT NULL REFERENCES tenants (id),
    name TEXT COLLATE "C" NOT NULL,
    role TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    password_hash TEXT COLLATE "C",
    UNIQUE (tenant_id, name)
);
CREATE INDEX principals_by_name ON principals (name);

CREATE TABLE credentials (
    id UUID PRIMARY KEY NOT NULL,
    tenant_id UUID NOT NULL REFERENCES tenants (id),
    principal_id UUID NOT NULL REFERENCES principals (id) ON DELETE CASCADE,
    kind TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    lookup TEXT COLLATE "C" NOT NULL,
    sealed_secret BYTEA,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    UNIQUE (lookup, kind)
);
CREATE INDEX credentials_by_tenant ON credentials (tenant_id, created_at, id);
CREATE INDEX credentials_by_principal ON credentials (principal_id);

CREATE TABLE sessions (
    id UUID PRIMARY KEY NOT NULL,
    lookup TEXT COLLATE "C" NOT NULL UNIQUE,
    tenant_id UUID NOT NULL REFERENCES tenants (id),
    principal_id UUID NOT NULL REFERENCES principals (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_by_end ON sessions (expires_at);
CREATE INDEX sessions_by_principal ON sessions (principal_id);

CREATE TABLE repositories (
    id UUID PRIMARY KEY NOT NULL,
    tenant_id UUID NOT NULL REFERENCES tenants (id),
    name TEXT COLLATE "C" NOT NULL,
    url TEXT COLLATE "C" NOT NULL,
    is_default BOOLEAN NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C",
    sealed_master_key BYTEA NOT NULL,
    stored_bytes BIGINT NOT NULL,
    capacity_bytes BIGINT,
    annotations TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    UNIQUE (tenant_id, name)
);
CREATE UNIQUE INDEX repositories_default ON repositories (tenant_id) WHERE is_default;

-- A removed resource stays as a row (deleted_at) and frees its name.
CREATE TABLE resources (
    id UUID PRIMARY KEY NOT NULL,
    tenant_id UUID NOT NULL REFERENCES tenants (id),
    kind TEXT COLLATE "C" NOT NULL,
    face TEXT COLLATE "C",
    name TEXT COLLATE "C" NOT NULL,
    settings TEXT NOT NULL,
    size_bytes BIGINT,
    labels TEXT NOT NULL,
    annotations TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT,
    version BIGINT NOT NULL
);
CREATE UNIQUE INDEX resources_name ON resources (tenant_id, name) WHERE deleted_at IS NULL;
CREATE INDEX resources_by_tenant ON resources (tenant_id, created_at, id);
CREATE INDEX resources_by_face ON resources (tenant_id, face, created_at, id);

CREATE TABLE policies (
    id UUID PRIMARY KEY NOT NULL,
    tenant_id UUID NOT NULL REFERENCES tenants (id),
    name TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C",
    face TEXT COLLATE "C",
    enabled BOOLEAN NOT NULL,
    schedule TEXT NOT NULL,
    retention TEXT NOT NULL,
    repository_id UUID,
    next_run BIGINT,
    last_run BIGINT,
    labels TEXT NOT NULL,
    annotations TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    UNIQUE (tenant_id, name)
);
CREATE INDEX policies_due ON policies (next_run) WHERE next_run IS NOT NULL;

CREATE TABLE policy_targets (
    policy_id UUID NOT NULL REFERENCES policies (id) ON DELETE CASCADE,
    position BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    target_id UUID NOT NULL,
    PRIMARY KEY (policy_id, kind, target_id)
);
CREATE INDEX policy_targets_by_target ON policy_targets (target_id);

CREATE TABLE vaults (
    id UUID PRIMARY KEY NOT NULL,
    tenant_id UUID NOT NULL REFERENCES tenants (id),
    name TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C",
    repository_id UUID NOT NULL,
    policy_id UUID REFERENCES policies (id) ON DELETE SET NULL,
    quota_bytes BIGINT NOT NULL,
    locked BOOLEAN NOT NULL,
    labels TEXT NOT NULL,
    annotations TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE INDEX vaults_by_tenant ON vaults (tenant_id, created_at, id);
CREATE INDEX vaults_by_policy ON vaults (policy_id) WHERE policy_id IS NOT NULL;

-- A resource is in at most one vault.
CREATE TABLE vault_resources (
    resource_id UUID PRIMARY KEY NOT NULL REFERENCES resources (id),
    vault_id UUID NOT NULL REFERENCES vaults (id) ON DELETE CASCADE,
    position BIGINT NOT NULL
);
CREATE INDEX vault_resources_by_vault ON vault_resources (vault_id, position);

CREATE TABLE checkpoints (
    id UUID PRIMARY KEY NOT NULL,
    tenant_id UUID NOT NULL REFERENCES tenants (id),
    vault_id UUID NOT NULL,
    name TEXT COLLATE "C",
    description TEXT COLLATE "C",
    skipped TEXT NOT NULL,
    annotations TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX checkpoints_by_vault ON checkpoints (tenant_id, vault_id, created_at, id);

-- Backups outlive their vault, policy and repository, so those are not references.
CREATE TABLE backups (
    id UUID PRIMARY KEY NOT NULL,
    tenant_id UUID NOT NULL REFERENCES tenants (id),
    resource_id UUID NOT NULL REFERENCES resources (id),
    resource_name TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    face TEXT COLLATE "C",
    repository_id UUID NOT NULL,
    vault_id UUID,
    checkpoint_id UUID,
    policy_id UUID,
    parent_id UUID,
    name TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C",
    state TEXT COLLATE "C" NOT NULL,
    trigger_kind TEXT COLLATE "C" NOT NULL,
    scheduled_for BIGINT,
    bytes_done BIGINT NOT NULL,
    bytes_total BIGINT,
    entries_done BIGINT NOT NULL,
    source_bytes BIGINT,
    stored_bytes BIGINT,
    entries BIGINT,
    snapshot TEXT COLLATE "C",
    reason TEXT COLLATE "C",
    failed_entries TEXT NOT NULL,
    failed_entry_count BIGINT NOT NULL,
    created_by UUID,
    labels TEXT NOT NULL,
    annotations TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    started_at BIGINT,
    finished_at BIGINT,
    expires_at BIGINT,
    version BIGINT NOT NULL
);
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
    tenant_id UUID NOT NULL REFERENCES tenants (id),
    series TEXT COLLATE "C" NOT NULL,
    start_at BIGINT NOT NULL,
    start_id UUID NOT NULL,
    n BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, series, start_at, start_id)
);
-- What has changed since backup_ranges was last brought up to date; appended to, so that
-- transactions never wait for one another's counters.
CREATE TABLE backup_changes (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id UUID NOT NULL,
    series TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    backup_id UUID NOT NULL,
    n BIGINT NOT NULL
);
CREATE INDEX backup_changes_by_tenant ON backup_changes (tenant_id, series);

CREATE TABLE restores (
    id UUID PRIMARY KEY NOT NULL,
    tenant_id UUID NOT NULL REFERENCES tenants (id),
    backup_id UUID NOT NULL REFERENCES backups (id),
    resource_id UUID NOT NULL REFERENCES resources (id),
    target TEXT NOT NULL,
    include TEXT NOT NULL,
    conflict TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    bytes_done BIGINT NOT NULL,
    bytes_total BIGINT,
    entries_done BIGINT NOT NULL,
    reason TEXT COLLATE "C",
    failed_entries TEXT NOT NULL,
    failed_entry_count BIGINT NOT NULL,
    created_by UUID,
    annotations TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    started_at BIGINT,
    finished_at BIGINT,
    version BIGINT NOT NULL
);
CREATE INDEX restores_by_tenant ON restores (tenant_id, created_at, id);
CREATE INDEX restores_by_backup ON restores (backup_id);
CREATE INDEX restores_by_resource ON restores (resource_id);

CREATE TABLE operations (
    id UUID PRIMARY KEY NOT NULL,
    tenant_id UUID NOT NULL REFERENCES tenants (id),
    kind TEXT COLLATE "C" NOT NULL,
    face TEXT COLLATE "C",
    subject_kind TEXT COLLATE "C",
    subject_id UUID,
    state TEXT COLLATE "C" NOT NULL,
    percent BIGINT NOT NULL,
    error_code TEXT COLLATE "C",
    error_message TEXT COLLATE "C",
    annotations TEXT NOT NULL,
    created_by UUID,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    started_at BIGINT,
    finished_at BIGINT
);
CREATE INDEX operations_by_tenant ON operations (tenant_id, created_at, id);
CREATE INDEX operations_by_face ON operations (tenant_id, face, created_at, id);
CREATE INDEX operations_by_subject ON operations (tenant_id, subject_id, created_at, id);

CREATE TABLE events (
    id UUID PRIMARY KEY NOT NULL,
    tenant_id UUID NOT NULL REFERENCES tenants (id),
    at BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    subject_kind TEXT COLLATE "C",
    subject_id UUID,
    principal_id UUID,
    details TEXT NOT NULL
);
CREATE INDEX events_by_tenant ON events (tenant_id, at, id);

-- lane and place repeat the first exclusive and the first shared lock, so that a scan of the
-- queue passes over blocked jobs within the index.
CREATE TABLE jobs (
    id UUID PRIMARY KEY NOT NULL,
    tenant_id UUID NOT NULL REFERENCES tenants (id),
    work TEXT NOT NULL,
    locks TEXT NOT NULL,
    priority BIGINT NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    run_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    fence BIGINT NOT NULL,
    lease_until BIGINT,
    cancel_requested BOOLEAN NOT NULL,
    operation_id UUID,
    checkpoint TEXT,
    last_error TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    subject_id UUID NOT NULL,
    lane TEXT COLLATE "C" NOT NULL,
    place TEXT COLLATE "C" NOT NULL,
    lease_owner TEXT COLLATE "C",
    finished_at BIGINT
);
CREATE INDEX jobs_queued ON jobs (tenant_id, priority, run_at, id, lane, place) WHERE state = 'queued';
CREATE INDEX jobs_leased ON jobs (lease_until, tenant_id) WHERE state = 'leased';
CREATE INDEX jobs_finished ON jobs (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX jobs_by_subject ON jobs (subject_id, created_at);
CREATE INDEX jobs_by_operation ON jobs (operation_id) WHERE operation_id IS NOT NULL;

-- The locks of jobs that are not finished; held while the job is leased.
CREATE TABLE job_locks (
    job_id UUID NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    lock_key TEXT COLLATE "C" NOT NULL,
    exclusive BOOLEAN NOT NULL,
    PRIMARY KEY (job_id, lock_key)
);

CREATE TABLE leases (
    name TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    owner TEXT COLLATE "C" NOT NULL,
    fence BIGINT NOT NULL,
    lease_until BIGINT NOT NULL
);

CREATE TABLE idempotency (
    tenant_id UUID NOT NULL REFERENCES tenants (id),
    idempotency_key TEXT COLLATE "C" NOT NULL,
    request_hash TEXT COLLATE "C" NOT NULL,
    answer TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, idempotency_key)
);
CREATE INDEX idempotency_by_end ON idempotency (expires_at);
