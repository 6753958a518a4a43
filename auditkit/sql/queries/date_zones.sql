-- In which time zone the dates of each vendor are midnights; a NULL zone: in none, so all are read in the account's zone.
select subject_type, field, zone, account_zone, value_count, midnight_count from date_zone order by subject_type, field
