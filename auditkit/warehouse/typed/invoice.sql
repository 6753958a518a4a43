-- raw.invoice_body → invoice, invoice_related, payment, quarantine, date_zone, irregular; its lines go to the temporary
-- table item_typed. Parameters: $sync_id, $zone.
-- An invoice without an identity goes to quarantine; any other is in invoice, with NULL for each field that cannot be read.

create or replace temp macro invoice_token(sync) as table
select jnid as subject_id, cast(null as integer) as position, digest, read_body(body, invoice_spec()) as f
from raw.invoice_body where last_sync = sync;

create or replace temp table invoice_typed as
with token as (from invoice_token($sync_id))
select * from invoice_read('token');

-- Without an identity: no JSON object, or one without the jnid by which it is known.
insert into quarantine by name
select 'invoice' as subject_type, b.jnid as subject_id, b.digest, $sync_id as sync_id,
    case when json_valid(b.body) and json_type(b.body) = 'OBJECT' then 'jnid' else '(body)' end as field,
    case when not json_valid(b.body) then 'not readable as JSON'
        when json_type(b.body) <> 'OBJECT' then 'expected an object, found ' || lower(json_type(b.body))
        else 'expected "' || b.jnid || '", found ' || coalesce('"' || t.jnid || '"', 'nothing') end as reason
from raw.invoice_body as b join invoice_typed as t on t.subject_id = b.jnid
where b.last_sync = $sync_id and t.jnid is distinct from b.jnid;

delete from invoice_typed where jnid is distinct from subject_id;

insert into date_zone by name
with moment as (select invoice_date as instant from invoice_typed)
select 'invoice' as subject_type, 'date_invoice' as field, *, $zone as account_zone from recognized_zone('moment', $zone);

insert into invoice by name
select * exclude (subject_id, position, digest, is_irregular, items, related, payments)
from invoice_dated('invoice_typed', $zone, (select zone from date_zone where subject_type = 'invoice'))
order by jnid;


insert into irregular
with token as (
    from invoice_token($sync_id) where subject_id in (select subject_id from invoice_typed where is_irregular)
)
select 'invoice' as record, 'invoice' as subject_type, subject_id, '' as place, position, digest,
    unnest(invoice_tokens(f), recursive := true)
from token;

-- The elements of the lists. One that is no object keeps its row, and nothing in it can be read.
create or replace temp table invoice_element as
with list as (
    select subject_id, digest, 'invoice_item' as record, 'items' as name, elements(items) as list
    from invoice_typed where items like '[%' and items <> '[]'
    union all
    select subject_id, digest, 'invoice_related', 'related', elements(related)
    from invoice_typed where related like '[%' and related <> '[]'
)
select subject_id, digest, record, name || '[' || (generate_subscripts(list, 1) - 1) || ']' as place,
    cast(generate_subscripts(list, 1) - 1 as integer) as position, coalesce(unnest(list), 'null') as token
from list;

insert into irregular
select record, 'invoice' as subject_type, subject_id, place, position, digest, '' as field, token
from invoice_element where not starts_with(token, '{');

create or replace temp table item_typed as
with token as (
    select subject_id, position, digest, json_transform(token, invoice_item_spec()) as f
    from invoice_element where record = 'invoice_item'
)
select * from invoice_item_read('token');

insert into irregular
with token as (
    select e.*, json_transform(e.token, invoice_item_spec()) as f
    from invoice_element as e join item_typed as i on i.subject_id = e.subject_id and i.position = e.position
    where e.record = 'invoice_item' and i.is_irregular
)
select record, 'invoice' as subject_type, subject_id, place, position, digest, unnest(invoice_item_tokens(f), recursive := true)
from token;

create or replace temp table related_typed as
with token as (
    select subject_id, position, digest, json_transform(token, invoice_related_spec()) as f
    from invoice_element where record = 'invoice_related'
)
select * from invoice_related_read('token');

insert into irregular
with token as (
    select e.*, json_transform(e.token, invoice_related_spec()) as f
    from invoice_element as e join related_typed as r on r.subject_id = e.subject_id and r.position = e.position
    where e.record = 'invoice_related' and r.is_irregular
)
select record, 'invoice' as subject_type, subject_id, place, position, digest,
    unnest(invoice_related_tokens(f), recursive := true)
from token;

insert into invoice_related by name
select subject_id as jnid, * exclude (subject_id, digest, is_irregular) from related_typed
order by jnid, position;

insert into payment by name
with payment as (
    select subject_id as jnid, elements(payments) as list from invoice_typed where payments like '[%' and payments <> '[]'
)
select jnid, cast(generate_subscripts(list, 1) - 1 as integer) as position, unnest(list) as body from payment
order by jnid, position;

drop table invoice_typed;
drop table invoice_element;
drop table related_typed;
