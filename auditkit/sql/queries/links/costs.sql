-- Every cost's guid, in order.
select guid from nrb_status order by guid
