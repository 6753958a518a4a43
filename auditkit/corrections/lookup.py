"""Reading for corrections: one object by id, past the cache, and the search for what a creation may have made.

The search reads a vendor's whole list, because neither can be asked for an external id. What it cannot read whole it
does not call empty: it raises.

Not here: what is done with what was found (drafting, apply).
"""

from collections.abc import Callable
from dataclasses import dataclass

from auditkit.corrections.operations import Kind
from auditkit.errors import BadAnswer, NotThere
from auditkit.progress import progress
from auditkit.vendors.aimsio import AimsioClient
from auditkit.vendors.jobnimbus import JobNimbusClient
from auditkit.vendors.paging import BeyondPaging, OrderChanged, Pages, Pass
from auditkit.vendors.strict_json import parse

__all__ = ["Vendors"]

_PASSES = 4


@dataclass(frozen=True)
class Vendors:
    """Both vendors' clients, as planning and applying need them. Errors are those of the clients."""

    aimsio: AimsioClient
    jobnimbus: JobNimbusClient

    def read(self, kind: Kind, object_id: str) -> str:
        """The exact text of one object, never from the cache."""
        return self.aimsio.nrb(object_id) if kind.system == "aimsio" else self.jobnimbus.invoice(object_id)

    def find(self, kind: Kind, key: str) -> list[str]:
        """The ids of every object that has this key, from a complete list. `BadAnswer` where there is none."""
        return self._nrbs(key) if kind.system == "aimsio" else self._invoices(key)

    def _nrbs(self, key: str) -> list[str]:
        found = []
        stubs = self.aimsio.stubs()
        with progress("Searching Aimsio", len(stubs), "NRB") as advance:
            for stub in stubs:
                advance(1)
                if stub.guid is None:
                    raise BadAnswer("Aimsio: a row of the list has no guid, so that nothing can be ruled out")
                try:
                    version = None if stub.updated_at is None else str(stub.updated_at)
                    body = parse(self.aimsio.nrb(stub.guid, version), stub.guid)
                except NotThere:
                    continue
                if body.get("nrbExternalId") == key:
                    found.append(stub.guid)
        return found

    def _invoices(self, key: str) -> list[str]:
        pages = Pages(self.jobnimbus.page)
        last: Pass | None = None
        needs_windows = False
        for _ in range(_PASSES):
            found: list[str] = []
            with progress("Searching JobNimbus", None, "invoice") as advance:
                keep = _Keep(key, found, advance)
                read = pages.windows(keep) if needs_windows else pages.overlapping(keep)
            if read.broken is None and last is not None and (last.broken, last.digests) == (None, read.digests):
                return found
            needs_windows |= isinstance(read.broken, (OrderChanged, BeyondPaging))
            last = read
        why = last.broken if last and last.broken else "it kept changing"
        raise BadAnswer(f"JobNimbus: the list of invoices could not be read whole ({why}); try again later")


@dataclass(frozen=True)
class _Keep:
    """Takes the rows of a pass: the ids of those with the key are found, the others are only counted."""

    key: str
    found: list[str]
    advance: Callable[[int], object]

    def __call__(self, rows: list[tuple[str, str]], _: Pass) -> None:
        self.found.extend(jnid for jnid, text in rows if parse(text, jnid).get("external_id") == self.key)
        self.advance(len(rows))
