-- raw.invoice_body → invoice, invoice_item, invoice_related, payment, quarantine. Parameters: $sync_id, $zone.
-- An invoice is typed whole or not at all: a refused line refuses its invoice.

set variable invoice_fields = [
    'guid', 'external_id', 'number', 'status', 'status_name', 'is_active', 'is_archived', 'date_invoice', 'date_due', 'subtotal',
    'tax', 'total', 'cost', 'margin', 'total_paid', 'due', 'customer', 'created_by', 'sales_rep_name', 'date_created',
    'date_updated', 'date_status_change', 'date_paid_in_full', 'items', 'related', 'payments'
];
set variable item_fields = [
    'jnid', 'name', 'description', 'uom', 'item_type', 'quantity', 'price', 'amount', 'cost', 'tax_rate', 'labor'
];

-- A body that DuckDB cannot read at all (a lone surrogate, say) is refused whole.
insert into quarantine by name
select 'invoice' as subject_type, jnid as subject_id, '(body)' as field, '(body): not readable as JSON' as reason, digest,
    $sync_id as sync_id
from raw.invoice_body where last_sync = $sync_id and not json_valid(body);

create or replace temp table invoice_text as
select jnid, digest,
    json_transform(body, json_spec(getvariable('invoice_fields'))) as txt,
    json_kinds(body, getvariable('invoice_fields')) as kind,
    json_transform(body, '{"items":["JSON"],"related":["JSON"],"payments":["JSON"],"exact":"DECIMAL(1,0)"}') as list
from raw.invoice_body where last_sync = $sync_id and json_valid(body);

create or replace temp table item_text as
with item as (
    select jnid, unnest(list.items) as body, generate_subscripts(list.items, 1) - 1 as position from invoice_text
)
select jnid, cast(position as integer) as position, json_type(body) as item_kind,
    json_transform(body, json_spec(getvariable('item_fields'))) as txt,
    json_kinds(body, getvariable('item_fields')) as kind,
    json_transform(body, '{"labor":{"price":"VARCHAR","amount":"VARCHAR"},"exact":"DECIMAL(1,0)"}').labor as labor,
    json_transform(json_structure(body), '{"labor":{"price":"VARCHAR","amount":"VARCHAR"}}').labor as labor_kind
from item;

create or replace temp table related_text as
with related as (
    select jnid, unnest(list.related) as body, generate_subscripts(list.related, 1) - 1 as position from invoice_text
)
select jnid, cast(position as integer) as position, json_type(body) as related_kind,
    json_transform(body, json_spec(['id', 'type', 'number', 'name'])) as txt,
    json_kinds(body, ['id', 'type', 'number', 'name']) as kind
from related;

create or replace temp table invoice_refusal as
with refused as (
    select jnid, -1 as position, unnest([
        refuse_text('guid', kind.guid),
        refuse_text('external_id', kind.external_id),
        refuse_text('number', kind.number),
        refuse_code('status', kind.status, txt.status),
        refuse_text('status_name', kind.status_name),
        refuse_flag('is_active', kind.is_active, txt.is_active),
        refuse_flag('is_archived', kind.is_archived, txt.is_archived),
        refuse_s('date_invoice', kind.date_invoice, txt.date_invoice),
        refuse_s('date_due', kind.date_due, txt.date_due),
        refuse_money('subtotal', kind.subtotal, txt.subtotal),
        refuse_money('tax', kind.tax, txt.tax),
        refuse_money('total', kind.total, txt.total),
        refuse_money('cost', kind.cost, txt.cost),
        refuse_quantity('margin', kind.margin, txt.margin),
        refuse_money('total_paid', kind.total_paid, txt.total_paid),
        refuse_money('due', kind.due, txt.due),
        refuse_text('customer', kind.customer),
        refuse_text('created_by', kind.created_by),
        refuse_text('sales_rep_name', kind.sales_rep_name),
        refuse_s('date_created', kind.date_created, txt.date_created),
        refuse_s('date_updated', kind.date_updated, txt.date_updated),
        refuse_s('date_status_change', kind.date_status_change, txt.date_status_change),
        refuse_s('date_paid_in_full', kind.date_paid_in_full, txt.date_paid_in_full),
        refuse_list('items', kind.items),
        refuse_list('related', kind.related),
        refuse_list('payments', kind.payments)
    ]) as reason
    from invoice_text
    union all
    select jnid, position, 'items[' || position || '].' || unnest([
        case when item_kind is distinct from 'OBJECT' then ': expected an object, found ' || lower(coalesce(item_kind, 'null')) end,
        refuse_text('jnid', kind.jnid),
        refuse_text('name', kind.name),
        refuse_text('description', kind.description),
        refuse_text('uom', kind.uom),
        refuse_text('item_type', kind.item_type),
        refuse_quantity('quantity', kind.quantity, txt.quantity),
        refuse_quantity('price', kind.price, txt.price),
        refuse_money('amount', kind.amount, txt.amount),
        refuse_money('cost', kind.cost, txt.cost),
        refuse_quantity('tax_rate', kind.tax_rate, txt.tax_rate),
        refuse_quantity('labor.price', labor_kind.price, labor.price),
        refuse_money('labor.amount', labor_kind.amount, labor.amount),
        case when is_unset(kind.amount) and line_amount(txt.quantity, txt.price) is null
            and try_cast(txt.quantity as decimal(24, 6)) * 0 + try_cast(txt.price as decimal(24, 6)) * 0 is not null
            then 'amount: quantity × price exceeds 18 digits' end
    ]) as reason
    from item_text
    union all
    select jnid, position, 'related[' || position || '].' || unnest([
        case when related_kind is distinct from 'OBJECT'
            then ': expected an object, found ' || lower(coalesce(related_kind, 'null')) end,
        refuse_text('id', kind.id),
        refuse_text('type', kind.type),
        refuse_text('number', kind.number),
        refuse_text('name', kind.name)
    ]) as reason
    from related_text
)
select jnid, string_agg(reason, '; ' order by reason) as reason,
    string_agg(split_part(reason, ':', 1), ', ' order by reason) as field
