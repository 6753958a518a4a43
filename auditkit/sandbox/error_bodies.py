"""The sandbox's own errors. It imports nothing of auditkit, so they are not part of the package's error tree.

SandboxError
├── UnknownBehavior (ValueError)   an unknown switch, or an unknown value of one
├── ForeignFile (ValueError)       the state file belongs to another program
├── NotStarted (RuntimeError)      a server could not start: its port or file is in use, or its process ended
└── Refusal                        becomes an HTTP answer other than 200
"""

from collections.abc import Mapping

__all__ = ["ForeignFile", "NotStarted", "Refusal", "SandboxError", "UnknownBehavior"]


class SandboxError(Exception):
    """The root of what the sandbox raises on purpose."""


class UnknownBehavior(SandboxError, ValueError):
    """An unknown switch, or an unknown value of one; the message lists the choices."""


class ForeignFile(SandboxError, ValueError):
    """The state file was not made by the sandbox, or by a different version of it."""


class NotStarted(SandboxError, RuntimeError):
    """A server could not start: its port or state file cannot be used, or its process ended before it was ready."""


class Refusal(SandboxError):
    """Makes a handler answer with an error status, in the error body of its vendor."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = dict(headers or {})
