"""Every path that one correction can take: each interleaving of our steps, kills, another editor and the vendor.

    vendor    a request takes effect (at once, late, or in two copies that a proxy made) or is lost; it is answered
              with counts, with an error or not at all, whatever became of it; a list may lag behind a create
    editor    somebody else saves the object, or makes one with our key, between any two steps
    kill      a process ends between any two of its steps, keeps what is on disk, and is started again
    mishap    a read fails, a record cannot be written, a proxy doubles a request, a list lags: a few in each run

Kills, edits and mishaps each have a budget, so the number of states is finite, and `explore` visits all of them. The
fate of a request is not chosen beforehand: taking effect, loss and answer are separate steps in any order, which covers
"not received", "received and not applied", "applied, answer lost", "applied late" and "applied twice".

Not here: several objects in a run, deletions, records torn by a crash, and the clock.
"""

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from tests.protocol.invariants import HOLDS, MAX_SENDS, Invariant, is_in_the_gap
from tests.protocol.states import (
    TERMINAL,
    Answer,
    Assumption,
    Client,
    Edited,
    Guard,
    Kind,
    Object,
    Record,
    State,
    Step,
    Value,
)

Move = tuple[str, State]  # what happens, and the moment after it
Moves = Iterator[Move]


def _with(state: State, who: int, step: Step, **changes: object) -> State:
    clients = list(state.clients)
    clients[who] = replace(clients[who], step=step, **changes)
    return replace(state, clients=tuple(clients))


def _showable(objects: tuple[Object, ...]) -> tuple[Object, ...]:
    return tuple(replace(each, edited=Edited.SHOWABLE) if each.edited is not Edited.NO else each for each in objects)


