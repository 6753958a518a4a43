"""JobNimbus: pages of invoices, one invoice, and the three ways to change one.

Times are epoch seconds. A page's rows may be unordered and slimmer than single reads.

Not here: how many pages there are, whether they are complete, and when a change may be sent.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from pydantic import SecretStr

from auditkit.errors import BadAnswer, SettingsError, ValueRefused
from auditkit.settings import Settings
from auditkit.vendors.auth import Signature
from auditkit.vendors.bodies import READ_ONLY_INVOICE_FIELDS, InvoiceChange, NewInvoice, checked
from auditkit.vendors.connection import VendorAccount, identifier_in_path, is_identifier
from auditkit.vendors.strict_json import dump, loose_value, parse, split_rows
from auditkit.vendors.transport import Answer, Reader, Writer

__all__ = ["NEEDED_KEYS", "BearerAuth", "JobNimbusClient", "Page"]

VENDOR = "JobNimbus"
INVOICES = "/api1/v2/invoices"
DEFAULT_SIZE = 1000
NEEDED_KEYS = ("items", "related", "is_active", "status")  # required of every invoice, and of the audit
_TOKEN = re.compile(r"[\x21-\x7e]+")


class BearerAuth(Signature):
    """`Authorization: bearer <token>`. A token that no header can carry raises `SettingsError`, unrepeated."""

    def __init__(self, token: SecretStr) -> None:
        if not _TOKEN.fullmatch(token.get_secret_value()):
            raise SettingsError("AUDITKIT_JOBNIMBUS_TOKEN: expected visible ASCII only, found another character")
        super().__init__("bearer", token)


@dataclass(frozen=True)
class Page:
    """One page: the vendor's own count (None if it sent none), and (jnid, exact text) of each row.

    `problems` holds why a row cannot be used, by its jnid. A row without a usable one is named after its digest.
    `lacking` holds the jnids of rows without one of the keys that the page requires of every invoice.
    """

    count: int | None
    rows: list[tuple[str, str]]
    problems: Mapping[str, str] = field(default_factory=dict)
    lacking: frozenset[str] = frozenset()


class JobNimbusClient:
    """Five operations of JobNimbus's API. Errors are those of `Reader.get` and `Writer.send`.

    `actor` is the e-mail address of the person whom JobNimbus should name as the author of a write.
    """

    def __init__(self, reader: Reader, writer: Writer, actor: str | None = None) -> None:
        self._reader = reader
        self._writer = writer
        self._actor = {"actor": actor} if actor else None
        self.calls = reader.calls

    @classmethod
    def from_settings(cls, settings: Settings, *, offline: bool = False) -> Self:
        """A client for the account of the settings; `SettingsError` if they name none. `offline` as in `Reader`."""
        if settings.jobnimbus_url is None or settings.jobnimbus_token is None:
            raise SettingsError("JobNimbus needs AUDITKIT_JOBNIMBUS_URL and AUDITKIT_JOBNIMBUS_TOKEN")
        auth = BearerAuth(settings.jobnimbus_token)
        account = VendorAccount(VENDOR, settings.jobnimbus_url, auth, settings.jobnimbus_token, settings)
        return cls(*account.connect(offline=offline), settings.jobnimbus_actor)

    def page(self, start: int, size: int = DEFAULT_SIZE, filter: Mapping[str, Any] | None = None) -> Page:
        """The `size` invoices from number `start` (0 is the first), always live, in the vendor's order.

        The answer is an object with an array `results`; anything else is a `BadAnswer`, never an empty page. A row
        that cannot be used is in `problems`; a page of such rows alone is a `BadAnswer`.
        """
        params: dict[str, str | int] = {"from": start, "size": size}
        if filter is not None:
            params["filter"] = dump(filter)
        where = f"{VENDOR}: GET {INVOICES} from {start}"
        found: list[Page] = []

        def check(answer: Answer) -> bool:
            found[:] = [_page(answer.text, where)]
            return True

        self._reader.get(INVOICES, params, keep_newest=True, check=check)
        return found[0]

    def invoice(self, jnid: str) -> str:
        """The exact text of one invoice, always live; a body with another `jnid` is a `BadAnswer`."""
        path = _path(jnid)
        where = f"{VENDOR}: GET {path}"
        text = self._reader.get(path, keep_newest=True).text
        record = parse(text, where)
        if not isinstance(record, dict) or record.get("jnid") != jnid:
            found = repr(record.get("jnid"))[:60] if isinstance(record, dict) else type(record).__name__
            raise BadAnswer(f"{where}: expected an invoice with this jnid, found {found}")
        return text

    def whole_invoice(self, jnid: str) -> str:
        """As `invoice`, kept for an offline reader; a body without one of the required keys is a `BadAnswer`."""
        text = self.invoice(jnid)
        if lacking := [key for key in NEEDED_KEYS if key not in parse(text, jnid)]:
            raise BadAnswer(f"{VENDOR}: GET {_path(jnid)}: expected {', '.join(lacking)}, found none")
        return text

    def create_invoice(self, body: Mapping[str, Any]) -> Answer:
        """Create an invoice. The answer may have no body: then only a search can find its jnid.

        A field that is missing, unknown or computed by JobNimbus raises `ValueRefused` before anything is sent.
        """
        checked_body = checked(body, NewInvoice, READ_ONLY_INVOICE_FIELDS, "JobNimbus invoice")
        return self._writer.send("POST", INVOICES, checked_body, self._actor)

    def update_invoice(self, jnid: str, changes: Mapping[str, Any]) -> Answer:
        """Change the given fields of one invoice; arrays replace the old ones whole. The answer may have no body.

        JobNimbus deletes an invoice when `is_active` is changed to false.

        A field that is unknown or computed by JobNimbus raises `ValueRefused` before anything is sent.
        """
        if changes.get("jnid", jnid) != jnid:
            raise ValueRefused(f"JobNimbus invoice: jnid: expected {jnid!r} or none, found {changes['jnid']!r}")
        body = checked({"jnid": jnid, **changes}, InvoiceChange, READ_ONLY_INVOICE_FIELDS, "JobNimbus invoice")
        return self._writer.send("PUT", _path(jnid), body, self._actor)

    def save_proof(self, proof: str) -> None:
        """As `Reader.save_proof`."""
        self._reader.save_proof(proof)

    def saved_proof(self) -> str | None:
        """As `Reader.saved_proof`."""
        return self._reader.saved_proof()

    def close(self) -> None:
        """Close the connections and the cache."""
        self._reader.close()


def _path(jnid: str) -> str:
    return f"{INVOICES}/{identifier_in_path(jnid, 'jnid')}"


def _page(text: str, where: str) -> Page:
    envelope, slices = split_rows(text, "results", where)
    count = envelope.get("count")
    if count is not None and (type(count) is not int or count < 0):
        raise BadAnswer(f"{where}: count: expected a whole number, found {str(count)[:40]!r}")
    rows: list[tuple[str, str]] = []
    problems, lacking = dict[str, str](), set[str]()
    for number, row in enumerate(slices):
        jnid, value, problem = _row(row, f"row {number}")
        rows.append((jnid, row))
        if problem:
            problems.setdefault(jnid, problem)
        elif not value.keys() >= set(NEEDED_KEYS):
            lacking.add(jnid)
    if rows and all(jnid in problems for jnid, _ in rows):
        raise BadAnswer(f"{where}: {problems[rows[0][0]]}")
    return Page(count, rows, problems, frozenset(lacking))


def _row(text: str, where: str) -> tuple[str, dict[str, Any], str | None]:
    """The jnid of a row, its value, and why the row cannot be used (or None)."""
    try:
        value, problem = parse(text, where), None
    except BadAnswer as error:
        value, problem = loose_value(text), str(error)
    value = value if isinstance(value, dict) else {}
    jnid = value.get("jnid")
    if is_identifier(jnid):
        return jnid, value, problem
    digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:12]
    return f"(row {digest})", value, problem or f"{where}: jnid: expected a text, found {ascii(jnid)[:40]}"
