-- Each open NRB with each open line of its amount in its block, and how many such hits chance would make there.
-- out: nrb_guid text, jnid text, position int, marked flag, expected ratio, terms text
select p.nrb_guid, p.jnid, p.position, $by_mark as marked, h.expected,
    'the same amount' || case when $by_mark then ' on the invoice of its mark: ' else ' in its job: ' end
        || cast(h.nrbs as text) || case when h.nrbs = 1 then ' NRB, ' else ' NRBs, ' end
        || cast(h.lines as text) || case when h.lines = 1 then ' line' else ' lines' end as terms
from amount_hit as h
join amount_pair as p on p.block = h.block and p.cents = h.cents and p.state_rank = h.state_rank
