"""One read in a process of its own, to measure the memory it takes: `python -m tests.faults.growth URL READ FOLDER`.

Prints JSON: the error's type (or null), how many MiB the process grew by at its largest, and the seconds it took.
"""

import json
import resource
import sys
import time
from pathlib import Path

from auditkit.errors import ApiError
from auditkit.vendors import rate_limit, transport
from tests.faults.clients import clients
from tests.faults.endpoints import ENDPOINTS

DEADLINE = 10.0
WARMING = ENDPOINTS[3]


def largest() -> float:
    """MiB that this process had at its largest so far."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux, whose getrusage goes on from what the parent had
        [line] = [line for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
        return int(line.split()[1]) / 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main(url: str, name: str, folder: Path) -> None:
    transport._LONGEST_WAIT_SECONDS = 0.001
    rate_limit.MAX_PAUSE_SECONDS = 0.01
    endpoint = next(endpoint for endpoint in ENDPOINTS if endpoint.name == name)
    with clients(url, folder, DEADLINE) as asking:
        asking.call(WARMING)
        before, started, error, found = largest(), time.monotonic(), None, None
        try:
            found = asking.call(endpoint)
        except ApiError as raised:
            error = type(raised).__name__
        seconds = time.monotonic() - started
    rows = len(found) if isinstance(found, list) else None
    print(json.dumps({"error": error, "growth": max(0.0, largest() - before), "seconds": seconds, "rows": rows}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
