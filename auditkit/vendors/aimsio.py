"""Aimsio: the list of NRBs, one NRB, and the import that creates or edits one.

Times are epoch milliseconds. The list holds stubs only, so that a full read is one call and one more per NRB.

Not here: what changed since the last read, whether the list is complete, and when a change may be sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from auditkit.errors import BadAnswer, SettingsError, ValueRefused
from auditkit.settings import Settings
from auditkit.values import time_from_ms
from auditkit.vendors.auth import BasicAuth
from auditkit.vendors.bodies import READ_ONLY_NRB_FIELDS, ImportResult, NrbChange, checked
from auditkit.vendors.connection import VendorAccount, identifier_in_path, is_identifier
from auditkit.vendors.strict_json import parse
from auditkit.vendors.transport import Answer, Reader, Writer

__all__ = ["AimsioClient", "Stub"]

VENDOR = "Aimsio"
NRBS = "/rest/api/standard/v1/NonRecurringBillableItem"
NRB_IMPORT = "/rest/api/standard/v1/NRB"
MAX_LIST_BYTES = 256 * 2**20  # it comes in one piece, at about 108 bytes a row: room for two million NRBs


@dataclass(frozen=True, slots=True)
class Stub:
    """One row of the list: which NRB there is, and when it last changed (epoch milliseconds); None if missing."""

    guid: str | None
    updated_at: int | None
    dtype: str | None


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
        """The exact text of one NRB. With a version (`updatedAt` of its stub) an unchanged one costs no call.

        A body without this guid as its `nrbGuid` is a `BadAnswer`; `NotThere` if the vendor has none. A body older
        than the version, from a server that lags behind, is returned and not cached: the next call asks again.
        """
        path = f"{NRBS}/{identifier_in_path(guid, 'nrbGuid')}"

        def check(answer: Answer) -> bool:
            record = parse(answer.text, f"{VENDOR}: GET {path}")
            if not isinstance(record, dict) or record.get("nrbGuid") != guid:
                found = repr(record.get("nrbGuid"))[:60] if isinstance(record, dict) else _shape(record)
                raise BadAnswer(f"{VENDOR}: GET {path}: expected an NRB with this nrbGuid, found {found}")
            return not _is_older(record.get("nrbUpdatedAt"), version)

        return self._reader.get(path, version=version, check=check).text

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


def _is_older(updated_at: object, version: str | None) -> bool:
    return version is not None and version.isdecimal() and isinstance(updated_at, int) and updated_at < int(version)


def _shape(value: object) -> str:
    if isinstance(value, dict):
        return f"an object with {', '.join(sorted(value))[:60] or 'nothing'}"
    return "null" if value is None else type(value).__name__
