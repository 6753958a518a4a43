"""Audit: the one object that a notebook or a command holds.

It opens the newest snapshot when it is needed and delegates: it holds no logic of its own. With no credentials in the
settings it works on the embedded sandbox, in a home of its own (`home.py`).
"""

import contextlib
import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

import pandas as pd

from auditkit.apis.aimsio import AimsioClient
from auditkit.apis.jobnimbus import JobNimbusClient
from auditkit.checks import acceptance, history, reconcile, views
from auditkit.checks.explain import Explanation, explain
from auditkit.checks.rules import Rule
from auditkit.checks.run import run, usable_rules
from auditkit.checks.selftest import selftest
from auditkit.config import DEMO, Settings
from auditkit.corrections import apply as applying
from auditkit.corrections import plan as planning
from auditkit.errors import NoSnapshot, PlanError, QueryFailed, RuleError
from auditkit.home import Home
from auditkit.journal import Journal
from auditkit.progress import progress
from auditkit.sandbox import demo
from auditkit.store.schema import rebuild_schema, rebuild_typed
from auditkit.store.snapshots import Snapshot
from auditkit.store.tables import statement_error
from auditkit.sync.proof import proof
from auditkit.sync.run import Vendors, sync

__all__ = ["Audit", "open_audit"]


@dataclass
class Audit:
    """One account's audit. Make it with `auditkit.open()`; close it, or use it as a context manager.

    Every table is a DataFrame whose money is Decimal; `frame.attrs` holds the snapshot, and the SQL with its values.
    """

    settings: Settings
    vendor_rate: bool = False
    _home: Home = field(init=False, repr=False)
    _snapshot: Snapshot | None = field(default=None, init=False, repr=False)

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

    # ── Reading both vendors, and auditing what was read ────────────────────────────────────────────────────────────

    def sync(self, *, offline: bool = False, accept_shrink: bool = False) -> pd.DataFrame:
        """Read both vendors into a new snapshot, audit it, publish it. Returns `completeness()`.

        `offline` rebuilds the snapshot from the cache, without a call; history is absent then. `accept_shrink` says
        that a list which is empty, or much shorter than before, is right.
        """
        parameters, decisions = self._home.parameters(), self._home.decisions()
        usable_rules(parameters)  # a slip in a rule file shows before the vendors are read, not after
        with (
            self._home.vendors(offline=offline) as (aimsio, jobnimbus),
            self._home.draft(keep_previous=True, is_new=offline) as draft,
        ):
            vendors = Vendors(aimsio, jobnimbus, offline)
            sync(draft, self._home.pointed(), vendors, accept_shrink=accept_shrink)
            run(draft, parameters, decisions)
        self._reopen()
        return self.completeness()

    def run(self) -> pd.DataFrame:
        """Audit the newest sync again, e.g. with other parameters or rules; no vendor is asked. Returns `by_rule()`."""
        self.snapshot.close()
        self._snapshot = None
        with self._home.draft(keep_previous=False) as draft:
            rebuild_schema(draft)
            sync_id = draft.query("select max(sync_id) from sync_run").scalar()
            rebuild_typed(draft, sync_id=sync_id, zone=self._home.parameters().time_zone)
            run(draft, self._home.parameters(), self._home.decisions())
        self._reopen()
        return self.by_rule()

    # ── What was found ──────────────────────────────────────────────────────────────────────────────────────────────

    def completeness(self) -> pd.DataFrame:
        """Control totals of the newest sync, per vendor: records listed, not typed, and the sum of their money."""
        return self.sql(views.COMPLETENESS)

    def proof(self) -> list[str]:
        """Why the newest sync is COMPLETE, or is not, in four lines: label, Aimsio, JobNimbus, calls."""
        return proof(self.snapshot.query(views.SYNC_RUN).records()[0])

    def statement(self) -> pd.DataFrame:
        """The bridge from NRB total to invoice total: label, amount (signed), gross, items; the residual is last."""
        return self.sql(views.STATEMENT)

    def reconcile(self, by: str = "job") -> pd.DataFrame:
        """Cost against invoices by `job`, `vendor` or `month`, with the variance."""
        return self.sql(reconcile.view(by))

    def unbilled(self) -> pd.DataFrame:
        """Billable NRBs that no invoice carries, oldest money first by amount, with their age in days."""
        return self.sql(views.UNBILLED)

    def unexported(self) -> pd.DataFrame:
        """NRBs that were not exported to the ledger."""
        return self.sql(views.UNEXPORTED)

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
        `FindingError` for a severity or state that is none.
        """
        if rule is not None:
            self._refuse_unknown(rule)
        filters = {"rule": rule, "severity": severity, "state": state, "job": job}
        asked = {name: value for name, value in filters.items() if value is not None}
        return self.sql(views.findings(asked, new=new), **asked)

    def accept(
        self, fingerprints: str | Sequence[str], note: str, *, until: date | str | None = None, who: str | None = None
    ) -> pd.DataFrame:
        """Accept findings: they may stand, `note` says why, until the end of a day; then audit again.

        A fingerprint may be its first six digits or more. Returns the findings. Each is open again by itself after
        `until`, or once its money at risk grows or the evidence that counts changes. Raises `FindingError`.
        """
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

    def explain(self, fingerprint: str) -> Explanation:
        """The rule, its SQL, the row, the links and how they were made, and what the vendor sent, behind a finding.

        The first six digits of the fingerprint or more. Raises `FindingError`.
        """
        return explain(self.snapshot, acceptance.named(self.snapshot, fingerprint))

    def unaccept(self, fingerprint: str, note: str, *, who: str | None = None) -> None:
        """Take an acceptance back, then audit again: its finding is open. Raises `FindingError`."""
        person = self._home.identity if who is None else who
        acceptance.withdraw(self.snapshot, self.journal, fingerprint, note=note, who=person)
        self.run()

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

    def selftest(self) -> pd.DataFrame:
        """Plant one fault for each rule in a copy of the snapshot: does the rule fire on exactly it? One row a rule.

        Nothing of the home changes. `passed` is None for rules of your own, which have no plant.
        """
        outcomes = selftest(self._home.store, self._home.parameters(), self._home.decisions())
        return pd.DataFrame([vars(outcome) for outcome in outcomes])

    def by_rule(self) -> pd.DataFrame:
        """Findings and money at risk for each rule, also for those that found nothing."""
        return self.sql(views.BY_RULE)

    def sql(self, query: str, *values: Any, **named: Any) -> pd.DataFrame:  # noqa: ANN401  any value DuckDB takes
        """Ask the snapshot anything, read-only, with `?` or `$name` for values. Raises `QueryFailed` with the SQL.

        One statement: DuckDB would run several, but show only what the last one gave.
        """
        with statement_error(query):
            statements = self.snapshot.connection.extract_statements(query)
        if len(statements) > 1:
            raise QueryFailed(
                f"the SQL failed: expected one statement, found {len(statements)}; ask them one by one", query
            )
        table = self.snapshot.query(query, list(values) if values else named)
        frame = table.frame()
        frame.attrs["values"] = list(values) if values else named
        frame.attrs["snapshot"] = self.snapshot_id
        return frame

    @property
    def snapshot(self) -> Snapshot:
        """The newest snapshot when it was first needed; `sync()` and `run()` move on to their own."""
        if self._snapshot is None:
            self._snapshot = self._home.store.open()
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
        """What to know before any finding, in sentences; mostly none."""
        return list(json.loads(self.about["warnings"]))

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

    # ── Corrections: the only way out ───────────────────────────────────────────────────────────────────────────────

    @property
    def journal(self) -> Journal:
        """What people decided and what was written."""
        return self._home.journal

    def propose(self, rule: str) -> planning.Plan:
        """A plan of the rule's usual remedy for its findings. Each object is read; nothing is sent or saved."""
        self._home.refuse_other_account(self.snapshot.query(views.LAST_RUN))
        self._refuse_unknown(rule)
        about = self.about
        with self._home.vendors() as (aimsio, _):
            return planning.propose(
                rule,
                self.snapshot.query(views.SUBJECTS, {"rule": rule}).records(),
                aimsio,
                snapshot_id=about["snapshot_id"],
                environment=about["environment"],
                account=about["account"],
                preparer=self._home.identity,
                now=self._home.now(),
            )

    def save(self, plan: planning.Plan) -> Path:
        """Write the plan as a file below the home; its path."""
        return plan.save(self.settings.folder / "plans")

    def apply(self, plan: planning.Plan) -> pd.DataFrame:
        """Send a plan: one object at a time, journalled before and verified after. One verdict per object."""
        with (
            self._home.vendors() as (aimsio, _),
            progress("Applying", len(plan.changes), "object") as advance,
        ):
            outcomes = applying.apply(
                plan,
                aimsio=aimsio,
                journal=self.journal,
                environment=self.settings.environment,
                account=self.settings.account,
                identity=self._home.identity,
                progress=lambda _: advance(1),
                clock=self._home.now,
            )
        return pd.DataFrame([vars(outcome) for outcome in outcomes])

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

    def _refuse_unknown(self, rule: str) -> None:
        rules = list(self.by_rule()["rule_id"])
        if rule not in rules:
            near = difflib.get_close_matches(rule, rules, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(rules)}"
            raise RuleError(f"no rule is called {rule!r}; {hint}")

    def _decide(self, kind: str, nrb_guid: str, jnid: str, position: int | None, note: str) -> None:
        line = self.snapshot.query(views.LINE, {"guid": nrb_guid, "jnid": jnid, "position": position}).records()
        if not line:
            raise PlanError(f"{jnid}/{position}: no such line or NRB {nrb_guid} in the snapshot; look at invoice_item")
        self.journal.append(kind, {**line[0], "note": note, "who": self._home.identity})

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

    def _reopen(self) -> None:
        if self._snapshot:
            self._snapshot.close()
        self._snapshot = None


def open_audit(
    *,
    as_of: date | str | None = None,
    tolerance: Decimal | str | None = None,
    is_demo: bool = False,
    vendor_rate: bool = False,
) -> Audit:
    """The audit of the account in the settings; of the demo where they name none, or with `is_demo`.

    `as_of` and `tolerance` override the settings. Raises `SettingsError`.
    """
    settings = Settings.load(demo=is_demo)
    changes: dict[str, Any] = {}
    if settings.is_demo:
        changes = {"as_of": settings.as_of or demo.AS_OF, "timezone": settings.timezone or demo.TIMEZONE}
    if as_of is not None:
        changes["as_of"] = as_of
    if tolerance is not None:
        changes["tolerance"] = tolerance
    return Audit(settings.changed(**changes), vendor_rate=vendor_rate)
