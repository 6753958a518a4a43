-- Each status number of JobNimbus and its name, where an invoice shows both. A null number or name is left out.
select distinct status, status_name from invoice where status is not null and status_name is not null
