"""Audit: the one object that a notebook or a command holds.

It composes the services of one account and has no logic of its own. What people ask every day is a method here; the
rest is one step further:

    audit.sql           ask the snapshot in SQL, and the log of what was asked    (analysis/ask.py)
    audit.analyze       duplicates, strata, ages, gaps … of any table             (analysis/analyze.py)
    audit.corrections   plan, preview, approve, apply, undo                       (corrections/service.py)
    audit.links         say which line carries an NRB, and which does not         (checks/link_decisions.py)

With no credentials in the settings it works on the embedded sandbox, in a home of its own.
"""

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import pandas as pd

from auditkit.analysis import accrual, rollforward
from auditkit.analysis.analyze import Analyze
from auditkit.analysis.ask import Ask
from auditkit.analysis.explain import Explanation, explain
from auditkit.checks import acceptance, reconcile
from auditkit.checks.finding_filters import finding_filters
from auditkit.checks.link_decisions import LinkDecisions
from auditkit.checks.rules import Rule, refuse_unknown_rule
from auditkit.checks.run import run, usable_rules
from auditkit.checks.selftest import selftest
from auditkit.corrections.service import Corrections
from auditkit.errors import NoSnapshot, QuestionRefused
from auditkit.home import Home
from auditkit.journal import Journal
from auditkit.papers.facts import Facts, ReportHeader, cover_lines
from auditkit.periods.as_of import AsOf, as_of
from auditkit.progress import notice
from auditkit.sandbox import demo
from auditkit.settings import AccountKey, Settings, keyring_note
from auditkit.sql import read
from auditkit.sync.proof import proof
from auditkit.sync.run import Options, connect, sync
from auditkit.sync.source import Source
from auditkit.values import did_you_mean
from auditkit.warehouse.answer import Answer, provenance_of
from auditkit.warehouse.schema import rebuild
from auditkit.warehouse.snapshots import Snapshot
from auditkit.warehouse.tables import Table

__all__ = ["Audit", "open_audit"]


