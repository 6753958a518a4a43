"""Two ways to a vendor: a reader that may ask again and remember, a writer that sends once.

They are two classes so that what helps a read can never reach a write. Pace and the cap of calls in flight lie below
the cache, so that a cache hit costs no call.

Not here: connections and failures (`wire`), the file of the cache (`cache`), and what a body must hold (the clients).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Literal

import requests
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from auditkit.errors import BadAnswer, NotThere
from auditkit.vendors.auth import Credentials
from auditkit.vendors.cache import DetailCache
from auditkit.vendors.http import MAX_BODY_BYTES, HttpClient, Received, TransientError, adapter, server_date
from auditkit.vendors.rate_limit import RateLimit
from auditkit.vendors.strict_json import CutShort, dump, parse

__all__ = ["ATTEMPTS", "DEADLINE_SECONDS", "Answer", "Counters", "Reader", "Writer"]

DEADLINE_SECONDS = 30.0
ATTEMPTS = 5
_NEWEST = "newest"  # versions are numbers
_PROOF = "proof"  # addresses begin with a slash
_FIRST_WAIT_SECONDS = 0.5
_LONGEST_WAIT_SECONDS = 5.0


@dataclass(frozen=True)
class Answer:
    """What a vendor said: `text` is the exact body in UTF-8, `date` the server's clock, `elapsed` in seconds."""

    status: int
    text: str
    date: datetime | None
    from_cache: bool
    elapsed: float


