"""Cut-off: records on both sides of a period's end."""

import datetime
from typing import Any

from auditkit.analysis.question import DATE, Question, Source, as_day, as_days
from auditkit.sql import filled
from auditkit.warehouse.snapshots import Snapshot

__all__ = ["cutoff"]


def cutoff(
    snapshot: Snapshot,
    day: datetime.date | str,
    *,
    date: str = "vendor_invoice_date",
    recorded: str = "created_on",
    days: int | None = None,
    table: str = "nrb",
) -> Question:
    """Records that happened on one side of a period's last `day` and were recorded on the other.

    `date` is when it happened, `recorded` when it was booked: one is on or before `day`, the other after it. With
    `days`, only records booked at most that many days before or after `day`. NULL in either column is on no side.

    Rows: side ("recorded late": it belongs to the period, and was booked after it; or "recorded early"), days_late
    (from date to recorded; negative if early), both dates, all other columns; sorted by these. Raises
    `QuestionRefused`.
    """
    source = Source.of(snapshot, table)
    source.refuse(source.types, ["side", "days_late"])
    dated, booked = source.column(date, DATE), source.column(recorded, DATE)
    values: dict[str, Any] = {"day": as_day(day, "day"), "days": None if days is None else as_days(days)}
    columns = ",\n    ".join(f"s.{column}" for column in source.columns(dict.fromkeys([date, recorded, *source.types])))
    sql = filled("queries/analysis/cutoff", dated=dated, recorded=booked, columns=columns, source=source.sql)
    return Question(sql, values)
