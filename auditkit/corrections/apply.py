"""Apply a plan: one object at a time, each step on disk before the next, and only a fresh read proves anything.

    INTENT* → read by id → as planned → SENDING* → one request → RESPONDED* | NORESPONSE*
                         | at the target → ALREADY* | differs → CONFLICT* | not readable → REFUSED*
                         | no answer → NOT_BEGUN: it stays open, and the same plan may be applied again
    RESPONDED | NORESPONSE → wait until the request can no longer land → read by id, up to 3 times:
      target reached, rest unchanged → VERIFIED* · target reached, others moved → SIDE_EFFECT*
      still as before → NOT_APPLIED* (sent again at most twice) · anything else → CONFLICT* · not readable → UNKNOWN*

A creation is searched for by its key where an edit is read by id: found before → CONFLICT*, found once after → read by
id and judged, twice → CONFLICT*, not found → UNKNOWN* (NOT_APPLIED* where the vendor said no). It is sent once, ever.

`*` is a journal record, on disk before the next step. After a crash: INTENT alone → read again; SENDING or later →
wait and read, never send first. What cannot be closed: an edit by somebody else between our read and the vendor's
write, since there is no If-Match; SENDING records how long that gap was.

This is the only module that calls a method that writes. Not here: what a plan may hold (plan), who allows it
(approval), what a read says about an object (judging).
"""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from auditkit.corrections import verdicts as judging
from auditkit.corrections.approval import Approver, check
from auditkit.corrections.diff import moved
from auditkit.corrections.lookup import Vendors
from auditkit.corrections.plan import Change, Plan
from auditkit.corrections.records import Noting
from auditkit.corrections.tracking import Operation, Reply, Step, Verdict, operations
from auditkit.corrections.verdicts import Ending
from auditkit.errors import ApiError, Denied, NotThere, OutcomeUnknown, PlanError, StoreError, TimedOut, Unreachable
from auditkit.journal import Journal, digest, now
from auditkit.vendors.strict_json import dump, parse

__all__ = ["UNSENT", "Outcome", "apply", "recover", "refuse", "settle"]

UNSENT = "interrupted before anything was sent"
VERIFY_READS = 3
VERIFY_PAUSE_SECONDS = 1.0
MAX_SENDS = 3
CLOCK_SKEW = timedelta(minutes=10)


@dataclass(frozen=True)
class Outcome:
    """How one object ended: the verdict and, in words, what it rests on. `created` is the id of what was created."""

    operation: str
    object_id: str
    verdict: Verdict
    detail: str
    created: str | None = None


def apply(
    plan: Plan,
    *,
    vendors: Vendors,
    journal: Journal,
    approvers: Sequence[Approver],
    environment: str,
    account: str,
    identity: str,
    demo: bool = False,
    progress: Callable[[Outcome], None] | None = None,
    clock: Callable[[], datetime] = now,
    sleep: Callable[[float], None] = time.sleep,
) -> list[Outcome]:
    """Apply each change of a plan; one outcome each, in the plan's order, which `progress` gets as they end.

    1. Refuse a plan that is not approved, expired, for another environment or account, or applied already
       (`PlanError`; `ApprovalRefused`, which is one).
    2. Find out how interrupted corrections under other plans ended; while one of them is unknown, send nothing.
    3. Take each object from where the journal left it to its verdict.

    The run stops, and what is left is `NOT_BEGUN`, when a request did what was not asked for, when an outcome is
    unknown, and when the credentials are refused, in reading or in sending. An object that could not be read for want
    of an answer is `NOT_BEGUN` too, and the run goes on. Applying the same plan again goes on from there, save after
    a request that did something else. Raises `JournalError` when a record cannot be written, `OutcomeUnknown` when that
    was after a send, or while another plan's outcome is not known, `Busy` when another process is writing, and
    `StoreError` when a file of the cache or of the pace cannot be used before anything of an object was sent.
    """
    with journal.sole_writer():
        refuse(
            plan,
            journal=journal,
            approvers=approvers,
            environment=environment,
            account=account,
            identity=identity,
            demo=demo,
            clock=clock,
        )
        known = operations(journal)
        run = _Run(vendors, journal, identity, clock, sleep)
        others = [operation for operation in known.values() if operation.plan != plan.digest]
        for outcome in _recovered(run, others, environment, account):
            if outcome.verdict is Verdict.UNKNOWN:
                raise OutcomeUnknown(
                    f"{outcome.object_id}: outcome unknown ({outcome.detail}); recover it before you apply"
                )
        planned = [Operation(plan.digest, plan.environment, plan.account, change) for change in plan.changes]
        operations_of_it = [known.get(operation.id, operation) for operation in planned]
        for found, change in zip(operations_of_it, plan.changes, strict=True):
            _hold(found.change == change and found.plan == plan.digest, "what is executed is what was planned")
        endings: dict[str, Ending] = {}
        is_stopped = False
        # What was sent before and is still open comes first: while it is unknown nothing else is sent.
        for operation in sorted(operations_of_it, key=lambda each: not (each.sends and each.is_open)):
            held_back = is_stopped and not operation.is_done
            ending = Ending(Verdict.NOT_BEGUN, "the run had stopped before") if held_back else run.correct(operation)
            is_stopped = is_stopped or ending.stops_the_run
            endings[operation.id] = ending
            if progress:
                progress(_outcome(operation.change, ending))
        _hold(len(endings) == plan.objects, "every object ends in a verdict, or is not begun")
        return [_outcome(operation.change, endings[operation.id]) for operation in operations_of_it]


