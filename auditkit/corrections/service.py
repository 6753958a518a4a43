"""`audit.corrections`: from findings to plan, preview, approval, application, recovery and undo.

Each step is one call here and one command. A plan is a file in the home, and that file is what is approved and applied.

Not here: the rules of each step, which are in the modules beside this one.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import SecretStr

from auditkit.checks.rules import refuse_unknown_rule
from auditkit.corrections import apply as applying
from auditkit.corrections.approval import approvals, approve, changes, prepare, refuse_other_account, unsigned_approval
from auditkit.corrections.charges import can_change_charges
from auditkit.corrections.location import Location
from auditkit.corrections.lookup import Clients
from auditkit.corrections.operations.registry import OPERATIONS, operation_named
from auditkit.corrections.plan import LeftOut, Plan
from auditkit.corrections.planning import ChangeRequest, Planner, parse_values, refuse_stale
from auditkit.corrections.preview import Preview, preview
from auditkit.corrections.remedies import REMEDIES, merged, proposed
from auditkit.corrections.render import Cell, DisplayNames
from auditkit.corrections.signers import Signers
from auditkit.corrections.tracking import correction_id, corrections
from auditkit.corrections.undo import undo
from auditkit.errors import NoSnapshot, PlanError
from auditkit.home import Home
from auditkit.progress import notice, progress
from auditkit.sql import read
from auditkit.warehouse.answer import Answer

__all__ = ["Corrections", "Effect"]

_MOST_OBJECTIONS = 10


@dataclass(frozen=True)
class Effect:
    """What a plan would do, as DataFrames.

    `fields`: each field before → after, with its object's label and the reason; `findings`: those it would close, open,
    and leave though it is meant to clear them (`effect`); `states`: each cost whose state or charge would change;
    `statement`: each row before, after and the change.
    """

    fields: pd.DataFrame
    findings: pd.DataFrame
    states: pd.DataFrame
    statement: pd.DataFrame


class Corrections:
    """One account's corrections. Raises `PlanError`, `ApprovalRefused`, `JournalError`, and the vendors' errors."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._signers = Signers(home.settings)
        self._preview: tuple[object, Preview] | None = None

    # ── Planning ────────────────────────────────────────────────────────────────────────────────────────────────────

    def propose(self, rule: str, only: str | Sequence[str] | None = None) -> Plan:
        """A plan of the rule's usual remedy for its open findings, or for those whose fingerprints begin as in `only`.

        Each object is read, past the cache; nothing is sent or saved.
        """
        refuse_unknown_rule(self._home.snapshot, rule, "rule or operation", [*OPERATIONS, *REMEDIES])
        return self._planned(proposed(rule, self._home.snapshot, only), (REMEDIES[rule].condition,))

    def plan(self, findings: pd.DataFrame) -> Plan:
        """One plan of the usual remedies for these findings: rows of `findings()`, of one rule or several."""
        if missing := sorted({"rule_id", "fingerprint"} - set(findings.columns)):
            raise PlanError(
                f"these are not findings: column {', '.join(missing)} is missing; give rows of audit.findings()"
            )
        if findings.empty:
            raise PlanError("no findings were given, so there is nothing to plan")
        by_rule = {str(rule): list(group["fingerprint"]) for rule, group in findings.groupby("rule_id", sort=False)}
        proposals = [each for rule, only in by_rule.items() for each in proposed(rule, self._home.snapshot, only)]
        return self._planned(merged(proposals), tuple(REMEDIES[rule].condition for rule in by_rule))

    def change(
        self, operation: str, object_id: str = "", *, reason: str, values: Mapping[str, Any] | Sequence[str]
    ) -> Plan:
        """A plan of one change that a person chose: field → value, or `field=value` texts as the command takes them.

        Operations: edit-nrb, create-nrb, edit-invoice, add-line (`items`: the new lines alone), create-invoice,
        deactivate-invoice (no values).
        """
        chosen = operation_named(operation)
        if not reason.strip():
            raise PlanError("give a reason for this change")
        if bool(object_id) is chosen.creates:
            raise PlanError(f"{operation}: {'takes no object' if object_id else 'which object? name its guid or jnid'}")
        zone = self._home.settings.zone
        given = dict(values) if isinstance(values, Mapping) else parse_values(chosen, values, zone)
        wanted, lines = chosen.requested(given)
        return self._planned([ChangeRequest(operation, object_id, wanted, reason, add=lines)], ())

    def undo(self, plan: Plan | str) -> Plan:
        """A plan that takes back what a plan (or its digest) did, where nobody has changed it since.

        It needs an approval of its own. Sync first: the applied changes must be in the newest snapshot. `PlanError` for
        a plan that was never applied.
        """
        if isinstance(plan, Plan):
            refuse_other_account(plan, self._home.settings.account_key)
        digest = plan.digest if isinstance(plan, Plan) else plan
        saved = [path.stem for path in (self._home.settings.folder / "plans").glob("*.json")]
        found = undo(digest, self._home.journal, [*saved, digest] if isinstance(plan, Plan) else saved)
        return self._planned(found.requests, found.conditions)

    def preview(self, plan: Plan) -> Effect:
        """What a plan would do: the audit is run again on a corrected copy of the snapshot. Nothing is sent.

        A remedy that would not bill its costs in full, or would change another cost, is shown here; `save`, `approve`
        and `apply` refuse it.
        """
        found = self._previewed(plan)
        effects = (("closes", found.closed), ("opens", found.opened), ("leaves", found.left))
        rows = [{"effect": effect, **row} for effect, rows in effects for row in rows]
        columns = ["effect", *("rule_id", "severity", "subject_type", "subject_id", "job_number", "amount_at_risk")]
        findings = pd.DataFrame(rows, columns=[*columns, "reason", "fingerprint"], dtype=object)
        columns = ["guid", "job_number", "before", "after", "carried_before", "carried_after"]
        states = pd.DataFrame(found.states, columns=columns, dtype=object)
        statement = pd.DataFrame(found.statement, dtype=object)
        frames = (pd.DataFrame(self.fields(plan), dtype=object), findings, states, statement)
        snapshot = self._home.snapshot.short_id
        return Effect(*(Answer(f.itertuples(index=False, name=None), f.columns, snapshot=snapshot) for f in frames))

    def fields(self, plan: Plan) -> list[dict[str, Cell]]:
        """The rows of `Plan.preview`, with days in the account's time zone and statuses by name where synced."""
        statuses: Mapping[int, str] = {}
        with contextlib.suppress(NoSnapshot):
            statuses = dict(self._home.snapshot.query(read("queries/invoice_status_names")).rows)
        return plan.preview(DisplayNames(self._home.settings.zone, statuses))

    # ── Signing ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def save(self, plan: Plan, passphrase: SecretStr | str | None = None) -> Path:
        """Sign a plan as its preparer and write it as a file in the home; returns its path.

        A plan that is already there stays as it is, because it may be approved.
        """
        path = self._path(plan)
        if path.is_file() and Plan.load(path).digest == plan.digest:
            return path
        self._refuse_unsafe(plan)
        identity = self._signers.identity("prepare", passphrase)
        return plan.signed(prepare(plan, identity, self._now())).save(self._home.settings.folder / "plans")

    def approve(
        self,
        plan: Plan | Path,
        *,
        override: str | None = None,
        passphrase: SecretStr | str | None = None,
        into: Path | None = None,
    ) -> Plan:
        """Approve a saved plan as a second person; returns the plan with the approval, which is in file and journal.

        `override` is the reason to lift limits and expiry, by a person who may. `into` is the file to write, for a plan
        that was loaded from it and checked. An approval that is in the journal and not in the file, after the disk was
        full, is written again.
        """
        saved = self.saved(plan)
        refuse_other_account(saved, self._home.settings.account_key)
        into = into or (plan if isinstance(plan, Path) else self._path(saved))
        identity = self._signers.identity("approve", passphrase)
        if again := self._approved(saved, identity.public_key):
            again.save_as(into)
            return again
        self._refuse_unsafe(saved)
        approval = approve(
            saved,
            saved.signature("prepare"),
            identity,
            self._signers.approvers(),
            self._home.journal,
            at=self._home.now(),
            override=override,
        )
        signed = saved.signed(approval)
        signed.save_as(into)
        return signed

    def refuse_unapprovable(self, plan: Plan, override: str | None = None) -> None:
        """Raise what `approve` would, before anybody checks the plan or types a passphrase."""
        refuse_other_account(plan, self._home.settings.account_key)
        key = self._signers.public_key("approve")
        if self._approved(plan, key) is None:
            unsigned_approval(
                plan,
                plan.signature("prepare"),
                self._signers.approvers(),
                self._home.journal,
                name=self._signers.name("approve"),
                public_key=key,
                at=self._home.now(),
                override=override,
            )

    def refuse_keyless(self) -> None:
        """Raise `SettingsError` where the preparer has no key, before its passphrase is asked for."""
        self._signers.public_key("prepare")

    def missing_prerequisites(self) -> list[str]:
        """What the preparer still needs before a plan can be approved: a key, or a place in approvers.toml."""
        return self._signers.missing_prerequisites()

    def approver_changes(self) -> list[str]:
        """How approvers.toml differs from what it was at the last approval, in words."""
        return changes(self._signers.approvers(), self._home.journal)

    def saved(self, plan: Plan | Path) -> Plan:
        """The plan with its signatures: as it was loaded, else from its file in the home."""
        if isinstance(plan, Path):
            return Plan.load(plan)
        path = self._path(plan)
        if path.is_file() and (kept := Plan.load(path)).digest == plan.digest:
            return kept
        if plan.signature("prepare"):
            return plan
        raise PlanError(f"plan {plan.digest[:12]} is not saved; save it first")

    # ── Applying ────────────────────────────────────────────────────────────────────────────────────────────────────

    def refuse_unready(self, plan: Plan) -> None:
        """Raise what `apply` would before it reads an object.

        Not approved, already applied, stale, another account, or a remedy that would charge something else by now.
        """
        account = self._home.settings.account_key
        refuse_other_account(plan, account)
        applying.refuse_unready(
            plan,
            journal=self._home.journal,
            approvers=self._signers.approvers(),
            account=account,
            identity=self._home.identity,
            clock=self._home.now,
        )
        refuse_stale(plan, self._home.snapshot, self._home.journal)
        self._refuse_unsafe(plan)

    def apply(self, plan: Plan | Path) -> pd.DataFrame:
        """Send an approved plan: one object at a time, journalled before and verified after. One verdict per object."""
        saved = self.saved(plan)
        self.refuse_unready(saved)
        with self._clients() as clients, progress("Applying", saved.objects, "object") as advance:

            def ended(outcome: applying.Outcome) -> None:
                notice(f"{outcome.object_id}: {outcome.verdict}: {outcome.detail}")
                advance(1)

            outcomes = applying.apply(
                saved,
                clients=clients,
                journal=self._home.journal,
                approvers=self._signers.approvers(),
                account=self._home.settings.account_key,
                identity=self._home.identity,
                progress=ended,
                clock=self._home.now,
            )
        return _frame(outcomes)

    def recover(self) -> pd.DataFrame:
        """Find out how interrupted corrections ended. Nothing is sent. One verdict per object."""
        with self._clients() as clients:
            outcomes = applying.recover(
                clients=clients,
                journal=self._home.journal,
                account=self._home.settings.account_key,
                identity=self._home.identity,
                clock=self._home.now,
            )
        return _frame(outcomes)

    def settle(self, correction: str, note: str) -> None:
        """Record how a correction ended whose outcome stays unknown, as seen in the vendor's own screens."""
        applying.settle(
            correction,
            note,
            journal=self._home.journal,
            account=self._home.settings.account_key,
            identity=self._home.identity,
        )

    def unsettled(self) -> pd.DataFrame:
        """Corrections of this account that were begun and whose outcome is not known: one row each."""
        rows = [
            {"correction": each.id, "verdict": str(each.verdict or "interrupted"), "detail": each.detail}
            for each in corrections(self._home.journal).values()
            if each.is_open and each.account == self._home.settings.account_key
        ]
        return pd.DataFrame(rows, columns=["correction", "verdict", "detail"], dtype=object)

    # ── Shared ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _now(self) -> datetime:
        """This instant, or that of the journal's latest record where the clock is behind it."""
        return self._home.journal.not_before(self._home.now())

    def _previewed(self, plan: Plan) -> Preview:
        """The preview, made once for a plan, a snapshot and the decisions in the journal."""
        found = self._home.store.path.stat() if self._home.store.path.is_file() else None
        key = (plan.digest, found and (found.st_ino, found.st_mtime_ns), self._home.journal.head)
        if self._preview is None or self._preview[0] != key:
            made = preview(plan, self._home.store, self._home.parameters(), self._home.decisions())
            self._preview = (key, made)
        return self._preview[1]

    def _refuse_unsafe(self, plan: Plan) -> None:
        """Raise `PlanError` where a remedy would not charge exactly what it is for. What has begun is not judged."""
        known = corrections(self._home.journal)
        rest = tuple(each for each in plan.changes if correction_id(plan.digest, each) not in known)
        if not any(map(can_change_charges, rest)):
            return
        found = self._previewed(plan if len(rest) == len(plan.changes) else replace(plan, changes=rest)).objections
        if found:
            more = f"; and {len(found) - _MOST_OBJECTIONS} more" if len(found) > _MOST_OBJECTIONS else ""
            raise PlanError(
                f"plan {plan.digest[:12]} is refused, because it would not charge exactly what it is for:"
                f" {'; '.join(found[:_MOST_OBJECTIONS])}{more}; look at these costs, audit, then plan again"
            )

    def _planned(self, requests: Sequence[ChangeRequest | LeftOut], conditions: tuple[str, ...]) -> Plan:
        self._home.refuse_other_account()
        with self._clients() as clients:
            planner = Planner(clients, self._home.snapshot, self._now())
            return planner.plan(
                requests,
                conditions=conditions,
                preparer=self._signers.name("prepare"),
                about=self._home.snapshot.query(read("queries/about")).records()[0],
            )

    def _approved(self, plan: Plan, public_key: str) -> Plan | None:
        """The plan with the approval by this key that is in the journal and not in the plan, if there is one."""
        if plan.signature("approve") is None:
            here = Location.of(self._home.journal).text
            for prepared, known in approvals(plan.digest, self._home.journal):
                if (known.public_key, known.location) == (public_key, here) and known.is_genuine:
                    return plan.signed(prepared).signed(known)
        return None

    def _path(self, plan: Plan) -> Path:
        return self._home.settings.folder / "plans" / f"{plan.digest[:12]}.json"

    @contextlib.contextmanager
    def _clients(self) -> Iterator[Clients]:
        with self._home.vendors() as (aimsio, jobnimbus):
            yield Clients(aimsio, jobnimbus)


def _frame(outcomes: Sequence[applying.Outcome]) -> pd.DataFrame:
    names = [field.name for field in fields(applying.Outcome)]
    return pd.DataFrame([vars(outcome) for outcome in outcomes], columns=names, dtype=object)
