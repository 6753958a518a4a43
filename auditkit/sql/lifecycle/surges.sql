-- Rules with more than $surge new findings at once. No row in the first sync, when all are new.
select rule_id, count(*) as found from finding
where change = 'new' and exists (select 1 from state_before)
group by rule_id having count(*) > $surge
order by rule_id
