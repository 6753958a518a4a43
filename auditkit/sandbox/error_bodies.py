"""The sandbox's own errors. It stands apart from the rest of the package, so these are not part of its error tree.

SandboxError
├── UnknownBehavior (ValueError)     a switch or a value of it that does not exist
├── ForeignFile (ValueError)      the state file belongs to something else
├── NotStarted (RuntimeError)     a server could not start: its port or file is in use, or its process ended
└── Refusal                       becomes an HTTP answer other than 200
"""

from collections.abc import Mapping

__all__ = ["ForeignFile", "NotStarted", "Refusal", "SandboxError", "UnknownBehavior"]


class SandboxError(Exception):
    """The root of what the sandbox raises on purpose."""


class UnknownBehavior(SandboxError, ValueError):
    """No such switch, or no such value of it; the message lists what there is."""


class ForeignFile(SandboxError, ValueError):
    """The state file is not one of the sandbox, or of another version of it."""


class NotStarted(SandboxError, RuntimeError):
    """A server could not start: its port or state file is not to be had, or its process ended before it was ready."""


class Refusal(SandboxError):
    """A handler's way to answer with an error status; each vendor dresses it in its own body."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = dict(headers or {})
