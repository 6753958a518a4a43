"""Totals by job, vendor, month or type, and the statement: the bridge from cost to invoice, whose difference is 0.

Each row of the statement is its own query (`sql/reconcile/41_statement_member.sql`); none is a remainder.
"""

from collections.abc import Mapping

from auditkit.checks.engine import Engine
from auditkit.checks.rules import Value, load_steps
from auditkit.errors import QuestionRefused
from auditkit.sql import read

__all__ = ["BY", "SCOPES", "reconcile", "statement", "view"]

SCOPES = ("all", "job", "month", "vendor", "type")

_SUMS = """
    count(*) as nrb_count,
    sum(coalesce(total, 0)) as nrb_total,
    sum(case when billable and not internal then coalesce(total, 0) else 0 end) as billable_total,
    sum(case when billed_mark then coalesce(total, 0) else 0 end) as billed_total,
    sum(case when linked and charged <> 0 then coalesce(total, 0) else 0 end) as linked_total,
    sum(case when state in ('unbilled', 'not_on_invoice', 'not_found', 'on_void', 'on_draft') then coalesce(total, 0)
        when state = 'billed_part' then left_over else 0 end) as unbilled_total,
    sum(case when state in ('undecided', 'marked_several', 'unreadable') then coalesce(total, 0) else 0 end)
        as undecided_total,
    coalesce(sum(case when billable and not internal then charged end), 0) as charged_total,
    coalesce(sum(case when billable and not internal then charged end), 0)
        - sum(case when billable and not internal then coalesce(total, 0) else 0 end) as variance
"""
# What a reconciliation is asked by → the question. A job has both sides; the others have the cost side and what issued
# lines charge for it.
BY: Mapping[str, str] = {
    "job": "select * from job_reconciliation order by abs(variance) desc, job_number",
    "vendor": f"select vendor_code, {_SUMS} from nrb_status group by vendor_code order by variance, vendor_code",
    "month": f"select month, {_SUMS} from nrb_status group by month order by month",
    "type": f"select type_name, {_SUMS} from nrb_status group by type_name order by variance, type_name",
}


def reconcile(engine: Engine, values: Mapping[str, Value]) -> None:
    """Fill invoice_status, nrb_status, the tables of the statement and job_reconciliation from the links."""
    for step in load_steps("reconcile"):
        engine.run(step, values)


def view(by: str) -> str:
    """The query behind `audit.reconcile(by=…)`. Raises `QuestionRefused` for anything that is not in `BY`."""
    if by not in BY:
        raise QuestionRefused(f"by must be one of {', '.join(BY)}, not {by!r}")
    return BY[by]


def statement(by: str = "all", key: str | None = None) -> tuple[str, dict[str, str]]:
    """The query behind `audit.statement(by=…, key=…)`, and the values of its parameters.

    Without a `key` every key of the scope, in a column before the rows; with one its rows alone. A key is a job number,
    a month as YYYY-MM, a vendor code or a type, exactly as it is in the table; the empty key means what has none.
    Raises `QuestionRefused` for anything that is not in `SCOPES`, and for a key of the whole.
    """
    if by not in SCOPES:
        raise QuestionRefused(f"by must be one of {', '.join(SCOPES)}, not {by!r}")
    if by == "all":
        if key:
            raise QuestionRefused(f"the whole has no key; say by what {key!r} is one: {', '.join(SCOPES[1:])}")
        return read("queries/statement"), {}
    if key is None:
        return read("queries/statement_by"), {"by": by}
    return read("queries/statement_of"), {"by": by, "key": key}
