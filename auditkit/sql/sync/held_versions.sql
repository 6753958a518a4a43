-- What the sync before held of each record of a source. Parameters: $subject.
select subject_id, version, verified_at from raw.held where subject_type = $subject
