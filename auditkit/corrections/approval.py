"""Two people for each plan: one prepares, another approves; both are listed and sign, the approver within limits.

    preparer signs the digest → approver checks, signs the digest → journal record* → apply checks all of it again

Names, keys and limits are those of approvers.toml as it is now, and each change of it is journalled. An approval counts
only if it is in the journal of the home where it is applied, and a journal line only with its approver's signature.

An override lifts limits and expiry, nothing else; it is signed with its reason and shown first in the next report.

Not here: what a signature is (signatures); keys and how they are kept (identity); the list (approvers); where an
approval counts (location); whether the plan's file is as it was saved (plan); whether its objects are still as planned,
and whether it was applied (apply).
"""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Literal

from auditkit.corrections.approvers import (
    APPROVAL,
    APPROVERS_FILE,
    Approver,
    changes,
    read_approvers,
    record_changes,
)
from auditkit.corrections.identity import Identity, folded
from auditkit.corrections.location import Location
from auditkit.corrections.plan import Plan
from auditkit.corrections.signatures import Signature
from auditkit.corrections.tracking import RECORD_KIND
from auditkit.errors import ApprovalRefused
from auditkit.journal import Journal, Record
from auditkit.settings import AccountKey

__all__ = [
    "APPROVERS_FILE",
    "Approver",
    "approvals",
    "approve",
    "changes",
    "check_approval",
    "prepare",
    "read_approvers",
    "refuse_other_account",
    "unsigned_approval",
]


def _signed(unsigned: Signature, identity: Identity) -> Signature:
    return replace(unsigned, signature=identity.sign(unsigned.text))


def _utc_text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def prepare(plan: Plan, identity: Identity, at: datetime) -> Signature:
    """The preparer's signature of a plan. `ApprovalRefused` unless the identity is that of the plan's preparer."""
    if folded(identity.name) != folded(plan.preparer):
        raise ApprovalRefused(
            f"{_short(plan)} was prepared by {plan.preparer!r}, so {identity.name} cannot sign for it"
        )
    return _signed(Signature("prepare", identity.name, identity.public_key, plan.digest, _utc_text(at)), identity)


def approve(
    plan: Plan,
    prepared: Signature | None,
    identity: Identity,
    approvers: Sequence[Approver],
    journal: Journal,
    *,
    at: datetime,
    override: str | None = None,
) -> Signature:
    """Check, journal and return a person's approval of a plan. `override`: the reason to lift limits and expiry.

    Raises what `unsigned_approval` does, with nothing signed; `JournalError` when no record can be written.
    """
    at = journal.not_before(at)
    unsigned, entry = unsigned_approval(
        plan,
        prepared,
        approvers,
        journal,
        name=identity.name,
        public_key=identity.public_key,
        at=at,
        override=override,
    )
    approval = _signed(unsigned, identity)
    journal.append(
        APPROVAL,
        {
            "plan": plan.digest,
            "prepared": asdict(_required(plan, prepared, "prepare")),
            "approval": asdict(approval),
            "objects": plan.objects,
            "money": format(plan.money, "f"),
            **plan.account._asdict(),
            "limits": entry.fields,
            "lifted": _exceeded(plan, entry, at),
            "who": entry.name,
        },
    )
    return approval


def unsigned_approval(
    plan: Plan,
    prepared: Signature | None,
    approvers: Sequence[Approver],
    journal: Journal,
    *,
    name: str,
    public_key: str,
    at: datetime,
    override: str | None = None,
) -> tuple[Signature, Approver]:
    """The approval that a person could sign now, for which no passphrase is needed, and the person's entry.

    Raises `ApprovalRefused` for whatever `check_approval` would refuse, for a plan that this person has approved here
    already and for one whose application has begun. The list, if it changed, is journalled first.
    """
    at = journal.not_before(at)
    record_changes(approvers, journal, occasion="approve", plan=plan.digest, who=name)
    prepared = _required(plan, prepared, "prepare")
    reason = None if override is None else " ".join(override.split())
    here = Location.of(journal).text
    unsigned = Signature("approve", name, public_key, plan.digest, _utc_text(at), reason, here)
    entry = _refuse_unless_in_order(plan, prepared, unsigned, approvers, now=at)
    known = [each for _, each in approvals(plan.digest, journal) if each.public_key == public_key]
    if any(each.location == here and each.is_genuine for each in known):
        raise ApprovalRefused(f"{_short(plan)} was already approved by {entry.name}; apply it, or plan again")
    if any(record.body.get("plan") == plan.digest for record in journal.records(RECORD_KIND)):
        raise ApprovalRefused(f"{_short(plan)}: its application has begun; plan again for what is still wrong")
    return unsigned, entry


def refuse_other_account(plan: Plan, account: AccountKey) -> None:
    """Raise `ApprovalRefused` for a plan that is not for this account."""
    if plan.account != account:
        raise ApprovalRefused(f"{_short(plan)} is for {plan.account}, not for {account}")


