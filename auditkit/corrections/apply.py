"""Apply a plan: one object at a time, each step on disk before the next, and only a fresh read proves anything.

    INTENT* → read by id → as planned → SENDING* → one request → RESPONDED* | NORESPONSE*
                         | at the target → ALREADY* | differs → CONFLICT* | not readable → REFUSED*
                         | no answer → NOT_BEGUN: it stays open, and the same plan may be applied again
    RESPONDED | NORESPONSE → wait until the request can no longer take effect → read by id, up to 3 times:
      as planned, rest unchanged → VERIFIED* · as planned, other fields changed → SIDE_EFFECT*
      still as before → NOT_APPLIED* (sent again at most twice) · anything else → CONFLICT* · not readable → UNKNOWN*

Where an edit is read by id, a creation is searched for by its key: found before → CONFLICT*; after: found once → read
by id and judged, found twice → CONFLICT*, not found → UNKNOWN* (NOT_APPLIED* where the vendor refused). It is never
sent twice.

`*` is a journal record, on disk before the next step. After a crash: INTENT alone → read again; SENDING or later →
wait and read, never send first. One gap remains, because the vendors have no If-Match: an edit by somebody else between
our read and the vendor's write is overwritten. SENDING records how long that gap was.

This is the only module that calls a method that writes. Not here: what a plan may hold (plan), who allows it
(approval), what a read means (verdicts).
"""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from auditkit.corrections import verdicts
from auditkit.corrections.approval import Approver, check_approval
from auditkit.corrections.diff import unplanned_changes
from auditkit.corrections.lookup import Clients
from auditkit.corrections.plan import Change, Plan
from auditkit.corrections.recorder import Recorder
from auditkit.corrections.tracking import Correction, Reply, Step, Verdict, corrections
from auditkit.corrections.verdicts import Conclusion
from auditkit.errors import ApiError, Denied, NotThere, OutcomeUnknown, PlanError, StoreError, TimedOut, Unreachable
from auditkit.journal import Journal, digest, now
from auditkit.settings import AccountKey
from auditkit.vendors.strict_json import dump, parse

__all__ = ["UNSENT", "Outcome", "apply", "recover", "refuse_unready", "settle"]

UNSENT = "interrupted before anything was sent"
VERIFY_READS = 3
VERIFY_PAUSE_SECONDS = 1.0
MAX_SENDS = 3
CLOCK_SKEW = timedelta(minutes=10)


@dataclass(frozen=True)
class Outcome:
    """How one object ended: the verdict and, in words, what it is based on. `created` is the id of a new object."""

    operation: str
    object_id: str
    verdict: Verdict
    detail: str
    created: str | None = None


def apply(
    plan: Plan,
    *,
    clients: Clients,
    journal: Journal,
    approvers: Sequence[Approver],
    account: AccountKey,
    identity: str,
    progress: Callable[[Outcome], None] | None = None,
    clock: Callable[[], datetime] = now,
    sleep: Callable[[float], None] = time.sleep,
) -> list[Outcome]:
    """Apply each change of a plan. One outcome for each, in the plan's order; `progress` gets each as it ends.

    1. Refuse a plan that is not approved, expired, for another account, or already applied (`PlanError`;
       `ApprovalRefused` is one).
    2. Find out how interrupted corrections of other plans ended; while one of them is unknown, send nothing.
    3. Take each object from where the journal left it to its verdict.

    The run stops, and the other objects are `NOT_BEGUN`, when a request did something that was not asked for, when an
    outcome is unknown, and when the credentials are refused. An object that could not be read because nothing answered
    is `NOT_BEGUN` too, and the run continues. Applying the same plan again continues from there, unless a request did
    something else.

    Raises `JournalError` when a record cannot be written, `OutcomeUnknown` when that happens after a send or while
    another plan's outcome is unknown, `Busy` when another process is writing, and `StoreError` when a file of the cache
    or of the rate limit cannot be used before the object was sent.
    """
    with journal.sole_writer():
        refuse_unready(
            plan,
            journal=journal,
            approvers=approvers,
            account=account,
            identity=identity,
            clock=clock,
        )
        known = corrections(journal)
        run = _Run(clients, journal, identity, clock, sleep)
        others = [correction for correction in known.values() if correction.plan != plan.digest]
        for outcome in _recovered(run, others, account):
            if outcome.verdict is Verdict.UNKNOWN:
                raise OutcomeUnknown(
                    f"{outcome.object_id}: outcome unknown ({outcome.detail}); recover it before you apply"
                )
        planned = [Correction(plan.digest, plan.account, change) for change in plan.changes]
        of_this_plan = [known.get(correction.id, correction) for correction in planned]
        for found, change in zip(of_this_plan, plan.changes, strict=True):
            _require(found.change == change and found.plan == plan.digest, "what is executed is what was planned")
        conclusions: dict[str, Conclusion] = {}
        is_stopped = False
        # First what was sent before and is still open: while its outcome is unknown, nothing else is sent.
        for correction in sorted(of_this_plan, key=lambda each: not (each.sends and each.is_open)):
            held_back = is_stopped and not correction.is_done
            conclusion = (
                Conclusion(Verdict.NOT_BEGUN, "the run had stopped before it") if held_back else run.correct(correction)
            )
            is_stopped = is_stopped or conclusion.stops_the_run
            conclusions[correction.id] = conclusion
            if progress:
                progress(_outcome(correction.change, conclusion))
        _require(len(conclusions) == plan.objects, "every object has a verdict, or was not begun")
        return [_outcome(correction.change, conclusions[correction.id]) for correction in of_this_plan]


