"""Every fault at each step of a correction: the verdict is true, nothing is made twice, nobody's edit is lost.

A fault is met where the object is read or searched for before the send, at the send (that took effect, or did not), and
where it is read after. What the client must then say follows from the kind of the fault and the place.
"""

import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from auditkit.corrections.tracking import Verdict
from auditkit.errors import Denied, NotThere, Refused, TimedOut, Unreachable
from auditkit.vendors import transport
from tests.faults.faults import FAULTS, Fault, answer
from tests.faults.proxy import ALWAYS, Act, Place, counts
from tests.faults.server import Play, breaks_off, says
from tests.faults.writing import CORRECTIONS, LINE, Account, Case, Correction, account, case

SHORT, LONG = 0.5, 10.0
V = Verdict
EDITS = [each for each in CORRECTIONS if not each.creates]
CREATIONS = [each for each in CORRECTIONS if each.creates]
_SERVED = [fault for fault in FAULTS if fault.play and fault.talks and not fault.tls]
# Of the slow ones every third: how a deadline ends each is the business of the reads, and is tried there.
PLAYED = [each for each in _SERVED if not each.is_slow] + [each for each in _SERVED if each.is_slow][::3]
FIRST_OF_ROW = list({fault.row: fault for fault in reversed(PLAYED)}.values())
NAMED = {each.name: each for each in CORRECTIONS}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with account(tmp_path_factory.mktemp("account")) as made:
        yield made


@pytest.fixture(autouse=True)
def two_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "ATTEMPTS", 2)


# ── The table of the reads, at each place ─────────────────────────────────────────────────────────────────────────────

SENDS = {"send, lost": (0, ALWAYS), "send, lost once": (0, 1), "send, applied": (1, 1)}
READS = ("read before", "list before", "read after", "list after")


def places(correction: Correction) -> list[str]:
    """Where a fault can be met; an edit searches for nothing, a creation is sent once."""
    if not correction.creates:
        return ["read before", *SENDS, "read after"]
    details = ["read before"] if correction.at_aimsio else []
    return ["list before", *details, "send, lost", "send, applied", "list after", "read after"]


def act(place: str, fault: Fault) -> Act:
    passes, times = SENDS.get(place, (1, ALWAYS))
    at: Place = "send" if place in SENDS else place  # type: ignore[assignment]
    return Act(at, fault.play, passes=passes, times=times)


def is_no(fault: Fault) -> bool:
    """Whether the vendor says that it will not do it: a status from 400 to 499, but for those that ask to wait."""
    return fault.error in (Denied, NotThere) or fault.name in ("400", "410")


def due(correction: Correction, place: str, fault: Fault) -> tuple[Verdict, Verdict | None]:
    """The verdict while the fault lasts, and the one once it is over; None where the first is the last."""
    match place:
        case "read before" if correction.creates and fault.error is NotThere:
            return V.VERIFIED, None  # a record that is listed and gone has no key
        case "read before" | "list before":
            is_silence = fault.error in (TimedOut, Unreachable)
            return (V.NOT_BEGUN, V.VERIFIED) if is_silence else (V.REFUSED, None)
        case "send, lost once" if not issubclass(fault.error, (Refused, Denied, NotThere)):
            return V.VERIFIED, None
        case "send, lost" if correction.creates and not is_no(fault):
            return V.UNKNOWN, V.UNKNOWN
        case "send, lost" | "send, lost once":
            return V.NOT_APPLIED, None
        case "send, applied":
            return V.VERIFIED, None
        case "read after" if not correction.creates and fault.error is NotThere:
            # A 404 is an answer: the object is gone, which is what a deactivation wants.
            return V.VERIFIED if correction.name == "deactivate-invoice" else V.CONFLICT, None
    return V.UNKNOWN, V.VERIFIED


def named(correction: Correction, place: str, fault: Fault) -> str:
    return f"{correction.name}-{place.replace(', ', '-').replace(' ', '-')}-{fault.row}-{fault.name}"


def cases() -> Iterator[object]:
    """Every fault at every place of two edits and two creations, and of the rest one fault a row.

    In each run of the tests: the first fault of each row, each at another place of another correction.
    """
    turn = itertools.cycle([(each, place) for each in CORRECTIONS for place in places(each)][::4])
    quick = {named(*next(turn), fault) for fault in FIRST_OF_ROW}
    for correction in CORRECTIONS:
        faults = FIRST_OF_ROW if correction.name in ("add-line", "deactivate-invoice") else PLAYED
        for place, fault in itertools.product(places(correction), faults):
            name = named(correction, place, fault)
            yield pytest.param(correction, place, fault, id=name, marks=[] if name in quick else pytest.mark.campaign)


