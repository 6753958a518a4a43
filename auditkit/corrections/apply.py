"""Apply a plan: one object at a time, each step on disk before the next, and only a fresh read proves anything.

    INTENT* → read by id → as planned → SENDING* → one request → RESPONDED* | NORESPONSE*
                         | at the target → ALREADY* | differs → CONFLICT* | not readable → REFUSED*
                         | no answer → NOT_BEGUN: it stays open, and the same plan may be applied again
    RESPONDED | NORESPONSE → wait until the request can no longer land → read by id, up to 3 times:
      target reached, rest unchanged → VERIFIED* · target reached, others moved → SIDE_EFFECT*
      still as before → NOT_APPLIED* (sent again at most twice) · anything else → CONFLICT* · not readable → UNKNOWN*

`*` is a journal record, on disk before the next step. After a crash: INTENT alone → read again; SENDING or later →
wait and read, never send first. What cannot be closed: an edit by somebody else between our read and the vendor's
write, since there is no If-Match; SENDING records how long that gap was.

This is the only module that calls a method that writes. Not here: what a plan may hold (plan), who allows it
(approval), and how records are compared (comparing).
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from importlib.metadata import version
from typing import Any

from auditkit.apis.aimsio import AimsioClient
from auditkit.apis.records import ImportResult
from auditkit.apis.strict_json import dump, parse
from auditkit.corrections.comparing import moved, same
from auditkit.corrections.operations import RECORD_KIND, Operation, Reply, Step, Verdict, operations
from auditkit.corrections.plan import Change, Plan
from auditkit.errors import ApiError, BadAnswer, Denied, JournalError, NotThere, PlanError, TimedOut, Unreachable
from auditkit.journal import Journal, canonical, digest, now

__all__ = ["QUIET_SECONDS", "Outcome", "apply", "recover"]

QUIET_SECONDS = 15.0  # three times the 5 seconds after which Aimsio drops a call that waits in its queue
VERIFY_READS = 3
VERIFY_PAUSE_SECONDS = 1.0
MAX_SENDS = 3


@dataclass(frozen=True)
class Outcome:
    """How one object ended: the verdict and, in words, what it rests on."""

    object_id: str
    verdict: Verdict
    detail: str


@dataclass(frozen=True)
class _Ending:
    verdict: Verdict
    detail: str
    stops_the_run: bool = False


def apply(
    plan: Plan,
    *,
    aimsio: AimsioClient,
    journal: Journal,
    environment: str,
    account: str,
    identity: str,
    progress: Callable[[Outcome], None] | None = None,
    clock: Callable[[], datetime] = now,
    sleep: Callable[[float], None] = time.sleep,
) -> list[Outcome]:
    """Apply each change of a plan; one outcome each, in the plan's order, which `progress` gets as they end.

    1. Refuse a plan that is expired, for another environment or account, or applied already (`PlanError`).
    2. Find out how interrupted corrections under other plans ended; while one of them is unknown, send nothing.
    3. Take each object from where the journal left it to its verdict.

    The run stops, and what is left is `NOT_BEGUN`, when an edit created something, when an outcome is unknown, and
    when the credentials are refused, in reading or in sending. An object that could not be read for want of an answer
    is `NOT_BEGUN` too, and the run goes on. Applying the same plan again goes on from there, save after a creation.
    Raises `JournalError` when a record cannot be written, and `Busy` when another process is writing.
    """
    with journal.sole_writer():
        known = operations(journal)
        if not identity.strip():
            raise PlanError("who applies the plan is not known; set AUDITKIT_IDENTITY")
        _refuse_unless_applicable(plan, known, environment, account, clock())
        run = _Run(aimsio, journal, identity, clock, sleep)
        others = [operation for operation in known.values() if operation.plan != plan.digest]
        for outcome in _recovered(run, others, environment, account):
            if outcome.verdict is Verdict.UNKNOWN:
                raise PlanError(f"{outcome.object_id}: outcome unknown ({outcome.detail}); recover it before you apply")
        outcomes: list[Outcome] = []
        is_stopped = False
        for change in plan.changes:
            planned = Operation(plan.digest, plan.environment, plan.account, change)
            operation = known.get(planned.id, planned)
            _hold(operation.change == change and operation.plan == plan.digest, "what is executed is what was planned")
            ending = _Ending(Verdict.NOT_BEGUN, "the run had stopped before") if is_stopped else run.correct(operation)
            is_stopped = is_stopped or ending.stops_the_run
            outcomes.append(Outcome(change.object_id, ending.verdict, ending.detail))
            if progress:
                progress(outcomes[-1])
        return outcomes


def recover(
    *,
    aimsio: AimsioClient,
    journal: Journal,
    environment: str,
    account: str,
    identity: str,
    clock: Callable[[], datetime] = now,
    sleep: Callable[[float], None] = time.sleep,
) -> list[Outcome]:
    """Find out how every interrupted correction of this account ended, without sending anything."""
    with journal.sole_writer():
        run = _Run(aimsio, journal, identity, clock, sleep)
        return _recovered(run, list(operations(journal).values()), environment, account)


def _recovered(run: "_Run", known: list[Operation], environment: str, account: str) -> list[Outcome]:
    outcomes = []
    for operation in known:
        if operation.is_open and (operation.environment, operation.account) == (environment, account):
            ending = run.look(operation)
            outcomes.append(Outcome(operation.change.object_id, ending.verdict, ending.detail))
    return outcomes


def _refuse_unless_applicable(
    plan: Plan, known: dict[str, Operation], environment: str, account: str, today: datetime
) -> None:
    if (plan.environment, plan.account) != (environment, account):
        raise PlanError(
            f"plan {plan.digest[:12]} is for {plan.account} at {plan.environment}, not for {account} at {environment}"
        )
    begun = [operation for operation in known.values() if operation.plan == plan.digest]
    if any(operation.reply and operation.reply.created for operation in begun):
        raise PlanError(f"plan {plan.digest[:12]} created an object where it should edit one; look, then plan again")
    if len([operation for operation in begun if not operation.is_open]) == len(plan.changes):
        raise PlanError(f"plan {plan.digest[:12]} was applied already; plan again for what is still wrong")
    if today >= plan.expires_at:
        raise PlanError(f"plan {plan.digest[:12]} expired at {plan.expires_at:%Y-%m-%d %H:%M %Z}; plan again")


class _Run:
    """The steps of one object, in their order.

    `_read_at` is when the object was last read; `_is_denied`, whether a send was refused for its credentials.
    """

    def __init__(
        self,
        aimsio: AimsioClient,
        journal: Journal,
        identity: str,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None],
    ) -> None:
        self._aimsio = aimsio
        self._journal = journal
        self._who = {"who": identity, "version": version("auditkit")}
        self._clock = clock
        self._sleep = sleep
        self._read_at = clock()
        self._is_denied = False

    def correct(self, operation: Operation) -> _Ending:
        """One object, from intent to verdict."""
        if operation.begun and not operation.is_open:
            return _Ending(operation.verdict or Verdict.UNKNOWN, operation.detail)
        if not operation.begun:
            operation = self._intend(operation)
        if not operation.sends:
            if ending := self._pre_read(operation.change):
                return ending if ending.verdict is Verdict.NOT_BEGUN else self._close(operation, ending)
            operation = self._send(operation)
        operation, ending = self._settle(operation)
        while _may_resend(operation, ending):
            operation = self._send(operation)
            operation, ending = self._settle(operation)
        return self._close(operation, replace(ending, stops_the_run=ending.stops_the_run or self._is_denied))

    def look(self, operation: Operation) -> _Ending:
        """How an interrupted object ended. Nothing is sent."""
        if not operation.sends:
            return self._close(operation, _Ending(Verdict.NOT_APPLIED, "interrupted before anything was sent"))
        operation, ending = self._settle(operation)
        return self._close(operation, ending)

    def _intend(self, operation: Operation) -> Operation:
        change = operation.change
        return self._note(
            operation,
            Step.INTENT,
            plan=operation.plan,
            environment=operation.environment,
            account=operation.account,
            change=asdict(change),
        )

    def _pre_read(self, change: Change) -> _Ending | None:
        """What speaks against sending, or None when the object is, to the byte, what the plan saw."""
        try:
            text = self._read(change)
        except Denied as error:
            return _Ending(Verdict.REFUSED, str(error), stops_the_run=True)
        except (TimedOut, Unreachable) as error:
            return _Ending(Verdict.NOT_BEGUN, f"nothing was sent; apply the plan again: {error}")
        except ApiError as error:
            return _Ending(Verdict.REFUSED, str(error))
        if digest(text) == change.before_digest:
            return None
        found = parse(text, change.object_id)
        if not _missed(change, found):
            return _Ending(Verdict.ALREADY, "the object has the planned values; nothing was sent")
        fields = ", ".join(moved(change.before, found, ())) or "nrbUpdatedAt"
        return _Ending(Verdict.CONFLICT, f"{fields}: changed since the plan was made; nothing was sent")

    def _send(self, operation: Operation) -> Operation:
        """Exactly one request, after its record."""
        body = operation.change.edit_body
        gap = self._clock() - self._read_at
        attempt = operation.sends + 1
        _hold(attempt <= MAX_SENDS, "an object is sent at most three times")
        operation = self._note(
            operation,
            Step.SENDING,
            attempt=attempt,
            request=digest(dump(body)),
            seconds_since_read=f"{gap.total_seconds():.3f}",
        )
        _hold(operation.sends == attempt, "no request leaves before its record")
        try:
            reply = _reply(self._aimsio.save_nrb(body))
        except ApiError as error:
            # Also a 5xx may come from a gateway while the vendor still works: only counts are an answer.
            is_open = isinstance(error, (TimedOut, Unreachable, BadAnswer))
            self._is_denied = isinstance(error, Denied)
            reply = Reply(answered=False, may_resend=is_open, created=0, detail=str(error))
        step = Step.RESPONDED if reply.answered else Step.NORESPONSE
        return self._note(operation, step, reply=asdict(reply))

    def _settle(self, operation: Operation) -> tuple[Operation, _Ending]:
        """Wait until the last request can no longer land, then read until the object tells how it ended."""
        if operation.reply is None or not operation.reply.answered:
            self._sleep(QUIET_SECONDS)
        ending = self._look_once(operation)
        for _ in range(VERIFY_READS - 1):
            if ending.verdict not in (Verdict.NOT_APPLIED, Verdict.UNKNOWN):
                break
            self._sleep(VERIFY_PAUSE_SECONDS)
            ending = self._look_once(operation)
        return operation.now_settled(), ending

    def _look_once(self, operation: Operation) -> _Ending:
        try:
            text = self._read(operation.change)
        except NotThere as error:
            return _Ending(Verdict.CONFLICT, f"gone after the edit was sent: {error}")
        except ApiError as error:
            return _Ending(Verdict.UNKNOWN, str(error), stops_the_run=True)
        return _judged(operation, parse(text, operation.change.object_id))

    def _close(self, operation: Operation, ending: _Ending) -> _Ending:
        _hold(not operation.sends or operation.settled, "no verdict while a request of ours could still land")
        self._note(operation, ending.verdict, detail=ending.detail)
        return ending

    def _read(self, change: Change) -> str:
        text = self._aimsio.nrb(change.object_id)  # no version: never from the cache
        self._read_at = self._clock()
        return text

    def _note(self, operation: Operation, step: Step | Verdict, **said: Any) -> Operation:  # noqa: ANN401 — JSON
        change = operation.change
        body = {
            "operation": operation.id,
            "step": str(step),
            "system": change.system,
            "object": change.object_id,
            "before": change.before_digest,
            **self._who,
            **said,
        }
        try:
            self._journal.append(RECORD_KIND, body)
        except JournalError as error:
            if not operation.sends:
                raise
            raise JournalError(f"{error}; after a request was sent, so keep this record: {canonical(body)}") from error
        return operation.after(body)


def _may_resend(operation: Operation, ending: _Ending) -> bool:
    """Proven not applied by a fresh read, with nothing that speaks against the same absolute edit once more."""
    is_open = operation.reply is None or operation.reply.may_resend
    return ending.verdict is Verdict.NOT_APPLIED and is_open and operation.sends < MAX_SENDS


def _reply(result: ImportResult) -> Reply:
    counts = (
        f"created {result.created}, edited {result.edited}, with errors {result.edited_with_errors}, "
        f"not imported {result.not_imported}"
    )
    notices = f"; {dump(result.notices)[:200]}" if result.notices else ""
    return Reply(
        answered=True, may_resend=result.is_clean_edit, created=result.created, detail=f"Aimsio: {counts}{notices}"
    )


def _judged(operation: Operation, found: dict[str, Any]) -> _Ending:
    """What a fresh read after the send says, together with the counts of the answer."""
    change, reply = operation.change, operation.reply
    missed, others = _missed(change, found), _moved(change, found)
    words = f" ({reply.detail})" if reply else ""
    if reply and reply.created:
        verdict = Verdict.CONFLICT if missed else Verdict.SIDE_EFFECT
        return _Ending(verdict, f"the edit created an object: find it and make it internal{words}", stops_the_run=True)
    if not missed and not others:
        return _Ending(Verdict.VERIFIED, f"read back as planned{'' if reply and reply.may_resend else words}")
    if not missed:
        return _Ending(Verdict.SIDE_EFFECT, f"as planned, but also changed: {', '.join(others)}")
    is_untouched = all(same(field.field, field.before, found.get(field.field)) for field in change.changes)
    if is_untouched and not others:
        return _Ending(Verdict.NOT_APPLIED, f"still as before{words}")
    return _Ending(Verdict.CONFLICT, f"neither as before nor as planned: {', '.join((*missed, *others))}{words}")


def _missed(change: Change, found: dict[str, Any]) -> tuple[str, ...]:
    return tuple(field.field for field in change.changes if not same(field.field, field.after, found.get(field.field)))


def _moved(change: Change, found: dict[str, Any]) -> tuple[str, ...]:
    return moved(change.before, found, (field.field for field in change.changes))


def _hold(invariant: bool, what: str) -> None:
    """An invariant that python -O cannot switch off."""
    if not invariant:
        raise AssertionError(f"invariant broken: {what}; nothing more is sent")
