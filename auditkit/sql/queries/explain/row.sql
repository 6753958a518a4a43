-- What the rule gives for the subject $id when it is run again.
select * from (
{executed}
)
where subject_id = $id
