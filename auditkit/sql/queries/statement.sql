-- The statement of everything, row by row. Amounts are signed; gross is without offsets.
select code, label, amount, gross, items from statement where scope = 'all' order by position
