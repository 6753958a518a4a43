-- What each cause costs, by side: costs or invoices, and their money. Sides are other money and never added. NULL rule_id: no rule shows it.
select side, cause, label, standing, count(*) as items, sum(amount) as amount
from exposure
group by side, cause, label, standing
order by case side when 'charge' then 1 when 'overcharge' then 2 when 'ledger' then 3 else 4 end, amount desc, cause, standing
