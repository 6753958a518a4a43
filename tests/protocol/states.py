"""The vocabulary of the model of a correction: the states of vendor, client and journal, and every guard.

A state is one moment: the vendor's objects, our requests that may still take effect, the journal as it would be found
after a power cut, and the next step of each of our processes. The fields at the end of `State` are known only to the
model; the invariants are checked with them.

Not here: what can happen next (model) and what must never happen (invariants).
"""

from dataclasses import dataclass
from enum import Enum, StrEnum, auto


class Kind(StrEnum):
    """What is sent. A create has a key that the vendor's list can be searched for."""

    EDIT = "an absolute edit by id"
    CREATE = "a create with a searchable key"
    UPSERT = "a create that the vendor upserts by its key"


class Value(StrEnum):
    """The content of an object. `BEFORE_AGAIN`: as planned on, but saved since, with a later time of change."""

    BEFORE = "before"
    TARGET = "target"
    OTHER = "other"
    BEFORE_AGAIN = "before, saved again"


class Edited(StrEnum):
    """Whether the object holds an edit by somebody else, and whether we could know."""

    NO = "no"
    SINCE_OUR_READ = "since our last read"
    SHOWABLE = "a read of ours showed it, or would have"


class Record(StrEnum):
    """A line of the journal; from `VERIFIED` on, a verdict."""

    INTENT = "INTENT"
    SENDING = "SENDING"
    RESPONDED = "RESPONDED"
    NORESPONSE = "NORESPONSE"
    VERIFIED = "VERIFIED"
    ALREADY = "ALREADY"
    NOT_APPLIED = "NOT_APPLIED"
    CONFLICT = "CONFLICT"
    REFUSED = "REFUSED"
    UNKNOWN = "UNKNOWN"


TERMINAL = frozenset({Record.VERIFIED, Record.ALREADY, Record.NOT_APPLIED, Record.CONFLICT, Record.REFUSED})


class Step(StrEnum):
    """What a process does next. `MARK_LATE` exists only where a guard was removed."""

    START = "start: read the journal"
    INTEND = "write INTENT"
    PRE_READ = "pre-read"
    MARK = "write SENDING"
    SEND = "send"
    MARK_LATE = "write SENDING after the send"
    WAIT = "wait for the answer"
    NOTE = "write RESPONDED or NORESPONSE"
    QUIET = "wait until nothing can take effect"
    VERIFY = "read again"
    JUDGE = "judge what was read"
    CLOSE = "write the verdict"
    END = "ended"
    STOPPED = "stopped: the journal cannot be written"


class Answer(StrEnum):
    """What came back from a send. An error may come from a gateway while the vendor is still working."""

    COUNTS = "counts"
    ERROR = "error"
    NOTHING = "nothing"


class Guard(Enum):
    """Everything that the client does for safety; each can be left out by itself."""

    INTENT_FIRST = auto()
    SENDING_FIRST = auto()
    FSYNC = auto()
    JOURNAL_FAILURE_STOPS = auto()
    PRE_READ = auto()
    SEARCH_BEFORE_CREATE = auto()
    PRE_READ_COMPARES = auto()
    PRE_READ_AGAIN_AFTER_A_KILL = auto()
    READS_PASS_THE_CACHE = auto()
    ONE_REQUEST_A_SEND = auto()
    QUIET_TIME = auto()
    QUIET_TIME_AFTER_A_KILL = auto()
    ERROR_IS_NO_ANSWER = auto()
    ERROR_IS_NO_VERDICT = auto()
    ANSWER_IS_NO_PROOF = auto()
    RECOVERY_READS_FIRST = auto()
    RESEND_ONLY_AFTER_PROOF = auto()
    PROOF_IS_THE_WHOLE_BEFORE_IMAGE = auto()
    SENDING_LIMIT = auto()
    NO_RESEND_OF_CREATES = auto()
    TWICE_IS_CONFLICT = auto()
    UNKNOWN_IS_CHECKED_AGAIN = auto()
    VERDICT_IS_FINAL = auto()
    ONE_WRITER = auto()


class Assumption(Enum):
    """What the client assumes of the vendor and cannot check; each can be made untrue by itself."""

    TAKES_EFFECT_WITHIN_THE_QUIET_TIME = auto()
    AN_ANSWER_ENDS_EVERY_COPY = auto()
    A_READ_BY_ID_IS_CURRENT = auto()


@dataclass(frozen=True, slots=True)
class Object:
    """One object at the vendor: the one to edit, or one with the key."""

    value: Value
    is_ours: bool = False
    edited: Edited = Edited.NO


@dataclass(frozen=True, slots=True)
class Client:
    """One of our processes, with what it has in memory and loses when killed."""

    step: Step = Step.START
    answer: Answer | None = None
    seen: tuple[Value, ...] | None = None
    verdict: Record | None = None
    journal_failed: bool = False


@dataclass(frozen=True, slots=True)
class State:
    """One moment. `under_way` counts the copies of our requests that may still take effect."""

    objects: tuple[Object, ...]
    kills: int
    edits: int
    mishaps: int
    clients: tuple[Client, ...] = (Client(),)
    under_way: int = 0
    journal: tuple[Record, ...] = ()
    unflushed: tuple[Record, ...] = ()
    cached: tuple[Value, ...] | None = None
    requests: int = 0
    applied: int = 0
    doubled: int = 0
    was_edited: bool = False
    has_read: bool = False  # past the cache, since this process began and since its last send
    target_read: bool = False  # what the last read past the cache, since the last send, found
    overwritten: Edited = Edited.NO

    @property
    def records(self) -> tuple[Record, ...]:
        """The journal as our processes find it."""
        return self.journal + self.unflushed
