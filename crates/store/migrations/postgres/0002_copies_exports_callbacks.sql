ALTER TABLE repositories ADD COLUMN description TEXT COLLATE "C";
-- Whether it takes new backups.
ALTER TABLE repositories ADD COLUMN enabled BOOLEAN NOT NULL DEFAULT TRUE;

-- Where a backup lies besides the repository that its own row names.
CREATE TABLE backup_copies (
    id UUID PRIMARY KEY NOT NULL,
    tenant_id UUID NOT NULL REFERENCES tenants (id),
    backup_id UUID NOT NULL REFERENCES backups (id),
    repository_id UUID NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    snapshot TEXT COLLATE "C",
    reason TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    UNIQUE (backup_id, repository_id)
);
CREATE INDEX backup_copies_by_repository ON backup_copies (tenant_id, repository_id, backup_id);

-- Leave to download; the id is the secret.
CREATE TABLE exports (
    id UUID PRIMARY KEY NOT NULL,
    tenant_id UUID NOT NULL REFERENCES tenants (id),
    backup_id UUID NOT NULL REFERENCES backups (id),
    repository_id UUID NOT NULL,
    file_name TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (backup_id, repository_id)
);

-- Calls that are due once their operation has ended.
CREATE TABLE callbacks (
    operation_id UUID PRIMARY KEY NOT NULL REFERENCES operations (id),
    tenant_id UUID NOT NULL REFERENCES tenants (id),
    face TEXT COLLATE "C" NOT NULL,
    url TEXT COLLATE "C" NOT NULL,
    attempts BIGINT NOT NULL,
    next_at BIGINT NOT NULL
);
CREATE INDEX callbacks_due ON callbacks (face, next_at);

-- Things that only one face knows.
CREATE TABLE face_objects (
    id UUID PRIMARY KEY NOT NULL,
    tenant_id UUID NOT NULL REFERENCES tenants (id),
    face TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    body TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE INDEX face_objects_by_kind ON face_objects (tenant_id, face, kind, created_at, id);
