"""A world behind the sandbox's HTTP, in a process of its own, and the environment that points auditkit at it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from auditkit.sandbox import server
from auditkit.sandbox.behaviors import Behaviors
from auditkit.sandbox.state import State
from auditkit.sandbox.world import World

FAST = {"rate_per_second": 0, "parallel": 0}


@contextlib.contextmanager
def serving(world: World, folder: Path, **behaviors: object) -> Iterator[server.Address]:
    """Serve a world without the vendors' rate limit (unless asked for), for as long as the block lasts."""
    state = folder / "vendors.sqlite"
    with State(state) as filled:
        if filled.is_empty():
            filled.fill(world.nrbs, world.invoices, world.jobs, world.vendors)
    with server.start(state, Behaviors(**{**FAST, **behaviors})) as running:
        yield running.address


def point(monkeypatch: pytest.MonkeyPatch, address: server.Address, home: Path, **settings: str) -> None:
    """Set the environment as a user would, for an account on that server."""
    monkeypatch.chdir(home.parent)
    values = {
        "HOME": str(home),
        "AIMSIO_URL": address.aimsio_url,
        "AIMSIO_USERNAME": address.credentials.username,
        "AIMSIO_PASSWORD": address.credentials.password,
        "JOBNIMBUS_URL": address.jobnimbus_url,
        "JOBNIMBUS_TOKEN": address.credentials.token,
        "TIMEZONE": "America/Edmonton",
        "AS_OF": "2026-09-30",
        "RATE_PER_SECOND": "2000",
        "QUIET": "1",
        **settings,
    }
    for name, value in values.items():
        monkeypatch.setenv(f"AUDITKIT_{name}", value)
