-- What the vendors sent, each version with its digest and whether the digest still holds.
select 'nrb' as subject_type, guid as subject_id, digest, sha256(body) = digest as digest_holds, first_sync, last_sync, body
from raw.nrb_body
where guid in (
{subject_nrbs}
)
union all
select 'invoice', jnid, digest, sha256(body) = digest, first_sync, last_sync, body
from raw.invoice_body
where jnid in (
{subject_invoices}
)
order by subject_type desc, subject_id, first_sync
