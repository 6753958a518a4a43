"""Every path that a correction can take keeps every invariant, and each guard is needed.

`make test` covers two kills, one other editor and one mishap; `make model` more of each.
"""

import pytest

from tests.protocol.invariants import Invariant
from tests.protocol.model import Explored, Model, explore
from tests.protocol.states import TERMINAL, Assumption, Guard, Kind, Record

STATES_AT_LEAST = {Kind.EDIT: 50_000, Kind.CREATE: 3_000, Kind.UPSERT: 3_000}
ENDED_AT_LEAST = {Kind.EDIT: 10_000, Kind.CREATE: 500, Kind.UPSERT: 500}
# A create cannot be ALREADY: an object with our key that we did not send is a conflict.
VERDICTS = {kind: TERMINAL - ({Record.ALREADY} if kind is not Kind.EDIT else set()) for kind in Kind}


def shown(kind: Kind, found: Explored) -> str:
    ends = ", ".join(f"{count:,} {record}" for record, count in sorted(found.verdicts.items()))
    breaches = f"{len(found.breaches)} invariants broken"
    gap = "the gap between read and write reached" if found.gap else "no gap"
    return f"{kind}: {found.states:,} states, {found.moves:,} moves; {breaches}; {gap}; ended in {ends}"


@pytest.mark.parametrize("kind", Kind)
def test_no_path_breaks_an_invariant(kind: Kind) -> None:
    found = explore(Model(kind))
    print(shown(kind, found))
    assert found.breaches == {}
    assert found.states > STATES_AT_LEAST[kind] and found.verdicts.total() > ENDED_AT_LEAST[kind]
    assert TERMINAL.intersection(found.verdicts) == VERDICTS[kind] and found.verdicts[Record.UNKNOWN]


@pytest.mark.parametrize("kind", Kind)
def test_the_gap_between_the_last_read_and_the_write_remains(kind: Kind) -> None:
    """Expected, and documented: without If-Match no client can close it. Without other editors there is none."""
    path = explore(Model(kind, kills=0, mishaps=0)).gap
    assert path is not None
    last_read = max(number for number, move in enumerate(path) if move in ("as planned", "read again"))
    (edit,) = [number for number, move in enumerate(path) if move.startswith("another ")]
    assert last_read < edit < path.index("a request takes effect")
    assert explore(Model(kind, edits=0)).gap is None