def refuse(
    plan: Plan,
    *,
    journal: Journal,
    approvers: Sequence[Approver],
    environment: str,
    account: str,
    identity: str,
    demo: bool = False,
    clock: Callable[[], datetime] = now,
) -> None:
    """Raise `PlanError` for a plan that may not be applied now, as `apply` does before anything else."""
    _refuse_nobody(identity)
    if plan.created_at > clock() + CLOCK_SKEW:
        raise PlanError(f"plan {plan.digest[:12]} is made in the future; look at the clocks, then plan again")
    _refuse_applied(plan, operations(journal))
    check(
        plan,
        plan.signature("prepare"),
        plan.signature("approve"),
        approvers,
        journal,
        now=clock(),
        environment=environment,
        account=account,
        demo=demo,
    )


def recover(
    *,
    vendors: Vendors,
    journal: Journal,
    environment: str,
    account: str,
    identity: str,
    clock: Callable[[], datetime] = now,
    sleep: Callable[[float], None] = time.sleep,
) -> list[Outcome]:
    """Find out how every interrupted correction of this account ended, without sending anything."""
    _refuse_nobody(identity)
    with journal.sole_writer():
        run = _Run(vendors, journal, identity, clock, sleep)
        return _recovered(run, list(operations(journal).values()), environment, account)


def settle(operation_id: str, note: str, *, journal: Journal, environment: str, account: str, identity: str) -> None:
    """Journal a person's word on how a correction of this account ended that stays unknown.

    `PlanError` for one that is not: a correction is unknown once it was looked into, after its request could no longer
    land, and nothing told how it ended.
    """
    _refuse_nobody(identity)
    if not note.strip() or not note.isprintable():
        raise PlanError("how did it end? say in a note, one line, what you saw in the vendor's own screens")
    with journal.sole_writer():
        operation = operations(journal).get(operation_id)
        is_ours = operation is not None and (operation.environment, operation.account) == (environment, account)
        if operation is None or not is_ours or operation.verdict is not Verdict.UNKNOWN:
            raise PlanError(
                f"{operation_id}: is no correction of this account whose outcome stays unknown; run `auditkit recover`"
            )
        Noting(journal, identity).note(operation, Verdict.SETTLED, detail=note.strip(), moved=[], created=None)


def _recovered(run: "_Run", known: list[Operation], environment: str, account: str) -> list[Outcome]:
    return [
        _outcome(operation.change, run.look(operation))
        for operation in known
        if operation.is_open and (operation.environment, operation.account) == (environment, account)
    ]


def _outcome(change: Change, ending: Ending) -> Outcome:
    return Outcome(change.operation, change.object_id, ending.verdict, ending.detail, ending.created)