from refused where reason is not null
group by jnid;

insert into quarantine by name
select 'invoice' as subject_type, t.jnid as subject_id, r.field, r.reason, t.digest, $sync_id as sync_id
from invoice_refusal as r join invoice_text as t on t.jnid = r.jnid;

-- Refused invoices leave before anything is cast, so that each cast below can be strict.
create or replace temp table invoice_accepted as
select jnid, txt, list from invoice_text where jnid not in (select jnid from invoice_refusal);
create or replace temp table item_accepted as
select jnid, position, txt, labor,
    cast(to_json([jnid, txt.name, txt.description, txt.quantity, txt.price]) as varchar) as words
from item_text where jnid not in (select jnid from invoice_refusal);

insert into invoice by name
select jnid,
    to_text(txt.guid) as guid,
    to_text(txt.external_id) as external_id,
    to_text(txt.number) as number,
    cast(txt.status as integer) as status,
    to_text(txt.status_name) as status_name,
    cast(txt.is_active as boolean) as is_active,
    cast(txt.is_archived as boolean) as is_archived,
    local_day(to_instant_s(txt.date_invoice), $zone) as invoice_date,
    to_instant_s(txt.date_invoice) as invoice_at,
    local_day(to_instant_s(txt.date_due), $zone) as due_date,
    to_money(txt.subtotal) as subtotal,
    to_money(txt.tax) as tax,
    to_money(txt.total) as total,
    to_money(txt.cost) as cost,
    to_quantity(txt.margin) as margin,
    to_money(txt.total_paid) as total_paid,
    to_money(txt.due) as due,
    to_text(txt.customer) as customer,
    to_text(txt.created_by) as created_by,
    to_text(txt.sales_rep_name) as sales_rep_name,
    to_instant_s(txt.date_created) as created_at,
    local_day(to_instant_s(txt.date_created), $zone) as created_on,
    to_instant_s(txt.date_updated) as updated_at,
    to_instant_s(txt.date_status_change) as status_changed_at,
    to_instant_s(txt.date_paid_in_full) as paid_in_full_at,
    local_day(to_instant_s(txt.date_updated), $zone) as updated_on,
    local_day(to_instant_s(txt.date_status_change), $zone) as status_changed_on,
    local_day(to_instant_s(txt.date_paid_in_full), $zone) as paid_in_full_on
from invoice_accepted
order by jnid;

insert into invoice_item by name
select jnid, position,
    left(sha256(words || row_number() over (partition by words order by position)), 24) as line_key,
    to_text(txt.jnid) as item_jnid,
    to_text(txt.name) as name,
    to_text(txt.description) as description,
    to_text(txt.uom) as uom,
    to_text(txt.item_type) as item_type,
    to_quantity(txt.quantity) as quantity,
    to_quantity(txt.price) as price,
    coalesce(to_money(txt.amount), line_amount(txt.quantity, txt.price)) as amount,
    txt.amount is null as amount_derived,
    to_money(txt.cost) as cost,
    to_quantity(txt.tax_rate) as tax_rate,
    to_quantity(labor.price) as labor_price,
    to_money(labor.amount) as labor_amount
from item_accepted
order by jnid, position;

insert into invoice_related by name
select jnid, position, to_text(txt.id) as related_id, to_text(txt.type) as type, to_text(txt.number) as number,
    to_text(txt.name) as name
from related_text
where jnid in (select jnid from invoice)
order by jnid, position;

insert into payment by name
select jnid, cast(unnest(generate_series(0, len(list.payments) - 1)) as integer) as position, unnest(list.payments) as body
from invoice_accepted
where len(list.payments) > 0
order by jnid, position;

insert into line_token by name
select distinct jnid, position, token from (
    select jnid, position, unnest(tokens(concat_ws(' ', name, description))) as token from invoice_item
) where usable_reference(token) is not null
order by jnid, position, token;

insert into related_token by name
select distinct jnid, position, token from (
    select jnid, position, unnest(tokens(name)) as token from invoice_related where folded(type) = 'job'
) where usable_reference(token) is not null
order by jnid, position, token;
