"""`audit.corrections`: from findings to plan, preview, approval, application, recovery and undo.

Each step is one call here and one command. A plan is a file in the home, and that file is what is approved and applied.

Not here: the rules of each step, which are in the modules beside this one.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import SecretStr

from auditkit.checks.rules import refuse_unknown_rule
from auditkit.corrections import apply as applying
from auditkit.corrections.approval import approvals, approve, changes, claim, prepare, refuse_other_account
from auditkit.corrections.lookup import Vendors
from auditkit.corrections.operations import KINDS, OperationName
from auditkit.corrections.plan import LeftOut, Plan
from auditkit.corrections.planning import Draft, Drafting, refuse_stale, typed
from auditkit.corrections.preview import preview
from auditkit.corrections.remedies import REMEDIES, merged, proposed
from auditkit.corrections.render import Shown, Words
from auditkit.corrections.signers import Signers
from auditkit.corrections.tracking import operations
from auditkit.corrections.undo import conditions, undone
from auditkit.errors import NoSnapshot, PlanError
from auditkit.home import Home
from auditkit.progress import notice, progress
from auditkit.sql import read
from auditkit.warehouse.answer import Answer

__all__ = ["Corrections", "Effect"]

_STATUSES = "select distinct status, status_name from invoice where status is not null and status_name is not null"


@dataclass(frozen=True)
class Effect:
    """What a plan would do, as DataFrames.

    `fields`: each field before → after, with what its object is called and why; `findings`: those it would close, open,
    and leave though it is meant to cure them (`effect`); `statement`: each label before, after and the change.
    """

    fields: pd.DataFrame
    findings: pd.DataFrame
    statement: pd.DataFrame


class Corrections:
    """One account's corrections. They raise `PlanError`, `ApprovalRefused`, `JournalError`, and the vendors' errors."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._signers = Signers(home.settings)

    # ── Planning ────────────────────────────────────────────────────────────────────────────────────────────────────

    def propose(self, rule: str, only: str | Sequence[str] | None = None) -> Plan:
        """A plan of the rule's usual remedy for its open findings, or for those whose fingerprints begin as in `only`.

        Each object is read, past the cache; nothing is sent or saved.
        """
        refuse_unknown_rule(self._home.snapshot, rule, "rule or operation", [*KINDS, *REMEDIES])
        return self._planned(proposed(rule, self._home.snapshot, only), (REMEDIES[rule].condition,))

    def plan(self, findings: pd.DataFrame) -> Plan:
        """One plan of the usual remedies for these findings: rows of `findings()`, of one rule or several."""
        if missing := sorted({"rule_id", "fingerprint"} - set(findings.columns)):
            raise PlanError(f"these are no findings: {', '.join(missing)} is missing; give rows of audit.findings()")
        if findings.empty:
            raise PlanError("no findings were given: nothing to plan")
        by_rule = {str(rule): list(group["fingerprint"]) for rule, group in findings.groupby("rule_id", sort=False)}
        proposals = [each for rule, only in by_rule.items() for each in proposed(rule, self._home.snapshot, only)]
        return self._planned(merged(proposals), tuple(REMEDIES[rule].condition for rule in by_rule))

    def change(
        self, operation: OperationName, object_id: str = "", *, reason: str, values: Mapping[str, Any] | Sequence[str]
    ) -> Plan:
        """A plan of one change that a person chose: field → value, or `field=value` texts as the command takes them.

        Operations: edit-nrb, create-nrb, edit-invoice, add-line (`items`: the new lines alone), create-invoice,
        deactivate-invoice (no values).
        """
        if operation not in KINDS:
            raise PlanError(f"there is no operation {operation!r}; there are {', '.join(KINDS)}")
        if not reason.strip():
            raise PlanError("why is this changed? give a reason")
        if bool(object_id) is KINDS[operation].creates:
            raise PlanError(f"{operation}: {'takes no object' if object_id else 'which object? name its guid or jnid'}")
        given = dict(values) if isinstance(values, Mapping) else typed(operation, values, self._home.settings.zone)
        add: tuple[Mapping[str, Any], ...] = ()
        if operation == "add-line":
            add = _lines(given.pop("items", None))
        elif operation == "deactivate-invoice":
            given = {"is_active": False, **given}
        elif not given:
            raise PlanError(f"{operation}: nothing to change: give field=value")
        return self._planned([Draft(operation, object_id, given, reason, add=add)], ())

    def undo(self, plan: Plan | str) -> Plan:
        """A plan that takes back what a plan (or its digest) did, as far as nobody has changed it since.

        It needs an approval of its own. Sync first: what was applied must be in the newest snapshot. `PlanError` for
        one that was never applied.
        """
        if isinstance(plan, Plan):
            refuse_other_account(plan, self._home.settings.environment, self._home.settings.account)
        digest = plan.digest if isinstance(plan, Plan) else plan
        saved = [path.stem for path in (self._home.settings.folder / "plans").glob("*.json")]
        drafts = undone(digest, self._home.journal, [*saved, digest] if isinstance(plan, Plan) else saved)
        return self._planned(drafts, conditions(drafts))

    def preview(self, plan: Plan) -> Effect:
        """What a plan would do: the audit is run again on a corrected copy of the snapshot. Nothing is sent."""
        found = preview(plan, self._home.store, self._home.parameters(), self._home.decisions())
        named = (("closes", found.closed), ("opens", found.opened), ("leaves", found.left))
        rows = [{"effect": effect, **row} for effect, rows in named for row in rows]
        columns = ["effect", *("rule_id", "severity", "subject_type", "subject_id", "job_number", "amount_at_risk")]
        findings = pd.DataFrame(rows, columns=[*columns, "reason", "fingerprint"], dtype=object)
        statement = pd.DataFrame(found.statement, dtype=object)
        frames = (pd.DataFrame(self.fields(plan), dtype=object), findings, statement)
        snapshot = self._home.snapshot.short_id
        return Effect(*(Answer(f.itertuples(index=False, name=None), f.columns, snapshot=snapshot) for f in frames))

    def fields(self, plan: Plan) -> list[dict[str, Shown]]:
        """The rows of `Plan.preview`, with days in the account's zone, and statuses by their names where synced."""
        with contextlib.suppress(NoSnapshot):
            return plan.preview(Words(self._home.settings.zone, dict(self._home.snapshot.query(_STATUSES).rows)))
        return plan.preview(Words(self._home.settings.zone))

    # ── Signing ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def save(self, plan: Plan, passphrase: SecretStr | str | None = None) -> Path:
        """Sign a plan as its preparer and write it as a file below the home; its path.

        A plan that is there already stays as it is: it may be approved.
        """
        path = self._path(plan)
        if path.is_file() and Plan.load(path).digest == plan.digest:
            return path
        identity = self._signers.identity("prepare", passphrase)
        return plan.signed(prepare(plan, identity, self._home.now())).save(self._home.settings.folder / "plans")

    def approve(
        self,
        plan: Plan | Path,
        *,
        override: str | None = None,
        passphrase: SecretStr | str | None = None,
        into: Path | None = None,
    ) -> Plan:
        """Approve a saved plan as a second person; the plan with the approval, which its file and the journal hold.

        `override` lifts limits and expiry alone, for a person who may, with the reason that it gives. `into` is the
        file to write, of a plan that was loaded from it and looked at. An approval that the journal holds and the file
        lacks, after a disk was full, is written again.
        """
        saved = self.saved(plan)
        refuse_other_account(saved, self._home.settings.environment, self._home.settings.account)
        into = into or (plan if isinstance(plan, Path) else self._path(saved))
        identity = self._signers.identity("approve", passphrase)
        if again := self._approved(saved, identity.public_key):
            again.save_as(into)
            return again
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
        """Raise what `approve` would, before anybody looks at the plan or gives a passphrase."""
        refuse_other_account(plan, self._home.settings.environment, self._home.settings.account)
        key = self._signers.public_key("approve")
        if self._approved(plan, key) is None:
            claim(
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
        """Raise `SettingsError` where who prepares has no key, before anybody asks for its passphrase."""
        self._signers.public_key("prepare")

    def missing_prerequisites(self) -> list[str]:
        """What the preparer still needs before a plan can be approved: a key, or a place in approvers.toml."""
        return self._signers.missing_prerequisites()

    def approver_changes(self) -> list[str]:
        """How approvers.toml differs from what the journal last recorded of it, in words."""
        return changes(self._signers.approvers(), self._home.journal)

    def saved(self, plan: Plan | Path) -> Plan:
        """The plan with its signatures: as it was loaded, else as its file below the home holds it."""
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
        """Raise what `apply` would before it reads an object: not approved, applied already, stale, another account."""
        environment, account = self._home.settings.environment, self._home.settings.account
        refuse_other_account(plan, environment, account)
        applying.refuse(
            plan,
            journal=self._home.journal,
            approvers=self._signers.approvers(),
            environment=environment,
            account=account,
            identity=self._home.identity,
            demo=self._home.is_demo,
            clock=self._home.now,
        )
        refuse_stale(plan, self._home.snapshot, self._home.journal)

    def apply(self, plan: Plan | Path) -> pd.DataFrame:
        """Send an approved plan: one object at a time, journalled before and verified after. One verdict per object."""
        saved = self.saved(plan)
        self.refuse_unready(saved)
        with self._vendors() as vendors, progress("Applying", saved.objects, "object") as advance:

            def ended(outcome: applying.Outcome) -> None:
                notice(f"{outcome.object_id}: {outcome.verdict}: {outcome.detail}")
                advance(1)

            outcomes = applying.apply(
                saved,
                vendors=vendors,
                journal=self._home.journal,
                approvers=self._signers.approvers(),
                environment=self._home.settings.environment,
                account=self._home.settings.account,
                identity=self._home.identity,
                demo=self._home.is_demo,
                progress=ended,
                clock=self._home.now,
            )
        return _frame(outcomes)

    def recover(self) -> pd.DataFrame:
        """Find out how interrupted corrections ended. Nothing is sent. One verdict per object."""
        with self._vendors() as vendors:
            outcomes = applying.recover(
                vendors=vendors,
                journal=self._home.journal,
                environment=self._home.settings.environment,
                account=self._home.settings.account,
                identity=self._home.identity,
                clock=self._home.now,
            )
        return _frame(outcomes)

    def settle(self, operation: str, note: str) -> None:
        """Say how a correction ended whose outcome stays unknown, after a look into the vendor's own screens."""
        applying.settle(
            operation,
            note,
            journal=self._home.journal,
            environment=self._home.settings.environment,
            account=self._home.settings.account,
            identity=self._home.identity,
        )

    def unsettled(self) -> pd.DataFrame:
        """Corrections of this account that were begun and whose outcome is not known: one row each."""
        rows = [
            {"operation": each.id, "verdict": str(each.verdict or "interrupted"), "detail": each.detail}
            for each in operations(self._home.journal).values()
            if each.is_open
            and (each.environment, each.account) == (self._home.settings.environment, self._home.settings.account)
        ]
        return pd.DataFrame(rows, columns=["operation", "verdict", "detail"], dtype=object)

    # ── What it stands on ───────────────────────────────────────────────────────────────────────────────────────────

    def _planned(self, proposals: Sequence[Draft | LeftOut], conditions: tuple[str, ...]) -> Plan:
        self._home.refuse_other_account(self._home.snapshot.query(read("queries/last_account")))
        with self._vendors() as vendors:
            drafting = Drafting(vendors, self._home.snapshot, self._home.now())
            return drafting.plan(
                proposals,
                conditions=conditions,
                preparer=self._signers.name("prepare"),
                about=self._home.snapshot.query(read("queries/about")).records()[0],
            )

    def _approved(self, plan: Plan, public_key: str) -> Plan | None:
        """The plan with the approval that the journal holds of this key and the plan lacks, if there is one."""
        if plan.signature("approve") is None:
            for prepared, known in approvals(plan.digest, self._home.journal):
                if known.public_key == public_key and known.is_genuine:
                    return plan.signed(prepared).signed(known)
        return None

    def _path(self, plan: Plan) -> Path:
        return self._home.settings.folder / "plans" / f"{plan.digest[:12]}.json"

    @contextlib.contextmanager
    def _vendors(self) -> Iterator[Vendors]:
        with self._home.vendors() as (aimsio, jobnimbus):
            yield Vendors(aimsio, jobnimbus)


def _lines(items: object) -> tuple[Mapping[str, Any], ...]:
    if not isinstance(items, (list, tuple)) or not items or not all(isinstance(item, Mapping) for item in items):
        raise PlanError("add-line: items must be the new lines: an array of one object or more")
    return tuple(items)


def _frame(outcomes: Sequence[applying.Outcome]) -> pd.DataFrame:
    names = [field.name for field in fields(applying.Outcome)]
    return pd.DataFrame([vars(outcome) for outcome in outcomes], columns=names, dtype=object)
