"""Each system call of a correction fails once, or is its last: those on its files and on the vendors' sockets.

Then a person applies the plan again and recovers. Nothing happens twice, nothing is lost, no verdict is untrue; an
error of the first run is one of ours, and `OutcomeUnknown` where a request was sent. `make test` tries a few of the
cases, `make crash` all.
"""

import itertools
import os
import signal
from collections import Counter
from collections.abc import Iterator

import pytest

from auditkit.corrections.apply import recover
from auditkit.corrections.lookup import Clients
from auditkit.corrections.tracking import RECORD_KIND, Verdict
from auditkit.journal import Journal
from tests.corrections.conftest import ACCOUNT, NOON
from tests.crash.test_apply_crash import BAD, NAIVE, OURS, Client, Operation, is_doubled, judged
from tests.crash.tracing import KILL, Call, Ended, calls, can_attach, traced
from tests.crash.writing import Fate, World

TORN = "power cut"  # a kill that also loses part of what was not forced to disk
DISK = ("EIO", "ENOSPC")
ERRORS = {
    **dict.fromkeys(("write", "pwrite64", "fsync", "fdatasync", "ftruncate", "rename", "mkdir"), DISK),
    "unlink": ("EIO",),
    "flock": ("ENOLCK",),
    **dict.fromkeys(("socket", "connect", "sendto", "recvfrom"), ("ECONNRESET",)),
}
INJECTIONS = (KILL, TORN, *DISK, "ENOLCK", "ECONNRESET")
FATES: tuple[tuple[Fate, ...], ...] = (("answered",), ("answer lost",), ("late",))
WORSE = (*BAD, "hung", "not in our words", "open and not reported")
TRIED = [operation for operation in OURS if operation.name in ("edit-nrb", "create-invoice")]


@pytest.fixture(autouse=True)
def tracing() -> None:
    if not can_attach():
        pytest.skip("strace is not here, or may not trace")


def injections(call: Call) -> tuple[str, ...]:
    """What is injected into a call, one after the other."""
    if call.kind == "openat":
        return (KILL, *(DISK if "O_CREAT" in call.line else ("EIO",)))
    is_record = call.kind == "fsync" and "journal.jsonl>" in call.line
    return (KILL, *ERRORS[call.kind], *((TORN,) if is_record else ()))


def disturbed(world: World, client: Client, call: Call, what: str) -> Ended:
    """Run a client, and inject this into one of its calls."""
    ended = traced(world, client, *call.injecting(KILL if what == TORN else what))
    if what == TORN and ended.status == -signal.SIGKILL:
        os.truncate(world.journal_path, world.journal_path.stat().st_size - 40)
    return ended


def recovering(world: World) -> Client:
    """What `auditkit recover` does."""

    def client() -> None:
        with world.aimsio() as aimsio, world.jobnimbus() as jobnimbus:
            recover(
                clients=Clients(aimsio, jobnimbus),
                journal=Journal(world.journal_path, clock=lambda: NOON),
                account=ACCOUNT,
                identity="bob",
                clock=lambda: NOON,
                sleep=world.wait,
            )

    return client


def faults_of(world: World, ended: Ended) -> Counter[str]:
    """What was wrong with the end of the first run."""
    steps = [record.body["step"] for record in Journal(world.journal_path).records(RECORD_KIND)]
    is_open = bool(world.vendor.writes) and steps[-1] not in set(Verdict)
    return Counter(
        {
            "hung": ended.status == -signal.SIGALRM,
            "not in our words": ended.status > 0 or not ended.words.isprintable(),
            "open and not reported": ended.status == 0 and is_open and ended.error != "OutcomeUnknown",
        }
    )


def cases(world: World, operation: Operation, client: Client) -> Iterator[tuple[tuple[Fate, ...], Call, str]]:
    for fates in FATES:
        operation.restore(world)
        world.begin(fates)
        found = calls(world, client)
        sends = [place for place, call in enumerate(found) if call.kind == "sendto" and '"POST' in call.line]
        # Until the first request is sent, its fate makes no difference.
        for call in found if fates == FATES[0] else found[sends[0] :]:
            for what in injections(call):
                yield fates, call, what


def sweep(world: World, operation: Operation, every: int) -> Counter[str]:
    """Each fate of the request, each call, each injection; every `every`th case."""
    operation.restore(world)
    client = operation.client(world)
    totals: Counter[str] = Counter()
    for fates, call, what in itertools.islice(cases(world, operation, client), 0, None, every):
        operation.restore(world)
        world.begin(fates)
        ended = disturbed(world, client, call, what)
        found = faults_of(world, ended)
        world.killed(client, None)
        world.killed(recovering(world), None)
        world.wait(3600)  # whatever is still under way takes effect
        found += judged(world, operation, fates)
        assert not any(found[bad] for bad in WORSE), (operation.name, fates, what, call, ended, found)
        totals.update(found, cases=1, runs=3, errors=bool(ended.error))
        totals[what] += ended.was_struck
    return totals


def shown(name: str, totals: Counter[str]) -> str:
    counts = ", ".join(f"{totals[name]:,} {name}" for name in ("cases", "runs", *INJECTIONS, "errors", *WORSE))
    verdicts = ", ".join(f"{totals[verdict]:,} {verdict}" for verdict in Verdict if totals[verdict])
    return f"{name}, each call: {counts}; {verdicts}"


@pytest.mark.parametrize("operation", TRIED, ids=lambda operation: operation.name)
def test_some_failing_calls(world: World, operation: Operation) -> None:
    totals = sweep(world, operation, every=71)
    assert sum(totals[what] for what in INJECTIONS) > 0.7 * totals["cases"] > 6


@pytest.mark.campaign
@pytest.mark.parametrize("operation", TRIED, ids=lambda operation: operation.name)
def test_every_failing_call(world: World, operation: Operation, capsys: pytest.CaptureFixture[str]) -> None:
    totals = sweep(world, operation, every=1)
    with capsys.disabled():
        print(f"\n{shown(operation.name, totals)}")
    assert sum(totals[what] for what in INJECTIONS) > 0.95 * totals["cases"] > 600
    assert all(totals[what] for what in INJECTIONS)


def test_the_calls_surround_each_record_and_each_request(world: World) -> None:
    operation = TRIED[0]
    client = operation.client(world)
    world.begin(())
    found = calls(world, client)
    on_records = [call.kind for call in found if "journal.jsonl>" in call.line and call.kind in ("write", "fsync")]
    assert on_records == ["write", "fsync"] * 4  # INTENT, SENDING, RESPONDED, VERIFIED
    assert [call.kind for call in found].count("rename") == 4
    heads = [call.line.split('"')[1].split(" ")[0] for call in found if call.kind == "sendto"]
    assert [head for head in heads if head in ("GET", "POST")] == ["GET", "POST", "GET"]


def test_a_naive_writer_creates_twice_when_an_answer_breaks(world: World) -> None:
    """The same errors catch a writer that only retries."""
    (operation,) = [operation for operation in NAIVE if operation.creates]
    client = operation.client(world)
    world.begin(())
    (answer, *_) = [call for call in calls(world, client) if call.kind == "recvfrom"]
    operation.restore(world)
    world.begin(())
    assert disturbed(world, client, answer, "ECONNRESET").was_struck
    assert is_doubled(world, operation)
