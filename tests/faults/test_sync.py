"""A whole sync that meets a fault half-way: one line, exit 2, the published files untouched; the next one succeeds.

A fault of one record alone is published INCOMPLETE, with the record by name (tests/test_sync_records.py has the rest).
"""

import dataclasses
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from auditkit.errors import NotThere, Unreachable
from auditkit.sandbox.dataset import build
from auditkit.sandbox.server import Address
from auditkit.sandbox.state import State
from tests.commands import Ran, assert_refused, auditkit, bytes_of, started
from tests.faults.endpoints import ENDPOINTS, Endpoint
from tests.faults.faults import FAULTS, Fault, Scene
from tests.faults.server import Play, Server, relays, running
from tests.served import point, serving

WORLD = build(seed=9, nrbs=12, faults={})
LIST, DETAIL, PAGE = ENDPOINTS[:3]
STOPS = ("401", "401-brotli", "401-cut")


def _is(endpoint: Endpoint) -> Callable[[str], bool]:
    """Whether a target is of that read."""
    if endpoint is DETAIL:
        return lambda target: "/NonRecurringBillableItem/" in target
    ending = "/NonRecurringBillableItem" if endpoint is LIST else "/invoices"
    return lambda target: urlsplit(target).path.endswith(ending)


@dataclass(frozen=True)
class Synced:
    """Both vendors behind one server of faults, a home that was synced through it, and one NRB that changed since."""

    server: Server
    relay: Play
    address: Address
    home: Path
    changed: str

    def meets(self, play: Play, endpoint: Endpoint) -> None:
        self.server.only(_is(endpoint), otherwise=self.relay)
        self.server.plays(play)


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Synced]:
    folder = tmp_path_factory.mktemp("synced")
    with (
        serving(WORLD, folder) as sandbox,
        State(folder / "vendors.sqlite") as state,
        running() as server,
        pytest.MonkeyPatch.context() as patch,
    ):
        changed = next(body for body in WORLD.nrbs if not body["nrbParentGuid"] and not body["nrbChildren"])
        address = dataclasses.replace(sandbox, port=server.port)
        world = Synced(server, relays(sandbox.root), address, folder / "home", changed["nrbGuid"])
        server.plays(world.relay)
        point(patch, world.address, world.home)
        assert auditkit("sync").code == 0
        state.put_nrb({**changed, "nrbUpdatedAt": changed["nrbUpdatedAt"] + 1000})
        yield world


def _cases() -> Iterator[object]:
    """The first fault of each row; the others differ below the sync, and are tried at each read in test_faults."""
    whole = [
        fault
        for fault in FAULTS
        if fault.play and not (fault.is_slow or fault.tls or fault.url or fault.waits) and fault.error is not NotThere
    ]
    first = {fault.row: fault for fault in reversed(whole)}
    for number, fault in enumerate(first.values()):
        for place, endpoint in enumerate((LIST, DETAIL, PAGE)):
            yield pytest.param(
                endpoint,
                fault,
                id=f"{fault.row}-{fault.name}-{endpoint.name}",
                marks=[] if number == place > 0 else pytest.mark.campaign,
            )


@pytest.mark.parametrize(("endpoint", "fault"), list(_cases()))
def test_a_sync_that_fails_leaves_what_was_published(
    endpoint: Endpoint, fault: Fault, synced: Synced, tmp_path: Path, monkeypatch, record_property
) -> None:
    home = tmp_path / "home"
    shutil.copytree(synced.home, home)
    point(monkeypatch, synced.address, home)
    published = bytes_of(home)
    assert "audit.duckdb" in published
    assert fault.play
    with running() as canary:
        synced.meets(fault.play(Scene(endpoint, canary.url)), endpoint)
        ran = auditkit("sync")
        record_property("requests", len(synced.server.arrived))
        assert canary.connections == 0
    assert fault.attempts <= len(synced.server.arrived) <= fault.attempts * 2
    if endpoint is DETAIL and fault.error is not Unreachable and fault.name not in STOPS:
        assert ran.code == 2 and ran.out.strip().startswith("INCOMPLETE: Aimsio: 1 NRB could not be read: ")
        assert synced.changed in ran.out.splitlines()[1]
        published = bytes_of(home)
    else:
        assert_refused(ran, f"{endpoint.vendor}: GET /")
    assert bytes_of(home) == published

    synced.meets(synced.relay, endpoint)
    assert auditkit("sync").code == 0
    assert bytes_of(home) != published


@pytest.mark.campaign
def test_the_installed_program_fails_in_one_line(synced: Synced, tmp_path: Path, monkeypatch) -> None:
    """The installed program in a process of its own: one line and no traceback."""
    home = tmp_path / "home"
    shutil.copytree(synced.home, home)
    point(monkeypatch, synced.address, home)
    published = bytes_of(home)
    fault = next(fault for fault in FAULTS if fault.name == "html")
    assert fault.play
    synced.meets(fault.play(Scene(PAGE, "")), PAGE)
    program = started("sync")
    out, err = program.communicate(timeout=60)
    assert_refused(Ran(program.returncode, out, err), "JobNimbus: GET /", "expected application/json")
    assert bytes_of(home) == published
