-- ZStack's clients look backups up by name without regard to case and trailing blanks.
CREATE INDEX backups_by_folded_name ON backups (tenant_id, LOWER(RTRIM(name, ' ')), created_at, id) WHERE state <> 'deleted';
