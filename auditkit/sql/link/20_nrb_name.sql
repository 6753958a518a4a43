-- What a line may call an NRB. Rank 1: its own guid, external id or origin reference; 2: its vendor's invoice number; 3: its
-- parent's; 4: purchase order or WBS. Besides the name itself its looser spellings, where one-to-one among the NRBs of the job:
-- without leading zeros, and (loose = 1) without a document word in front. bearers: the NRBs of the job that share the name.
-- NULL and names without enough digits are not used.
-- out: nrb_guid text, name text, spelled text, rank int, form text, loose int, bearers int, bearers_cents int
with written as (
    select l.guid, l.job_key, l.cents, reference_key(n.guid) as own_guid, l.external_key, l.origin_key, l.document_key,
        reference_key(n.po_number) as order_key, reference_key(n.wbs_identifier) as wbs_key,
        reference_key(p.guid) as parent_key, reference_key(p.external_id) as parent_external,
        reference_key(p.origin_reference) as parent_origin, reference_key(p.vendor_invoice_number) as parent_document
    from nrb_leaf as l
    join nrb as n on n.guid = l.guid
    left join nrb as p on p.guid = l.parent_guid
), called as (
    select guid, job_key, cents, own_guid as name, 1 as rank from written
    union all select guid, job_key, cents, external_key, 1 from written
    union all select guid, job_key, cents, origin_key, 1 from written
    union all select guid, job_key, cents, document_key, 2 from written
    union all select guid, job_key, cents, parent_key, 3 from written
    union all select guid, job_key, cents, parent_external, 3 from written
    union all select guid, job_key, cents, parent_origin, 3 from written
    union all select guid, job_key, cents, parent_document, 3 from written
    union all select guid, job_key, cents, order_key, 4 from written
    union all select guid, job_key, cents, wbs_key, 4 from written
), named as (
    select guid, job_key, cents, name, min(rank) as rank
    from called where usable_key(name) is not null
    group by guid, job_key, cents, name
), counted as (
    select guid, job_key, cents, name, rank,
        count(*) over (partition by job_key, name) as bearers,
        sum(abs(cents)) over (partition by job_key, name) as bearers_cents
    from named
), one_without_zeros as (
    select job_key, key_without_zeros(name) as spelled
    from named group by job_key, key_without_zeros(name) having count(distinct name) = 1
), one_without_prefix as (
    select job_key, key_without_prefix(name) as spelled
    from named group by job_key, key_without_prefix(name) having count(distinct name) = 1
)
select guid as nrb_guid, name, name as spelled, rank, key_form(name) as form, 0 as loose, bearers, bearers_cents
from counted
union all
select c.guid, c.name, o.spelled, c.rank, key_form(c.name), 0, c.bearers, c.bearers_cents
from counted as c
join one_without_zeros as o on o.job_key is not distinct from c.job_key and o.spelled = key_without_zeros(c.name)
where o.spelled <> c.name and usable_key(o.spelled) is not null
union all
select c.guid, c.name, o.spelled, c.rank, key_form(o.spelled), 1, c.bearers, c.bearers_cents
from counted as c
join one_without_prefix as o on o.job_key is not distinct from c.job_key and o.spelled = key_without_prefix(c.name)
where o.spelled <> c.name and usable_key(o.spelled) is not null
