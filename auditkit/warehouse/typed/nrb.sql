-- raw.nrb_body → nrb, quarantine. Parameters: $sync_id, $zone.

set variable nrb_fields = [
    'nrbExternalId', 'nrbOriginReference', 'nrbJobOrderNumber', 'nrbWBSSharedIdentifier', 'nrbPONumber', 'nrbVendorCode',
    'nrbInvoiceNumber', 'nrbInvoiceDate', 'nrbName', 'nrbTypeName', 'nrbDocumentType', 'nrbAccountType', 'nrbIsBillable',
    'isInternal', 'nrbIsExported', 'nrbShouldReconcileWithPO', 'nrbRate', 'nrbQuantity', 'nrbVendorTax', 'nrbUpcharge',
    'nrbMarkupAppliesOn', 'nrbTotalAfterMarkup', 'nrbBilledInGuid', 'nrbBilledInName', 'nrbParentGuid', 'nrbNotes',
    'nrbCreatedAt', 'nrbCreatedByUserName', 'nrbCreatedByFullName', 'nrbUpdatedAt'
];

-- A body that DuckDB cannot read at all (a lone surrogate, say) is refused whole.
create or replace temp table nrb_body as
select guid, digest, body from raw.nrb_body where last_sync = $sync_id and json_valid(body);

insert into quarantine by name
select 'nrb' as subject_type, guid as subject_id, '(body)' as field, '(body): not readable as JSON' as reason, digest,
    $sync_id as sync_id
from raw.nrb_body where last_sync = $sync_id and not json_valid(body);

-- Children are read from both sides: their own record, and the parent's nrbChildren. One row per guid; the own record wins.
create or replace temp table nrb_source as
with own as (
    select guid, digest, body,
        json_transform(body, '{"nrbChildren":["JSON"],"exact":"DECIMAL(1,0)"}').nrbChildren as children,
        json_transform(json_structure(body), '{"nrbChildren":"VARCHAR"}').nrbChildren as children_kind
    from nrb_body
), embedded as (
    select guid as parent_guid, digest, unnest(children) as body from own
), child as (
    select json_transform(body, '{"nrbGuid":"VARCHAR"}').nrbGuid as guid, parent_guid, digest, body from embedded
)
select guid, cast(null as varchar) as inside_guid, digest, body,
    refuse_list('nrbChildren', children_kind) as refusal
from own
union all
select coalesce(to_text(guid), parent_guid || '/nrbChildren'), min(parent_guid), min(digest), min(body),
    case when to_text(guid) is null then 'nrbChildren: a child without nrbGuid' end
from child
where to_text(guid) is null or guid not in (select guid from raw.nrb_body where last_sync = $sync_id)
group by guid, case when to_text(guid) is null then parent_guid end, coalesce(to_text(guid), parent_guid || '/nrbChildren');

-- Which record is a known child of which, from both sides; nobody is a child of itself.
create or replace temp table nrb_edge as
with listed as (
    select guid as parent_guid, unnest(json_transform(body, '{"nrbChildren":[{"nrbGuid":"VARCHAR"}]}').nrbChildren).nrbGuid as guid
    from nrb_body
), named as (
    select to_text(json_transform(body, '{"nrbParentGuid":"VARCHAR"}').nrbParentGuid) as parent_guid, guid from nrb_source
), edge as (
    select guid, parent_guid, 'named' as side from named union all select guid, parent_guid, 'listed' as side from listed
)
select guid, parent_guid, side from edge where guid is not null and parent_guid is not null and guid <> parent_guid;

-- Whose parents lead back to itself: all of these would be parents, and their money in no total. Only who is both parent and
-- child can be one of them.
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

-- The one parent of a child: the one that it names itself, else the one that lists it.
create or replace temp table nrb_parent as
select guid, coalesce(min(parent_guid) filter (where side = 'named'), min(parent_guid)) as parent_guid
from nrb_edge group by guid;

create or replace temp table nrb_text as
select guid, digest, refusal,
    case when guid in (select guid from nrb_cycle) then 'nrbParentGuid: it is above itself: its parents lead back to it' end as cycle_refusal,
    json_transform(body, json_spec(getvariable('nrb_fields'))) as txt,
    json_kinds(body, getvariable('nrb_fields')) as kind
from nrb_source;

create or replace temp table nrb_refusal as
select guid, digest, array_to_string(refusals, '; ') as reason,
    array_to_string(list_transform(refusals, lambda r: split_part(r, ':', 1)), ', ') as field
