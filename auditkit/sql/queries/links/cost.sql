-- The costs whose guid is $text, or begins so. At most four: they are named when they are too many.
select guid from nrb_status
where guid = $text or starts_with(lower(guid), lower($text))
order by guid <> $text, guid
limit 4
