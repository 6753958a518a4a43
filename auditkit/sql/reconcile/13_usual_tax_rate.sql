-- The rate of tax that most issued, taxed invoices have, in per cent of the subtotal and to three decimals; of two that as many have, the
-- one of the larger invoices. alike: the invoices whose tax that rate gives, but for $tolerance and 0.05, as tax is often rounded line by
-- line. A rate over 100 % is none. No row where no invoice is taxed; NULL or zero subtotals are left out.
-- out: percent decimal, invoices int, alike int
with taxed as (
    select tax, subtotal,
        floor(money_div(cast(tax as decimal(38, 2)) * sign(subtotal) * 10000000, whole_cents(abs(subtotal))) + 0.5) as thousandths
    from invoice_status
    where state = 'issued' and tax <> 0 and subtotal <> 0
), counted as (
    select thousandths, row_number() over (order by count(*) desc, sum(abs(subtotal)) desc, thousandths) as turn
    from taxed
    where thousandths between -100000 and 100000
    group by thousandths
), usual as (
    select cast(thousandths * 0.001 as decimal(24, 6)) as percent from counted where turn = 1
)
select u.percent, count(*) as invoices,
    count(case when abs(t.tax - cast(round(t.subtotal * u.percent * 0.01, 2) as decimal(38, 2))) <= $tolerance + 0.05 then 1 end) as alike
from taxed as t cross join usual as u
group by u.percent
