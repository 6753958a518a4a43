"""What an answer may cost: a bomb is not unpacked, a flood is cut at the cap, and a long list is read."""

import functools
import gzip
import json
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from auditkit.vendors.aimsio import MAX_LIST_BYTES
from auditkit.vendors.responses import MAX_BODY_BYTES
from auditkit.vendors.transport import ATTEMPTS
from tests.faults.endpoints import ENDPOINTS, Endpoint
from tests.faults.faults import OPEN, ZIP, Scene, answer, chunked, good
from tests.faults.growth import WARMING
from tests.faults.server import Play, pours, running, says

MIB = 2**20
BOMB_MIB = 64
SLACK_MIB = 12  # of the interpreter and its buffers
DETAIL = ENDPOINTS[1]


def grown(play: Play, endpoint: Endpoint, folder: Path) -> dict[str, Any]:
    """What a process reports that reads a good answer first, then this one."""
    with running() as server:
        server.plays(good(Scene(WARMING, "")), play)
        command = [sys.executable, "-m", "tests.faults.growth", server.url, endpoint.name, str(folder)]
        ran = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
        return {**json.loads(ran.stdout), "requests": len(server.arrived)}


@functools.cache
def packed(filling: bytes, mib: int) -> bytes:
    """A JSON array of so many MiB of a filling, in gzip, which takes a thousandth of that."""
    packing = zlib.compressobj(9, wbits=31)
    pieces = [packing.compress(b"[" + filling)]
    pieces += [packing.compress(filling * (MIB // len(filling))) for _ in range(mib)]
    return b"".join([*pieces, packing.compress(b"]"), packing.flush()])


def cap_of(endpoint: Endpoint) -> int:
    return MAX_LIST_BYTES if endpoint is ENDPOINTS[0] else MAX_BODY_BYTES


BOMBS: dict[str, Callable[[int], bytes]] = {
    "spaces": lambda mib: answer(packed(b" ", mib), **ZIP),
    "zeros": lambda mib: answer(packed(b"0,", mib), **ZIP),
    "brackets": lambda mib: answer(packed(b"[", mib), **ZIP),
    "chunked": lambda mib: answer(b"", **OPEN, **ZIP) + chunked(packed(b" ", mib)) + b"0\r\n\r\n",
    "no-length": lambda mib: answer(packed(b" ", mib), Content_Length=None, **ZIP),
    "in-a-bomb": lambda mib: answer(gzip.compress(packed(b" ", mib)), **ZIP),
    "of-a-refusal": lambda mib: answer(packed(b" ", mib), 400, **ZIP),
    "of-a-page-of-html": lambda mib: answer(packed(b"<b>", mib), Content_Type="text/html", **ZIP),
}


@pytest.mark.parametrize(
    ("endpoint", "name"),
    [
        pytest.param(
            endpoint,
            name,
            id=f"{name}-{endpoint.name}",
            marks=[] if (name, endpoint) == ("spaces", DETAIL) else pytest.mark.campaign,
        )
        for name in BOMBS
        for endpoint in (ENDPOINTS if name == "spaces" else [DETAIL])
    ],
)
def test_a_bomb_stays_packed(endpoint: Endpoint, name: str, tmp_path: Path, record_property) -> None:
    found = grown(says(BOMBS[name](cap_of(endpoint) // MIB + 16)), endpoint, tmp_path)
    record_property("requests", found["requests"])
    record_property("bomb", found["growth"])
    assert (found["error"], found["requests"]) == ("Refused" if "refusal" in name else "BadAnswer", 2)
    assert found["growth"] < BOMB_MIB


FLOODS = {
    "body": (pours(answer(b"", Content_Length=None), b" " * MIB, 400), "BadAnswer", 1),
    "length": (pours(answer(b"", Content_Length="9" * 15), b" " * MIB, 400), "BadAnswer", 1),
    "chunks": (pours(answer(b"", **OPEN), chunked(b" " * MIB), 400), "BadAnswer", 1),
    "chunk-size": (pours(answer(b"", **OPEN), b"0" * MIB, 400), "Unreachable", ATTEMPTS),
    "trailers": (pours(answer(b"", **OPEN) + b"0\r\n", b"X: 1\r\n" * 10_000, 300), "BadAnswer", 1),
    "status-line": (pours(b"HTTP/1.1 200 ", b"O" * MIB, 400), "Unreachable", ATTEMPTS),
    "headers": (pours(b"HTTP/1.1 200 OK\r\n", b"X: 1\r\n" * 10_000, 300), "Unreachable", ATTEMPTS),
    "refusal": (pours(answer(b"", 400, Content_Length=None), b"x" * MIB, 400), "Refused", 1),
}


@pytest.mark.campaign
@pytest.mark.parametrize("endpoint", [ENDPOINTS[0], DETAIL], ids=lambda endpoint: endpoint.name)
@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_is_cut_at_the_cap(endpoint: Endpoint, name: str, tmp_path: Path, record_property) -> None:
    play, error, attempts = FLOODS[name]
    found = grown(play, endpoint, tmp_path)
    record_property("requests", found["requests"])
    record_property("flood", found["growth"])
    assert (found["error"], found["requests"]) == (error, 1 + attempts)
    assert found["growth"] < (cap_of(endpoint) / MIB if name in ("body", "length", "chunks") else 0) + SLACK_MIB


@pytest.mark.campaign
def test_a_duplicate_key_among_many(tmp_path: Path, record_property) -> None:
    """Finding it must not take the square of the keys before it."""
    keys = ",".join(f'"k{n}":0' for n in range(300_000))
    found = grown(says(answer(f'{{{keys},"k299999":0}}'.encode())), DETAIL, tmp_path)
    record_property("flood", found["growth"])
    assert found["error"] == "BadAnswer"
    assert found["seconds"] < 10


@pytest.mark.campaign
def test_a_million_nrbs_are_listed(tmp_path: Path, record_property) -> None:
    """103 MiB in one piece: more than other answers may have, and at most twelve times their size while it is read."""
    row = '{"dtype":"NonRecurringBillableItem","guid":"%08d-45ee-4ee0-83c3-85445748b649","updatedAt":1747851986000}'
    body = ("[" + ",".join(row % n for n in range(1_000_000)) + "]").encode()
    assert MAX_BODY_BYTES < len(body) < MAX_LIST_BYTES
    found = grown(says(answer(gzip.compress(body, 1), **ZIP)), ENDPOINTS[0], tmp_path)
    record_property("list", found["growth"])
    assert (found["error"], found["rows"]) == (None, 1_000_000)
    assert found["growth"] * MIB < 12 * len(body)
