ALTER TABLE repositories ADD COLUMN description TEXT;
-- Whether it takes new backups.
ALTER TABLE repositories ADD COLUMN enabled INTEGER NOT NULL DEFAULT 1;

-- Where a backup lies besides the repository that its own row names.
CREATE TABLE backup_copies (
    id BLOB PRIMARY KEY NOT NULL,
    tenant_id BLOB NOT NULL REFERENCES tenants (id),
    backup_id BLOB NOT NULL REFERENCES backups (id),
    repository_id BLOB NOT NULL,
    state TEXT NOT NULL,
    snapshot TEXT,
    reason TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    UNIQUE (backup_id, repository_id)
) STRICT;
CREATE INDEX backup_copies_by_repository ON backup_copies (tenant_id, repository_id, backup_id);

-- Leave to download; the id is the secret.
CREATE TABLE exports (
    id BLOB PRIMARY KEY NOT NULL,
    tenant_id BLOB NOT NULL REFERENCES tenants (id),
    backup_id BLOB NOT NULL REFERENCES backups (id),
    repository_id BLOB NOT NULL,
    file_name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (backup_id, repository_id)
) STRICT;

-- Calls that are due once their operation has ended.
CREATE TABLE callbacks (
    operation_id BLOB PRIMARY KEY NOT NULL REFERENCES operations (id),
    tenant_id BLOB NOT NULL REFERENCES tenants (id),
    face TEXT NOT NULL,
    url TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    next_at INTEGER NOT NULL
) STRICT;
CREATE INDEX callbacks_due ON callbacks (face, next_at);

-- Things that only one face knows.
CREATE TABLE face_objects (
    id BLOB PRIMARY KEY NOT NULL,
    tenant_id BLOB NOT NULL REFERENCES tenants (id),
    face TEXT NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;
CREATE INDEX face_objects_by_kind ON face_objects (tenant_id, face, kind, created_at, id);
