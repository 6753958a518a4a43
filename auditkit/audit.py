"""Audit: the one object that a notebook or a command holds.

It delegates and holds no logic of its own: what can be asked is in `inquiry.py`, corrections are in `correcting.py`,
what it stands on is in `home.py`. With no credentials in the settings it works on the embedded sandbox, in a home of
its own.
"""

import contextlib
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from auditkit.apis.aimsio import AimsioClient
from auditkit.apis.jobnimbus import JobNimbusClient
from auditkit.checks import acceptance, papers, views
from auditkit.checks.rules import Rule
from auditkit.checks.run import run, usable_rules
from auditkit.checks.selftest import selftest
from auditkit.config import Settings
from auditkit.correcting import Correcting
from auditkit.errors import PlanError, QuestionRefused
from auditkit.journal import Journal
from auditkit.reports.facts import Facts, described
from auditkit.sandbox import demo
from auditkit.store.schema import rebuild_schema, rebuild_typed
from auditkit.store.tables import Table
from auditkit.sync.run import Vendors, sync

__all__ = ["Audit", "open_audit"]


class Audit(Correcting):
    """One account's audit: what can be asked (`Inquiry`), corrected (`Correcting`), and reading and deciding.

    Make it with `auditkit.open()`; close it, or use it as a context manager.
    """

    # ── Reading both vendors, and auditing what was read ────────────────────────────────────────────────────────────

    def sync(self, *, offline: bool = False, accept_shrink: bool = False) -> pd.DataFrame:
        """Read both vendors into a new snapshot, audit it, publish it. Returns `completeness()`.

        `offline` rebuilds the snapshot from the cache, without a call; history is absent then. `accept_shrink` says
        that a list which is empty, or much shorter than before, is right.
        """
        parameters = self._home.parameters()
        usable_rules(parameters)  # a slip in a rule file shows before the vendors are read, not after
        with (
            self._home.vendors(offline=offline) as (aimsio, jobnimbus),
            self._home.draft(keep_previous=True, is_new=offline) as draft,
        ):
            vendors = Vendors(aimsio, jobnimbus, offline)
            sync(draft, self._home.pointed(), vendors, accept_shrink=accept_shrink)
            run(draft, parameters, self._home.decisions())  # also those made while the vendors were read
        self._reopen()
        return self.completeness()

    def run(self) -> pd.DataFrame:
        """Audit the newest sync again, e.g. with other parameters or rules; no vendor is asked. Returns `by_rule()`."""
        self._reopen()
        self._home.store.open().close()  # there is one
        with self._home.draft(keep_previous=False) as draft:
            rebuild_schema(draft)
            sync_id = draft.query("select max(sync_id) from sync_run").scalar()
            rebuild_typed(draft, sync_id=sync_id, zone=self._home.parameters().time_zone)
            run(draft, self._home.parameters(), self._home.decisions())
        self._reopen()
        return self.by_rule()

    def prepare(self, *, refresh: bool = False) -> None:
        """What a notebook begins with: something to look at, audited as the settings ask.

        The vendors are read if `refresh`, or where nothing was read yet. A snapshot that was audited from another day,
        or with another tolerance, than this audit was opened with is audited again; no vendor is asked for that.
        """
        if refresh or not self._home.store.path.is_file():
            self.sync()
            return
        wanted = {"as_of": self.settings.as_of, "tolerance": self.settings.tolerance}
        held = self.snapshot.query(views.PARAMETERS).records()[0]
        if any(name in self.settings.model_fields_set and held[name] != value for name, value in wanted.items()):
            self.run()

    # ── Accepting, and looking at the rules themselves ────────────────────────────────────────────────────────────────

    def accept(
        self, fingerprints: str | Sequence[str], note: str, *, until: date | str | None = None, who: str | None = None
    ) -> pd.DataFrame:
        """Accept findings: they may stand, `note` says why, until the end of a day; then audit again.

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
        """Take acceptances back, then audit again: their findings are open. Raises `FindingError`."""
        chosen = [fingerprints] if isinstance(fingerprints, str) else fingerprints
        person = self._home.identity if who is None else who
        with self._home.store.writer():
            acceptance.withdraw(self.snapshot, self.journal, chosen, note=note, who=person)
        self.run()

    def selftest(self) -> pd.DataFrame:
        """Plant one fault for each rule in a copy of the snapshot: does the rule fire on exactly it? One row a rule.

        Nothing of the home changes. `passed` is None for rules of your own, which have no plant.
        """
        outcomes = selftest(self._home.store, self._home.parameters(), self._home.decisions())
        frame = pd.DataFrame([vars(outcome) for outcome in outcomes])
        frame.attrs["snapshot"] = self.snapshot_id
        return frame

    # ── Decisions on pairs ──────────────────────────────────────────────────────────────────────────────────────────

    @property
    def journal(self) -> Journal:
        """What people decided and what was written."""
        return self._home.journal

    def link(self, nrb_guid: str, jnid: str, position: int, note: str) -> None:
        """Say that a line carries an NRB (rung 0 of the ladder). Journalled; it counts from the next `run()` on."""
        self._decide("link", nrb_guid, jnid, position, note)

    def forbid(self, nrb_guid: str, jnid: str, position: int | None, note: str) -> None:
        """Say that a line, or with position None a whole invoice, does not carry an NRB. As `link`."""
        self._decide("forbid", nrb_guid, jnid, position, note)

    def unlink(self, nrb_guid: str, jnid: str, position: int, note: str) -> None:
        """Take back `link`: the ladder decides again."""
        self._decide("unlink", nrb_guid, jnid, position, note)

    def unforbid(self, nrb_guid: str, jnid: str, position: int | None, note: str) -> None:
        """Take back `forbid`: the ladder decides again."""
        self._decide("unforbid", nrb_guid, jnid, position, note)

    def _decide(self, kind: str, nrb_guid: str, jnid: str, position: int | None, note: str) -> None:
        line = self.snapshot.query(views.LINE, {"guid": nrb_guid, "jnid": jnid, "position": position}).records()
        if not line:
            raise PlanError(f"{jnid}/{position}: no such line or NRB {nrb_guid} in the snapshot; look at invoice_item")
        self.journal.append(kind, {**line[0], "note": note, "who": self._home.identity})

    # ── Handing it on ───────────────────────────────────────────────────────────────────────────────────────────────

    def report(self, notebook: str = "01_month_end", *, period: str | None = None, since: int | None = None) -> Path:
        """Run a notebook on this snapshot into one HTML file that opens offline; its path below the home's `reports/`.

        `period` (YYYY-MM) is handed to the notebook; `since` adds the roll-forward from a sync that was kept. The same
        snapshot and journal give the same bytes. Needs the extra `notebooks`. Raises `AuditkitError`.
        """
        from auditkit.reports.page import Front  # noqa: PLC0415  Jupyter's packages are an extra, and slow to import
        from auditkit.reports.publish import publish  # noqa: PLC0415  as above

        if period is not None:
            self._refuse_empty(period)
        moved = {}
        if since is not None:
            moved = {
                f"Roll-forward since sync {since}": self.roll_forward(since),
                f"What moved since sync {since}": self.roll_forward(since, items=True),
            }
        facts = self._facts()
        lines = {**({"Month under audit": period} if period else {}), **described(self.snapshot, facts)}
        front = Front(facts, lines, moved)
        return publish(self.settings, notebook, front=front, parameters={"period": period} if period else {})

    def _refuse_empty(self, period: str) -> None:
        """Raise `QuestionRefused` for what is no month, and for one outside of all that is dated."""
        self.period_end(period)
        months = sorted(day.isoformat()[:7] for day in self.snapshot.query(papers.PERIOD).rows[0] if day is not None)
        if months and not months[0] <= period <= months[-1]:
            raise QuestionRefused(f"nothing is dated in {period}; there is {months[0]} to {months[-1]}")

    def workpaper(self, path: Path | str | None = None) -> Path:
        """Write the Excel working paper of this snapshot; its path, by default below the home's `reports/`.

        The same snapshot gives the same bytes. A file that is there and differs is not replaced: it may be signed.
        Raises `AuditkitError`.
        """
        from auditkit.reports.workpaper import workpaper  # noqa: PLC0415  xlsxwriter is slow to import

        name = f"workpaper-{self.about['as_of']}-sync-{self.about['sync_id']}-{self.snapshot_id}.xlsx"
        return workpaper(self.snapshot, Path(path or self.settings.folder / "reports" / name), self._facts())

    def spreadsheet(self, frame: pd.DataFrame, path: Path | str) -> Path:
        """Write one table as an Excel file: real numbers, filters, its SQL, and no text that acts. As `workpaper`."""
        from auditkit.reports.workpaper import spreadsheet  # noqa: PLC0415  xlsxwriter is slow to import

        rows = list(frame.astype(object).itertuples(index=False, name=None))
        table = Table(tuple(map(str, frame.columns)), rows, frame.attrs.get("sql", ""))
        return spreadsheet(table, Path(path), self._facts(), self.about["finished_at"])

    def _facts(self) -> Facts:
        return Facts(self.title, self.proof(), self.warnings, self.journal_head, self.is_demo)

    # ── What it stands on ───────────────────────────────────────────────────────────────────────────────────────────

    @contextlib.contextmanager
    def vendors(self, *, offline: bool = False) -> Iterator[tuple[AimsioClient, JobNimbusClient]]:
        """Both vendors' clients; on the demo its sandbox is started first. `offline` ones have the cache alone."""
        with self._home.vendors(offline=offline) as clients:
            yield clients

    @property
    def today(self) -> date:
        """The calendar day in the account's time zone; on the demo its last day."""
        return self._home.today

    def rules(self) -> list[Rule]:
        """Every rule that an audit would run: ours, and yours below the home; each with thresholds that fit it.

        Raises `RuleError` or `SettingsError`.
        """
        return usable_rules(self._home.parameters())


def open_audit(
    *,
    as_of: date | str | None = None,
    tolerance: Decimal | str | None = None,
    is_demo: bool = False,
    practice: bool = False,
    vendor_rate: bool = False,
) -> Audit:
    """The audit of the account in the settings; of the demo where they name none, or with `is_demo`.

    `practice` opens a demo of its own, in a folder that goes when it is closed: nothing that is done there is left.
    `as_of` and `tolerance` override the settings. Raises `SettingsError`.
    """
    settings = Settings.load(demo=is_demo or practice)
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
