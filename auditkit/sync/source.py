"""A source: one vendor's records of one type, from their list to the proof that all of them were read.

To add a source: a client in `vendors/`, a subclass of `Source` in `sync/`, its line in `run.SOURCES`, its raw table in
`warehouse/schema.sql`, its typing in `warehouse/typed/`, its control totals in `sql/sync/record_source.sql`, and its
settings.

Not here: where bodies are kept (`raw`), and the order in which sources are read (`run`).
"""

from abc import ABC, abstractmethod
from collections.abc import Collection
from typing import Any, ClassVar, Protocol, Self

from auditkit.settings import Settings
from auditkit.sync.raw import RawTable, RecordType
from auditkit.vendors.transport import Counters

__all__ = ["Client", "Source"]


class Client(Protocol):
    """What a source needs of its vendor's client, beside the calls that only it makes."""

    calls: Counters

    def save_proof(self, proof: str) -> None:
        """As `Reader.save_proof`."""

    def saved_proof(self) -> str | None:
        """As `Reader.saved_proof`."""

    def close(self) -> None:
        """Close the connections and the cache."""


class Source(ABC):
    """One vendor's records during one sync: `start`, then `finish`, then the results below.

    `problem` is why the read is not complete, and None if it is. `listed` holds the ids of the newest list.
    """

    record_type: ClassVar[RecordType]

    problem: str | None = None

    @classmethod
    @abstractmethod
    def connect(cls, settings: Settings, *, offline: bool) -> Self:
        """The source of the settings' account. Raises `SettingsError`. `offline` as in `transport.Reader`."""

    @property
    @abstractmethod
    def client(self) -> Client:
        """The vendor's client."""

    @abstractmethod
    def start(self, raw: RawTable) -> None:
        """Read the list once, so that a wrong credential shows before anything else is read. `raw` gets the bodies."""

    @abstractmethod
    def finish(self) -> None:
        """Read everything else, until the read is proved complete or `problem` names the reason why it is not."""

    @property
    @abstractmethod
    def listed(self) -> Collection[str]:
        """The ids in the newest list."""

    @abstractmethod
    def read_by_id(self, identifier: str) -> str:
        """The exact text of one record, always live; `NotThere` if the vendor has none."""

    def remember(self) -> None:  # noqa: B027  most sources need to remember nothing
        """Write what the next sync needs to know into the draft."""

    @property
    @abstractmethod
    def facts(self) -> dict[str, Any]:
        """Columns of `sync_source` that only this source knows.

        `lists`, `method`, `resumed`, `end_of_list` and `count_meaning`.
        """
