-- Approvals of the last 31 days beyond limits or expiry: every report of a month begins with them.
select body ->> 'who' as who, left(body ->> 'plan', 12) as plan, body ->> '$.approval.override' as reason,
    array_to_string(cast(body -> 'lifted' as varchar[]), '; ') as lifted, written_at
from journal
where kind = 'approval' and body ->> '$.approval.override' is not null
    and json_array_length(body -> 'lifted') > 0
    and written_at > (select max(finished_at) from sync_run) - interval 31 day
order by seq
