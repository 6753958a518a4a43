-- id: invoice-gap
-- title: Gap in invoice numbers
-- assertion: completeness
-- severity: medium
-- subject: invoice
-- param: min_numbers int = 10
-- param: max_missing int = 20
-- out: subject_id text, job_number text, amount_at_risk money, reason text, number text, missing int, first_missing int, last_missing int
-- key: first_missing, last_missing
-- why: In an unbroken series a missing number is an invoice that was deleted or never came through, and its revenue with it.
-- remedy: Look for the number in JobNimbus and in the ledger; note why it is missing.
-- note: The subject is the invoice after the gap. A series is all numbers with the same beginning before their last digits, of at least
--   $min_numbers; a jump over more than $max_missing starts another range. Void invoices, drafts and invoices that could not be read hold their
--   numbers; as long as there are invoices whose number could not be read, a gap of no more numbers than these is silent. A NULL number,
--   or one without digits at its end, is in no series. What is missing has no amount: amount_at_risk is NULL.
with unread as (
    select b.subject_id as jnid, b.number
    from raw.partly_read as b
    left join invoice as i on i.jnid = b.subject_id
    where b.subject_type = 'invoice' and i.number is null
), held as (
    select i.jnid, s.job_number, s.state, i.number from invoice as i join invoice_status as s on s.jnid = i.jnid
    union all
    select jnid, cast(null as text), 'unread', number from unread
), named as (
    select jnid, job_number, state, number, regexp_replace(folded(number), '[0-9]+$', '', 'g') as series,
        length(folded(number)) - length(regexp_replace(folded(number), '[0-9]+$', '', 'g')) as digits
    from held
), numbered as (
    select jnid, job_number, state, number, series,
        cast(case when digits between 1 and 15 then right(folded(number), digits) end as bigint) as place
    from named
), bearer as (
    select jnid, job_number, number, series, place,
        row_number() over (
            partition by series, place
            order by case state when 'issued' then 1 when 'draft' then 2 when 'void' then 3 else 4 end, jnid
        ) as turn
    from numbered where place is not null
), neighbor as (
    select jnid, job_number, number, place,
        lag(place) over (partition by series order by place, jnid) as place_before,
        count(*) over (partition by series) as numbers
    from bearer where turn = 1
)
select jnid as subject_id, job_number, cast(null as decimal(18, 2)) as amount_at_risk,
    case when place - place_before = 2 then 'one number is missing before '
        else cast(place - place_before - 1 as text) || ' numbers are missing before ' end || number as reason,
    number, place - place_before - 1 as missing, place_before + 1 as first_missing, place - 1 as last_missing
from neighbor
where numbers >= $min_numbers and place - place_before between 2 and $max_missing + 1
    and place - place_before - 1 > (select count(case when number is null then 1 end) from unread)
