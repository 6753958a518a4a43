"""The invariants of the model, as predicates over one state.

Not here: digests and money, which the model does not have, and the gap between the last read and the effect of a
request, in which no client can see an edit (`is_in_the_gap`).
"""

from collections.abc import Callable, Mapping
from enum import StrEnum

from tests.protocol.states import TERMINAL, Edited, Record, State, Step

MAX_SENDS = 3


class Invariant(StrEnum):
    """The names by which a breach is reported."""

    RECORDED_FIRST = "requests seen ≤ SENDING records on disk"
    ONE_OBJECT = "one object an operation; two after a doubled request, and then a conflict"
    NOTHING_OVERWRITTEN = "an edit that a read before or after could have shown is not overwritten"
    FRESH_READ = "VERIFIED only where a read past the cache, after the last send, found the target"
    ENDS = "a run that ends leaves one verdict, or UNKNOWN to be checked again"
    NOTHING_IN_FLIGHT = "no verdict while a request could still take effect"
    ONE_WRITER = "one writer"
    JOURNAL_FAILURE_STOPS = "a process that cannot write the journal does nothing more"
    TRUE_VERDICT = "verdicts are true"
    SENDING_LIMIT = "three sends at most"


def _ours(state: State) -> int:
    return sum(each.is_ours for each in state.objects)


def _one_object(state: State) -> bool:
    created = _ours(state)
    verdicts = TERMINAL.intersection(state.journal)
    return created <= 1 or (created <= 1 + state.doubled and verdicts <= {Record.CONFLICT})


def _ends(state: State) -> bool:
    verdicts = sum(record in TERMINAL for record in state.journal)
    is_settled = verdicts == 1 or (verdicts == 0 and state.journal[-1:] == (Record.UNKNOWN,))
    # UNKNOWN must be checked again at each start: it must be newer than the last start.
    ended = [client for client in state.clients if client.step is Step.END]
    is_listed = verdicts == 1 or all(client.verdict is Record.UNKNOWN for client in ended)
    return verdicts <= 1 and (not ended or (is_settled and is_listed))


def _true_verdict(state: State) -> bool:
    claims = {
        Record.NOT_APPLIED: state.applied == 0,
        Record.ALREADY: state.requests == 0,
        Record.REFUSED: state.requests == 0,
        Record.CONFLICT: state.was_edited or bool(state.doubled),
    }
    return all(claims.get(record, True) for record in state.journal)


def _one_writer(state: State) -> bool:
    return sum(client.step not in (Step.START, Step.END, Step.STOPPED) for client in state.clients) <= 1


HOLDS: Mapping[Invariant, Callable[[State], bool]] = {
    Invariant.RECORDED_FIRST: lambda state: state.requests <= state.journal.count(Record.SENDING),
    Invariant.ONE_OBJECT: _one_object,
    Invariant.NOTHING_OVERWRITTEN: lambda state: state.overwritten is not Edited.SHOWABLE,
    Invariant.FRESH_READ: lambda state: Record.VERIFIED not in state.journal or state.target_read,
    Invariant.ENDS: _ends,
    Invariant.NOTHING_IN_FLIGHT: lambda state: not state.under_way or TERMINAL.isdisjoint(state.journal),
    Invariant.ONE_WRITER: _one_writer,
    Invariant.JOURNAL_FAILURE_STOPS: lambda state: all(
        client.step is Step.STOPPED for client in state.clients if client.journal_failed
    ),
    Invariant.TRUE_VERDICT: _true_verdict,
    Invariant.SENDING_LIMIT: lambda state: state.requests <= MAX_SENDS,
}


def is_in_the_gap(state: State) -> bool:
    """Whether a request of ours overwrote an edit made after the last read, which only If-Match could prevent."""
    return state.overwritten is Edited.SINCE_OUR_READ
