"""Accrual: what the accounts of a period must carry although no invoice or export says so yet.

Unbilled cost is revenue to accrue, with mark-up, or work in progress, without it; unexported cost is an expense to
accrue, without mark-up. Both are those of the rules `nrb-unbilled` and `nrb-unexported`, as of the snapshot: what was
open on an earlier day, nobody recorded.

Not here: aging (analysis), and what is unbilled or unexported (the rules).
"""

import calendar
import re
from datetime import date, timedelta

from auditkit.analysis.question import Question
from auditkit.errors import QuestionRefused

__all__ = ["BY", "accrual", "period_end"]

BY = {
    "job": "s.job_number",
    "month": "s.month",
    "vendor": "s.vendor_code",
    "type": "s.type_name",
    "person": "n.created_by",
}
_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})")

_ACCRUAL = """
with open_cost as (
    select {key} as {by}, f.rule_id = 'nrb-unbilled' as unbilled, s.total,
        total_after_markup(n.rate, n.quantity, 0, n.vendor_tax, 'SUB_TOTAL') as cost
    from finding as f
    join nrb_status as s on s.guid = f.subject_id
    join nrb as n on n.guid = f.subject_id
    where f.rule_id in ('nrb-unbilled', 'nrb-unexported'){until}
)
select {by}, count(*) filter (unbilled) as unbilled, coalesce(sum(cost) filter (unbilled), 0) as unbilled_cost,
    coalesce(sum(total) filter (unbilled), 0) as unbilled_total,
    count(*) filter (not unbilled) as unexported, coalesce(sum(cost) filter (not unbilled), 0) as unexported_cost,
    count(*) filter (cost is null) as cost_unknown
from open_cost
group by {by}
order by {order}
"""


def accrual(by: str = "month", period: str | None = None) -> Question:
    """Unbilled and unexported cost by `job`, `month`, `vendor`, `type` or `person`, most unbilled money first.

    With `period` (YYYY-MM) what is dated up to its last day, or not at all. `unbilled_total` is with mark-up, both
    `…_cost` are without it (rate × quantity and the vendor's tax); `cost_unknown` counts those without rate or
    quantity, whose cost is in no sum. Raises `QuestionRefused`.
    """
    if by not in BY:
        raise QuestionRefused(f"by must be one of {', '.join(BY)}, not {by!r}")
    until = "" if period is None else "\n        and (s.accounting_date is null or s.accounting_date <= $until)"
    order = "month nulls last" if by == "month" else f"unbilled_total desc, unexported_cost desc, {by} nulls last"
    values = {} if period is None else {"until": period_end(period, date.max)}
    return Question(_ACCRUAL.format(key=BY[by], by=by, until=until, order=order), values)


def period_end(period: str | None, as_of: date) -> date:
    """The last day of a month that is written YYYY-MM; without one, of the last quarter that ended before a day.

    Raises `QuestionRefused` for what is no month.
    """
    if period is None:
        return date(as_of.year, 3 * ((as_of.month - 1) // 3) + 1, 1) - timedelta(days=1)
    found = _MONTH.fullmatch(period) if isinstance(period, str) else None
    year, month = map(int, found.groups()) if found else (0, 0)
    if not (year >= 1 and 1 <= month <= 12):
        raise QuestionRefused(f"a period is a month, written YYYY-MM, not {period!r}")
    return date(year, month, calendar.monthrange(year, month)[1])
