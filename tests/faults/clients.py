"""Clients of both vendors at one address, with credentials that must appear nowhere."""

import base64
import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import requests
import urllib3
from pydantic import SecretStr

from auditkit.errors import ApiError
from auditkit.vendors.aimsio import AimsioClient
from auditkit.vendors.auth import BasicAuth
from auditkit.vendors.jobnimbus import BearerAuth, JobNimbusClient
from auditkit.vendors.transport import Reader, Writer
from tests.faults.endpoints import Endpoint
from tests.readers import connected

USERNAME, PASSWORD, TOKEN = "clerk@field", "Pa:ss wörd/1", "tok-SECRET-123"
SECRETS = (PASSWORD, TOKEN, base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode())


@dataclass(frozen=True)
class Clients:
    """Both clients; they share nothing but the server that they ask."""

    aimsio: AimsioClient
    jobnimbus: JobNimbusClient
    folder: Path

    def call(self, endpoint: Endpoint) -> object:
        return endpoint.call(self.aimsio, self.jobnimbus)

    def made(self, endpoint: Endpoint) -> tuple[int, int]:
        """Calls made, and how many of them were retries."""
        calls = (self.aimsio if endpoint.vendor == "Aimsio" else self.jobnimbus).calls
        return calls.made, calls.retried

    def entries(self) -> int:
        """What both caches hold."""
        total = 0
        for path in self.folder.glob("*.sqlite"):
            with contextlib.closing(sqlite3.connect(path)) as database:
                for table in ("responses", "redirects"):
                    total += database.execute(f"select count(*) from {table}").fetchone()[0]
        return total


@contextlib.contextmanager
def clients(url: str, folder: Path, deadline: float, rate: float = 5000) -> Iterator[Clients]:
    def both(vendor: str, auth: requests.auth.AuthBase) -> tuple[Reader, Writer]:
        return connected(vendor, url, auth, folder, deadline=deadline, rate=rate, parallel=4)

    aimsio = AimsioClient(*both("Aimsio", BasicAuth(SecretStr(USERNAME), SecretStr(PASSWORD))))
    jobnimbus = JobNimbusClient(*both("JobNimbus", BearerAuth(SecretStr(TOKEN))))
    with contextlib.closing(aimsio), contextlib.closing(jobnimbus):
        yield Clients(aimsio, jobnimbus, folder)


def assert_ours_alone(error: ApiError) -> None:
    """One line, no secret, and no error of requests or urllib3 behind it, which would hold the signed request."""
    assert "\n" not in str(error) and str(error).isprintable() and len(str(error)) < 600
    chain: list[BaseException] = [error]
    while behind := chain[-1].__cause__ or chain[-1].__context__:
        chain.append(behind)
    for link in chain:
        assert not isinstance(link, (requests.RequestException, urllib3.exceptions.HTTPError))
        assert not any(secret in f"{link!s} {link!r} {vars(link)}" for secret in SECRETS)
