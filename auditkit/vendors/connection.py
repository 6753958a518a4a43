"""From settings to one vendor's reader and writer: where the cache and the rate limit of an account are on disk.

Not here: what each vendor is asked.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard
from urllib.parse import quote

from pydantic import SecretStr
from requests.auth import AuthBase

from auditkit.errors import ValueRefused
from auditkit.settings import Settings, is_loopback
from auditkit.vendors.auth import Credentials
from auditkit.vendors.cache import DetailCache
from auditkit.vendors.http import HttpClient, Network
from auditkit.vendors.rate_limit import RateLimit
from auditkit.vendors.transport import DEADLINE_SECONDS, Reader, Writer

__all__ = ["VendorAccount", "identifier_in_path", "is_identifier"]


@dataclass(frozen=True)
class VendorAccount:
    """One vendor's side of the settings. Two environments or accounts never share a file.

    `holder` is who we are to this vendor: the user name, or the token if it knows no users.
    """

    vendor: str
    base_url: str
    auth: AuthBase
    holder: SecretStr
    settings: Settings

    def connect(self, *, offline: bool = False) -> tuple[Reader, Writer]:
        """A reader with this account's own cache, and a writer; both use one HTTP client and so one rate limit."""
        settings = self.settings
        http = HttpClient(
            self.base_url,
            self.auth,
            vendor=self.vendor,
            rate_limit=RateLimit(self._file(".pace"), settings.rate_per_second, settings.parallel),
            deadline=DEADLINE_SECONDS,
            parallel=settings.parallel,
            credentials=Credentials(settings.users, settings.secrets),  # a note at one may hold another's token
            network=Network(settings.ca_bundle, None if is_loopback(self.base_url) else settings.proxy),
        )
        return Reader(http, DetailCache(self._file(".sqlite"), self._scope), offline=offline), Writer(http)

    @property
    def _scope(self) -> str:
        holder = hashlib.sha256(self.holder.get_secret_value().encode()).hexdigest()  # the environment has the URL
        return f"{self.settings.environment}\n{self.settings.account}\n{holder}"

    def _file(self, suffix: str) -> Path:
        digest = hashlib.sha256(self._scope.encode()).hexdigest()[:12]
        return self.settings.folder / "cache" / f"{self.vendor.lower()}-{digest}{suffix}"


def identifier_in_path(identifier: str, name: str) -> str:
    """The identifier quoted as one segment of a path; one that would name another address is `ValueRefused`."""
    if identifier in ("", ".", ".."):
        raise ValueRefused(f"{name}: expected an identifier, found {identifier!r}")
    return quote(identifier, safe="")


def is_identifier(value: object) -> TypeGuard[str]:
    """Whether a value can name a record: a text that is not empty and can be encoded in UTF-8."""
    return isinstance(value, str) and bool(value) and not any("\ud800" <= character <= "\udfff" for character in value)
