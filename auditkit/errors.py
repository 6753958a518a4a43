"""Every error that auditkit raises on purpose. An exception: *we could not look*. A finding: *we looked, it is wrong*.

    AuditkitError
    ├── SettingsError (ValueError)        a setting is missing, misspelled or out of range
    ├── ValueRefused (ValueError)         a text is not the money, time or identifier it claims to be
    ├── ApiError                          a vendor could not be asked, or did not answer as its contract says
    │   ├── Unreachable (ConnectionError)     no connection, or it broke
    │   ├── TimedOut (TimeoutError)           no whole response before the deadline
    │   ├── Denied (PermissionError)          401 or 403
    │   ├── NotThere (LookupError)            404
    │   ├── Refused                           any other error status; carries the vendor's own message
    │   └── BadAnswer (ValueError)            a 200 that is not what the contract describes
    ├── StoreError
    │   ├── NoSnapshot (FileNotFoundError)    nothing has been synced yet
    │   ├── Busy                              another writer is at work (its pid is named)
    │   ├── OtherAccount                      the snapshot belongs to another environment or account
    │   └── QueryFailed                       SQL that DuckDB refused; carries the SQL
    ├── QuestionRefused (ValueError)      a question names what is not there, or asks what cannot be answered
    ├── RuleError (ValueError)            a rule file is malformed: file, line, what to write instead
    ├── FindingError (ValueError)         no such finding, or it cannot be accepted as asked
    ├── JournalError                      the journal is broken or cannot be written: nothing may be sent
    ├── OutcomeUnknown                    something was sent, and nothing tells how it ended: look before anything else
    └── PlanError (ValueError)            a plan is stale, edited, for another account, or not applicable
        └── ApprovalRefused                   it is not signed by two listed persons within their limits

Each message says what happened, where, and what to do next, in one line; no message holds a secret.
"""

__all__ = [
    "ApiError",
    "ApprovalRefused",
    "AuditkitError",
    "BadAnswer",
    "Busy",
    "Denied",
    "FindingError",
    "JournalError",
    "NoSnapshot",
    "NotThere",
    "OtherAccount",
    "OutcomeUnknown",
    "PlanError",
    "QueryFailed",
    "QuestionRefused",
    "Refused",
    "RuleError",
    "SettingsError",
    "StoreError",
    "TimedOut",
    "Unreachable",
    "ValueRefused",
]


class AuditkitError(Exception):
    """The root: catch this to catch everything that auditkit raises on purpose."""


class SettingsError(AuditkitError, ValueError):
    """A setting is missing, misspelled or out of range."""


class ValueRefused(AuditkitError, ValueError):
    """A text is not the money, time or identifier it claims to be."""


class ApiError(AuditkitError):
    """A vendor could not be asked, or did not answer as its contract says. `status` is that of a refusing answer."""

    status: int | None = None


class Unreachable(ApiError, ConnectionError):
    """No connection to the host, or it broke.

    `cause` is certificate, name (DNS), refused, proxy, connection or request.
    """

    cause: str = "connection"


class TimedOut(ApiError, TimeoutError):
    """No whole answer before the deadline. After a write this is an *ambiguous outcome*, never a failure."""


class Denied(ApiError, PermissionError):
    """The vendor answered 401 or 403: the credentials are wrong, or lack a permission."""


class NotThere(ApiError, LookupError):
    """The vendor answered 404: no such object, or it was deleted."""


class Refused(ApiError):
    """The vendor answered with an error; the message carries its own words."""


class BadAnswer(ApiError, ValueError):
    """The vendor answered 200 with something that its contract does not describe."""


class StoreError(AuditkitError):
    """The files under the home could not be read or written."""


class NoSnapshot(StoreError, FileNotFoundError):
    """Nothing has been synced into this home yet."""


class Busy(StoreError):
    """Another writer is at work in this home."""


class OtherAccount(StoreError):
    """The snapshot in this home belongs to another environment or account."""


class QueryFailed(StoreError):
    """DuckDB refused a statement; `sql` holds it whole."""

    def __init__(self, message: str, sql: str) -> None:
        super().__init__(message)
        self.sql = sql


class QuestionRefused(AuditkitError, ValueError):
    """A question names a table or column that is not there or of another kind, or asks what cannot be answered."""


class RuleError(AuditkitError, ValueError):
    """A rule file is malformed; the message names file and line."""


class FindingError(AuditkitError, ValueError):
    """A fingerprint names no finding, or several; or a finding cannot be accepted as asked."""


class JournalError(AuditkitError):
    """The journal is broken or cannot be written, so nothing may be sent."""


class OutcomeUnknown(AuditkitError):
    """Something was sent, and nothing tells how it ended: it is looked into before anything else is sent."""


class PlanError(AuditkitError, ValueError):
    """A plan is stale, edited, made for another account, or cannot be applied."""


class ApprovalRefused(PlanError):
    """A plan is not signed as it must be: by two listed persons, for what it is and where it goes, within limits."""
