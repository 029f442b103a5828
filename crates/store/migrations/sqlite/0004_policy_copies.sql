-- Where a policy's backups are copied to, and what stays there, as JSON.
ALTER TABLE policies ADD COLUMN copy_to TEXT;
-- For whoever looks for copies that nobody is making.
CREATE INDEX backup_copies_being_made ON backup_copies (updated_at) WHERE state = 'running';
-- Whether it opens anything at present.
ALTER TABLE credentials ADD COLUMN enabled INTEGER NOT NULL DEFAULT 1;
