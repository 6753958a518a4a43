"""The rate limit: so many calls per second and so many in flight, over all threads and processes that share a folder.

Rate: one small file holds the moment of the next free call. Each caller takes it under a file lock, moves it on by
1/rate and sleeps until then. Calls are spaced, never released in bursts. In flight: one lock file per slot; the kernel
frees it when a process dies. A slot cools down until parallel/rate has passed since its last call can have *arrived*:
of parallel + 1 calls two share a slot, so that no second holds more than the rate, however late some of them arrive.

Not here: what a call is, or whether to retry it.
"""

import contextlib
import fcntl
import math
import os
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue

from auditkit.errors import StoreError

__all__ = ["MAX_PAUSE_SECONDS", "SLOW_SECONDS", "RateLimit"]

MAX_PAUSE_SECONDS = 60.0
SLOW_SECONDS = 30.0

_SPREAD = 1.02  # calls leave a little further apart than allowed, because the network may bring two of them closer
_COOLDOWN_SPREAD = 1.01  # as above, for the cooldown of a slot
_POLL_SECONDS = 0.002
_STATE = struct.Struct("<dd")  # moment of the next call, moment at which the slow rate ends
_READY = struct.Struct("<d")  # moment from which a slot may be used again


class RateLimit:
    """Use `with rate_limit.slot():` around each call. One per base URL; several with one folder act as one.

    Moments are of the system-wide monotonic clock, which all processes share and nobody can set.
    """

    def __init__(self, folder: Path, rate_per_second: float, parallel: int) -> None:
        self._gap = _SPREAD / rate_per_second
        self._cooldown = _COOLDOWN_SPREAD * parallel / rate_per_second
        self._quickest = math.inf  # seconds of the shortest call so far: no call arrives and returns in less
        self._horizon = MAX_PAUSE_SECONDS + 2 * self._gap * (parallel + 1)
        self._pace = folder / "pace"
        self._slots: SimpleQueue[Path] = SimpleQueue()
        with _store_errors(folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _create(self._pace, _STATE.size)
            for number in range(parallel):
                slot = folder / f"in-flight-{number}"
                _create(slot, _READY.size)
                self._slots.put(slot)

    @contextlib.contextmanager
    def slot(self) -> Iterator[None]:
        """Wait for a free slot and for the next free moment; hold the slot until the block ends.

        Raises `StoreError` if the files cannot be used: then the block did not begin.
        """
        with self._held_slot() as slot:
            with _store_errors(self._pace.parent):
                self._sleep_until(self._ready_at(slot))
                self._sleep_until(self._take_moment())
                began = time.monotonic()
                os.pwrite(slot, _READY.pack(began + self._cooldown), 0)  # what remains if this process is killed
            try:
                yield
            finally:
                ended = time.monotonic()
                self._quickest = min(self._quickest, ended - began)
                with contextlib.suppress(OSError):  # the call was made: its result must not be lost
                    os.pwrite(slot, _READY.pack(ended - self._quickest + self._cooldown), 0)

    def slow_down(self, pause: float = 0.0) -> None:
        """After a sign of overload: half the rate for 30 s, and no call at all for `pause` seconds (at most 60).

        Raises `StoreError` as `slot` does.
        """
        now = time.monotonic()
        with _store_errors(self._pace.parent), _locked(self._pace) as descriptor:
            following, _ = self._read(descriptor, now)
            following = max(following, now + min(pause, MAX_PAUSE_SECONDS))
            os.pwrite(descriptor, _STATE.pack(following, now + SLOW_SECONDS), 0)

    def _ready_at(self, slot: int) -> float:
        moment: float = _READY.unpack(os.pread(slot, _READY.size, 0))[0]
        now = time.monotonic()
        return moment if moment <= now + self._cooldown else now  # else the machine was restarted

    @staticmethod
    def _sleep_until(moment: float) -> None:
        time.sleep(max(0.0, moment - time.monotonic()))

    def _take_moment(self) -> float:
        now = time.monotonic()
        with _locked(self._pace) as descriptor:
            following, slow_until = self._read(descriptor, now)
            taken = max(now, following)
            gap = 2 * self._gap if now < slow_until else self._gap
            os.pwrite(descriptor, _STATE.pack(taken + gap, slow_until), 0)
        return taken

    def _read(self, descriptor: int, now: float) -> tuple[float, float]:
        following, slow_until = _STATE.unpack(os.pread(descriptor, _STATE.size, 0))
        if not following <= now + self._horizon:  # the machine was restarted: the clock restarted
            return now, now
        return following, slow_until

    @contextlib.contextmanager
    def _held_slot(self) -> Iterator[int]:
        while True:
            slot = self._slots.get()  # blocks while this process alone has `parallel` calls in flight
            with contextlib.ExitStack() as held:
                held.callback(self._slots.put, slot)
                with _store_errors(self._pace.parent):
                    descriptor = os.open(slot, os.O_RDWR)
                    held.callback(os.close, descriptor)
                    is_ours = _locked_now(descriptor)
                if is_ours:
                    yield descriptor
                    return
            time.sleep(_POLL_SECONDS)


@contextlib.contextmanager
def _store_errors(folder: Path) -> Iterator[None]:
    """Turn errors of our own files into `StoreError`. No vendor's call belongs into the block."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"{folder}: cannot be written ({error.strerror}); make the home writable") from None


def _create(path: Path, size: int) -> None:
    """Create a file of zeros if it is new, written whole: on a disk that fills up later nothing is left to allocate."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if os.fstat(descriptor).st_size < size:
            os.pwrite(descriptor, bytes(size), 0)
    finally:
        os.close(descriptor)


def _locked_now(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False  # another process, or another RateLimit of this one, holds this slot
    return True


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)
