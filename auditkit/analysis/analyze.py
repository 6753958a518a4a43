"""`audit.analyze`: the analyses that auditors know by name, of any table or SELECT of the newest snapshot.

The names are those of ACL (Analytics) and IDEA. Each analysis is one SELECT that can be looked at and run again; each
record counts once, and the last row is the total of the whole table, so the rows above tie to it. Money stays DECIMAL,
and NULL adds nothing to a total.

Not here: how each question is made (`stratify.py`, `age.py` …).
"""

import datetime
from collections.abc import Iterable, Sequence
from decimal import Decimal

import pandas as pd

from auditkit.aging_bands import ENDS
from auditkit.analysis import accrual
from auditkit.analysis import age as by_age
from auditkit.analysis import crosstab as by_two
from auditkit.analysis import cutoff as by_period
from auditkit.analysis import duplicates as by_keys
from auditkit.analysis import gaps as in_series
from auditkit.analysis import stratify as by_size
from auditkit.analysis import summarize as by_key
from auditkit.analysis.ask import Ask
from auditkit.sql import read

__all__ = ["Analyze"]


class Analyze:
    """Analyses of one account's newest snapshot. `table` is the name of a public table, or a SELECT.

    Each raises `QuestionRefused` for an unknown name or a column of the wrong type.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def duplicates(
        self,
        same: str | Iterable[str] = (),
        near: str | Iterable[str] = (),
        different: str | Iterable[str] = (),
        *,
        table: str = "nrb",
        days: int | None = None,
        date: str | None = None,
        min_amount: Decimal | int | str | None = None,
        amount: str | None = None,
        nulls_match: bool = False,
    ) -> pd.DataFrame:
        """Records that agree in `same`, almost agree in `near`, and vary in `different`; NULL equals nothing.

        Near: equal without punctuation, case and leading zeros, or one edit apart. At most `days` apart by the column
        `date`; at least `min_amount` in the column `amount`.
        """
        return self._ask.question(
            by_keys.duplicates(
                self._ask.snapshot,
                same,
                near,
                different,
                table=table,
                days=days,
                date=date,
                min_amount=min_amount,
                amount=amount,
                nulls_match=nulls_match,
            )
        )

    def stratify(
        self,
        column: str = "total",
        *,
        bands: int | Sequence[Decimal | int | str] = 10,
        amount: str | None = None,
        table: str = "nrb_status",
    ) -> pd.DataFrame:
        """Records by size: count and total of each band, of what is below, above and NULL; the total last."""
        return self._ask.question(by_size.stratify(self._ask.snapshot, column, bands=bands, amount=amount, table=table))

    def age(
        self,
        date: str = "accounting_date",
        amount: str = "total",
        *,
        as_of: datetime.date | str | None = None,
        buckets: Sequence[int] = ENDS,
        table: str = "nrb_status",
    ) -> pd.DataFrame:
        """Records by days since a date: 0-30, 31-60 … over 180, future and no date apart; the total last."""
        return self._ask.question(
            by_age.age(self._ask.snapshot, date, amount, as_of=as_of, buckets=buckets, table=table)
        )

    def gaps(self, column: str = "number", *, prefix: str | None = None, table: str = "invoice") -> pd.DataFrame:
        """Missing numbers of each series, as ranges with the neighbors on both sides."""
        return self._ask.question(in_series.gaps(self._ask.snapshot, column, prefix=prefix, table=table))

    def summarize(
        self, by: str | Iterable[str], amount: str | Iterable[str] = "total", *, table: str = "nrb_status"
    ) -> pd.DataFrame:
        """Count, sum, least and greatest for each key, NULL being one; the last row is the total (`level` = total)."""
        return self._ask.question(by_key.summarize(self._ask.snapshot, by, amount, table=table))

    def crosstab(
        self, rows: str | Iterable[str], columns: str, amount: str | None = None, *, table: str = "nrb_status"
    ) -> pd.DataFrame:
        """Totals of `amount` (or counts) by rows and columns, with totals of both; at most 200 columns."""
        return self._ask.question(by_two.crosstab(self._ask.snapshot, rows, columns, amount, table=table))

    def cutoff(
        self,
        day: datetime.date | str,
        *,
        date: str = "vendor_invoice_date",
        recorded: str = "created_on",
        days: int | None = None,
        table: str = "nrb",
    ) -> pd.DataFrame:
        """Records dated on one side of a period's last day and recorded on the other, and by how many days."""
        return self._ask.question(
            by_period.cutoff(self._ask.snapshot, day, date=date, recorded=recorded, days=days, table=table)
        )

    def offsets(self) -> pd.DataFrame:
        """Pairs of differences that cancel each other within a job or a month: a net of 0 proves nothing."""
        return self._ask(read("queries/offsets"))

    def sensitivity(self) -> pd.DataFrame:
        """What another tolerance would change: jobs and lines that agree at 0.00, 0.01, 0.05, 1.00, 0.1 % and 1 %."""
        return self._ask(read("queries/sensitivity"))

    def period_end(self, period: str | None = None) -> datetime.date:
        """The last day of a month (YYYY-MM); without one, of the last quarter before the audit's as-of date."""
        as_of = self._ask.snapshot.query(read("queries/parameters")).records()[0]["as_of"]
        return accrual.period_end(period, as_of)
