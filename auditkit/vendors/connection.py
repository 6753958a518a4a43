"""From settings to a reader and a writer: where the cache and the pace of an account live on disk.

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
from auditkit.settings import Settings
from auditkit.vendors.auth import Credentials
from auditkit.vendors.transport import Reader, Writer

__all__ = ["Account", "identifier_in_path", "is_identifier"]


@dataclass(frozen=True)
class Account:
    """One vendor's side of the settings. Two environments or accounts never share a file.

    `holder` is who we are to this vendor: the user name or, where there is none, the token.
    """

    vendor: str
    base_url: str
    auth: AuthBase
    holder: SecretStr
    settings: Settings

    def reader(self, *, offline: bool = False) -> Reader:
        """A reader whose cache is this account's own; one that is offline has nothing but the cache."""
        return Reader(
            self.base_url,
            self.auth,
            vendor=self.vendor,
            cache_path=self._file(".sqlite"),
            cache_scope=self._scope,
            rate_per_second=self.settings.rate_per_second,
            parallel=self.settings.parallel,
            rate_limit_path=self._file(".pace"),
            credentials=self._credentials,
            offline=offline,
        )

    def writer(self) -> Writer:
        """A writer that keeps pace together with the reader."""
        return Writer(
            self.base_url,
            self.auth,
            vendor=self.vendor,
            rate_per_second=self.settings.rate_per_second,
            parallel=self.settings.parallel,
            rate_limit_path=self._file(".pace"),
            credentials=self._credentials,
        )

    @property
    def _credentials(self) -> Credentials:
        """Of both vendors: a note at the one may hold the token of the other."""
        settings = self.settings
        secrets = (settings.aimsio_password, settings.jobnimbus_token)
        return Credentials(settings.aimsio_username, tuple(filter(None, secrets)))

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
    """Whether a value can name a record: a text that is not empty and can be written in UTF-8 (a half one cannot)."""
    return isinstance(value, str) and bool(value) and not any("\ud800" <= character <= "\udfff" for character in value)
