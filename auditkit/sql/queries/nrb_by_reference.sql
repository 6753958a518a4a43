-- The GUIDs of the NRBs that people call by this external id or origin reference. A null reference matches nothing.
select guid from nrb where $given in (external_id, origin_reference) order by guid limit 3
