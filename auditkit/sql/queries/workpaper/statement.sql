-- The statement of everything, row by row; a subtotal repeats rows above or below it. Amounts are signed; gross is without offsets.
select label, amount, gross, items, code, is_subtotal from statement where scope = 'all' order by position
