-- New names for databases, as JSON.
ALTER TABLE restores ADD COLUMN rename TEXT NOT NULL DEFAULT '{}';
-- The backup that the restore waits for.
ALTER TABLE restores ADD COLUMN safety_backup_id BLOB;