@dataclass(frozen=True)
class Model:
    """One kind of operation under the protocol: complete, `without` some guards, or with `untrue` assumptions."""

    kind: Kind
    without: frozenset[Guard] = frozenset()
    untrue: frozenset[Assumption] = frozenset()
    kills: int = 2
    edits: int = 1
    mishaps: int = 1

    def start(self) -> State:
        """The first state."""
        objects = (Object(Value.BEFORE),) if self.kind is Kind.EDIT else ()
        return State(objects, self.kills, self.edits, self.mishaps)

    def moves(self, state: State) -> Moves:
        """Everything that can happen next."""
        yield from self._vendor(state)
        if state.edits:
            yield from self._editor(replace(state, edits=state.edits - 1, was_edited=True))
        yield from self._second_writer(state)
        for who, client in enumerate(state.clients):
            yield from self._kill(state, who)
            yield from _STEPS[client.step](self, state, who)

    def _has(self, guard: Guard) -> bool:
        return guard not in self.without

    # What others do

    def _vendor(self, state: State) -> Moves:
        if state.under_way:
            less = replace(state, under_way=state.under_way - 1)
            yield "a request is lost", less
            yield "a request takes effect", self._took_effect(less)
            if state.mishaps:
                doubled = replace(state, under_way=state.under_way + 1, doubled=state.doubled + 1)
                yield "a proxy doubles a request", replace(doubled, mishaps=state.mishaps - 1)
        if state.unflushed:
            yield "the disk catches up", replace(state, journal=state.records, unflushed=())

    def _took_effect(self, state: State) -> State:
        made = Object(Value.TARGET, is_ours=True)
        if self.kind is Kind.CREATE:
            harmed = [each.edited for each in state.objects if not each.is_ours]
            objects = (*state.objects, made)
        else:
            harmed = [each.edited for each in state.objects[:1]]
            first = replace(state.objects[0], value=Value.TARGET, edited=Edited.NO) if state.objects else made
            objects = (first, *state.objects[1:])
        worst = max([state.overwritten, *harmed], key=list(Edited).index)
        return replace(state, objects=objects, applied=state.applied + 1, overwritten=worst)

    def _editor(self, state: State) -> Moves:
        """Somebody who sees what we see and saves something; saving our target overwrites nothing.

        They do not make their own object equal to ours: nobody else uses our key.
        """
        foreign = Object(Value.OTHER, edited=Edited.SINCE_OUR_READ)
        if self.kind is not Kind.EDIT:
            yield "another makes an object with our key", replace(state, objects=(*state.objects, foreign))
        for number, each in enumerate(state.objects):
            values = {Value.OTHER, Value.BEFORE_AGAIN} if self.kind is Kind.EDIT else {Value.OTHER}
            saved = [replace(each, value=value, edited=Edited.SINCE_OUR_READ) for value in sorted(values)]
            if self.kind is Kind.EDIT or each.is_ours:
                saved.append(replace(each, value=Value.TARGET, edited=Edited.NO))
            for made in saved:
                objects = (*state.objects[:number], made, *state.objects[number + 1 :])
                yield f"another saves {made.value}", replace(state, objects=objects)

    def _kill(self, state: State, who: int) -> Moves:
        if state.kills and state.clients[who].step is not Step.START:
            has_ended = state.clients[who].step in (Step.END, Step.STOPPED)
            clients = (*state.clients[:who], Client(), *state.clients[who + 1 :])
            again = replace(state, clients=clients, kills=state.kills - 1, has_read=False)
            yield ("run again" if has_ended else "kill -9"), again if has_ended else replace(again, unflushed=())

    def _second_writer(self, state: State) -> Moves:
        is_held = self._has(Guard.ONE_WRITER)
        if not is_held and len(state.clients) == 1 and state.clients[0].step not in (Step.START, Step.END):
            yield "a second process starts", replace(state, clients=(*state.clients, Client()))

    # What our process does, a step at a time

    def _start(self, state: State, who: int) -> Moves:
        records = state.records
        if Record.INTENT not in records:
            yield "nothing on record", _with(state, who, Step.INTEND)
        elif not TERMINAL.isdisjoint(records):
            then = Step.END if self._has(Guard.VERDICT_IS_FINAL) else Step.PRE_READ
            yield "has its verdict", _with(state, who, then)
        elif Record.SENDING in records:
            yield "SENDING on record", _with(state, who, self._step_of_recovery(records))
        else:
            then = Step.PRE_READ if self._has(Guard.PRE_READ_AGAIN_AFTER_A_KILL) else Step.MARK
            yield "INTENT on record: apply", _with(state, who, then)
            yield "INTENT on record: recover", _with(state, who, Step.CLOSE, verdict=Record.NOT_APPLIED)

    def _step_of_recovery(self, records: tuple[Record, ...]) -> Step:
        if records[-1] is Record.UNKNOWN and not self._has(Guard.UNKNOWN_IS_CHECKED_AGAIN):
            return Step.END
        if not self._has(Guard.RECOVERY_READS_FIRST):
            return Step.MARK
        is_answered = records[-1] is Record.RESPONDED
        return Step.VERIFY if is_answered or not self._has(Guard.QUIET_TIME_AFTER_A_KILL) else Step.QUIET

    def _intend(self, state: State, who: int) -> Moves:
        if self._has(Guard.INTENT_FIRST):
            yield from self._write(state, who, Record.INTENT, Step.PRE_READ)
        else:
            yield "no INTENT", _with(state, who, Step.PRE_READ)

    def _pre_read(self, state: State, who: int) -> Moves:
        is_edit = self.kind is Kind.EDIT
        if not self._has(Guard.PRE_READ if is_edit else Guard.SEARCH_BEFORE_CREATE):
            yield "no pre-read", _with(state, who, Step.MARK)
            return
        if state.mishaps:
            refused = _with(state, who, Step.CLOSE, verdict=Record.REFUSED)
            yield "the pre-read fails", replace(refused, mishaps=state.mishaps - 1)
        state, seen = self._read(state, state.objects)
        if seen == ((Value.BEFORE,) if is_edit else ()) or not self._has(Guard.PRE_READ_COMPARES):
            yield "as planned", _with(state, who, Step.MARK)
        else:
            is_target = is_edit and seen == (Value.TARGET,)
            verdict = Record.ALREADY if is_target else Record.CONFLICT
            yield "not as planned", _with(state, who, Step.CLOSE, verdict=verdict)

    def _mark(self, state: State, who: int) -> Moves:
        # Without a read before, one would have shown the present value.
        state = state if state.has_read else replace(state, objects=_showable(state.objects))
        if state.records.count(Record.SENDING) >= self._most_sends:
            yield "sent too often", _with(state, who, Step.CLOSE, verdict=Record.UNKNOWN)
        elif self._has(Guard.SENDING_FIRST):
            yield from self._write(state, who, Record.SENDING, Step.SEND)
        else:
            yield "sent before its record", self._sent(state, who, Step.MARK_LATE)

    def _send(self, state: State, who: int) -> Moves:
        yield "sent", self._sent(state, who, Step.WAIT)

    def _mark_late(self, state: State, who: int) -> Moves:
        yield from self._write(state, who, Record.SENDING, Step.WAIT)

    def _wait(self, state: State, who: int) -> Moves:
        if not state.under_way or Assumption.AN_ANSWER_ENDS_EVERY_COPY in self.untrue:
            yield "answered", _with(state, who, Step.NOTE, answer=Answer.COUNTS)
        yield "answered with an error", _with(state, who, Step.NOTE, answer=Answer.ERROR)
        yield "not answered", _with(state, who, Step.NOTE, answer=Answer.NOTHING)
        if not self._has(Guard.ONE_REQUEST_A_SEND) and state.requests <= MAX_SENDS:
            yield "sent again by the transport", self._sent(state, who, Step.WAIT)

    def _note(self, state: State, who: int) -> Moves:
        answer = state.clients[who].answer
        is_answer = answer is Answer.COUNTS or (answer is Answer.ERROR and not self._has(Guard.ERROR_IS_NO_ANSWER))
        then, verdict = (Step.VERIFY if is_answer else Step.QUIET), None
        if answer is Answer.COUNTS and not self._has(Guard.ANSWER_IS_NO_PROOF):
            then, verdict = Step.CLOSE, Record.VERIFIED
        elif answer is Answer.ERROR and not self._has(Guard.ERROR_IS_NO_VERDICT):
            then, verdict = Step.CLOSE, Record.NOT_APPLIED
        elif answer is not Answer.COUNTS and not self._has(Guard.RESEND_ONLY_AFTER_PROOF):
            then = Step.MARK
        record = Record.RESPONDED if is_answer else Record.NORESPONSE
        yield from self._write(_with(state, who, Step.NOTE, answer=None, verdict=verdict), who, record, then)

    def _quiet(self, state: State, who: int) -> Moves:
        is_waited = self._has(Guard.QUIET_TIME) and Assumption.TAKES_EFFECT_WITHIN_THE_QUIET_TIME not in self.untrue
        if not state.under_way or not is_waited:
            yield "nothing can take effect", _with(state, who, Step.VERIFY)

    def _verify(self, state: State, who: int) -> Moves:
        fresh, seen = self._read(state, state.objects)
        yield "read again", _with(fresh, who, Step.JUDGE, seen=seen)
        if not state.mishaps:
            return
        state = replace(state, mishaps=state.mishaps - 1)
        yield "the read fails", _with(state, who, Step.CLOSE, verdict=Record.UNKNOWN)
        if self.kind is not Kind.EDIT:
            fresh, seen = self._read(state, tuple(each for each in state.objects if not each.is_ours))
            yield "the list lags behind our create", _with(fresh, who, Step.JUDGE, seen=seen)
        elif Assumption.A_READ_BY_ID_IS_CURRENT in self.untrue:
            yield "the read lags", _with(state, who, Step.JUDGE, seen=(Value.BEFORE,))

    def _judge(self, state: State, who: int) -> Moves:
        seen = state.clients[who].seen
        state = _with(state, who, Step.JUDGE, seen=None)
        is_whole = self._has(Guard.PROOF_IS_THE_WHOLE_BEFORE_IMAGE)
        untouched = {(Value.BEFORE,)} if is_whole else {(Value.BEFORE,), (Value.BEFORE_AGAIN,)}
        if seen == (Value.TARGET,) or (seen and Value.TARGET in seen and not self._has(Guard.TWICE_IS_CONFLICT)):
            yield "target", _with(state, who, Step.CLOSE, verdict=Record.VERIFIED)
        elif self.kind is Kind.EDIT and seen in untouched:
            yield "still as before", _with(state, who, Step.CLOSE, verdict=Record.NOT_APPLIED)
            if state.records.count(Record.SENDING) < self._most_sends:
                yield "still as before: again", _with(state, who, Step.MARK)
        elif not seen:
            yield "not found", _with(state, who, Step.CLOSE, verdict=Record.UNKNOWN)
            if not self._has(Guard.NO_RESEND_OF_CREATES):
                yield "not found: again", _with(state, who, Step.MARK)
        else:
            yield "anything else", _with(state, who, Step.CLOSE, verdict=Record.CONFLICT)

    def _close(self, state: State, who: int) -> Moves:
        verdict = state.clients[who].verdict
        assert verdict is not None
        yield from self._write(state, who, verdict, Step.END)

    def _end(self, state: State, who: int) -> Moves:
        yield from ()

    # What the steps share

    @property
    def _most_sends(self) -> int:
        return MAX_SENDS if self._has(Guard.SENDING_LIMIT) else MAX_SENDS + 1

    def _write(self, state: State, who: int, record: Record, then: Step) -> Moves:
        if self._has(Guard.FSYNC):
            written = replace(state, journal=(*state.journal, record))
        else:
            written = replace(state, unflushed=(*state.unflushed, record))
        yield f"{record}*", _with(written, who, then)
        if state.mishaps:
            then = Step.STOPPED if self._has(Guard.JOURNAL_FAILURE_STOPS) else then
            failed = replace(state, mishaps=state.mishaps - 1)
            yield f"{record} cannot be written", _with(failed, who, then, journal_failed=True)

    def _read(self, state: State, listed: tuple[Object, ...]) -> tuple[State, tuple[Value, ...]]:
        """What the vendor returns of the listed objects, or what a cache kept of the first read."""
        if state.cached is not None:
            return state, state.cached
        seen = tuple(each.value for each in listed)
        cached = None if self._has(Guard.READS_PASS_THE_CACHE) else seen
        target_read, objects = seen == (Value.TARGET,), _showable(state.objects)
        return replace(state, objects=objects, has_read=True, target_read=target_read, cached=cached), seen

    def _sent(self, state: State, who: int, then: Step) -> State:
        counted = replace(state, requests=state.requests + 1, under_way=state.under_way + 1)
        return _with(replace(counted, has_read=False, target_read=False), who, then)


