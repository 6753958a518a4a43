"""One vendor's rate limit: calls per second, calls in flight, a queue for the rest, and a time-out in the queue.

Calls pass in the order of their arrival, never more than the rate within any second (a sliding window, not a token
bucket). Seconds are real ones, whatever clock the records use.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass

from auditkit.sandbox.error_bodies import Refusal
from auditkit.sandbox.invented import QUEUE_TIMEOUT_STATUS

__all__ = ["Counts", "Gate"]

_UNLIMITED = 1_000_000


@dataclass
class Counts:
    """What a gate has counted: how the client called (calls, most) and the consequences (waited, refused)."""

    calls: int = 0
    waited: int = 0
    refused: int = 0
    most_in_a_second: int = 0
    most_in_flight: int = 0


class Gate:
    """Passes calls to one vendor at its pace. A rate or `parallel` of 0 is unlimited."""

    def __init__(self, rate_per_second: int, parallel: int, queue_seconds: float) -> None:
        self.counts = Counts()
        self._queue_seconds = queue_seconds
        self._rate = rate_per_second
        self._slots = asyncio.Semaphore(parallel or _UNLIMITED)
        self._pace = asyncio.Lock()
        self._started: deque[float] = deque(maxlen=rate_per_second or 1)
        self._arrived: deque[float] = deque()
        self._in_flight = 0

    def seen(self) -> dict[str, int]:
        """The counts so far, by name."""
        return asdict(self.counts)

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Wait for a slot and hold it. Raises `Refusal` if the wait is longer than the queue allows."""
        self._count_arrival()
        try:
            async with AsyncExitStack() as held:
                try:
                    async with asyncio.timeout(self._queue_seconds):
                        await held.enter_async_context(self._slots)
                        await self._wait_for_pace()
                except TimeoutError:
                    self.counts.refused += 1
                    message = f"the call waited longer than {self._queue_seconds:g} s in the queue"
                    raise Refusal(QUEUE_TIMEOUT_STATUS, message) from None
                yield
        finally:
            self._in_flight -= 1

    async def _wait_for_pace(self) -> None:
        if not self._rate:
            return
        async with self._pace:
            while len(self._started) == self._rate and (wait := self._started[0] + 1 - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            self._started.append(time.monotonic())

    def _count_arrival(self) -> None:
        now = time.monotonic()
        self._arrived.append(now)
        while self._arrived[0] <= now - 1:
            self._arrived.popleft()
        self._in_flight += 1
        counts = self.counts
        counts.calls += 1
        counts.most_in_a_second = max(counts.most_in_a_second, len(self._arrived))
        counts.most_in_flight = max(counts.most_in_flight, self._in_flight)
        counts.waited += self._must_wait(now)

    def _must_wait(self, now: float) -> bool:
        too_fast = self._rate > 0 and len(self._started) == self._rate and self._started[0] > now - 1
        return too_fast or self._pace.locked() or self._slots.locked()
