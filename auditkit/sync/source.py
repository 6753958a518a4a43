"""A source: one vendor's records of one type, from their list to the proof that all of them were read.

To add a source: a client in `vendors/`, a subclass of `Source` in `sync/`, its line in `run.SOURCES`, its raw table in
`warehouse/schema.sql`, its typing in `warehouse/typed/`, its control totals in `sql/sync/record_source.sql`, and its
settings.

Not here: where bodies are kept (`raw`), and the order in which sources are read (`run`).
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self

from auditkit.settings import Settings
from auditkit.sync.raw import RawTable, RecordType
from auditkit.vendors.transport import Counters

__all__ = ["Client", "Options", "Source"]


@dataclass(frozen=True)
class Options:
    """How a sync is run. `offline`: from the cache alone, as the last read left it.

    `accept_shrink`: a person confirms that a list that is empty or much shorter than before is right. `full`: read
    every record again, whatever its version is.
    """

    offline: bool = False
    accept_shrink: bool = False
    full: bool = False


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

    `problem` is why the list cannot be trusted, and None if it can. A record that cannot be read is in `unread`.
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
    def start(self, raw: RawTable, options: Options) -> None:
        """Read the list once, so that a wrong credential shows before anything else is read. `raw` gets the bodies."""

    @abstractmethod
    def finish(self) -> None:
        """Read everything else, until the list is proved whole or `problem` names the reason why it is not."""

    @property
    @abstractmethod
    def listed(self) -> Collection[str]:
        """The ids in the newest list."""

    @property
    @abstractmethod
    def unread(self) -> Mapping[str, str]:
        """id → why, for each listed record that could not be read."""

    @abstractmethod
    def read_by_id(self, identifier: str) -> str:
        """The exact text of one record, always live; `NotThere` if the vendor has none."""

    def remember(self) -> None:  # noqa: B027  most sources need to remember nothing
        """Write what the next sync needs to know into the draft."""

    def published(self) -> None:  # noqa: B027  as above
        """What remains to be done once the snapshot is published."""

    @abstractmethod
    def probes(self) -> Iterator[tuple[str, Callable[[], str]]]:
        """What a doctor calls, in this order: a name, and a call that returns in a few words what it saw."""

    @property
    @abstractmethod
    def facts(self) -> dict[str, Any]:
        """Columns of `sync_source` that only this source knows.

        `lists`, `method`, `end_of_list`, `count_meaning`, `resumed`, `verified_again`, `changed_unversioned` and
        `oldest_verified_at`.
        """
