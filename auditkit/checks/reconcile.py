"""Totals by job, vendor or month, and the statement: the bridge from cost to invoice with residual 0.

Each row of the statement is its own query (`sql/reconcile/40_statement_row.sql`); none is a remainder.
"""

from collections.abc import Mapping

from auditkit.checks.engines import Engine
from auditkit.checks.rules import Value, load_steps

__all__ = ["BY", "reconcile", "view"]

_SUMS = """
    count(*) as nrb_count,
    sum(coalesce(total, 0)) as nrb_total,
    sum(case when billable and not internal then coalesce(total, 0) else 0 end) as billable_total,
    sum(case when billed_mark then coalesce(total, 0) else 0 end) as billed_total,
    sum(case when linked and line_state = 'issued' then coalesce(total, 0) else 0 end) as linked_total,
    sum(case when unbilled then coalesce(total, 0) else 0 end) as unbilled_total,
    coalesce(sum(case when billable and not internal then charged end), 0) as charged_total,
    coalesce(sum(case when billable and not internal then charged end), 0)
        - sum(case when billable and not internal then coalesce(total, 0) else 0 end) as variance
"""
_CHARGED = """
with charge as (
    select k.nrb_guid, sum(k.invoiced_amount) as charged
    from link as k join invoice_status as i on i.jnid = k.jnid and i.state = 'issued'
    where k.position is not null
    group by k.nrb_guid
), leaf as (
    select s.*, c.charged from nrb_status as s left join charge as c on c.nrb_guid = s.guid
)
"""
# What a reconciliation is asked by → the question. A job has both sides; vendor and month have the cost side and what
# issued lines charge for it.
BY: Mapping[str, str] = {
    "job": "select * from job_reconciliation order by abs(variance) desc, job_number",
    "vendor": f"{_CHARGED} select vendor_code, {_SUMS} from leaf group by vendor_code order by variance, vendor_code",
    "month": f"{_CHARGED} select month, {_SUMS} from leaf group by month order by month",
}


def reconcile(engine: Engine, values: Mapping[str, Value]) -> None:
    """Fill invoice_status, nrb_status, statement and job_reconciliation from the links."""
    for step in load_steps("reconcile"):
        engine.run(step, values)


def view(by: str) -> str:
    """The query behind `audit.reconcile(by=…)`. Raises `ValueError` for anything but job, vendor and month."""
    if by not in BY:
        raise ValueError(f"by must be one of {', '.join(BY)}, not {by!r}")
    return BY[by]
