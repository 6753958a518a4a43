"""From settings to a reader and a writer: where the cache and the pace of an account live on disk.

Not here: what each vendor is asked.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from requests.auth import AuthBase

from auditkit.apis.transport import Reader, Writer
from auditkit.config import Settings
from auditkit.errors import ValueRefused

__all__ = ["Account", "identifier_in_path"]


@dataclass(frozen=True)
class Account:
    """One vendor's side of the settings. Two environments or accounts never share a file."""

    vendor: str
    base_url: str
    auth: AuthBase
    settings: Settings

    def reader(self) -> Reader:
        """A reader whose cache is this account's own."""
        return Reader(
            self.base_url,
            self.auth,
            vendor=self.vendor,
            cache_path=self._file(".sqlite"),
            cache_scope=self._scope,
            rate_per_second=self.settings.rate_per_second,
            parallel=self.settings.parallel,
            throttle_path=self._file(".pace"),
        )

    def writer(self) -> Writer:
        """A writer that keeps pace together with the reader."""
        return Writer(
            self.base_url,
            self.auth,
            vendor=self.vendor,
            rate_per_second=self.settings.rate_per_second,
            parallel=self.settings.parallel,
            throttle_path=self._file(".pace"),
        )

    @property
    def _scope(self) -> str:
        return f"{self.settings.environment}\n{self.settings.account}"

    def _file(self, suffix: str) -> Path:
        digest = hashlib.sha256(self._scope.encode()).hexdigest()[:12]
        return self.settings.folder / "cache" / f"{self.vendor.lower()}-{digest}{suffix}"


def identifier_in_path(identifier: str, name: str) -> str:
    """The identifier quoted as one segment of a path; one that would name another address is `ValueRefused`."""
    if identifier in ("", ".", ".."):
        raise ValueRefused(f"{name}: expected an identifier, found {identifier!r}")
    return quote(identifier, safe="")
