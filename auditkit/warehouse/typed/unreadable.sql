-- irregular, raw bodies → unreadable_field, lenient_reading. Parameters: $sync_id. Needs the temporary table field (records.field_rows).
-- A NULL token is a field that was not sent, so it is in neither.

create or replace temp table irregular_token as
with token as (
    select i.*, coalesce(f.kind, 'object') as kind, coalesce(f.table_name, i.record) as table_name, f.column_name,
        case when f.field is not null then f.matters when i.record = 'invoice_item' then 'money' else 'decision' end as matters,
        read_number(i.token) as n
    from irregular as i left join field as f on f.record = i.record and f.field = i.field
    where i.token is not null
)
select *, expected(kind, token, n) as expected from token;

insert into unreadable_field by name
select subject_type, subject_id, place, position, field, table_name, column_name, matters, digest, $sync_id as sync_id,
    'expected ' || expected || ', found ' || shown(token) as reason
from irregular_token where expected is not null
order by subject_type, subject_id, place, field;

insert into lenient_reading by name
with lenient as (
    select *, form(kind, token, n) as form from irregular_token where expected is null
)
select subject_type, concat(regexp_replace(place, '[0-9]+', ''), case when place <> '' then '.' end, field) as field, form,
    count(*) as value_count, sum(round(n, 2) - n) filter (where form = 'rounded to cents') as rounded_by,
    min(token) as example, min_by(subject_id, token) as example_id, $sync_id as sync_id
from lenient where form is not null
group by all
order by subject_type, field, form;

insert into lenient_reading by name
with halved as (
    select 'nrb' as subject_type, guid as subject_id, body from raw.nrb_body
    where last_sync = $sync_id and has_half_characters(body) and guid in (select guid from nrb)
    union all
    select 'invoice', jnid, body from raw.invoice_body
    where last_sync = $sync_id and has_half_characters(body) and jnid in (select jnid from invoice)
)
select subject_type, '(body)' as field, 'half a character left out' as form, count(*) as value_count,
    min(subject_id) as example_id, $sync_id as sync_id
from halved group by subject_type order by subject_type;

drop table irregular_token;
drop table irregular;
