"""A vendor on loopback, and a reader and a writer that know its credentials."""

from collections.abc import Callable, Iterator

import pytest
from requests.auth import AuthBase, HTTPBasicAuth

from auditkit.settings import Settings
from auditkit.vendors import transport
from auditkit.vendors.transport import Reader, Writer
from tests.readers import connected

from .server import Vendor, running_vendor

USERNAME, PASSWORD, TOKEN = "clerk@field", "Pa:ss wörd/1", "tok-SECRET-123"
AUTH = HTTPBasicAuth(USERNAME.encode(), PASSWORD.encode())


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    with running_vendor() as server:
        yield server


@pytest.fixture(autouse=True)
def no_waiting_between_attempts(monkeypatch) -> None:
    monkeypatch.setattr(transport, "_LONGEST_WAIT_SECONDS", 0.001)


@pytest.fixture
def make_reader(vendor, tmp_path) -> Iterator[Callable[..., Reader]]:
    readers = []

    def make(url: str | None = None, auth: AuthBase = AUTH, **changes) -> Reader:
        options = {"cache": tmp_path / "cache" / "aimsio.sqlite", "parallel": 10, "deadline": 20.0, **changes}
        reader, _ = connected("Aimsio", url or vendor.url, auth, tmp_path / "pace", **options)
        readers.append(reader)
        return reader

    yield make
    for reader in readers:
        reader.close()


@pytest.fixture
def reader(make_reader) -> Reader:
    return make_reader()


@pytest.fixture
def writer(vendor, tmp_path) -> Writer:
    _, writer = connected("Aimsio", vendor.url, AUTH, tmp_path / "pace", parallel=10, deadline=1.0)
    return writer


@pytest.fixture
def settings(vendor, tmp_path) -> Callable[..., Settings]:
    def make(**changes) -> Settings:
        values = {
            "home": tmp_path / "home",
            "aimsio_url": vendor.url,
            "aimsio_username": USERNAME,
            "aimsio_password": PASSWORD,
            "jobnimbus_url": vendor.url,
            "jobnimbus_token": TOKEN,
            "rate_per_second": 5000,
        }
        return Settings(**{**values, **changes})

    return make
