"""Two ways to a vendor: a reader that retries and caches, and a writer that sends once.

They are two classes so that what helps a read can never reach a write. The rate limit works below the cache, so that a
cache hit costs no call.

Not here: connections (`http`), errors (`responses`), the cache's file (`cache`), and what a body must hold (the
clients).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import Literal

import requests
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from auditkit.errors import BadAnswer, NotThere
from auditkit.vendors.cache import DetailCache
from auditkit.vendors.http import HttpClient
from auditkit.vendors.responses import MAX_BODY_BYTES, Received, TransientError, server_date
from auditkit.vendors.strict_json import CutShort, dump, parse

__all__ = ["ATTEMPTS", "DEADLINE_SECONDS", "Answer", "Check", "Counters", "Reader", "Writer"]

DEADLINE_SECONDS = 30.0
ATTEMPTS = 5
_NEWEST = "newest"  # versions are numbers
_PROOF = "proof"  # addresses begin with a slash
_FIRST_WAIT_SECONDS = 0.5
_LONGEST_WAIT_SECONDS = 5.0


@dataclass(frozen=True)
class Answer:
    """A vendor's answer: `text` is the exact body, `date` the server's clock, `elapsed` in seconds."""

    status: int
    text: str
    date: datetime | None
    from_cache: bool
    elapsed: float


Check = Callable[[Answer], bool]


class Counters:
    """What a reader did: calls made, answers from the cache, calls repeated, and calls refused with 429."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.made = 0
        self.cache_hits = 0
        self.retried = 0
        self.throttled = 0
        self.clock_skew = 0.0

    def compare_clock(self, date: datetime | None) -> None:
        """Compare a server's clock with ours; `clock_skew` is the largest difference in seconds."""
        if date is not None:
            skew = (date - datetime.now(UTC)).total_seconds()
            with self._lock:
                self.clock_skew = max(self.clock_skew, skew, key=abs)

    def add(self, name: Literal["made", "cache_hits", "retried", "throttled"]) -> None:
        """Count one more, from any thread."""
        with self._lock:
            setattr(self, name, getattr(self, name) + 1)


