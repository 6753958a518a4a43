-- The statement of one job, month, vendor or type: $key of the scope $by, whatever its case. NULL or empty key: what has none.
select code, label, amount, gross, items, is_subtotal from statement
where scope = $by and coalesce(folded(key), '') = coalesce(folded($key), '')
order by position
