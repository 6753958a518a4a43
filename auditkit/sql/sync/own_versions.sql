-- What version the bodies of one batch state themselves: the latest body per id. {arrived}: the source's arrived bodies.
-- A body that states none, or is not JSON, is left out. Parameters: $batch.
select id, try_cast(json_extract_string(arg_max(body, batch), '$.nrbUpdatedAt') as bigint) as updated_at
from {arrived} where batch = $batch and json_valid(body) group by id
