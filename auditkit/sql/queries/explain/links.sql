-- How the NRBs and invoices behind a finding were linked.
select k.nrb_guid, k.jnid, k.position, k.method, how_linked(k.method) as how, k.invoiced_amount
from link as k
where k.nrb_guid in (
{subject_nrbs}
)
    and k.jnid in (
{subject_invoices}
)
order by k.nrb_guid, k.jnid, k.position
