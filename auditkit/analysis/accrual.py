"""Accrual: what the accounts of a period must include although no invoice or export shows it yet.

Cost that is not billed is revenue to accrue, with markup, or work in progress, without it: never invoiced, missing from
its invoice, on a draft or void one, or invoiced after the period. What is under-billed or undecided is not in it.
Unexported cost is an expense to accrue, without markup; its mark is today's, as no earlier one is recorded.

Not here: aging (`age.py`), and what is unbilled or unexported (the rules).
"""

import calendar
import re
from datetime import date, timedelta

from auditkit.analysis.question import Question
from auditkit.errors import QuestionRefused
from auditkit.sql import filled, read

__all__ = ["BY", "accrual", "books", "period_end"]

BY = {
    "job": "s.job_number",
    "month": "s.month",
    "vendor": "s.vendor_code",
    "type": "s.type_name",
    "person": "n.created_by",
}
_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})")


def accrual(by: str = "month", period: str | None = None) -> Question:
    """Cost not billed and not exported by `job`, `month`, `vendor`, `type` or `person`, the most unbilled money first.

    With `period` (YYYY-MM), as of its last day: of what is dated by then, or not at all. `unbilled_total` is with
    markup, both `…_cost` are without it (rate × quantity and the vendor's tax); `cost_unknown` counts those without
    rate or quantity, whose cost is in no sum. Raises `QuestionRefused`.
    """
    if by not in BY:
        raise QuestionRefused(f"by must be one of {', '.join(BY)}, not {by!r}")
    order = "month nulls last" if by == "month" else f"unbilled_total desc, unexported_cost desc, {by} nulls last"
    until = date.max if period is None else period_end(period, date.max)
    return Question(books("queries/analysis/accrual", key=BY[by], by=by, order=order), {"period_end": until})


def books(name: str, **parts: str) -> str:
    """A question about the books as of `$period_end`: a template with {item}, the costs by label, and {label}."""
    return filled(name, item=read("periods/as_of_item"), label=read("periods/as_of_label"), **parts)


def period_end(period: str | None, as_of: date) -> date:
    """The last day of a month written YYYY-MM; without one, of the last quarter that ended before a day.

    Raises `QuestionRefused` for anything that is not a month.
    """
    if period is None:
        return date(as_of.year, 3 * ((as_of.month - 1) // 3) + 1, 1) - timedelta(days=1)
    found = _MONTH.fullmatch(period) if isinstance(period, str) else None
    year, month = map(int, found.groups()) if found else (0, 0)
    if not (year >= 1 and 1 <= month <= 12):
        raise QuestionRefused(f"a period is a month, written YYYY-MM, not {period!r}")
    return date(year, month, calendar.monthrange(year, month)[1])