@pytest.mark.parametrize(("correction", "place", "fault"), list(cases()))
def test_each_fault_at_each_place(
    correction: Correction, place: str, fault: Fault, served: Account, tmp_path: Path, record_property
) -> None:
    deadline = SHORT if fault.is_slow else LONG
    with case(served, correction, tmp_path, deadline, act(place, fault)) as meeting:
        first, last = due(correction, place, fault)
        assert meeting.apply() is first
        assert_ends(meeting, first, last, record_property)


def assert_ends(meeting: Case, first: Verdict, last: Verdict | None, record_property) -> None:
    """Once the fault is over: what was open ends as it must, and what had ended stays so, whoever asks."""
    meeting.account.proxy.heal()
    if first is not V.NOT_BEGUN:
        assert meeting.recover() is last
    is_open = first is V.NOT_BEGUN or last is V.UNKNOWN
    assert meeting.apply() is (last if is_open and not meeting.is_strange() else None)
    record_property("requests", meeting.account.proxy.requests)
    record_property("writes", meeting.account.proxy.writes)


# ── Others meanwhile, and requests that are lost, late or doubled ─────────────────────────────────────────────────────

Do = Callable[[Case], object]


def nobody(_: Case) -> None:
    pass


def elsewhere(meeting: Case) -> None:
    """Somebody else changes a field that the correction leaves alone."""
    name, value = meeting.correction.other
    meeting.change(**{name: value})


def against(meeting: Case) -> None:
    """Somebody else changes a field that the correction sets."""
    name, value = meeting.correction.same
    meeting.change(**{name: value})


def set_back(meeting: Case) -> None:
    """Somebody else undoes it, at a later time of change."""
    before = json.loads(meeting.before)
    meeting.change(**{name: value for name, value in before.items() if name in meeting.correction.touches})


def alike(meeting: Case) -> None:
    """Somebody else does the same."""
    planned = meeting.plan.changes[0].after
    meeting.change(**planned if meeting.correction.name != "add-line" else {"items": [*items(meeting), LINE]})


def items(meeting: Case) -> list[object]:
    return list(json.loads(meeting.before)["items"])


@dataclass(frozen=True)
class Happening:
    """What becomes of the send, and what somebody else does before the pre-read, in the gap before the vendor's write
    and after it; the verdict, and how many writes arrive. `other` are the verdicts of corrections that end otherwise.
    """

    verdict: Verdict
    writes: int = 1
    passes: int = 1
    times: int = ALWAYS
    is_silent: bool = False
    is_late: bool = False
    before: Do = nobody
    gap: Do = nobody
    after: Do = nobody
    other: Mapping[str, Verdict] = field(default_factory=dict)