def refuse_unready(
    plan: Plan,
    *,
    journal: Journal,
    approvers: Sequence[Approver],
    account: AccountKey,
    identity: str,
    clock: Callable[[], datetime] = now,
) -> None:
    """Raise `PlanError` for a plan that cannot be applied now; `apply` calls this first."""
    _refuse_no_identity(identity)
    instant = journal.not_before(clock())
    if plan.created_at > instant + CLOCK_SKEW:
        raise PlanError(f"plan {plan.digest[:12]} was made in the future; check both machines' clocks, then plan again")
    _refuse_applied(plan, corrections(journal))
    check_approval(
        plan,
        plan.signature("prepare"),
        plan.signature("approve"),
        approvers,
        journal,
        now=instant,
        account=account,
        who=identity,
    )


def recover(
    *,
    clients: Clients,
    journal: Journal,
    account: AccountKey,
    identity: str,
    clock: Callable[[], datetime] = now,
    sleep: Callable[[float], None] = time.sleep,
) -> list[Outcome]:
    """Find out how every interrupted correction of this account ended. Nothing is sent."""
    _refuse_no_identity(identity)
    with journal.sole_writer():
        run = _Run(clients, journal, identity, clock, sleep)
        return _recovered(run, list(corrections(journal).values()), account)


def settle(correction_id: str, note: str, *, journal: Journal, account: AccountKey, identity: str) -> None:
    """Record how a correction ended whose outcome stays unknown, as a person found out.

    `PlanError` unless it is one of this account, and a read after its request could no longer take effect did not show
    how it ended.
    """
    _refuse_no_identity(identity)
    if not note.strip() or not note.isprintable():
        raise PlanError("a note is needed: in one line, what you saw in the vendor's own screens")
    with journal.sole_writer():
        correction = corrections(journal).get(correction_id)
        is_ours = correction is not None and correction.account == account
        if correction is None or not is_ours or correction.verdict is not Verdict.UNKNOWN:
            raise PlanError(
                f"{correction_id}: is not a correction of this account whose outcome is unknown; run `auditkit recover`"
            )
        Recorder(journal, identity).record(
            correction, Verdict.SETTLED, detail=note.strip(), also_changed=[], created=None
        )


def _recovered(run: "_Run", known: list[Correction], account: AccountKey) -> list[Outcome]:
    return [
        _outcome(correction.change, run.recover(correction))
        for correction in known
        if correction.is_open and correction.account == account
    ]


def _outcome(change: Change, conclusion: Conclusion) -> Outcome:
    return Outcome(change.operation, change.object_id, conclusion.verdict, conclusion.detail, conclusion.created)


def _refuse_no_identity(identity: str) -> None:
    if not identity.strip():
        raise PlanError("the person who applies is not known; set AUDITKIT_IDENTITY")


def _refuse_applied(plan: Plan, known: dict[str, Correction]) -> None:
    begun = [correction for correction in known.values() if correction.plan == plan.digest]
    replies = [correction.reply for correction in begun if correction.reply]
    if unexpected := [reply.unexpected for reply in replies if reply.unexpected]:
        raise PlanError(
            f"plan {plan.digest[:12]} did something unexpected ({unexpected[0]}); look at it, then plan again"
        )
    if len([correction for correction in begun if correction.is_done]) == plan.objects:
        raise PlanError(f"plan {plan.digest[:12]} was already applied; plan again for what is still wrong")


