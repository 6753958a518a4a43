-- The rule $rule as it was run.
select * from rule where rule_id = $rule