class Reader:
    """GET only: rate-limited, retries transient failures, and uses the cache for what has not changed by its version.

    An `offline` reader makes no call: it has what the cache holds, and everything else is `NotThere`.
    """

    def __init__(self, http: HttpClient, cache: DetailCache, *, offline: bool = False) -> None:
        self._http = http
        self._cache = cache
        self._offline = offline
        self.calls = Counters()

    def get(
        self,
        path: str,
        params: Mapping[str, str | int] | None = None,
        *,
        version: str | None = None,
        refresh: bool = False,
        keep_newest: bool = False,
        check: Check | None = None,
        cap: int = MAX_BODY_BYTES,
    ) -> Answer:
        """The answer to a GET: status 200, a JSON media type, and strict JSON in UTF-8 that `check` accepts.

        1. With a `version`, look into the cache, unless `refresh`. What is found there is checked as if it had just
           arrived, and fetched again if it does not pass. Without a version the answer is always live; with
           `keep_newest` it is kept for an offline reader.
        2. Ask the vendor, at most 5 times while the failure is transient. JSON that ends too early is transient.
        3. Check: `check` gets the answer, raises `BadAnswer` if it is not the record that was asked for, and returns
           whether it may be cached (without one: strict JSON).
        4. Cache it, if a version or `keep_newest` asks for that.

        A body has at most `cap` bytes, decoded. While it is read and checked it takes up to three times its size, and
        what `check` makes of it; a body that unpacks to more than the cap takes its packed size only.

        Raises `Unreachable`, `TimedOut`, `Denied`, `NotThere`, `Refused` or `BadAnswer`.
        """
        request = self._http.request("GET", path, params)
        where, address = self._http.where(request), request.path_url
        name = _NEWEST if keep_newest else version
        may_use_cache = self._offline or not (keep_newest or refresh)
        cached = self._cache.get(address, name) if name is not None and may_use_cache else None
        if cached is not None and (answer := self._from_cache(cached, where, check)):
            if not keep_newest:
                self.calls.add("cache_hits")
            return answer
        if self._offline:
            raise NotThere(f"{where}: not in the cache; run `auditkit sync` without --offline")
        received, answer, may_cache = self._fetch(request, check, cap)
        if name is not None and may_cache:
            self._cache.put(address, name, received)
        return answer

    def save_proof(self, proof: str) -> None:
        """Keep what is known of the lists that the cache holds: a text, JSON, for an offline reader."""
        self._cache.put(_PROOF, _NEWEST, Received({"Content-Type": "application/json"}, proof.encode(), elapsed=0.0))

    def saved_proof(self) -> str | None:
        """The proof that was saved last; None before the first."""
        saved = self._cache.get(_PROOF, _NEWEST)
        return saved.body.decode() if saved else None

    def close(self) -> None:
        """Close the connections and the cache."""
        self._http.close()
        self._cache.close()

    def _from_cache(self, cached: Received, where: str, check: Check | None) -> Answer | None:
        try:
            answer, may_cache = _checked(cached, where, check, from_cache=True)
        except BadAnswer:
            return None
        return answer if may_cache else None

    def _fetch(self, request: requests.PreparedRequest, check: Check | None, cap: int) -> tuple[Received, Answer, bool]:
        # Full jitter, so that calls that were refused together do not come back together.
        retrying = Retrying(
            retry=retry_if_exception_type(TransientError),
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_random_exponential(multiplier=_FIRST_WAIT_SECONDS, max=_LONGEST_WAIT_SECONDS),
            reraise=True,
        )
        try:
            for attempt in retrying:
                with attempt:
                    if attempt.retry_state.attempt_number > 1:
                        self.calls.add("retried")
                    return self._attempt(request, check, cap)
        except TransientError as last:
            failure = last.error
        raise failure

    def _attempt(
        self, request: requests.PreparedRequest, check: Check | None, cap: int
    ) -> tuple[Received, Answer, bool]:
        self.calls.add("made")
        try:
            received = self._http.exchange(request, cap=cap)
        except TransientError as transient:
            if transient.status == 429:
                self.calls.add("throttled")
            raise
        self.calls.compare_clock(server_date(received.headers))
        try:
            answer, may_cache = _checked(received, self._http.where(request), check, from_cache=False)
        except CutShort as cut:
            raise TransientError(cut) from None
        return received, answer, may_cache


class Writer:
    """Sends a change exactly once: no retry, no redirect, no cache, a fresh connection for each.

    After `TimedOut` or `Unreachable` the change may have been made: look first, never send it again unasked.
    """

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    def send(
        self, method: str, path: str, body: Mapping[str, object], params: Mapping[str, str | int] | None = None
    ) -> Answer:
        """The vendor's answer of status 200; it may be empty. Decimals in the body are sent digit by digit.

        Raises `ValueRefused` before anything is sent if the body cannot be written exactly; else as `Reader.get`.
        """
        headers = {"Content-Type": "application/json", "Connection": "close"}
        request = self._http.request(method, path, params, headers, dump(body).encode("ascii"))
        try:
            received = self._http.exchange(request, fresh=True)
        except TransientError as only:
            failure = only.error
        else:
            return _answer(received, _decoded(received.body, self._http.where(request)), from_cache=False)
        raise failure


def _checked(received: Received, where: str, check: Check | None, *, from_cache: bool) -> tuple[Answer, bool]:
    media_type = received.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise BadAnswer(f"{where}: expected application/json, found {media_type[:60]!r}; check the base URL")
    _refuse_byte_order_mark(received.body, where)
    # A byte that is not UTF-8 is kept as a half character, which `parse` refuses: so a list can refuse one row of many.
    answer = _answer(received, received.body.decode("utf-8", "surrogateescape"), from_cache=from_cache)
    if check is None:
        parse(answer.text, where)
    return answer, check is None or check(answer)


def _refuse_byte_order_mark(body: bytes, where: str) -> None:
    if body.startswith(b"\xef\xbb\xbf"):
        raise BadAnswer(f"{where}: expected UTF-8 without a byte-order mark, found one")


def _decoded(body: bytes, where: str) -> str:
    _refuse_byte_order_mark(body, where)
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadAnswer(f"{where}: expected UTF-8, found another byte at {error.start}") from None


def _answer(received: Received, text: str, *, from_cache: bool) -> Answer:
    return Answer(200, text, server_date(received.headers), from_cache, received.elapsed)
