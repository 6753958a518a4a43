"""How much of the allowed pace a first sync uses, and whether a server that counts strictly would refuse any of it.

    python -m benchmarks.pace            one process: a first sync of 300 NRBs at 10 calls a second
    python -m benchmarks.pace --two      two readers of one account at once, 150 calls each

Prints calls a second as a share of the 10 allowed, the most calls in any second, and how many a strict server refused.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import auditkit as ak
from auditkit.sandbox import server
from auditkit.sandbox.behaviors import Behaviors
from auditkit.sandbox.dataset import build
from auditkit.sandbox.state import State

ALLOWED = 10


def main() -> None:
    """Run one measurement and print it."""
    two = "--two" in sys.argv
    with tempfile.TemporaryDirectory() as folder:
        world, state = build(seed=1, nrbs=300, faults={}), Path(folder) / "vendors.sqlite"
        with State(state) as filled:
            filled.fill(world.nrbs, world.invoices, world.jobs, world.vendors)
        with server.start(state, Behaviors(rate_per_second=ALLOWED, parallel=ALLOWED, queue_seconds=0.02)) as running:
            address = running.address
            os.environ |= {
                "AUDITKIT_HOME": f"{folder}/home",
                "AUDITKIT_AIMSIO_URL": address.aimsio_url,
                "AUDITKIT_AIMSIO_USERNAME": address.credentials.username,
                "AUDITKIT_AIMSIO_PASSWORD": address.credentials.password,
                "AUDITKIT_JOBNIMBUS_URL": address.jobnimbus_url,
                "AUDITKIT_JOBNIMBUS_TOKEN": address.credentials.token,
                "AUDITKIT_QUIET": "1",
            }
            began = time.monotonic()
            _two() if two else _one()
            seconds = time.monotonic() - began
        with State(state) as held:
            calls = [call for call in held.calls() if "NonRecurring" in call.path]
    refused = sum(call.status not in (200, 404) for call in calls)
    moments = sorted(call.at_ms for call in calls)
    span = (moments[-1] - moments[0]) / 1000
    most = max(sum(first <= at < first + 1000 for at in moments[n : n + 50]) for n, first in enumerate(moments))
    share = (len(calls) - 1) / span / ALLOWED
    print(f"{len(calls)} calls in {span:.1f} s ({seconds:.1f} s with the rest): {share:.1%} of {ALLOWED} a second")
    print(f"at most {most} in any second; refused by a server that lets nobody wait: {refused}")


def _one() -> None:
    with ak.open() as audit:
        audit.sync()


def _two() -> None:
    code = (
        "import auditkit as ak\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "with ak.open() as audit, audit.sources() as sources:\n"
        "    aimsio = sources[0].client\n"
        "    guids = [stub.guid for stub in aimsio.stubs()][:150]\n"
        "    with ThreadPoolExecutor(10) as pool:\n"
        "        list(pool.map(aimsio.nrb, guids))\n"
    )
    with contextlib.ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(subprocess.Popen([sys.executable, "-c", code]))


if __name__ == "__main__":
    main()
