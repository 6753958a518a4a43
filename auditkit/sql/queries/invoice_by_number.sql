-- The jnids of the invoices with this number. An invoice without a number matches nothing.
select jnid from invoice where number = $given order by jnid limit 3
