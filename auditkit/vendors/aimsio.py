"""Aimsio: the list of NRBs, one NRB, and the import that creates or edits one.

Times are epoch milliseconds. The list holds stubs only, so that a full read is one call and one more per NRB.

Not here: what changed since the last read, whether the list is complete, and when a change may be sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from auditkit.errors import BadAnswer, SettingsError, ValueRefused
from auditkit.settings import Settings
from auditkit.values import time_from_ms
from auditkit.vendors.auth import BasicAuth
from auditkit.vendors.bodies import READ_ONLY_NRB_FIELDS, ImportResult, NrbChange, checked
from auditkit.vendors.connection import VendorAccount, identifier_in_path, is_identifier
from auditkit.vendors.strict_json import parse
from auditkit.vendors.transport import Answer, Reader, Writer

__all__ = ["RACY_MS", "AimsioClient", "NrbRead", "Stub"]

VENDOR = "Aimsio"
NRBS = "/rest/api/standard/v1/NonRecurringBillableItem"
NRB_IMPORT = "/rest/api/standard/v1/NRB"
RACY_MS = 3000  # nrbUpdatedAt has whole seconds, and so has the server's clock in an answer
MAX_LIST_BYTES = 256 * 2**20  # it comes in one piece, at about 108 bytes a row: room for two million NRBs


@dataclass(frozen=True, slots=True)
class Stub:
    """One row of the list: which NRB there is, and when it last changed (epoch milliseconds); None if missing."""

    guid: str | None
    updated_at: int | None
    dtype: str | None


@dataclass(frozen=True, slots=True)
class NrbRead:
    """One NRB as it was read: its exact text, its own nrbUpdatedAt, and the vendor's time when it was read.

    `read_at` is None for an answer from the cache whose server sent no time.
    """

    text: str
    updated_at: int | None
    read_at: datetime | None
    from_cache: bool

    @property
    def is_racy(self) -> bool:
        """Whether it was read so soon after its own nrbUpdatedAt that a second change may have the same time."""
        if self.updated_at is None or self.read_at is None:
            return False
        return self.read_at.timestamp() * 1000 - self.updated_at < RACY_MS


class AimsioClient:
    """Three operations of Aimsio's API. Errors are those of `Reader.get` and `Writer.send`."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer
        self.calls = reader.calls

    @classmethod
    def from_settings(cls, settings: Settings, *, offline: bool = False) -> Self:
        """A client for the account of the settings; `SettingsError` if they name none. `offline` as in `Reader`."""
        if settings.aimsio_url is None or settings.aimsio_username is None or settings.aimsio_password is None:
            raise SettingsError(
                "Aimsio needs AUDITKIT_AIMSIO_URL, AUDITKIT_AIMSIO_USERNAME and AUDITKIT_AIMSIO_PASSWORD"
            )
        auth = BasicAuth(settings.aimsio_username, settings.aimsio_password)
        account = VendorAccount(VENDOR, settings.aimsio_url, auth, settings.aimsio_username, settings)
        return cls(*account.connect(offline=offline))

    def stubs(self) -> list[Stub]:
        """Every NRB of the account, always live, in the order and number the vendor sent.

        The answer is an array, or an object with nothing but `value`, an array, of objects; anything else is a
        `BadAnswer`, never "no NRBs". A guid or updatedAt that is missing or unusable is None.

        It comes in one piece of at most 256 MiB. While it is read it takes up to eleven times its size: 1.1 GiB for a
        million NRBs.
        """
        found: list[Stub] = []

        def check(answer: Answer) -> bool:
            found[:] = _stubs(answer.text, f"{VENDOR}: GET {NRBS}")
            return True

        self._reader.get(NRBS, keep_newest=True, check=check, cap=MAX_LIST_BYTES)
        return found

    def nrb(self, guid: str, version: str | None = None) -> str:
        """The exact text of one NRB; as `read`."""
        return self.read(guid, version).text

    def read(self, guid: str, version: str | None = None, *, refresh: bool = False) -> NrbRead:
        """One NRB. With a version (`updatedAt` of its stub) an unchanged one costs no call, unless `refresh`.

        A body without this guid as its `nrbGuid` is a `BadAnswer`; `NotThere` if the vendor has none. A body that is
        older than the version, from a server that lags behind, or racy, is returned and not cached: the next call asks
        again.
        """
        path = f"{NRBS}/{identifier_in_path(guid, 'nrbGuid')}"
        found: list[NrbRead] = []

        def check(answer: Answer) -> bool:
            record = parse(answer.text, f"{VENDOR}: GET {path}")
            if not isinstance(record, dict) or record.get("nrbGuid") != guid:
                other = repr(record.get("nrbGuid"))[:60] if isinstance(record, dict) else _shape(record)
                raise BadAnswer(f"{VENDOR}: GET {path}: expected an NRB with this nrbGuid, found {other}")
            updated_at = record.get("nrbUpdatedAt")
            updated_at = updated_at if type(updated_at) is int else None
            read_at = answer.date if answer.from_cache else answer.date or datetime.now(UTC)
            found[:] = [NrbRead(answer.text, updated_at, read_at, answer.from_cache)]
            return not (_is_older(updated_at, version) or found[0].is_racy)

        self._reader.get(path, version=version, refresh=refresh, check=check)
        return found[0]

    def save_nrb(self, nrb: Mapping[str, Any]) -> ImportResult:
        """Create or edit one NRB, sent alone so that the counts of the answer are its own.

        A read-only or unknown field, or a value of the wrong type, raises `ValueRefused` before anything is sent.
        Errors that Aimsio counts in an answer of status 200 are in the result, not raised.
        """
        body = checked(nrb, NrbChange, READ_ONLY_NRB_FIELDS, "Aimsio NRB")
        answer = self._writer.send("POST", NRB_IMPORT, {"nrbList": [body]})
        return ImportResult.parse(answer.text, f"{VENDOR}: POST {NRB_IMPORT}")

    def save_proof(self, proof: str) -> None:
        """As `Reader.save_proof`."""
        self._reader.save_proof(proof)

    def saved_proof(self) -> str | None:
        """As `Reader.saved_proof`."""
        return self._reader.saved_proof()

    def close(self) -> None:
        """Close the connections and the cache."""
        self._reader.close()


def _stubs(text: str, where: str) -> list[Stub]:
    value = parse(text, where)
    rows = value["value"] if isinstance(value, dict) and set(value) == {"value"} else value
    if not isinstance(rows, list):
        raise BadAnswer(f'{where}: expected an array or {{"value": [...]}}, found {_shape(value)}')
    return [_stub(row, f"{where}: row {number}") for number, row in enumerate(rows)]


def _stub(row: object, where: str) -> Stub:
    if not isinstance(row, dict):
        raise BadAnswer(f"{where}: expected an object, found {_shape(row)}")
    guid, updated_at, dtype = row.get("guid", row.get("id")), row.get("updatedAt"), row.get("dtype")
    return Stub(
        guid if is_identifier(guid) else None,
        updated_at if type(updated_at) is int and _is_time(updated_at) else None,
        dtype if isinstance(dtype, str) else None,
    )


def _is_time(updated_at: int) -> bool:
    try:
        time_from_ms(updated_at, "updatedAt")
    except ValueRefused:
        return False
    return True


def _is_older(updated_at: int | None, version: str | None) -> bool:
    return version is not None and version.isdecimal() and updated_at is not None and updated_at < int(version)


def _shape(value: object) -> str:
    if isinstance(value, dict):
        return f"an object with {', '.join(sorted(value))[:60] or 'nothing'}"
    return "null" if value is None else type(value).__name__
