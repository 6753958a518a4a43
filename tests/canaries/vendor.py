"""Both vendors on one port: a small account that answers as documented until it is made to fail, and repeats the
credentials in headers and messages.
"""

import base64
import contextlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, quote, urlsplit

from tests import world
from tests.canaries.scanner import PASSWORD, TOKEN, USER
from tests.vendors.server import Reply, Seen, Vendor, running_vendor

PAIR = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
LISTS = "/rest/api/standard/v1/NonRecurringBillableItem"
IMPORT = "/rest/api/standard/v1/NRB"
INVOICES = "/api1/v2/invoices"
CARRIERS = ("header in odd case", "cookie", "redirect", "error text")

Fault = Callable[[Seen], object]


class Account(Vendor):
    """`fault` is asked first; None from it is a usual answer. `carried` counts what went out with secrets in it."""

    def __init__(self) -> None:
        super().__init__()
        self.begin_anew()

    def begin_anew(self) -> None:
        """The account as it was at first, and nothing wrong with it."""
        self.nrbs = {body["nrbGuid"]: body for body in (world.nrb("n1"), world.nrb("n2", nrbIsExported=False))}
        self.carried: Counter[str] = Counter()
        self.invoices = [world.invoice()]
        self.fault: Fault = lambda seen: None
        self.carriers: tuple[str, ...] = CARRIERS

    def reply(self, seen: Seen) -> object:
        reply = self.fault(seen) or self._usual(seen)
        return self._loaded(reply) if isinstance(reply, Reply) else reply

    def _usual(self, seen: Seen) -> Reply:
        path, query = urlsplit(seen.target).path, parse_qs(urlsplit(seen.target).query)
        if seen.method == "POST" and path.endswith(IMPORT):
            return self._imported(json.loads(seen.body)["nrbList"][0])
        if path.endswith(LISTS):
            return Reply([{"dtype": "NRB", "guid": g, "updatedAt": n["nrbUpdatedAt"]} for g, n in self.nrbs.items()])
        if LISTS in path:
            body = self.nrbs.get(path.rpartition("/")[2])
            return Reply(body) if body else Reply({"message": "none"}, 404)
        start = int(query.get("from", ["0"])[0])
        return Reply({"count": len(self.invoices), "results": self.invoices[start:]})

    def _imported(self, change: dict[str, object]) -> Reply:
        stored = self.nrbs[str(change["nrbGuid"])]
        self.nrbs[str(change["nrbGuid"])] = {**stored, **change, "nrbUpdatedAt": stored["nrbUpdatedAt"] + 1000}
        return Reply(imported(edited=1))

    def _loaded(self, reply: Reply) -> Reply:
        """The answer with what the carriers put on it."""
        headers = {}
        if "header in odd case" in self.carriers:
            headers |= {"x-aUtHoRiZaTiOn": f"Basic {PAIR}", "ETag": quote(TOKEN), "Server": PASSWORD.encode().hex()}
        if "cookie" in self.carriers:
            headers |= {"Set-Cookie": f"session={quote(PASSWORD)}; user={USER}; token={PAIR}; Path=/"}
        if "redirect" in self.carriers:
            headers |= {"Location": f"http://{quote(USER, '')}:{quote(PASSWORD, '')}@127.0.0.1:1/{quote(TOKEN, '')}"}
        body = reply.body
        if "error text" in self.carriers and reply.status >= 400 and reply.body == {}:
            body = {"message": f"no: {USER} {PASSWORD} {TOKEN} {PAIR}"}
        self.carried.update(name for name in self.carriers if name != "error text" or body is not reply.body)
        return Reply(body, reply.status, {**headers, **reply.headers}, reply.delay)


def imported(**counts: object) -> dict[str, object]:
    """Aimsio's answer to an import."""
    names = {
        "created": "numberOfEntitiesCreated",
        "edited": "numberOfEntitiesEdited",
        "with_errors": "numberOfEntitiesEditedWithErrors",
        "not_imported": "numberOfEntitiesNotImportedDueToErrors",
        "imported": "numberOfEntitiesImported",
    }
    return {**{wire: counts.get(name, 0) for name, wire in names.items()}, "notices": counts.get("notices", [])}


@contextlib.contextmanager
def running_account() -> Iterator[Account]:
    account = Account()
    with running_vendor(account):
        yield account