class _Run:
    """The steps of one object, in their order.

    `_read_at` is when the object was last read. `_may_send` is the id of the correction whose object a read since the
    last send showed to be as planned. `_is_proven`: an object was read since the last send. `_is_denied`: a send was
    refused because of its credentials.
    """

    _read_at: datetime

    def __init__(
        self,
        clients: Clients,
        journal: Journal,
        identity: str,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None],
    ) -> None:
        self._clients = clients
        self._record = Recorder(journal, identity).record
        self._clock = clock
        self._sleep = sleep
        self._may_send = ""
        self._is_proven = False
        self._is_denied = False

    def correct(self, correction: Correction) -> Conclusion:
        """Take one object from intent to verdict."""
        if correction.is_done:
            verdict = correction.verdict or Verdict.UNKNOWN
            return Conclusion(verdict, correction.detail, created=correction.created)
        if not correction.begun or correction.verdict is Verdict.NOT_APPLIED:
            correction = self._record_intent(correction)
        if not correction.sends:
            if conclusion := self._pre_read(correction):
                is_begun = conclusion.verdict is not Verdict.NOT_BEGUN
                return self._record_verdict(correction, conclusion) if is_begun else conclusion
            correction = self._send(correction)
        correction, conclusion = self._wait_and_verify(correction)
        while _may_resend(correction, conclusion):
            self._may_send = correction.id
            correction = self._send(correction)
            correction, conclusion = self._wait_and_verify(correction)
        return self._record_verdict(
            correction, replace(conclusion, stops_the_run=conclusion.stops_the_run or self._is_denied)
        )

    def recover(self, correction: Correction) -> Conclusion:
        """Find out how an interrupted object ended. Nothing is sent."""
        if not correction.sends:
            return self._record_verdict(correction, Conclusion(Verdict.NOT_APPLIED, UNSENT))
        correction, conclusion = self._wait_and_verify(correction)
        return self._record_verdict(correction, conclusion)

    def _record_intent(self, correction: Correction) -> Correction:
        return self._record(correction, Step.INTENT, plan=correction.plan, change=asdict(correction.change))

    def _pre_read(self, correction: Correction) -> Conclusion | None:
        """Why nothing must be sent; None where the object is as it was when planned."""
        try:
            conclusion = self._obstacle(correction.change)
        except Denied as error:
            return Conclusion(Verdict.REFUSED, str(error), stops_the_run=True)
        except (TimedOut, Unreachable) as error:
            return Conclusion(Verdict.NOT_BEGUN, f"nothing was sent; apply the plan again: {error}")
        except ApiError as error:
            return Conclusion(Verdict.REFUSED, str(error))
        self._may_send = "" if conclusion else correction.id
        return conclusion

    def _obstacle(self, change: Change) -> Conclusion | None:
        if change.operation_type.creates:
            # The first search may take minutes. The second, over what is cached by then, keeps the time short in which
            # a copy of this home could create the same object unseen.
            find = self._clients.find
            ids = find(change.operation_type, change.object_id) or find(change.operation_type, change.object_id)
            self._read_at = self._clock()
            there = f"{', '.join(ids)}: has this key already; nothing was sent"
            return Conclusion(Verdict.CONFLICT, there) if ids else None
        text = self._read(change, change.object_id)
        if digest(text) == change.before_digest:
            return None
        found = parse(text, change.object_id)
        if not verdicts.unmet(change, found):
            return Conclusion(Verdict.ALREADY, "the object has the planned values; nothing was sent")
        fields = ", ".join(unplanned_changes(change.before, found, ())) or "the time of its last change"
        return Conclusion(Verdict.CONFLICT, f"{fields}: changed since the plan was made; nothing was sent")

    def _send(self, correction: Correction) -> Correction:
        """Send exactly one request, after its record."""
        change = correction.change
        attempt = correction.sends + 1
        most = 1 if change.operation_type.creates else MAX_SENDS
        _require(attempt <= most, "an edit is sent at most three times, a creation once")
        _require(self._may_send == correction.id, "nothing is sent without a read that shows the object as planned")
        gap = self._clock() - self._read_at
        correction = self._record(
            correction,
            Step.SENDING,
            attempt=attempt,
            request=digest(dump(change.body)),
            seconds_since_read=f"{gap.total_seconds():.3f}",
        )
        _require(correction.sends == attempt, "no request leaves before its record")
        self._may_send, self._is_proven = "", False
        sys.audit("auditkit.point", "unsent")
        try:
            reply = _SEND[change.system](self._clients, change)
        except (ApiError, StoreError) as error:
            self._is_denied = isinstance(error, Denied)
            reply = verdicts.failed_reply(error)
        sys.audit("auditkit.point", "sent")
        step = Step.RESPONDED if reply.answered else Step.NORESPONSE
        return self._record(correction, step, reply=asdict(reply))

    def _wait_and_verify(self, correction: Correction) -> tuple[Correction, Conclusion]:
        """Wait until the last request can no longer take effect, then read until the object shows how it ended."""
        if correction.reply is None or not correction.reply.answered:
            self._sleep(correction.change.operation_type.quiet)
        conclusion = self._verify_or_unknown(correction)
        for _ in range(VERIFY_READS - 1):
            if conclusion.verdict not in (Verdict.NOT_APPLIED, Verdict.UNKNOWN):
                break
            self._sleep(VERIFY_PAUSE_SECONDS)
            conclusion = self._verify_or_unknown(correction)
        return correction.with_nothing_in_flight(), conclusion

    def _verify_or_unknown(self, correction: Correction) -> Conclusion:
        try:
            return self._verify_once(correction)
        except (ApiError, StoreError) as error:
            if isinstance(error, NotThere) and not correction.change.operation_type.creates:
                return verdicts.missing_after_edit(correction, error)
            return Conclusion(Verdict.UNKNOWN, str(error), stops_the_run=True)

    def _verify_once(self, correction: Correction) -> Conclusion:
        change = correction.change
        if not change.operation_type.creates:
            return verdicts.after_edit(correction, self._read(change, change.object_id))
        ids = self._clients.find(change.operation_type, change.object_id)
        found = parse(self._read(change, ids[0]), ids[0]) if len(ids) == 1 else None
        return verdicts.after_creation(correction, ids, found)

    def _record_verdict(self, correction: Correction, conclusion: Conclusion) -> Conclusion:
        is_quiet = not correction.sends or correction.nothing_in_flight
        _require(is_quiet, "no verdict while a request of ours could still take effect")
        _require(self._is_proven or conclusion.verdict not in _PROVEN, "what was applied is proven by a fresh read")
        self._record(
            correction,
            conclusion.verdict,
            detail=conclusion.detail,
            also_changed=list(conclusion.also_changed),
            created=conclusion.created,
        )
        return conclusion

    def _read(self, change: Change, object_id: str) -> str:
        sys.audit("auditkit.point", "unread")
        self._is_proven = True  # a 404 is an answer, too
        text = self._clients.read(change.operation_type, object_id)
        self._read_at = self._clock()
        sys.audit("auditkit.point", "read")
        return text


