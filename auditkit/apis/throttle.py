"""Politeness: so many calls per second, so many in flight, over all threads and processes that share a folder.

Pace: one small file holds the moment of the next free call; each caller takes it under a file lock, moves it on by
1/rate and sleeps until it. Calls are spaced, never released in bursts, so that no window of a second holds more than
the rate. In flight: one lock file per place; the kernel frees a place when its process dies.

Not here: what a call is, or whether it is worth trying again.
"""

import contextlib
import fcntl
import os
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue

from auditkit.errors import StoreError

__all__ = ["MAX_PAUSE_SECONDS", "SLOW_SECONDS", "Throttle"]

MAX_PAUSE_SECONDS = 60.0
SLOW_SECONDS = 30.0

_SPREAD = 1.04  # calls leave a little further apart than allowed, as the network may bring two of them closer
_LATE_SECONDS = 0.02
_TRIES = 5  # on a machine that is always late, better late than never
_POLL_SECONDS = 0.002
_STATE = struct.Struct("<dd")  # moment of the next call, moment at which slowness ends


class Throttle:
    """Use `with throttle.turn():` around each call. One per base URL; several with one folder act as one.

    Moments are of the system-wide monotonic clock, which all processes share and nobody can set.
    """

    def __init__(self, folder: Path, rate_per_second: float, parallel: int) -> None:
        self._gap = _SPREAD / rate_per_second
        self._horizon = MAX_PAUSE_SECONDS + 2 * self._gap * (parallel + 1)
        self._pace = folder / "pace"
        self._places: SimpleQueue[Path] = SimpleQueue()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with _locked(self._pace) as descriptor:
                # Written once here, so that a disk that fills up later has nothing to allocate.
                os.pwrite(descriptor, os.pread(descriptor, _STATE.size, 0).ljust(_STATE.size, b"\0"), 0)
            for number in range(parallel):
                place = folder / f"in-flight-{number}"
                place.touch(mode=0o600)
                self._places.put(place)
        except OSError as error:
            raise StoreError(f"{folder}: cannot be written ({error.strerror}); make the home writable") from None

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a place in flight and for our moment; hold the place until the block ends."""
        with self._place():
            self._await_moment()
            yield

    def ease(self, pause: float = 0.0) -> None:
        """After a sign of overload: half the rate for 30 s, and no call at all for `pause` seconds (at most 60)."""
        now = time.monotonic()
        with _locked(self._pace) as descriptor:
            following, _ = self._read(descriptor, now)
            following = max(following, now + min(pause, MAX_PAUSE_SECONDS))
            os.pwrite(descriptor, _STATE.pack(following, now + SLOW_SECONDS), 0)

    def _await_moment(self) -> None:
        """Sleep until a moment that is ours; one that we woke up too late for would crowd the moments after it."""
        for _ in range(_TRIES):
            moment = self._take_moment()
            time.sleep(max(0.0, moment - time.monotonic()))
            if time.monotonic() - moment <= _LATE_SECONDS:
                return

    def _take_moment(self) -> float:
        now = time.monotonic()
        with _locked(self._pace) as descriptor:
            following, slow_until = self._read(descriptor, now)
            mine = max(now, following)
            gap = 2 * self._gap if now < slow_until else self._gap
            os.pwrite(descriptor, _STATE.pack(mine + gap, slow_until), 0)
        return mine

    def _read(self, descriptor: int, now: float) -> tuple[float, float]:
        following, slow_until = _STATE.unpack(os.pread(descriptor, _STATE.size, 0))
        if not following <= now + self._horizon:  # the machine was restarted: the clock began anew
            return now, now
        return following, slow_until

    @contextlib.contextmanager
    def _place(self) -> Iterator[None]:
        while True:
            place = self._places.get()  # blocks while this process alone has `parallel` calls in flight
            descriptor = os.open(place, os.O_RDWR)
            try:
                if _taken(descriptor):
                    yield
                    return
            finally:
                os.close(descriptor)
                self._places.put(place)
            time.sleep(_POLL_SECONDS)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False  # another process, or another Throttle of this one, is in this place
    return True


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)