class Audit:
    """One account's audit. Make it with `auditkit.open()`; close it, or use it as a context manager.

    Every table is a DataFrame whose money is Decimal; `frame.attrs` holds the snapshot, the SQL and its values.
    A `temporary` home is deleted with the audit.
    """

    def __init__(
        self, settings: Settings, vendor_rate: bool = False, temporary: TemporaryDirectory[str] | None = None
    ) -> None:
        self.settings = settings
        self._temporary = temporary
        self._home = Home(settings, vendor_rate)
        self.sql = Ask(lambda: self._home.snapshot)
        self.analyze = Analyze(self.sql)
        self.corrections = Corrections(self._home)
        self.links = LinkDecisions(self._home.journal, self._home.identity, lambda: self._home.snapshot)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the snapshot and end the demo's sandbox."""
        self._home.close()
        if self._temporary:
            self._temporary.cleanup()

    # ── Reading both vendors, and auditing what was read ────────────────────────────────────────────────────────────

    def sync(self, *, offline: bool = False, accept_shrink: bool = False, full: bool = False) -> pd.DataFrame:
        """Read both vendors into a new snapshot, audit it, publish it. Returns `completeness()`.

        `offline` rebuilds the snapshot from the cache, without a call; history is absent then. `accept_shrink`
        confirms that a list which is empty, or much shorter than before, is right. `full` reads every record again.
        """
        parameters = self._home.parameters()
        usable_rules(parameters)  # a mistake in a rule file shows before the vendors are read, not after
        with (
            self.sources(offline=offline) as sources,
            self._home.draft(keep_previous=True, is_new=offline) as draft,
        ):
            sync(draft, self._home.connected(), sources, Options(offline, accept_shrink, full))
            run(draft, parameters, self._home.decisions())  # also those made while the vendors were read
        for source in sources:
            source.published()
        self._home.release()
        return self.completeness()

    def run(self) -> pd.DataFrame:
        """Audit the newest sync again, e.g. with other parameters or rules; no vendor is asked. Returns `by_rule()`."""
        self._home.release()
        self._home.store.require_snapshot()
        with self._home.draft(keep_previous=False) as draft:
            rebuild(draft, self._home.parameters().time_zone)
            run(draft, self._home.parameters(), self._home.decisions())
        self._home.release()
        return self.by_rule()

    def prepare(self, *, refresh: bool = False) -> None:
        """What a notebook begins with: something to look at, audited as the settings ask.

        The vendors are read if `refresh`, or if nothing was read yet. A snapshot that was audited from another day, or
        with another tolerance, than this audit was opened with is audited again; no vendor is asked for that.
        """
        if refresh or not self._home.store.path.is_file():
            self.sync()
            return
        wanted = {"as_of": self.settings.as_of, "tolerance": self.settings.tolerance}
        held = self.snapshot.query(read("queries/parameters")).records()[0]
        if any(name in self.settings.model_fields_set and held[name] != value for name, value in wanted.items()):
            self.run()

    def completeness(self) -> pd.DataFrame:
        """Control totals of the newest sync, per vendor: records listed, not typed, and the sum of their money."""
        return self.sql(read("queries/completeness"))

    def proof(self) -> list[str]:
        """Why the newest sync is COMPLETE, or is not: the label, a line for each vendor, and the calls."""
        run = self.snapshot.query(read("queries/last_sync")).records()[0]
        return proof(run, self.snapshot.query(read("queries/last_sync_sources")).records())

    def changes(self, since: int | None = None) -> pd.DataFrame:
        """What appeared, changed (field by field, as JSON) and vanished between a sync and the newest one.

        `since` is a `sync_run.sync_id`; without it, the sync before the newest. Raises `NoSnapshot` for an unknown one.
        """
        known = [sync_id for (sync_id, *_) in self.snapshot.query(read("queries/syncs")).rows]
        wanted = known[-2 if len(known) > 1 else -1] if since is None else since
        if wanted not in known:
            raise NoSnapshot(f"there is no sync {wanted}; there are {known[0]} to {known[-1]}")
        return self.sql(read("queries/changes"), since=wanted)

    # ── The statement ─────────────────────────────────────────────────────────────────────────────────────────────────

    def statement(self, by: str = "all", key: str | None = None) -> pd.DataFrame:
        """The bridge from cost booked to invoice total: code, label, amount (signed), gross, items, is_subtotal.

        The last row is the unreconciled difference, which must be 0.00; subtotals repeat other rows.
        For everything, or by `job`, `month`, `vendor` or `type`: of one `key` (a job's number, a month as YYYY-MM, …),
        or of each, with a column `key`. By vendor and type it ends at the billed cost.
        """
        query, values = reconcile.statement(by, key)
        frame = self.sql(query, **values)
        if key is not None and frame.empty:
            keys = [str(each) for each in self.statement(by)["key"].dropna().unique()]
            raise QuestionRefused(f"the statement has no {by} {key!r}; {did_you_mean(key, keys, most=5)}")
        return frame

    def reconcile(self, by: str = "job") -> pd.DataFrame:
        """Cost against invoices by `job`, `vendor`, `month` or `type`, with the variance."""
        return self.sql(reconcile.view(by))

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

    # ── Findings ────────────────────────────────────────────────────────────────────────────────────────────────────

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

        `new` keeps what is new or re-opened since the sync before. Raises `RuleError` for an unknown rule,
        `FindingError` for an unknown severity or state, `QuestionRefused` for an unknown job.
        """
        if rule is not None:
            refuse_unknown_rule(self.snapshot, rule)
        filters = finding_filters(rule=rule, severity=severity, state=state, job=job, new=new)
        frame = self.sql(read("queries/findings"), **filters)
        if job is not None and frame.empty:
            self.statement("job", job)  # refuses an unknown job: a typo is no clean job
        return frame

    def by_rule(self) -> pd.DataFrame:
        """Findings and money at risk for each rule, also for those that found nothing."""
        return self.sql(read("queries/by_rule"))

    def exposure(self, *, items: bool = False) -> pd.DataFrame:
        """What the exceptions cost, each cost and invoice once per side, by cause; or each of the `items`.

        Side `charge` is billable cost that is not billed: the statement's subtotal unbilled. The other sides are other
        money: too much charged, the ledger, invoices. Never add sides. `standing`: open, accepted, not yet due, or
        below threshold.
        """
        return self.sql(read("queries/exposure_items" if items else "queries/exposure"))

    def unbilled(self) -> pd.DataFrame:
        """Billable cost that was never invoiced, largest first, with its age in days."""
        return self.sql(read("queries/unbilled"))

    def unexported(self) -> pd.DataFrame:
        """NRBs that were not exported to the ledger, largest first."""
        return self.sql(read("queries/unexported"))

    def at(self, period: str, *, known: int | None = None) -> AsOf:
        """The books at the end of a month, YYYY-MM: what was billed by that day, and what was not.

        `known` is a kept read (`sync_run.sync_id`) whose records are to be used; without it the first complete read in
        the 10 days after that month, else today's records by the dates of their documents. `basis` says which.
        Raises `QuestionRefused` or `NoSnapshot`.
        """
        home = self._home
        return as_of(home.store, period, home.parameters(), home.decisions(), known=known)

    def accrual(self, by: str = "month", period: str | None = None) -> pd.DataFrame:
        """Cost not billed and not exported, with and without markup, by `job`, `month`, `vendor`, `type` or `person`.

        With `period`, a month as YYYY-MM: what was not billed at its end, and what was dated by then and is still not
        exported. Raises `QuestionRefused`.
        """
        return self.sql.question(accrual.accrual(by, period))

    def explain(self, fingerprint: str) -> Explanation:
        """The rule, its SQL, the row, the links and how they were made, and what the vendor sent, behind a finding.

        The first six digits of the fingerprint or more. Raises `FindingError`.
        """
        return explain(self.snapshot, acceptance.named(self.snapshot, fingerprint))

    def accept(
        self, fingerprints: str | Sequence[str], note: str, *, until: date | str | None = None, who: str | None = None
    ) -> pd.DataFrame:
        """Accept findings, with a `note` that says why, until the end of a day; then audit again.

        A fingerprint may be its first six digits or more. Returns the findings. Each is open again by itself after
        `until`, or once its money at risk grows or the evidence that counts changes. Raises `FindingError`.
        """
        with self._home.store.writer():  # nothing is journalled that could not count at once
            accepted = acceptance.accept(
                self.snapshot,
                self.journal,
                [fingerprints] if isinstance(fingerprints, str) else fingerprints,
                note=note,
                who=self._home.identity if who is None else who,
                until=acceptance.day(until),
                today=self._home.parameters().as_of,
                snapshot_id=self.about["snapshot_id"],
            )
        self.run()
        found = self.findings()
        return found[found["fingerprint"].isin(accepted)].reset_index(drop=True)

    def unaccept(self, fingerprints: str | Sequence[str], note: str, *, who: str | None = None) -> None:
        """Withdraw acceptances, then audit again: their findings are open. Raises `FindingError`."""
        chosen = [fingerprints] if isinstance(fingerprints, str) else fingerprints
        person = self._home.identity if who is None else who
        with self._home.store.writer():
            acceptance.withdraw(self.snapshot, self.journal, chosen, note=note, who=person)
        self.run()

    def rules(self) -> list[Rule]:
        """Every rule that an audit would run: ours, and yours in the home; each with thresholds that fit it.

        Raises `RuleError` or `SettingsError`.
        """
        return usable_rules(self._home.parameters())

    def selftest(self) -> pd.DataFrame:
        """Plant one fault for each rule in a copy of the snapshot: does the rule fire on exactly it? One row per rule.

        Nothing in the home changes. `passed` is None for rules of your own, which have no planted fault.
        """
        outcomes = selftest(self._home.store, self._home.parameters(), self._home.decisions())
        rows = [list(vars(outcome).values()) for outcome in outcomes]
        return Answer(rows, vars(outcomes[0]), snapshot=self.snapshot_id)

    # ── Reports and workpapers ─────────────────────────────────────────────────────────────────────────────────────

    def report(self, notebook: str = "01_month_end", *, period: str | None = None, since: int | None = None) -> Path:
        """Run a notebook on this snapshot into one HTML file that opens offline; its path in the home's `reports/`.

        `period` (YYYY-MM) is handed to the notebook; `since` adds the roll-forward from a sync that was kept. The same
        snapshot and journal give the same bytes. Needs the extra `notebooks`. Raises `AuditkitError`.
        """
        from auditkit.papers.report import publish  # noqa: PLC0415  Jupyter's packages are an extra, and slow to import

        if period is not None:
            self._refuse_empty_month(period)
        moved = {}
        if since is not None:
            moved = {
                f"Roll-forward since sync {since}": self.roll_forward(since),
                f"What moved since sync {since}": self.roll_forward(since, items=True),
            }
        facts = self._facts()
        lines = {**({"Month under audit": period} if period else {}), **cover_lines(self.snapshot, facts)}
        front = ReportHeader(facts, lines, moved)
        return publish(self.settings, notebook, front=front, parameters={"period": period} if period else {})

    def _refuse_empty_month(self, period: str) -> None:
        """Raise `QuestionRefused` for what is not a month, and for a month outside the data's dates."""
        self.analyze.period_end(period)
        dates = self.snapshot.query(read("queries/workpaper/period")).rows[0]
        months = sorted(day.isoformat()[:7] for day in dates if day is not None)
        if months and not months[0] <= period <= months[-1]:
            raise QuestionRefused(f"nothing is dated in {period}; there is {months[0]} to {months[-1]}")

    def workpaper(self, path: Path | str | None = None) -> Path:
        """Write the Excel workpaper of this snapshot; its path, by default in the home's `reports/`.

        The same snapshot gives the same bytes. An existing file that differs is not replaced: it may be signed.
        Raises `AuditkitError`.
        """
        from auditkit.papers.workpaper import workpaper  # noqa: PLC0415  xlsxwriter is slow to import

        name = f"workpaper-{self.about['as_of']}-sync-{self.about['sync_id']}-{self.snapshot_id}.xlsx"
        return workpaper(self.snapshot, Path(path or self.settings.folder / "reports" / name), self._facts())

    def to_excel(self, frame: pd.DataFrame, path: Path | str) -> Path:
        """Write one table as an Excel file: real numbers, filters, its SQL, and no text that acts. As `workpaper`."""
        from auditkit.papers.workpaper import spreadsheet  # noqa: PLC0415  xlsxwriter is slow to import

        rows = list(frame.astype(object).itertuples(index=False, name=None))
        table = Table(tuple(map(str, frame.columns)), rows, provenance_of(frame).get("sql", ""))
        return spreadsheet(table, Path(path), self._facts(), self.about["finished_at"])

    def _facts(self) -> Facts:
        return Facts(self.title, self.proof(), self.warnings, self.journal_head, self.is_demo)

    # ── What figures are based on ─────────────────────────────────────────────────────────────────────────────────────

    @property
    def snapshot(self) -> Snapshot:
        """The newest snapshot when it was first needed; `sync()` and `run()` move on to their own."""
        return self._home.snapshot

    @property
    def snapshot_id(self) -> str:
        """The first twelve digits of the snapshot's id."""
        return self.snapshot.short_id

    @property
    def about(self) -> Mapping[str, Any]:
        """The snapshot's id, sync, day, verdict, environment, account and completeness."""
        return self.snapshot.query(read("queries/about")).records()[0]

    @property
    def title(self) -> str:
        """What every page says of its figures: demo or account, day, snapshot, completeness, verdict."""
        about = self.about
        whose = AccountKey(about["environment"], about["account"])
        incomplete = f" ({about['reason']})" if about["reason"] else ""
        return (
            f"{whose} · as of {about['as_of']} · snapshot {self.snapshot_id} · read {about['status']}{incomplete}"
            f" · verdict: {about['verdict']}"
        )

    @property
    def warnings(self) -> list[str]:
        """What to know before any finding, in sentences; mostly none. Overridden limits come first."""
        overridden = [
            f"{row['who']} overrode the limits of plan {row['plan']} ({row['lifted']}): {row['reason']}"
            for row in self.snapshot.query(read("queries/overrides")).records()
        ]
        return overridden + list(json.loads(self.about["warnings"]))

    @property
    def is_demo(self) -> bool:
        """Whether the figures are the sandbox's: then every page says DEMO DATA."""
        return self._home.is_demo

    @property
    def today(self) -> date:
        """The calendar day in the account's time zone; on the demo its last day."""
        return self._home.today

    @property
    def journal(self) -> Journal:
        """What people decided and what was written."""
        return self._home.journal

    @property
    def journal_head(self) -> str:
        """How many records the journal held when this snapshot was audited, and the hash of the last."""
        (found,) = self.snapshot.query(read("queries/journal_head")).records()
        return f"{found['records']:,} records, the last is {found['head']}"

    @contextlib.contextmanager
    def sources(self, *, offline: bool = False) -> Iterator[list[Source]]:
        """What a sync reads; on the demo its sandbox is started first. `offline` ones have the cache alone."""
        self._home.store.make_folders()
        with connect(self._home.connected(), offline=offline) as sources:
            yield sources


def open_audit(
    *,
    as_of: date | str | None = None,
    tolerance: Decimal | str | None = None,
    is_demo: bool = False,
    practice: bool = False,
    vendor_rate: bool = False,
) -> Audit:
    """The audit of the account in the settings; of the demo where they name none, or with `is_demo`.

    `practice` opens a demo of its own, in a folder that is deleted when it is closed. `as_of` and `tolerance` override
    the settings. Raises `SettingsError`.
    """
    settings = Settings.load(demo=is_demo or practice)
    if not settings.is_demo and (note := keyring_note()):
        notice(note)
    changes: dict[str, Any] = {}
    if settings.is_demo:
        changes = {"as_of": settings.as_of or demo.AS_OF, "timezone": settings.timezone or demo.TIMEZONE}
    if as_of is not None:
        changes["as_of"] = as_of
    if tolerance is not None:
        changes["tolerance"] = tolerance
    if not practice:
        return Audit(settings.changed(**changes), vendor_rate=vendor_rate)
    folder = TemporaryDirectory(prefix="auditkit-practice-", ignore_cleanup_errors=True)
    return Audit(settings.changed(**changes, home=folder.name), vendor_rate, temporary=folder)