GONE = {"deactivate-invoice": V.VERIFIED}  # an invoice that is not there any more is deleted
TOTALS = {"add-line": V.SIDE_EFFECT}  # the line is there, the totals are not what must come of it
UPSERTED = {"create-nrb": V.VERIFIED}  # Aimsio knows the second by its key, and edits the first
EDITED: dict[str, Happening] = {
    "answer-lost": Happening(V.VERIFIED, is_silent=True),
    "lands-late": Happening(V.VERIFIED, is_silent=True, is_late=True),
    "lost": Happening(V.NOT_APPLIED, 3, passes=0, is_silent=True),
    "lost-once": Happening(V.VERIFIED, 2, passes=0, times=1, is_silent=True),
    "twice-by-a-proxy": Happening(V.VERIFIED, passes=2),
    "twice-answer-lost": Happening(V.VERIFIED, passes=2, is_silent=True),
    "200-nothing-changed": Happening(V.NOT_APPLIED, 3, passes=0),
    "200-nothing-changed-once": Happening(V.VERIFIED, 2, passes=0, times=1),
    "200-another-field-too": Happening(V.SIDE_EFFECT, after=elsewhere),
    "200-another-field-alone": Happening(V.CONFLICT, passes=0, after=elsewhere),
    "edited-before": Happening(V.CONFLICT, 0, before=elsewhere),
    "edited-before-against": Happening(V.CONFLICT, 0, before=against),
    "edited-before-alike": Happening(V.ALREADY, 0, before=alike),
    "deleted-before": Happening(V.REFUSED, 0, before=Case.delete),
    "edited-in-the-gap": Happening(V.SIDE_EFFECT, gap=elsewhere),
    "edited-in-the-gap-against": Happening(V.VERIFIED, gap=against),
    "edited-in-the-gap-lost": Happening(V.CONFLICT, passes=0, gap=elsewhere, is_silent=True),
    "edited-in-the-gap-late": Happening(V.SIDE_EFFECT, gap=elsewhere, is_silent=True, is_late=True),
    "deleted-in-the-gap": Happening(V.CONFLICT, gap=Case.delete, other=GONE),
    "edited-after-against": Happening(V.CONFLICT, after=against),
    "edited-after-a-lost-send": Happening(V.CONFLICT, passes=0, is_silent=True, after=elsewhere),
    "against-after-a-lost-send": Happening(V.CONFLICT, passes=0, is_silent=True, after=against),
    "alike-after-a-lost-send": Happening(V.VERIFIED, passes=0, is_silent=True, after=alike, other=TOTALS),
    "set-back-after": Happening(V.CONFLICT, after=set_back),
    "set-back-after-a-lost-answer": Happening(V.CONFLICT, is_silent=True, after=set_back),
    "deleted-after": Happening(V.CONFLICT, after=Case.delete, other=GONE),
}
MADE: dict[str, Happening] = {
    "answer-lost": Happening(V.VERIFIED, is_silent=True),
    "lands-late": Happening(V.VERIFIED, is_silent=True, is_late=True),
    "lost": Happening(V.UNKNOWN, passes=0, is_silent=True),
    "twice-by-a-proxy": Happening(V.CONFLICT, passes=2),
    "twice-answer-lost": Happening(V.CONFLICT, passes=2, is_silent=True, other=UPSERTED),
    "200-nothing-made": Happening(V.UNKNOWN, passes=0),
    "200-not-as-planned": Happening(V.SIDE_EFFECT, after=against),
    "200-not-as-planned-answer-lost": Happening(V.SIDE_EFFECT, after=against, is_silent=True),
    "made-before": Happening(V.CONFLICT, 0, before=Case.make),
    "made-in-the-gap": Happening(V.CONFLICT, gap=Case.make),
    "edited-after": Happening(V.VERIFIED, after=elsewhere),
    "deleted-after": Happening(V.UNKNOWN, after=Case.delete),
}
HAPPENINGS = [(each, name) for each in CORRECTIONS for name in (MADE if each.creates else EDITED)]


def some(values: Sequence[tuple[Correction, object]], every: int) -> list[object]:
    """All of them; in each run of the tests, every so manieth."""
    return [
        pytest.param(each, what, id=f"{each.name}-{_told(what)}", marks=[] if at % every == 0 else pytest.mark.campaign)
        for at, (each, what) in enumerate(values)
    ]


def _told(what: object) -> str:
    return "-".join(map(_told, what)) if isinstance(what, tuple) else str(getattr(what, "name", what))


@pytest.mark.parametrize(("correction", "name"), some(HAPPENINGS, every=17))
def test_what_else_may_happen(
    correction: Correction, name: str, served: Account, tmp_path: Path, record_property
) -> None:
    happening = (MADE if correction.creates else EDITED)[name]
    with case(served, correction, tmp_path, LONG) as meeting:
        left: list[object] = []

        def does(what: Do) -> Callable[[], None]:
            def done() -> None:
                what(meeting)
                left[:] = meeting.stored()

            return done

        happening.before(meeting)
        does(nobody)()
        acting = Act("send", breaking if happening.is_silent else None, happening.passes, happening.times)
        acting.lands_late, acting.before = happening.is_late, does(happening.gap)
        acting.after = does(happening.after)
        served.proxy.begin([acting])
        verdict = happening.other.get(correction.name, happening.verdict)
        assert meeting.apply() is verdict
        assert served.proxy.writes == happening.writes
        in_the_gap = happening.gap is elsewhere
        if happening.before is not nobody or (happening.after is not nobody and not happening.is_late):
            assert meeting.stored() == left  # who came before the pre-read, or after the send, is not overwritten
        if in_the_gap:
            assert meeting.stored()[0][correction.other[0]] == correction.other[1]
        assert_ends(meeting, verdict, V.UNKNOWN if verdict is V.UNKNOWN else None, record_property)
        assert served.proxy.writes == happening.writes


def breaking(_: object) -> Play:
    return breaks_off()


# ── Counts that contradict ────────────────────────────────────────────────────────────────────────────────────────────

