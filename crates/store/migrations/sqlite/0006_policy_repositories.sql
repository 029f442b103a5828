-- Where a policy's backups go: several repositories, as JSON, in the order in which they are tried.
ALTER TABLE policies ADD COLUMN repositories TEXT NOT NULL DEFAULT '[]';
UPDATE policies SET repositories = '["' || LOWER(
    SUBSTR(HEX(repository_id), 1, 8) || '-' || SUBSTR(HEX(repository_id), 9, 4) || '-'
    || SUBSTR(HEX(repository_id), 13, 4) || '-' || SUBSTR(HEX(repository_id), 17, 4) || '-'
    || SUBSTR(HEX(repository_id), 21)) || '"]'
WHERE repository_id IS NOT NULL;
ALTER TABLE policies DROP COLUMN repository_id;
-- For whoever looks for runs that made no backup.
CREATE INDEX events_of_skipped_runs ON events (tenant_id, at, id) WHERE name = 'policy.skipped';
