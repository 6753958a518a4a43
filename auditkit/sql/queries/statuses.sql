-- Every status that invoices have, how it is treated, and of how many; the most frequent first. NULL: invoices without a status.
select status_name, treated_as, known, invoices, total from invoice_status_name order by invoices desc, status_name nulls last