COUNTS: dict[str, dict[str, object]] = {
    "nothing": {"Imported": 0},
    "edited": {"Edited": 1},
    "created": {"Created": 1},
    "edited-two": {"Edited": 2, "Imported": 2},
    "created-two": {"Created": 2, "Imported": 2},
    "edited-and-created": {"Edited": 1, "Created": 1, "Imported": 2},
    "edited-with-errors": {"EditedWithErrors": 1},
    "not-imported": {"NotImportedDueToErrors": 1, "Imported": 0},
    "edited-and-not-imported": {"Edited": 1, "NotImportedDueToErrors": 1, "Imported": 0},
    "created-and-not-imported": {"Created": 1, "NotImportedDueToErrors": 1, "Imported": 0},
    "edited-with-notices": {"Edited": 1, "notices": [{"type": "ERROR", "message": "line\none"}]},
    "notices-of-text": {"Edited": 1, "notices": "text"},
    "huge": {"Edited": 10**30},
    "negative": {"Edited": -1},
    "missing": {"Edited": 1, "NotImportedDueToErrors": ...},
    "null": {"Edited": None},
    "text": {"Edited": "1"},
    "true": {"Edited": True},
    "fraction": {"Edited": 1.0},
    "array": {"Edited": [1]},
}
NO_COUNTS = ("notices-of-text", "negative", "missing", "null", "text", "true", "fraction", "array")
COUNTED = [(NAMED[name], (said, passes)) for name in ("edit-nrb", "create-nrb") for said in COUNTS for passes in (0, 1)]


def counted(correction: Correction, said: str, passes: int) -> tuple[Verdict, int]:
    """The verdict, and how many writes arrive."""
    numbers = {} if said in NO_COUNTS else COUNTS[said]
    if correction.creates:
        if passes:
            is_strange = numbers.keys() & {"Edited", "EditedWithErrors"} or numbers.get("Created") == 2
            return V.CONFLICT if is_strange else V.VERIFIED, 1
        return V.NOT_APPLIED if said == "not-imported" else V.UNKNOWN, 1
    if numbers.get("Created"):
        return V.SIDE_EFFECT if passes else V.CONFLICT, 1
    if passes:
        return V.VERIFIED, 1
    return V.NOT_APPLIED, 3 if said == "edited" or said in NO_COUNTS else 1


@pytest.mark.parametrize(("correction", "claim"), some(COUNTED, every=13))
def test_counts_are_no_proof(
    correction: Correction, claim: tuple[str, int], served: Account, tmp_path: Path, record_property
) -> None:
    said, passes = claim
    body = answer(counts(**COUNTS[said]))
    with case(served, correction, tmp_path, LONG, Act("send", lambda _: says(body), passes=passes)) as meeting:
        verdict, writes = counted(correction, said, passes)
        assert meeting.apply() is verdict
        assert served.proxy.writes == writes
        assert_ends(meeting, verdict, V.UNKNOWN if verdict is V.UNKNOWN else None, record_property)


# ── One fault after another ───────────────────────────────────────────────────────────────────────────────────────────

PAIRS = [
    (NAMED[name], pair)
    for name in ("edit-nrb", "create-invoice")
    for pair in itertools.product(FIRST_OF_ROW, [fault for fault in FIRST_OF_ROW if not fault.is_slow])
]


@pytest.mark.parametrize(("correction", "pair"), some(PAIRS, every=50))
def test_what_took_effect_and_cannot_be_read_is_unknown_until_it_can(
    correction: Correction, pair: tuple[Fault, Fault], served: Account, tmp_path: Path, record_property
) -> None:
    at_send, at_read = pair
    deadline = SHORT if at_send.is_slow or at_read.is_slow else LONG
    acts = act("send, applied", at_send), act("list after" if correction.creates else "read after", at_read)
    with case(served, correction, tmp_path, deadline, *acts) as meeting:
        assert meeting.apply() is V.UNKNOWN
        assert meeting.recover() is V.UNKNOWN
        assert served.proxy.writes == 1
        assert_ends(meeting, V.UNKNOWN, V.VERIFIED, record_property)
        assert served.proxy.writes == 1


def test_the_cases_are_many_and_each_has_a_name() -> None:
    table = [each.id for each in cases()]  # type: ignore[attr-defined]
    assert len(set(table)) == len(table) > 1_500
    assert len(HAPPENINGS) + len(COUNTED) + len(PAIRS) > 300