BREAKS = [
    (Guard.INTENT_FIRST, Kind.CREATE, Invariant.ONE_OBJECT),
    (Guard.INTENT_FIRST, Kind.EDIT, Invariant.TRUE_VERDICT),
    (Guard.SENDING_FIRST, Kind.EDIT, Invariant.RECORDED_FIRST),
    (Guard.FSYNC, Kind.EDIT, Invariant.RECORDED_FIRST),
    (Guard.FSYNC, Kind.CREATE, Invariant.ONE_OBJECT),
    (Guard.JOURNAL_FAILURE_STOPS, Kind.CREATE, Invariant.RECORDED_FIRST),
    (Guard.JOURNAL_FAILURE_STOPS, Kind.EDIT, Invariant.JOURNAL_FAILURE_STOPS),
    (Guard.PRE_READ, Kind.EDIT, Invariant.NOTHING_OVERWRITTEN),
    (Guard.SEARCH_BEFORE_CREATE, Kind.CREATE, Invariant.NOTHING_OVERWRITTEN),
    (Guard.SEARCH_BEFORE_CREATE, Kind.UPSERT, Invariant.NOTHING_OVERWRITTEN),
    (Guard.PRE_READ_COMPARES, Kind.EDIT, Invariant.NOTHING_OVERWRITTEN),
    (Guard.PRE_READ_AGAIN_AFTER_A_KILL, Kind.EDIT, Invariant.NOTHING_OVERWRITTEN),
    (Guard.READS_PASS_THE_CACHE, Kind.EDIT, Invariant.TRUE_VERDICT),
    (Guard.ONE_REQUEST_A_SEND, Kind.EDIT, Invariant.RECORDED_FIRST),
    (Guard.ONE_REQUEST_A_SEND, Kind.CREATE, Invariant.ONE_OBJECT),
    (Guard.QUIET_TIME, Kind.EDIT, Invariant.NOTHING_IN_FLIGHT),
    (Guard.QUIET_TIME, Kind.EDIT, Invariant.TRUE_VERDICT),
    (Guard.QUIET_TIME_AFTER_A_KILL, Kind.EDIT, Invariant.NOTHING_IN_FLIGHT),
    (Guard.ERROR_IS_NO_ANSWER, Kind.EDIT, Invariant.NOTHING_IN_FLIGHT),
    (Guard.ERROR_IS_NO_VERDICT, Kind.EDIT, Invariant.TRUE_VERDICT),
    (Guard.ERROR_IS_NO_VERDICT, Kind.CREATE, Invariant.NOTHING_IN_FLIGHT),
    (Guard.ANSWER_IS_NO_PROOF, Kind.EDIT, Invariant.FRESH_READ),
    (Guard.ANSWER_IS_NO_PROOF, Kind.CREATE, Invariant.ONE_OBJECT),
    (Guard.RECOVERY_READS_FIRST, Kind.EDIT, Invariant.NOTHING_OVERWRITTEN),
    (Guard.RECOVERY_READS_FIRST, Kind.CREATE, Invariant.ONE_OBJECT),
    (Guard.RESEND_ONLY_AFTER_PROOF, Kind.EDIT, Invariant.NOTHING_OVERWRITTEN),
    (Guard.PROOF_IS_THE_WHOLE_BEFORE_IMAGE, Kind.EDIT, Invariant.TRUE_VERDICT),
    (Guard.PROOF_IS_THE_WHOLE_BEFORE_IMAGE, Kind.EDIT, Invariant.NOTHING_OVERWRITTEN),
    (Guard.SENDING_LIMIT, Kind.EDIT, Invariant.SENDING_LIMIT),
    (Guard.NO_RESEND_OF_CREATES, Kind.CREATE, Invariant.ONE_OBJECT),
    (Guard.NO_RESEND_OF_CREATES, Kind.UPSERT, Invariant.NOTHING_OVERWRITTEN),
    (Guard.TWICE_IS_CONFLICT, Kind.CREATE, Invariant.ONE_OBJECT),
    (Guard.UNKNOWN_IS_CHECKED_AGAIN, Kind.EDIT, Invariant.ENDS),
    (Guard.VERDICT_IS_FINAL, Kind.EDIT, Invariant.ENDS),
    (Guard.ONE_WRITER, Kind.EDIT, Invariant.ONE_WRITER),
    (Guard.ONE_WRITER, Kind.CREATE, Invariant.ONE_OBJECT),
]


def name_of(case: object) -> str:
    return str(getattr(case, "name", case))


@pytest.mark.parametrize(("guard", "kind", "broken"), BREAKS, ids=name_of)
def test_removing_a_guard_breaks_an_invariant(guard: Guard, kind: Kind, broken: Invariant) -> None:
    assert broken in explore(Model(kind, without=frozenset({guard})), until=broken).breaches


def test_every_guard_is_covered() -> None:
    assert {guard for guard, _, _ in BREAKS} == set(Guard)
    assert {broken for _, _, broken in BREAKS} == set(Invariant)


@pytest.mark.parametrize(
    ("assumption", "kind", "broken"),
    [
        (Assumption.TAKES_EFFECT_WITHIN_THE_QUIET_TIME, Kind.EDIT, Invariant.NOTHING_IN_FLIGHT),
        (Assumption.TAKES_EFFECT_WITHIN_THE_QUIET_TIME, Kind.CREATE, Invariant.ONE_OBJECT),
        (Assumption.AN_ANSWER_ENDS_EVERY_COPY, Kind.EDIT, Invariant.NOTHING_IN_FLIGHT),
        (Assumption.AN_ANSWER_ENDS_EVERY_COPY, Kind.CREATE, Invariant.ONE_OBJECT),
        (Assumption.A_READ_BY_ID_IS_CURRENT, Kind.EDIT, Invariant.TRUE_VERDICT),
    ],
    ids=name_of,
)
def test_assumptions_about_the_vendor(assumption: Assumption, kind: Kind, broken: Invariant) -> None:
    """The client cannot guard against these: where a vendor violates one, an invariant breaks."""
    assert broken in explore(Model(kind, untrue=frozenset({assumption})), until=broken).breaches


@pytest.mark.campaign
@pytest.mark.parametrize("kind", Kind)
def test_no_path_breaks_an_invariant_with_more_of_everything(kind: Kind, capsys: pytest.CaptureFixture[str]) -> None:
    found = explore(Model(kind, kills=3, edits=2, mishaps=2))
    with capsys.disabled():
        print(f"\n{shown(kind, found)}")
    assert found.breaches == {}
    assert found.states > 10 * STATES_AT_LEAST[kind]
