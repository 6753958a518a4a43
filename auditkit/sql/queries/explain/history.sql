-- The states of the finding $fingerprint, in order.
select as_of, sync_id, state, amount_at_risk, reason from finding_history where fingerprint = $fingerprint order by rowid