def _refuse_nobody(identity: str) -> None:
    if not identity.strip():
        raise PlanError("who corrects is not known; set AUDITKIT_IDENTITY")


def _refuse_applied(plan: Plan, known: dict[str, Operation]) -> None:
    begun = [operation for operation in known.values() if operation.plan == plan.digest]
    if strange := [operation.reply.strange for operation in begun if operation.reply and operation.reply.strange]:
        raise PlanError(f"plan {plan.digest[:12]} did what it should not ({strange[0]}); look, then plan again")
    if len([operation for operation in begun if operation.is_done]) == plan.objects:
        raise PlanError(f"plan {plan.digest[:12]} was applied already; plan again for what is still wrong")


class _Run:
    """The steps of one object, in their order.

    `_read_at` is when the object was last read; `_may_send` names the operation that a read, since the last send, has
    shown to be as planned; `_is_proven` is whether an object was read since the last send; `_is_denied`, whether a send
    was refused for its credentials.
    """

    _read_at: datetime

    def __init__(
        self,
        vendors: Vendors,
        journal: Journal,
        identity: str,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None],
    ) -> None:
        self._vendors = vendors
        self._note = Noting(journal, identity).note
        self._clock = clock
        self._sleep = sleep
        self._may_send = ""
        self._is_proven = False
        self._is_denied = False

    def correct(self, operation: Operation) -> Ending:
        """One object, from intent to verdict."""
        if operation.is_done:
            verdict = operation.verdict or Verdict.UNKNOWN
            return Ending(verdict, operation.detail, created=operation.created)
        if not operation.begun or operation.verdict is Verdict.NOT_APPLIED:
            operation = self._intend(operation)
        if not operation.sends:
            if ending := self._pre_read(operation):
                return ending if ending.verdict is Verdict.NOT_BEGUN else self._close(operation, ending)
            operation = self._send(operation)
        operation, ending = self._settle(operation)
        while _may_resend(operation, ending):
            self._may_send = operation.id
            operation = self._send(operation)
            operation, ending = self._settle(operation)
        return self._close(operation, replace(ending, stops_the_run=ending.stops_the_run or self._is_denied))

    def look(self, operation: Operation) -> Ending:
        """How an interrupted object ended. Nothing is sent."""
        if not operation.sends:
            return self._close(operation, Ending(Verdict.NOT_APPLIED, UNSENT))
        operation, ending = self._settle(operation)
        return self._close(operation, ending)

    def _intend(self, operation: Operation) -> Operation:
        return self._note(operation, Step.INTENT, plan=operation.plan, change=asdict(operation.change))

    def _pre_read(self, operation: Operation) -> Ending | None:
        """What speaks against sending, or None when the object is as the plan saw it."""
        try:
            ending = self._differs(operation.change)
        except Denied as error:
            return Ending(Verdict.REFUSED, str(error), stops_the_run=True)
        except (TimedOut, Unreachable) as error:
            return Ending(Verdict.NOT_BEGUN, f"nothing was sent; apply the plan again: {error}")
        except ApiError as error:
            return Ending(Verdict.REFUSED, str(error))
        self._may_send = "" if ending else operation.id
        return ending

    def _differs(self, change: Change) -> Ending | None:
        if change.kind.creates:
            ids = self._vendors.find(change.kind, change.object_id)
            self._read_at = self._clock()
            there = f"{', '.join(ids)}: has this key already; nothing was sent"
            return Ending(Verdict.CONFLICT, there) if ids else None
        text = self._read(change, change.object_id)
        if digest(text) == change.before_digest:
            return None
        found = parse(text, change.object_id)
        if not judging.missed(change, found):
            return Ending(Verdict.ALREADY, "the object has the planned values; nothing was sent")
        fields = ", ".join(moved(change.before, found, ())) or "the time of its last change"
        return Ending(Verdict.CONFLICT, f"{fields}: changed since the plan was made; nothing was sent")

    def _send(self, operation: Operation) -> Operation:
        """Exactly one request, after its record."""
        change = operation.change
        attempt = operation.sends + 1
        most = 1 if change.kind.creates else MAX_SENDS
        _hold(attempt <= most, "an edit is sent at most three times, a creation once")
        _hold(self._may_send == operation.id, "nothing is sent but on a read that shows the object as planned")
        gap = self._clock() - self._read_at
        operation = self._note(
            operation,
            Step.SENDING,
            attempt=attempt,
            request=digest(dump(change.body)),
            seconds_since_read=f"{gap.total_seconds():.3f}",
        )
        _hold(operation.sends == attempt, "no request leaves before its record")
        self._may_send, self._is_proven = "", False
        sys.audit("auditkit.point", "unsent")
        try:
            reply = self._request(change)
        except (ApiError, StoreError) as error:
            self._is_denied = isinstance(error, Denied)
            reply = judging.failed(error)
        sys.audit("auditkit.point", "sent")
        step = Step.RESPONDED if reply.answered else Step.NORESPONSE
        return self._note(operation, step, reply=asdict(reply))

    def _request(self, change: Change) -> Reply:
        aimsio, jobnimbus = self._vendors.aimsio, self._vendors.jobnimbus
        if change.system == "aimsio":
            return judging.counted(aimsio.save_nrb(change.body), creates=change.kind.creates)
        if change.kind.creates:
            return judging.answered(jobnimbus.create_invoice(change.body))
        return judging.answered(jobnimbus.update_invoice(change.object_id, change.body))

    def _settle(self, operation: Operation) -> tuple[Operation, Ending]:
        """Wait until the last request can no longer land, then read until the object tells how it ended."""
        if operation.reply is None or not operation.reply.answered:
            self._sleep(operation.change.kind.quiet)
        ending = self._look_once(operation)
        for _ in range(VERIFY_READS - 1):
            if ending.verdict not in (Verdict.NOT_APPLIED, Verdict.UNKNOWN):
                break
            self._sleep(VERIFY_PAUSE_SECONDS)
            ending = self._look_once(operation)
        return operation.now_settled(), ending

    def _look_once(self, operation: Operation) -> Ending:
        try:
            return self._seen(operation)
        except (ApiError, StoreError) as error:
            if isinstance(error, NotThere) and not operation.change.kind.creates:
                return judging.vanished(operation, error)
            return Ending(Verdict.UNKNOWN, str(error), stops_the_run=True)

    def _seen(self, operation: Operation) -> Ending:
        change = operation.change
        if not change.kind.creates:
            return judging.edited(operation, self._read(change, change.object_id))
        ids = self._vendors.find(change.kind, change.object_id)
        found = parse(self._read(change, ids[0]), ids[0]) if len(ids) == 1 else None
        return judging.created(operation, ids, found)

    def _close(self, operation: Operation, ending: Ending) -> Ending:
        _hold(not operation.sends or operation.settled, "no verdict while a request of ours could still land")
        _hold(self._is_proven or ending.verdict not in _PROVEN, "what was applied is proven by a fresh read")
        said = {"detail": ending.detail, "moved": list(ending.moved), "created": ending.created}
        self._note(operation, ending.verdict, **said)
        return ending

    def _read(self, change: Change, object_id: str) -> str:
        sys.audit("auditkit.point", "unread")
        self._is_proven = True  # a 404 is an answer, too
        text = self._vendors.read(change.kind, object_id)
        self._read_at = self._clock()
        sys.audit("auditkit.point", "read")
        return text


_PROVEN = (Verdict.VERIFIED, Verdict.SIDE_EFFECT)


def _may_resend(operation: Operation, ending: Ending) -> bool:
    """Proven not applied by a fresh read, with nothing that speaks against the same absolute edit once more."""
    if operation.change.kind.creates:
        return False
    is_open = operation.reply is None or operation.reply.may_resend
    return ending.verdict is Verdict.NOT_APPLIED and is_open and operation.sends < MAX_SENDS


def _hold(invariant: bool, what: str) -> None:
    """An invariant that python -O cannot switch off."""
    if not invariant:
        raise AssertionError(f"invariant broken: {what}; nothing more is sent")