_PROVEN = (Verdict.VERIFIED, Verdict.SIDE_EFFECT)


def _send_to_aimsio(clients: Clients, change: Change) -> Reply:
    return verdicts.aimsio_reply(clients.aimsio.save_nrb(change.body), creates=change.operation_type.creates)


def _send_to_jobnimbus(clients: Clients, change: Change) -> Reply:
    if change.operation_type.creates:
        return verdicts.jobnimbus_reply(clients.jobnimbus.create_invoice(change.body))
    return verdicts.jobnimbus_reply(clients.jobnimbus.update_invoice(change.object_id, change.body))


_SEND: Mapping[str, Callable[[Clients, Change], Reply]] = {
    "aimsio": _send_to_aimsio,
    "jobnimbus": _send_to_jobnimbus,
}


def _may_resend(correction: Correction, conclusion: Conclusion) -> bool:
    """Whether a fresh read proves that an edit was not applied, and its answer does not forbid sending it again."""
    if correction.change.operation_type.creates:
        return False
    is_open = correction.reply is None or correction.reply.may_resend
    return conclusion.verdict is Verdict.NOT_APPLIED and is_open and correction.sends < MAX_SENDS


def _require(invariant: bool, what: str) -> None:
    """Assert an invariant, also under `python -O`."""
    if not invariant:
        raise AssertionError(f"invariant broken: {what}; nothing more is sent")
