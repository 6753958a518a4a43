-- What to know about how the vendors' data was read, as sentences: fields that could not be read, values in unusual forms,
-- and dates that are midnights of another zone. One row per field (and form); none where everything was as documented.
-- rounded_by is NULL where nothing was rounded to cents.
with unreadable as (
    select subject_type, case when place = '' then field else concat_ws('.', regexp_replace(place, '[0-9]+', ''), nullif(field, '')) end
        as field, count(*) as values, min_by(reason, subject_id) as reason, min(subject_id) as example_id
    from unreadable_field
    group by all
), notice as (
    select 1 as part, subject_type, field, values || ' of ' || field || ' could not be read, e.g. in ' || example_id || ': ' || reason as text
    from unreadable
    union all
    select 2, subject_type, field, value_count || ' of ' || field || ' read in an unusual form: ' || form || ', e.g. ' || coalesce(left(example, 40), 'in ' || example_id)
        || case when rounded_by is null then '' else ' (' || printf('%+.2f', rounded_by) || ' in all)' end
    from lenient_reading
    union all
    select 3, subject_type, field, field || ' is midnight in ' || zone || ' (' || midnight_count || ' of ' || value_count
        || '), so dates are read as days of that zone, not of ' || account_zone
    from date_zone where zone <> account_zone
)
select case subject_type when 'nrb' then 'Aimsio: ' else 'JobNimbus: ' end || text as notice
from notice order by part, subject_type, field, text
