-- item_typed, unreadable_field → invoice_item, related_token. Parameters: $sync_id.

-- An amount that was not sent is quantity × price; one that was sent and cannot be read is NULL.
create or replace temp table item_amount as
with item as (
    select i.*, i.subject_id as jnid, i.amount is null and u.subject_id is null as amount_derived
    from item_typed as i
    left join unreadable_field as u on u.subject_type = 'invoice' and u.subject_id = i.subject_id and u.position = i.position
        and u.table_name = 'invoice_item' and coalesce(u.column_name, 'amount') = 'amount'
), worded as (
    select *, cast(to_json([jnid, name, description, cast(quantity as varchar), cast(price as varchar)]) as varchar) as words
    from item
)
select * exclude (subject_id, digest, is_irregular, words)
    replace (case when amount_derived then line_amount(quantity, price) else amount end as amount),
    left(sha256(words || row_number() over (partition by words order by position)), 24) as line_key
from worded;

insert into unreadable_field by name
select 'invoice' as subject_type, jnid as subject_id, 'items[' || position || ']' as place, position, 'amount' as field,
    'invoice_item' as table_name, 'amount' as column_name, 'quantity × price has more than 15 digits before the point' as reason,
    'money' as matters, null as digest, $sync_id as sync_id
from item_amount
where amount_derived and amount is null and quantity is not null and price is not null
order by jnid, position;

insert into invoice_item by name select * from item_amount order by jnid, position;

insert into related_token by name
select distinct jnid, position, token from (
    select jnid, position, unnest(tokens(name)) as token from invoice_related where folded(type) = 'job'
) where usable_reference(token) is not null
order by jnid, position, token;

drop table item_typed;
drop table item_amount;