from (
    select guid, digest, list_filter([
        refusal,
        cycle_refusal,
        refuse_text('nrbExternalId', kind.nrbExternalId),
        refuse_text('nrbOriginReference', kind.nrbOriginReference),
        refuse_text('nrbJobOrderNumber', kind.nrbJobOrderNumber),
        refuse_text('nrbWBSSharedIdentifier', kind.nrbWBSSharedIdentifier),
        refuse_text('nrbPONumber', kind.nrbPONumber),
        refuse_text('nrbVendorCode', kind.nrbVendorCode),
        refuse_text('nrbInvoiceNumber', kind.nrbInvoiceNumber),
        refuse_ms('nrbInvoiceDate', kind.nrbInvoiceDate, txt.nrbInvoiceDate),
        refuse_text('nrbName', kind.nrbName),
        refuse_text('nrbTypeName', kind.nrbTypeName),
        refuse_text('nrbDocumentType', kind.nrbDocumentType),
        refuse_text('nrbAccountType', kind.nrbAccountType),
        refuse_flag('nrbIsBillable', kind.nrbIsBillable, txt.nrbIsBillable),
        refuse_flag('isInternal', kind.isInternal, txt.isInternal),
        refuse_flag('nrbIsExported', kind.nrbIsExported, txt.nrbIsExported),
        refuse_flag('nrbShouldReconcileWithPO', kind.nrbShouldReconcileWithPO, txt.nrbShouldReconcileWithPO),
        refuse_quantity('nrbRate', kind.nrbRate, txt.nrbRate),
        refuse_quantity('nrbQuantity', kind.nrbQuantity, txt.nrbQuantity),
        refuse_money('nrbVendorTax', kind.nrbVendorTax, txt.nrbVendorTax),
        refuse_quantity('nrbUpcharge', kind.nrbUpcharge, txt.nrbUpcharge),
        refuse_text('nrbMarkupAppliesOn', kind.nrbMarkupAppliesOn),
        refuse_money('nrbTotalAfterMarkup', kind.nrbTotalAfterMarkup, txt.nrbTotalAfterMarkup),
        refuse_text('nrbBilledInGuid', kind.nrbBilledInGuid),
        refuse_text('nrbBilledInName', kind.nrbBilledInName),
        refuse_text('nrbParentGuid', kind.nrbParentGuid),
        refuse_text('nrbNotes', kind.nrbNotes),
        refuse_ms('nrbCreatedAt', kind.nrbCreatedAt, txt.nrbCreatedAt),
        refuse_text('nrbCreatedByUserName', kind.nrbCreatedByUserName),
        refuse_text('nrbCreatedByFullName', kind.nrbCreatedByFullName),
        refuse_ms('nrbUpdatedAt', kind.nrbUpdatedAt, txt.nrbUpdatedAt)
    ], lambda r: r is not null) as refusals
    from nrb_text
)
where len(refusals) > 0;

insert into quarantine by name
select 'nrb' as subject_type, guid as subject_id, field, reason, digest, $sync_id as sync_id from nrb_refusal;

-- Refused rows leave before anything is cast, so that each cast below can be strict.
create or replace temp table nrb_accepted as
select guid, txt from nrb_text where guid not in (select guid from nrb_refusal);

insert into nrb by name
select t.guid,
    to_text(txt.nrbExternalId) as external_id,
    to_text(txt.nrbOriginReference) as origin_reference,
    to_text(txt.nrbJobOrderNumber) as job_number,
    to_text(txt.nrbWBSSharedIdentifier) as wbs_identifier,
    to_text(txt.nrbPONumber) as po_number,
    to_text(txt.nrbVendorCode) as vendor_code,
    to_text(txt.nrbInvoiceNumber) as vendor_invoice_number,
    local_day(to_instant_ms(txt.nrbInvoiceDate), $zone) as vendor_invoice_date,
    to_text(txt.nrbName) as name,
    to_text(txt.nrbTypeName) as type_name,
    to_text(txt.nrbDocumentType) as document_type,
    to_text(txt.nrbAccountType) as account_type,
    cast(txt.nrbIsBillable as boolean) as is_billable,
    cast(txt.isInternal as boolean) as is_internal,
    cast(txt.nrbIsExported as boolean) as is_exported,
    cast(txt.nrbShouldReconcileWithPO as boolean) as should_reconcile_with_po,
    to_quantity(txt.nrbRate) as rate,
    to_quantity(txt.nrbQuantity) as quantity,
    to_money(txt.nrbVendorTax) as vendor_tax,
    to_quantity(txt.nrbUpcharge) as upcharge_percent,
    to_text(txt.nrbMarkupAppliesOn) as markup_applies_on,
    to_money(txt.nrbTotalAfterMarkup) as total_after_markup,
    to_text(txt.nrbBilledInGuid) as billed_in_guid,
    to_text(txt.nrbBilledInName) as billed_in_name,
    p.parent_guid,
    not exists (select 1 from nrb_edge as c where c.parent_guid = t.guid) as is_leaf,
    to_text(txt.nrbNotes) as notes,
    to_instant_ms(txt.nrbCreatedAt) as created_at,
    local_day(to_instant_ms(txt.nrbCreatedAt), $zone) as created_on,
    coalesce(to_text(txt.nrbCreatedByUserName), to_text(txt.nrbCreatedByFullName)) as created_by,
    to_instant_ms(txt.nrbUpdatedAt) as updated_at
from nrb_accepted as t
left join nrb_parent as p on p.guid = t.guid
order by t.guid;
