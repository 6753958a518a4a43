"""Mutants of rules that no test notices: rule → the dropped conditions, as `test_mutations.py` names them.

EQUIVALENT cannot be noticed, for the reason given. UNNOTICED still need a case in the rule's own test: add it, and
remove the line. Nothing may be added.
"""

NO_JNID = "an NRB's guid is no jnid, so the join with invoice bodies drops it anyway"
EQUIVALENT: dict[str, dict[str, str]] = {
    "invoice-gap": {"q.subject_type = 'invoice' -> true": NO_JNID},
    "job-unmapped": {"q.subject_type = 'invoice' -> true": NO_JNID},
    "job-variance": {"q.subject_type = 'invoice' -> true": NO_JNID},
    "nrb-billed-not-found": {"q.subject_type = 'invoice' -> true": NO_JNID},
    "nrb-link-undecided": {"q.subject_type = 'invoice' -> true": NO_JNID},
}
UNNOTICED: dict[str, tuple[str, ...]] = {
    "invoice-below-cost": ("i.cost > 0 -> true",),
    "invoice-duplicate-near": (
        "not day is null -> true",
        "s.total = a.total -> true",
        "s.lines = a.lines -> true",
    ),
    "invoice-gap": (
        "place - place_before - 1 > (select count(case when number is null then 1 end) from unread) -> true",
        "b.jnid = q.subject_id -> true",
        "b.digest = q.digest -> true",
        "not place is null -> true",
    ),
    "job-unmapped": (
        "not exists(select 1 from quarantine as q join raw.invoice_body as b on b.jnid = q.subject_id and b.digest = q.digest where q.subject_type = 'invoice' and contains(lower(b.body), c.job_key)) -> true",  # noqa: E501
        "contains(lower(b.body), c.job_key) -> true",
        "b.jnid = q.subject_id -> true",
        "b.digest = q.digest -> true",
    ),
    "job-variance": (
        "not exists(select 1 from quarantine as q join raw.invoice_body as b on b.jnid = q.subject_id and b.digest = q.digest where q.subject_type = 'invoice' and (job_key is null or contains(lower(b.body), job_key))) -> true",  # noqa: E501
        "j.invoice_count > 0 -> true",
        "o.position = u.position -> true",
        "job_key is null or contains(lower(b.body), job_key) -> true",
        "job_key is null -> false",
        "contains(lower(b.body), job_key) -> false",
        "b.jnid = q.subject_id -> true",
        "b.digest = q.digest -> true",
    ),
    "line-amount-difference": (
        "k.state = 'issued' -> true",
        "s.billable -> true",
    ),
    "line-arithmetic": ("not t.amount is null -> true",),
    "line-names-unknown": (
        "q.kind = 'names nothing known' -> true",
        "t.position = q.position -> true",
    ),
    "nrb-billed-by-amount": (
        "s.billable -> true",
        "not s.internal -> true",
    ),
    "nrb-billed-not-found": (
        "not exists(select 1 from quarantine as q join raw.invoice_body as b on b.jnid = q.subject_id and b.digest = q.digest where q.subject_type = 'invoice' and contains(lower(b.body), lower(coalesce(billed_in_name, billed_in_guid)))) -> true",  # noqa: E501
        "contains(lower(b.body), lower(coalesce(billed_in_name, billed_in_guid))) -> true",
        "b.jnid = q.subject_id -> true",
        "b.digest = q.digest -> true",
    ),
    "nrb-billed-on-void": ("k.state = 'void' -> true",),
    "nrb-billed-part": (
        "k.state = 'issued' -> true",
        "s.billable -> true",
    ),
    "nrb-charged-twice": ("k.state = 'issued' -> true",),
    "nrb-credited-back": ("k.state = 'issued' -> true",),
    "nrb-cutoff": (
        "not coalesce(i.invoice_date, i.created_on) is null -> true",
        "not s.found_jnid is null -> true",
    ),
    "nrb-duplicate": (
        "a.jnid = k.jnid -> true",
        "a.line is null -> false",
    ),
    "nrb-duplicate-near": (
        "k.state = 'issued' -> true",
        "a.jnid = k.jnid -> true",
        "a.position = k.position -> true",
        "o.line is null -> false",
        "o.accounting_date = i.accounting_date -> true",
        "a.vendor_key = b.vendor_key -> true",
        "a.cost = b.cost -> true",
        "a.number_family <> b.number_family -> true",
        "length(b.number_key) >= 6 -> true",
        "a.vendor_key = b.vendor_key -> true (place 3)",
    ),
    "nrb-duplicate-unnumbered": (
        "a.line is null -> false",
        "a.jnid = k.jnid -> true",
        "a.position = k.position -> true",
    ),
    "nrb-hidden-text": (
        "regexp_matches(written, '[^ -~]') -> true",
        "f.field = s.field -> true",
        "f.scope = s.scope -> true",
        "r.field = u.field -> true",
        "is_leaf -> true",
        "not origin_reference is null -> true",
        "is_leaf -> true (place 2)",
        "not external_id is null -> true",
        "is_leaf -> true (place 3)",
        "not po_number is null -> true",
        "is_leaf -> true (place 4)",
        "not vendor_invoice_number is null -> true",
        "is_leaf -> true (place 5)",
        "not job_number is null -> true",
        "is_leaf -> true (place 6)",
        "not vendor_code is null -> true",
    ),
    "nrb-link-undecided": (
        "not u.guid is null -> false",
        "u.guid = s.guid -> true",
        "e.jnid = u.jnid -> true",
        "e.position = u.position -> true",
        "e.kind = 'name' -> true",
        "p.guid = n.parent_guid -> true",
        "s.state = 'not_found' -> true",
        "m.guid = s.guid -> true",
        "b.jnid = q.subject_id -> true",
        "b.digest = q.digest -> true",
        "contains(lower(b.body), m.mark) -> true",
    ),
    "nrb-markup-odd": (
        "not vendor_key is null -> true",
        "turn = 1 -> true",
    ),
    "nrb-no-markup": (
        "not vendor_key is null -> true",
        "not type_key is null -> true",
    ),
    "nrb-other-job": (
        "q.kind = 'of another job' -> true",
        "k.nrb_guid = q.nrb_guid -> true",
        "k.jnid = q.jnid -> true",
        "k.position = q.position -> true",
        "s.guid = u.nrb_guid -> true",
        "s.state = 'undecided' -> true",
        "e.nrb_guid = u.nrb_guid -> true",
        "e.jnid = u.jnid -> true",
        "e.position = u.position -> true",
        "e.kind = 'name' -> true",
        "not jnid is null -> true",
    ),
    "nrb-parent-mismatch": ("not parent_guid is null -> true",),
    "nrb-price-odd": (
        "not n.vendor_code is null -> true",
        "not n.name is null -> true",
        "i.vendor_key = m.vendor_key -> true",
        "i.type_key is not distinct from m.type_key -> true",
    ),
    "nrb-split": (
        "i.total + s.others >= $limit -> true",
        "$limit > 0 -> true",
    ),
    "record-vanished": (
        "kind = 'correction' -> true",
        "kind = 'correction' -> true (place 2)",
        "(body ->> '$.step') = 'intent' -> true",
        "d.operation = v.operation -> true",
        "g.subject_type = 'invoice' -> true",
        "s.sync_id = g.last_sync -> true",
    ),
}
