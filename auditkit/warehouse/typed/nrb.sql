-- raw.nrb_body → nrb, quarantine, date_zone, irregular. Parameters: $sync_id, $zone.
-- A record without an identity goes to quarantine; any other is in nrb, with NULL for each field that cannot be read.

-- Every token of an irregular body; unreadable.sql looks at each.
create or replace temp table irregular (
    record varchar, subject_type varchar, subject_id varchar, place varchar, position integer, digest varchar,
    field varchar, token varchar
);

create or replace temp macro nrb_token(sync) as table
select guid as subject_id, cast(null as integer) as position, digest, read_body(body, nrb_spec()) as f
from raw.nrb_body where last_sync = sync;

create or replace temp table nrb_typed as
with token as (from nrb_token($sync_id))
select * from nrb_read('token');

-- Without an identity: no JSON object, or one without the guid by which it was asked for.
insert into quarantine by name
select 'nrb' as subject_type, b.guid as subject_id, b.digest, $sync_id as sync_id,
    case when json_valid(b.body) and json_type(b.body) = 'OBJECT' then 'nrbGuid' else '(body)' end as field,
    case when not json_valid(b.body) then 'not readable as JSON'
        when json_type(b.body) <> 'OBJECT' then 'expected an object, found ' || lower(json_type(b.body))
        else 'expected "' || b.guid || '", found ' || coalesce('"' || t.guid || '"', 'nothing') end as reason
from raw.nrb_body as b join nrb_typed as t on t.subject_id = b.guid
where b.last_sync = $sync_id and t.guid is distinct from b.guid;

delete from nrb_typed where guid is distinct from subject_id;

-- Children are read from both sides: their own record, and the parent's nrbChildren. One row per guid: the own record
-- wins, then the parent that comes first.
create or replace temp table nrb_child as
with held as (
    select subject_id as parent_guid, digest, elements("nrbChildren") as children
    from nrb_typed where "nrbChildren" like '[%' and "nrbChildren" <> '[]'
), child as (
    select parent_guid, digest, unnest(children) as body, generate_subscripts(children, 1) - 1 as position from held
), token as (
    select parent_guid, position, digest, json_transform(body, nrb_spec()) as f from child
)
select parent_guid, position, digest, f, read_text(cast(f."nrbGuid" as varchar)) as guid from token;

insert into quarantine by name
select 'nrb' as subject_type, parent_guid || '/nrbChildren[' || position || ']' as subject_id, 'nrbGuid' as field,
    'a child without one' as reason, digest, $sync_id as sync_id
from nrb_child where guid is null;

create or replace temp table nrb_embedded as
select guid as subject_id, cast(null as integer) as position, digest, f from (
    select *, row_number() over (partition by guid order by parent_guid, position) as occurrence
    from nrb_child
    where guid is not null and guid not in (select guid from raw.nrb_body where last_sync = $sync_id)
) where occurrence = 1;

insert into nrb_typed select * from nrb_read('nrb_embedded');

-- Which record is a known child of which, from both sides; no record is a child of itself.
create or replace temp table nrb_edge as
select subject_id as guid, parent_guid, 'named' as side from nrb_typed where parent_guid <> subject_id
union all
select guid, parent_guid, 'listed' as side from nrb_child where guid <> parent_guid;

-- Records whose parents lead back to themselves. Only a record that is both parent and child can be one of them.
create or replace temp table nrb_cycle as
with recursive inner_edge as (
    select distinct guid, parent_guid from nrb_edge
    where guid in (select parent_guid from nrb_edge) and parent_guid in (select guid from nrb_edge)
), above as (
    select guid, parent_guid from inner_edge
    union
    select a.guid, e.parent_guid from above as a join inner_edge as e on e.guid = a.parent_guid
)
select distinct guid from above where guid = parent_guid;

-- Neither of two in a circle can be the parent: which of them is a leaf is not known, and so is not their money.
insert into unreadable_field by name
select 'nrb' as subject_type, t.guid as subject_id, '' as place, 'nrbParentGuid' as field, 'nrb' as table_name,
    'parent_guid' as column_name, 'the parents of this NRB lead back to it' as reason, 'money' as matters, t.digest,
    $sync_id as sync_id
from nrb_typed as t join nrb_cycle as c on c.guid = t.guid
order by t.guid;

delete from nrb_edge where guid in (select guid from nrb_cycle) and parent_guid in (select guid from nrb_cycle);

-- The one parent of a child: the one that it names itself, else the one that lists it.
create or replace temp table nrb_parent as
select guid, coalesce(min(parent_guid) filter (where side = 'named'), min(parent_guid)) as parent_guid
from nrb_edge group by guid;

insert into date_zone by name
with moment as (select vendor_invoice_date as instant from nrb_typed)
select 'nrb' as subject_type, 'nrbInvoiceDate' as field, *, $zone as account_zone from recognized_zone('moment', $zone);

insert into nrb by name
select t.* exclude (subject_id, position, digest, is_irregular, "nrbChildren")
    replace (p.parent_guid as parent_guid, coalesce(t.created_by, t.created_by_name) as created_by),
    t.guid not in (select parent_guid from nrb_edge) as is_leaf
from nrb_dated('nrb_typed', $zone, (select zone from date_zone where subject_type = 'nrb')) as t
left join nrb_parent as p on p.guid = t.guid
order by t.guid;

insert into irregular
with token as (
    from nrb_token($sync_id) where subject_id in (select subject_id from nrb_typed where is_irregular)
    union all
    from nrb_embedded where subject_id in (select subject_id from nrb_typed where is_irregular)
)
select 'nrb' as record, 'nrb' as subject_type, subject_id, '' as place, position, digest, unnest(nrb_tokens(f), recursive := true)
from token;

drop table nrb_typed;
drop table nrb_child;
drop table nrb_embedded;
drop table nrb_edge;
drop table nrb_cycle;
drop table nrb_parent;