_STEPS = {
    Step.START: Model._start,
    Step.INTEND: Model._intend,
    Step.PRE_READ: Model._pre_read,
    Step.MARK: Model._mark,
    Step.SEND: Model._send,
    Step.MARK_LATE: Model._mark_late,
    Step.WAIT: Model._wait,
    Step.NOTE: Model._note,
    Step.QUIET: Model._quiet,
    Step.VERIFY: Model._verify,
    Step.JUDGE: Model._judge,
    Step.CLOSE: Model._close,
    Step.END: Model._end,
    Step.STOPPED: Model._end,
}


@dataclass
class Explored:
    """The result: states and moves, how runs ended, and the shortest path to each breach and into the gap."""

    states: int = 0
    moves: int = 0
    verdicts: Counter[Record] = field(default_factory=Counter)
    breaches: dict[Invariant, list[str]] = field(default_factory=dict)
    gap: list[str] | None = None


def explore(model: Model, until: Invariant | None = None) -> Explored:
    """Visit every state, the nearest first; with `until`, stop at the first breach of that invariant."""
    found, first = Explored(), model.start()
    came_from: dict[State, tuple[State, str] | None] = {first: None}
    waiting = deque([first])
    while waiting and (until is None or until not in found.breaches):
        state = waiting.popleft()
        moves = list(model.moves(state))
        found.states, found.moves = found.states + 1, found.moves + len(moves)
        for name, after in moves:
            if after not in came_from:
                came_from[after] = (state, name)
                waiting.append(after)
        _look(found, state, bool(moves), came_from)
    return found


def _look(found: Explored, state: State, has_moves: bool, came_from: dict[State, tuple[State, str] | None]) -> None:
    for invariant, holds in HOLDS.items():
        if invariant not in found.breaches and not holds(state):
            found.breaches[invariant] = _path(state, came_from)
    if found.gap is None and is_in_the_gap(state):
        found.gap = _path(state, came_from)
    if all(client.step in (Step.END, Step.STOPPED) for client in state.clients):
        found.verdicts.update(state.journal[-1:])
    elif not has_moves:
        found.breaches.setdefault(Invariant.ENDS, [*_path(state, came_from), "stuck"])


def _path(state: State, came_from: dict[State, tuple[State, str] | None]) -> list[str]:
    steps = []
    while origin := came_from[state]:
        state, name = origin
        steps.append(name)
    return steps[::-1]
