"""Reading for corrections: one object by id, past the cache, and the search for what a creation may have made.

The search reads a vendor's whole list, because neither can be asked for an external id. A list that cannot be read
whole is an error, never an empty result.

Not here: what is done with what was found (planning, apply).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from auditkit.corrections.operations.base import Operation
from auditkit.errors import BadAnswer, NotThere
from auditkit.progress import progress
from auditkit.vendors.aimsio import AimsioClient
from auditkit.vendors.jobnimbus import JobNimbusClient
from auditkit.vendors.paging import BeyondPaging, OrderChanged, Pages, Pass
from auditkit.vendors.strict_json import parse

__all__ = ["Clients"]

_PASSES = 4


class _Lookup(Protocol):
    def read(self, object_id: str) -> str: ...

    def find(self, key: str) -> list[str]: ...


@dataclass(frozen=True)
class Clients:
    """Both vendors' clients, as planning and applying need them. Errors are those of the clients."""

    aimsio: AimsioClient
    jobnimbus: JobNimbusClient

    def read(self, operation: Operation, object_id: str) -> str:
        """The exact text of one object, never from the cache."""
        return self._lookup(operation).read(object_id)

    def find(self, operation: Operation, key: str) -> list[str]:
        """The ids of every object that has this key, from a complete list. `BadAnswer` where there is none."""
        return self._lookup(operation).find(key)

    def _lookup(self, operation: Operation) -> _Lookup:
        lookups: dict[str, _Lookup] = {"aimsio": _Nrbs(self.aimsio), "jobnimbus": _Invoices(self.jobnimbus)}
        return lookups[operation.system]


@dataclass(frozen=True)
class _Nrbs:
    client: AimsioClient

    def read(self, object_id: str) -> str:
        return self.client.nrb(object_id)

    def find(self, key: str) -> list[str]:
        found = []
        stubs = self.client.stubs()
        with progress("Searching Aimsio", len(stubs), "NRB") as advance:
            for stub in stubs:
                advance(1)
                if stub.guid is None:
                    raise BadAnswer("Aimsio: a row of the list has no guid, so that nothing can be ruled out")
                try:
                    version = None if stub.updated_at is None else str(stub.updated_at)
                    body = parse(self.client.nrb(stub.guid, version), stub.guid)
                except NotThere:
                    continue
                if body.get("nrbExternalId") == key:
                    found.append(stub.guid)
        return found


@dataclass(frozen=True)
class _Invoices:
    client: JobNimbusClient

    def read(self, object_id: str) -> str:
        return self.client.invoice(object_id)

    def find(self, key: str) -> list[str]:
        """Two equal passes over the whole list in a row, of at most four."""
        pages = Pages(self.client.page)
        last: Pass | None = None
        needs_windows = False
        for _ in range(_PASSES):
            found: list[str] = []
            with progress("Searching JobNimbus", None, "invoice") as advance:
                matcher = _Matcher(key, found, advance)
                read = pages.windows(matcher) if needs_windows else pages.overlapping(matcher)
            if read.broken is None and last is not None and (last.broken, last.digests) == (None, read.digests):
                return found
            needs_windows |= isinstance(read.broken, (OrderChanged, BeyondPaging))
            last = read
        why = last.broken if last and last.broken else "it kept changing"
        raise BadAnswer(f"JobNimbus: the list of invoices could not be read whole ({why}); try again later")


@dataclass(frozen=True)
class _Matcher:
    """Takes the rows of a pass: keeps the ids of those with the key, and counts the others."""

    key: str
    found: list[str]
    advance: Callable[[int], object]

    def __call__(self, rows: list[tuple[str, str]], _: Pass) -> None:
        self.found.extend(jnid for jnid, text in rows if parse(text, jnid).get("external_id") == self.key)
        self.advance(len(rows))
