-- The statement of everything, row by row. Amounts are signed; gross is without offsets; a subtotal is not to be added again.
select code, label, amount, gross, items, is_subtotal from statement where scope = 'all' order by position