def check_approval(
    plan: Plan,
    prepared: Signature | None,
    approval: Signature | None,
    approvers: Sequence[Approver],
    journal: Journal,
    *,
    now: datetime,
    account: AccountKey,
    who: str,
) -> Approver:
    """Whether a plan may be applied now, here: the entry of who approved it, or `ApprovalRefused` with the reason.

    1. The list, if it changed since it was last recorded, is journalled.
    2. The plan is for this account.
    3. Both signatures are genuine, of this plan, of two listed persons with two keys, and in their roles.
    4. The limits of who approved hold by the list as it is now, and the plan has not expired; or both are overridden.
    5. The approval is in the journal, word for word, and was given in this home, on this machine, in this folder.

    A clock that was set back revives nothing: the journal's latest record counts as the present if it is later.
    """
    now = journal.not_before(now)
    record_changes(approvers, journal, occasion="apply", plan=plan.digest, who=who)
    prepared, approval = _required(plan, prepared, "prepare"), _required(plan, approval, "approve")
    refuse_other_account(plan, account)
    entry = _refuse_unless_in_order(plan, prepared, approval, approvers, now=now)
    if not approval.is_genuine:
        raise ApprovalRefused(f"{_short(plan)}: the approval is not signed by {entry.name}; approve it again")
    if (prepared, approval) not in approvals(plan.digest, journal):
        raise ApprovalRefused(
            f"{_short(plan)}: this approval is not in the journal; approve it with `auditkit approve`"
        )
    if elsewhere := Location.of(journal).difference(approval.location):
        raise ApprovalRefused(
            f"{_short(plan)}: was approved {elsewhere}, and an approval counts only where it was given; approve it here"
        )
    return entry


def _required(plan: Plan, signature: Signature | None, role: Literal["prepare", "approve"]) -> Signature:
    """The signature, which must be of this plan and in this role."""
    if signature is None:
        missing = {
            "prepare": "is not signed by its preparer; plan again, with a key",
            "approve": "is not approved; a second person checks it and runs `auditkit approve`",
        }
        raise ApprovalRefused(f"{_short(plan)}: {missing[role]}")
    if signature.role != role:
        raise ApprovalRefused(f"{_short(plan)}: a signature to {signature.role!a} is not one to {role}; sign again")
    if signature.digest != plan.digest:
        raise ApprovalRefused(f"{_short(plan)}: the signature to {role} is of another plan; sign this one")
    return signature


def _refuse_unless_in_order(
    plan: Plan,
    prepared: Signature,
    approval: Signature,
    approvers: Sequence[Approver],
    *,
    now: datetime,
) -> Approver:
    """Check everything that can be checked before the approval is signed; the approver's entry."""
    if folded(prepared.name) != folded(plan.preparer):
        raise ApprovalRefused(
            f"{_short(plan)} was prepared by {plan.preparer!r}, but {prepared.name[:80]!r} signed for it"
        )
    if folded(approval.name) == folded(prepared.name) or approval.public_key == prepared.public_key:
        raise ApprovalRefused(f"{_short(plan)}: its preparer cannot approve it; it needs a second person")
    preparer, approver = (_listed(plan, each, approvers) for each in (prepared, approval))
    if not prepared.is_genuine or prepared.override is not None:
        raise ApprovalRefused(f"{_short(plan)} is not signed by {preparer.name}, its preparer; plan again")
    _refuse_limits(plan, approval, approver, now)
    return approver


def _listed(plan: Plan, signature: Signature, approvers: Sequence[Approver]) -> Approver:
    for approver in approvers:
        if folded(approver.name) == folded(signature.name) and approver.public_key == signature.public_key:
            if approver.demo and not plan.account.is_demo:
                raise ApprovalRefused(
                    f"{_short(plan)}: {approver.name} is listed for the demo only; sign with a key of your own"
                )
            return approver
    raise ApprovalRefused(
        f"{_short(plan)}: {signature.name[:80]!r} with the key {signature.public_key[:44]!r} is not listed in"
        f" {APPROVERS_FILE}; the preparer and the approver must both be"
    )


def _refuse_limits(plan: Plan, approval: Signature, approver: Approver, now: datetime) -> None:
    exceeded = _exceeded(plan, approver, now)
    if approval.override is None:
        if exceeded:
            way = (
                "approve it with --override REASON, or plan again"
                if approver.may_override
                else "plan again, or ask another"
            )
            raise ApprovalRefused(f"{_short(plan)}: {approver.name} may not approve it: {'; '.join(exceeded)}; {way}")
    elif not approver.may_override:
        raise ApprovalRefused(f"{_short(plan)}: {approver.name} may not override; ask somebody who may")
    elif not approval.override.strip() or not approval.override.isprintable():
        raise ApprovalRefused(f"{_short(plan)}: an override needs a reason, in one line: why it cannot wait")


def _exceeded(plan: Plan, approver: Approver, now: datetime) -> list[str]:
    """What an override would lift, in words."""
    lines = []
    if plan.objects > approver.max_objects:
        lines.append(f"{plan.objects} objects, limit {approver.max_objects}")
    if plan.money > approver.max_money:
        lines.append(f"moves {plan.money:f}, limit {approver.max_money:f}")
    if plan.expires_at <= now:
        lines.append(f"expired at {_utc_text(plan.expires_at)[:16]} UTC")
    return lines


def _short(plan: Plan) -> str:
    return f"plan {plan.digest[:12]}"


# ── Approvals in the journal ──────────────────────────────────────────────────────────────────────────────────────────


def approvals(digest: str, journal: Journal) -> list[tuple[Signature, Signature]]:
    """The preparer's and the approver's signature of each approval of this plan in the journal, in its order.

    Being there proves nothing; `check_approval` does. `ApprovalRefused` for a record that cannot be one.
    """
    return [_pair(record) for record in journal.records(APPROVAL) if record.body.get("plan") == digest]


def _pair(record: Record) -> tuple[Signature, Signature]:
    try:
        return Signature.of(record.body.get("prepared")), Signature.of(record.body.get("approval"))
    except ApprovalRefused as error:
        raise ApprovalRefused(f"journal line {record.seq}: {error}") from None
