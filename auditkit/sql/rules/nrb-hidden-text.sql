-- id: nrb-hidden-text
-- title: Look-alike or hidden characters in a code
-- assertion: accuracy
-- severity: medium
-- subject: nrb
-- out: subject_id text, job_number text, amount_at_risk money, reason text, field text, marked text, looks_like text
-- key: field, marked
-- why: Two texts that look the same and are not: no search, match or duplicate check brings them together.
-- remedy: Type the code again, in plain letters and digits.
-- note: Job, vendor code, vendor invoice number, PO, external id and origin reference of leaves. Fires on characters that cannot be seen
--   (bidirectional controls, zero-width, odd spaces), on Latin mixed with Cyrillic or Greek, on look-alike digits and letters
--   (full-width, other scripts), and on a text that looks like another one in the same field (of a number: of the same vendor), on a
--   leaf or a receipt, and differs. Letters of one script alone, accents and CJK are silent. NULL is silent. marked shows what is not plain as ¿.
with field as (
    select guid, 'job' as field, 1 as place, '' as scope, job_number as written from nrb
    union all
    select guid, 'vendor code', 2, '', vendor_code from nrb
    union all
    select guid, 'vendor invoice number', 3, coalesce(lookalike_key(vendor_code), ''), vendor_invoice_number from nrb
    union all
    select guid, 'PO', 4, '', po_number from nrb
    union all
    select guid, 'external id', 5, '', external_id from nrb
    union all
    select guid, 'origin reference', 6, '', origin_reference from nrb
), unusual as (
    select guid, field, place, scope, written, lookalike_key(written) as looks_like from field where regexp_matches(written, '[^ -~]')
), sought as (
    select distinct looks_like from unusual
), read_alike as (
    select f.field, f.scope, s.looks_like
    from sought as s
    join field as f on lookalike_key(f.written) = s.looks_like
    group by f.field, f.scope, s.looks_like
    having count(distinct folded(f.written)) > 1
), judged as (
    select u.guid, u.field, u.place, u.written, u.looks_like,
        case
            when regexp_matches(u.written, '[\p{Cc}\p{Cf}\x{034F}\x{115F}\x{1160}\x{3164}\x{FFA0}\x{FE00}-\x{FE0F}]')
                then 'holds characters that cannot be seen'
            when regexp_matches(u.written, '[\x{00A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}]')
                then 'holds a special space'
            when regexp_matches(u.written, '[A-Za-z]') and regexp_matches(u.written, '[\x{0370}-\x{052F}\x{1F00}-\x{1FFF}]')
                then 'mixes Latin with Cyrillic or Greek letters'
            when regexp_matches(u.written, '[^\P{Nd}0-9]') or regexp_matches(u.written, '[\x{FF01}-\x{FF5E}\x{1D400}-\x{1D7FF}]')
                then 'holds look-alike letters or digits'
            when r.looks_like is not null and folded(u.written) <> u.looks_like then 'looks like another one, but differs'
        end as what
    from unusual as u
    left join read_alike as r on r.field = u.field and r.scope = u.scope and r.looks_like = u.looks_like
), odd as (
    select guid, field, written, looks_like, what, row_number() over (partition by guid order by place) as turn
    from judged where what is not null
)
select s.guid as subject_id, s.job_number, s.total as amount_at_risk, 'the ' || o.field || ' ' || o.what as reason,
    o.field, regexp_replace(o.written, '[^ -~]', '¿', 'g') as marked, o.looks_like
from odd as o
join nrb_status as s on s.guid = o.guid
where o.turn = 1
