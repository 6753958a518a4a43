"""A vendor on loopback, and a reader and a writer that know its credentials."""

from collections.abc import Callable, Iterator

import pytest
from requests.auth import HTTPBasicAuth

from auditkit.settings import Settings
from auditkit.vendors import transport
from auditkit.vendors.transport import Reader, Writer

from .server import Vendor, running_vendor

USERNAME, PASSWORD, TOKEN = "clerk@field", "Pa:ss wörd/1", "tok-SECRET-123"


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

    def make(**changes) -> Reader:
        options = {
            "base_url": vendor.url,
            "auth": HTTPBasicAuth(USERNAME.encode(), PASSWORD.encode()),
            "vendor": "Aimsio",
            "cache_path": tmp_path / "cache" / "aimsio.sqlite",
            "cache_scope": "test",
            "rate_per_second": 5000,
            "parallel": 10,
            "rate_limit_path": tmp_path / "pace",
            "deadline": 20.0,
        } | changes
        readers.append(Reader(options.pop("base_url"), options.pop("auth"), **options))
        return readers[-1]

    yield make
    for reader in readers:
        reader.close()


@pytest.fixture
def reader(make_reader) -> Reader:
    return make_reader()


@pytest.fixture
def writer(vendor, tmp_path) -> Writer:
    return Writer(
        vendor.url,
        HTTPBasicAuth(USERNAME.encode(), PASSWORD.encode()),
        vendor="Aimsio",
        rate_per_second=5000,
        parallel=10,
        rate_limit_path=tmp_path / "pace",
        deadline=1.0,
    )


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
