-- Where a policy's backups go: several repositories, as JSON, in the order in which they are tried.
ALTER TABLE policies ADD COLUMN repositories TEXT COLLATE "C" NOT NULL DEFAULT '[]';
UPDATE policies SET repositories = '["' || repository_id::text || '"]'
WHERE repository_id IS NOT NULL;
ALTER TABLE policies DROP COLUMN repository_id;
-- For whoever looks for runs that made no backup.
CREATE INDEX events_of_skipped_runs ON events (tenant_id, at, id) WHERE name = 'policy.skipped';
