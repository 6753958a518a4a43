-- (moved) Items of the statement whose amounts differ. An item is the same in both snapshots if it is the same NRB, invoice, or line
-- (by line_key, so that a new line before others moves none of them). The parts of an NRB on one invoice are compared in the order
-- of their lines, so that a line with another price is still the part of its NRB.
with item as (
    select 'before' as side, i.*, t.line_key
    from before.statement_item as i
    left join before.invoice_item as t on t.jnid = i.jnid and t.position = i.line_position
    union all by name
    select 'now' as side, i.*, t.line_key
    from statement_item as i
    left join invoice_item as t on t.jnid = i.jnid and t.position = i.line_position
), placed as (
    select *, case when subject_type = 'invoice' then jnid
        when subject_type = 'invoice_item' then case when nrb_guid is null then line_key else jnid end end as place
    from item
), counted as (
    select *, row_number() over (
        partition by side, code, subject_type, nrb_guid, place order by line_position, subject_id) as turn
    from placed
), moved as (
    select coalesce(n.position, b.position) as position, coalesce(n.code, b.code) as code,
        coalesce(n.label, b.label) as label, case when b.code is null then 'new' when n.code is null then 'cleared' else 'changed' end as movement,
        coalesce(n.subject_type, b.subject_type) as subject_type, coalesce(n.subject_id, b.subject_id) as subject_id,
        coalesce(n.nrb_guid, b.nrb_guid) as nrb_guid,
        case when n.code is null then b.jnid else n.jnid end as jnid,
        case when n.code is null then b.job_number else n.job_number end as job_number,
        case when n.code is null then b.month else n.month end as month,
        b.amount as before, n.amount as now, coalesce(n.amount, 0) - coalesce(b.amount, 0) as difference
    from (select * from counted where side = 'before') as b
    full join (select * from counted where side = 'now') as n
        on n.code = b.code and n.subject_type = b.subject_type and n.nrb_guid is not distinct from b.nrb_guid
        and n.place is not distinct from b.place and n.turn = b.turn
    where b.amount is distinct from n.amount
)
