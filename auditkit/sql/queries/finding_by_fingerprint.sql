-- The findings whose fingerprint begins with $start, at most four: one is what was meant, more are too many.
select * from finding where starts_with(fingerprint, $start) order by fingerprint limit 4
