"""Inquiry: everything that can be asked of the newest snapshot, read-only; each answer is a DataFrame.

The questions themselves stand in `checks/`; here they are only asked.

Not here: whatever reads a vendor, decides or sends, which is `Audit`'s.
"""

import datetime
import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import pandas as pd

from auditkit.checks import acceptance, accrual, analysis, history, reconcile, rollforward, views
from auditkit.checks import duplicates as twice
from auditkit.checks.explain import Explanation, explain
from auditkit.checks.questions import Question
from auditkit.config import DEMO, Settings
from auditkit.errors import NoSnapshot, QueryFailed, QuestionRefused, RuleError, StoreError
from auditkit.home import Home
from auditkit.reports.sql_log import SqlLog
from auditkit.store.schema import refuse_other_schema
from auditkit.store.snapshots import Snapshot
from auditkit.store.tables import statement_error
from auditkit.sync.proof import proof

__all__ = ["Inquiry"]


@dataclass
class Inquiry:
    """What an auditor asks of one account. Every table is a DataFrame whose money is Decimal.

    `frame.attrs` holds the snapshot, and the SQL with its values. A `temporary` home goes with the audit.
    """

    settings: Settings
    vendor_rate: bool = False
    temporary: TemporaryDirectory[str] | None = None
    _home: Home = field(init=False, repr=False)
    _snapshot: Snapshot | None = field(default=None, init=False, repr=False)
    _log: SqlLog = field(default_factory=SqlLog, init=False, repr=False)

    def __post_init__(self) -> None:
        self._home = Home(self.settings, self.vendor_rate)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the snapshot and end the demo's sandbox."""
        self._reopen()
        self._home.close()
        if self.temporary:
            self.temporary.cleanup()

    # ── The statement ─────────────────────────────────────────────────────────────────────────────────────────────────

    def statement(self, by: str = "all", key: str | None = None) -> pd.DataFrame:
        """The bridge from NRB total to invoice total: label, amount (signed), gross, items; the residual is last.

        Of the whole, or by `job`, `month`, `vendor` or `type`: of one `key` (a job's number, a month as YYYY-MM, …), or
        of each, with a column `key`. By vendor and type it ends at the NRBs on issued invoices.
        """
        query, values = reconcile.statement(by, key)
        frame = self.sql(query, **values)
        if key is not None and frame.empty:
            keys = [str(each) for each in self.statement(by)["key"].dropna().unique()]
            near = difflib.get_close_matches(key, keys, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {len(keys):,}, e.g. {', '.join(keys[:5])}"
            raise QuestionRefused(f"the statement has no {by} {key!r}; {hint}")
        return frame

    def offsets(self) -> pd.DataFrame:
        """Pairs of differences that cancel each other within a job or a month: a net of 0 proves nothing."""
        return self.sql(views.OFFSETS)

    def sensitivity(self) -> pd.DataFrame:
        """What another tolerance would change: jobs and lines that agree at 0.00, 0.01, 0.05, 1.00, 0.1 % and 1 %."""
        return self.sql(views.SENSITIVITY)

    def roll_forward(self, since: int | None = None, until: int | None = None, *, items: bool = False) -> pd.DataFrame:
        """The statement between two syncs: before + new − cleared + changed = now; `unexplained` must be 0.00.

        From sync `since` (the one kept before) to `until` (the newest). `items` gives each item that moved instead.
        Raises `NoSnapshot`.
        """
        with self._home.store.open_pair(since, until) as pair:
            table = rollforward.movements(pair) if items else rollforward.roll_forward(pair)
            frame = table.frame()
            for name, catalog in (("snapshot", "audit"), ("before", "before")):
                snapshot_id = pair.query(f"select snapshot_id from {catalog}.audit_run").scalar()
                frame.attrs[name] = str(snapshot_id)[:12]
        return frame

    def reconcile(self, by: str = "job") -> pd.DataFrame:
        """Cost against invoices by `job`, `vendor`, `month` or `type`, with the variance."""
        return self.sql(reconcile.view(by))

    # ── What was found ────────────────────────────────────────────────────────────────────────────────────────────────

    def findings(
        self,
        rule: str | None = None,
        *,
        severity: str | None = None,
        state: str | None = None,
        job: str | None = None,
        new: bool = False,
    ) -> pd.DataFrame:
        """What the rules say is wrong, most severe first; open and accepted, or those of one `state`, also `cleared`.

        `new` leaves what is new or re-opened since the sync before. Raises `RuleError` for a rule that is not there,
        `FindingError` for a severity or state that is none, `QuestionRefused` for a job.
        """
        if rule is not None:
            self._refuse_unknown(rule)
        filters = {"rule": rule, "severity": severity, "state": state, "job": job}
        asked = {name: value for name, value in filters.items() if value is not None}
        frame = self.sql(views.findings(asked, new=new), **asked)
        if job is not None and frame.empty:
            self.statement("job", job)  # refuses one that there is not: a slip is no clean job
        return frame

    def by_rule(self) -> pd.DataFrame:
        """Findings and money at risk for each rule, also for those that found nothing."""
        return self.sql(views.BY_RULE)

    def unbilled(self) -> pd.DataFrame:
        """Billable NRBs that no invoice carries, oldest money first by amount, with their age in days."""
        return self.sql(views.UNBILLED)

    def unexported(self) -> pd.DataFrame:
        """NRBs that were not exported to the ledger."""
        return self.sql(views.UNEXPORTED)

    def accrual(self, by: str = "month", period: str | None = None) -> pd.DataFrame:
        """Unbilled and unexported cost, with and without mark-up, by `job`, `month`, `vendor`, `type` or `person`.

        `period`, a month as YYYY-MM, leaves out what is dated after it. Raises `QuestionRefused`.
        """
        return self._asked(accrual.accrual(by, period))

    def period_end(self, period: str | None = None) -> datetime.date:
        """The last day of a month (YYYY-MM); without one, of the quarter that ended before the day of this audit."""
        return accrual.period_end(period, self.about["as_of"])

    def explain(self, fingerprint: str) -> Explanation:
        """The rule, its SQL, the row, the links and how they were made, and what the vendor sent, behind a finding.

        The first six digits of the fingerprint or more. Raises `FindingError`.
        """
        return explain(self.snapshot, acceptance.named(self.snapshot, fingerprint))

    # ── Analyses of any table, with the meaning auditors know ───────────────────────────────────────────────────────

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
        """Records that agree in `same`, nearly in `near`, and not all in `different`; NULL equals nothing.

        Near: equal without punctuation, case and leading zeros, or one edit apart. `days` apart by the column `date` at
        most; `min_amount` of the column `amount` at least. `table` is a table's name or a SELECT, here and below.
        Raises `QuestionRefused`, as all of these.
        """
        return self._asked(
            twice.duplicates(
                self.snapshot,
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
        """Records by size: count and total of each band, of what is below, above and NULL; the whole last."""
        return self._asked(analysis.stratify(self.snapshot, column, bands=bands, amount=amount, table=table))

    def age(
        self,
        date: str = "accounting_date",
        amount: str = "total",
        *,
        as_of: datetime.date | str | None = None,
        buckets: Sequence[int] = (30, 60, 90, 120),
        table: str = "nrb_status",
    ) -> pd.DataFrame:
        """Records by days since a date: 0-30, 31-60 …, future and no date apart; the whole last."""
        return self._asked(analysis.age(self.snapshot, date, amount, as_of=as_of, buckets=buckets, table=table))

    def gaps(self, column: str = "number", *, prefix: str | None = None, table: str = "invoice") -> pd.DataFrame:
        """Missing numbers of each series, as ranges with the neighbours on both sides."""
        return self._asked(analysis.gaps(self.snapshot, column, prefix=prefix, table=table))

    def summarize(
        self, by: str | Iterable[str], amount: str | Iterable[str] = "total", *, table: str = "nrb_status"
    ) -> pd.DataFrame:
        """Count, sum, least and greatest of each key, NULL being one; the last row is the whole (`level` = total)."""
        return self._asked(analysis.summarize(self.snapshot, by, amount, table=table))

    def crosstab(
        self, rows: str | Iterable[str], columns: str, amount: str | None = None, *, table: str = "nrb_status"
    ) -> pd.DataFrame:
        """Totals of `amount` (or counts) of rows × columns, with totals of both; at most 200 columns."""
        return self._asked(analysis.crosstab(self.snapshot, rows, columns, amount, table=table))

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
        return self._asked(analysis.cutoff(self.snapshot, day, date=date, recorded=recorded, days=days, table=table))

    def _asked(self, question: Question) -> pd.DataFrame:
        return self.sql(question.sql, **question.values)

    # ── Where it comes from ───────────────────────────────────────────────────────────────────────────────────────────

    def completeness(self) -> pd.DataFrame:
        """Control totals of the newest sync, per vendor: records listed, not typed, and the sum of their money."""
        return self.sql(views.COMPLETENESS)

    def proof(self) -> list[str]:
        """Why the newest sync is COMPLETE, or is not, in four lines: label, Aimsio, JobNimbus, calls."""
        return proof(self.snapshot.query(views.SYNC_RUN).records()[0])

    def changes(self, since: int | None = None) -> pd.DataFrame:
        """What appeared, changed (field by field, as JSON) and vanished between a sync and the newest one.

        `since` is a `sync_run.sync_id`; without it, the sync before the newest. Raises `NoSnapshot` for a sync that is
        not there.
        """
        known = [sync_id for (sync_id, *_) in self.snapshot.query(history.SYNCS).rows]
        wanted = known[-2 if len(known) > 1 else -1] if since is None else since
        if wanted not in known:
            raise NoSnapshot(f"there is no sync {wanted}; there are {known[0]} to {known[-1]}")
        return self.sql(history.CHANGES, since=wanted)

    def tables(self) -> pd.DataFrame:
        """Every public table of the snapshot, and what one of its rows is."""
        return self.sql(views.TABLES)

    def describe(self, table: str) -> pd.DataFrame:
        """The columns of a table: name, type, what it holds. Raises `QuestionRefused` for one that is not there."""
        columns = self.sql(views.COLUMNS, name=table)
        if columns.empty:
            raise QuestionRefused(f"there is no table {table!r}; {_near(table, list(self.tables()['name']))}")
        return columns

    def sql(self, query: str, *values: Any, **named: Any) -> pd.DataFrame:  # noqa: ANN401  any value DuckDB takes
        """Ask the snapshot anything, read-only, with `?` or `$name` for values. Raises `QueryFailed` with the SQL.

        One statement: DuckDB would run several, but show only what the last one gave. It is noted in `sql_log`.
        """
        return self.ask(query, list(values) if values else named)

    def ask(
        self,
        query: str,
        values: list[Any] | dict[str, Any] | None = None,
        frames: Mapping[str, pd.DataFrame] | None = None,
    ) -> pd.DataFrame:
        """As `sql`, of the snapshot's tables and of DataFrames under the names given (what `%%sql` calls)."""
        with statement_error(query):
            statements = self.snapshot.connection.extract_statements(query)
        if not statements:
            raise QueryFailed("the SQL failed: there is no statement in it", query)
        if len(statements) > 1:
            raise QueryFailed(
                f"the SQL failed: expected one statement, found {len(statements)}; ask them one by one", query
            )
        frame = self.snapshot.query(query, values, frames).frame()
        frame.attrs["values"] = values or {}
        frame.attrs["snapshot"] = self.snapshot_id
        self._log.note(frame, tuple(frames or ()))
        return frame

    @property
    def sql_log(self) -> pd.DataFrame:
        """Every question of this session: number, snapshot, rows, SHA-256 of their CSV, SQL and values."""
        return self._log.frame()

    def export_sql_log(self, path: Path | str) -> Path:
        """Write the SQL log as a Python script that asks everything again; its path. Raises `StoreError`.

        A file that is there and is no such script is not replaced.
        """
        return self._log.write(Path(path))

    @property
    def snapshot(self) -> Snapshot:
        """The newest snapshot when it was first needed; `sync()` and `run()` move on to their own."""
        if self._snapshot is None:
            opened = self._home.store.open()
            try:
                refuse_other_schema(opened)
            except StoreError:
                opened.close()
                raise
            self._snapshot = opened
        return self._snapshot

    @property
    def about(self) -> Mapping[str, Any]:
        """The snapshot's id, sync, day, verdict, environment, account and completeness."""
        return self.snapshot.query(views.RUN).records()[0]

    @property
    def snapshot_id(self) -> str:
        """The first twelve digits of the snapshot's id."""
        return str(self.about["snapshot_id"])[:12]

    @property
    def warnings(self) -> list[str]:
        """What to know before any finding, in sentences; mostly none. Overridden limits come first."""
        overridden = [
            f"{row['who']} overrode the limits of plan {row['plan']} ({row['lifted']}): {row['reason']}"
            for row in self.snapshot.query(views.OVERRIDES).records()
        ]
        return overridden + list(json.loads(self.about["warnings"]))

    @property
    def journal_head(self) -> str:
        """How many records the journal held when this snapshot was audited, and the hash of the last."""
        (found,) = self.snapshot.query(views.JOURNAL_HEAD).records()
        return f"{found['records']:,} records, the last is {found['head']}"

    @property
    def title(self) -> str:
        """What every page says of its figures: demo or account, day, snapshot, completeness, verdict."""
        about = self.about
        whose = "DEMO DATA" if self.is_demo else f"{about['account']} at {about['environment']}"
        incomplete = f" ({about['reason']})" if about["reason"] else ""
        return (
            f"{whose} · as of {about['as_of']} · snapshot {self.snapshot_id} · read {about['status']}{incomplete}"
            f" · verdict: {about['verdict']}"
        )

    @property
    def is_demo(self) -> bool:
        """Whether the figures are the sandbox's: then every page says DEMO DATA."""
        return bool(self.about["environment"] == DEMO)

    def _refuse_unknown(self, rule: str, what: str = "rule", offered: Sequence[str] = ()) -> None:
        """Raise `RuleError` for a rule that there is not; `offered` are the names to tell instead of every rule's."""
        rules = [row["rule_id"] for row in self.snapshot.query(views.BY_RULE).records()]
        if rule not in rules:
            raise RuleError(f"no {what} is called {rule!r}; {_near(rule, list(offered) or rules)}")

    def _reopen(self) -> None:
        if self._snapshot:
            self._snapshot.close()
        self._snapshot = None


def _near(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