class Counters:
    """What a reader did: calls made, answers from the cache, calls made again, and calls refused with 429."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.made = 0
        self.cache_hits = 0
        self.retried = 0
        self.throttled = 0
        self.clock_skew = 0.0

    def saw(self, date: datetime | None) -> None:
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
    """GET only: polite, patient with what may pass, and from the cache where a version says that nothing changed.

    `rate_per_second` and `parallel` hold for all threads and processes with the same `rate_limit_path` (a folder).
    `cache_scope` names environment and account. `deadline` is in seconds, for one attempt, once it is our turn.
    `credentials` are what no answer may repeat, besides those of the request.
    One that is `offline` asks nobody: it has what was kept, and everything else is `NotThere`.
    """

    def __init__(
        self,
        base_url: str,
        auth: requests.auth.AuthBase,
        *,
        vendor: str,
        cache_path: Path,
        cache_scope: str,
        rate_per_second: float,
        parallel: int,
        rate_limit_path: Path,
        deadline: float = DEADLINE_SECONDS,
        credentials: Credentials | None = None,
        offline: bool = False,
    ) -> None:
        rate_limit = RateLimit(rate_limit_path, rate_per_second, parallel)
        self._http_client = HttpClient(
            base_url, auth, vendor=vendor, rate_limit=rate_limit, deadline=deadline, credentials=credentials
        )
        self._http = adapter(parallel)
        self._offline = offline
        self._cache = DetailCache(cache_path, cache_scope)
        self.calls = Counters()

    def get(
        self,
        path: str,
        params: Mapping[str, str | int] | None = None,
        *,
        version: str | None = None,
        check: Callable[[str], bool] | None = None,
        is_list: bool = False,
        cap: int = MAX_BODY_BYTES,
    ) -> Answer:
        """The answer to a GET: status 200, a JSON media type, strict UTF-8, and JSON that `check` accepts.

        At most `cap` bytes of it, decoded. While it is read and examined it takes up to three times its size, and what
        `check` makes of it; a body that unpacks to more than the cap takes its packed size only.

        1. With a `version`, look into the cache; what is found there is examined as if it had just arrived, and
           what does not pass is fetched again. Without one, the answer is always live. A list is never looked up, but
           its newest answer is kept for those who are offline.
        2. Ask the vendor, at most 5 times, where the failure may pass. JSON that ends too early may.
        3. Examine: `check` gets the text, raises `BadAnswer` where it is not the record that was asked for, and
           returns whether it may be remembered (without one: strict JSON).
        4. With a `version`, remember.

        Raises `Unreachable`, `TimedOut`, `Denied`, `NotThere`, `Refused` or `BadAnswer`.
        """
        request = self._http_client.request("GET", path, params)
        where, address = self._http_client.where(request), request.path_url
        name = _NEWEST if is_list else version
        kept = self._cache.get(address, name) if name is not None and (self._offline or not is_list) else None
        if kept is not None and (remembered := self._remembered(kept, where, check)):
            if not is_list:
                self.calls.add("cache_hits")
            return remembered
        if self._offline:
            raise NotThere(f"{where}: not in the cache; run `auditkit sync` without --offline")
        received, answer, lasting = self._fetch(request, check, cap)
        if name is not None and lasting:
            self._cache.put(address, name, received)
        return answer

    def save_proof(self, proof: str) -> None:
        """Keep what is known of the lists that the cache holds: a text, JSON, for those who are offline."""
        self._cache.put(_PROOF, _NEWEST, Received({"Content-Type": "application/json"}, proof.encode(), elapsed=0.0))

    def saved_proof(self) -> str | None:
        """The proof that was saved last; None before the first."""
        kept = self._cache.get(_PROOF, _NEWEST)
        return kept.body.decode() if kept else None

    def close(self) -> None:
        """Close the connections and the cache."""
        self._http.close()
        self._cache.close()

    def _remembered(self, kept: Received, where: str, check: Callable[[str], bool] | None) -> Answer | None:
        try:
            answer, lasting = _examined(kept, where, check, from_cache=True)
        except BadAnswer:
            return None
        return answer if lasting else None

    def _fetch(
        self, request: requests.PreparedRequest, check: Callable[[str], bool] | None, cap: int
    ) -> tuple[Received, Answer, bool]:
        # Full jitter, so that those who were refused together do not come back together.
        patience = Retrying(
            retry=retry_if_exception_type(TransientError),
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_random_exponential(multiplier=_FIRST_WAIT_SECONDS, max=_LONGEST_WAIT_SECONDS),
            reraise=True,
        )
        try:
            for attempt in patience:
                with attempt:
                    if attempt.retry_state.attempt_number > 1:
                        self.calls.add("retried")
                    return self._attempt(request, check, cap)
        except TransientError as last:
            failure = last.error
        raise failure

    def _attempt(
        self, request: requests.PreparedRequest, check: Callable[[str], bool] | None, cap: int
    ) -> tuple[Received, Answer, bool]:
        self.calls.add("made")
        try:
            received = self._http_client.exchange(self._http, request, cap)
        except TransientError as again:
            if again.status == 429:
                self.calls.add("throttled")
            raise
        self.calls.saw(server_date(received.headers))
        try:
            answer, lasting = _examined(received, self._http_client.where(request), check, from_cache=False)
        except CutShort as cut:
            raise TransientError(cut) from None
        return received, answer, lasting


class Writer:
    """Sends a change exactly once: no retry, no redirect, no cache, a fresh connection for each.

    `TimedOut` and `Unreachable` leave open whether the change was made: look, never send again unasked.
    """

    def __init__(
        self,
        base_url: str,
        auth: requests.auth.AuthBase,
        *,
        vendor: str,
        rate_per_second: float,
        parallel: int,
        rate_limit_path: Path,
        deadline: float = DEADLINE_SECONDS,
        credentials: Credentials | None = None,
    ) -> None:
        rate_limit = RateLimit(rate_limit_path, rate_per_second, parallel)
        self._http_client = HttpClient(
            base_url, auth, vendor=vendor, rate_limit=rate_limit, deadline=deadline, credentials=credentials
        )

    def send(
        self, method: str, path: str, body: Mapping[str, object], params: Mapping[str, str | int] | None = None
    ) -> Answer:
        """The vendor's answer of status 200; it may be empty. Decimals in the body are sent digit by digit.

        Raises `ValueRefused` before anything is sent where the body cannot be written exactly; else as `Reader.get`.
        """
        headers = {"Content-Type": "application/json", "Connection": "close"}
        request = self._http_client.request(method, path, params, headers, dump(body).encode("ascii"))
        http = adapter(1)
        try:
            received = self._http_client.exchange(http, request)
        except TransientError as only:
            failure = only.error
        else:
            return _answer(received, _decoded(received.body, self._http_client.where(request)), from_cache=False)
        finally:
            http.close()
        raise failure


def _examined(
    received: Received, where: str, check: Callable[[str], bool] | None, *, from_cache: bool
) -> tuple[Answer, bool]:
    media_type = received.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise BadAnswer(f"{where}: expected application/json, found {media_type[:60]!r}; check the base URL")
    text = _decoded(received.body, where)
    if check is None:
        parse(text, where)
    lasting = check is None or check(text)
    return _answer(received, text, from_cache=from_cache), lasting


def _decoded(body: bytes, where: str) -> str:
    if body.startswith(b"\xef\xbb\xbf"):
        raise BadAnswer(f"{where}: expected UTF-8 without a byte-order mark, found one")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadAnswer(f"{where}: expected UTF-8, found another byte at {error.start}") from None


def _answer(received: Received, text: str, *, from_cache: bool) -> Answer:
    return Answer(200, text, server_date(received.headers), from_cache, received.elapsed)
