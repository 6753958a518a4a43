"""A reader and a writer of one vendor at any address, for tests that do not go through the settings."""

from pathlib import Path

from requests.auth import AuthBase

from auditkit.vendors.auth import Credentials
from auditkit.vendors.cache import DetailCache
from auditkit.vendors.http import HttpClient, Network
from auditkit.vendors.rate_limit import RateLimit
from auditkit.vendors.transport import DEADLINE_SECONDS, Reader, Writer


def connected(
    vendor: str,
    url: str,
    auth: AuthBase,
    folder: Path,
    *,
    deadline: float = DEADLINE_SECONDS,
    rate: float = 5000,
    parallel: int = 2,
    cache: Path | None = None,
    credentials: Credentials | None = None,
    network: Network | None = None,
    offline: bool = False,
) -> tuple[Reader, Writer]:
    """Both use one HTTP client; the cache and the rate limit are files below `folder`."""
    http = HttpClient(
        url,
        auth,
        vendor=vendor,
        rate_limit=RateLimit(folder / f"{vendor}.pace", rate, parallel),
        deadline=deadline,
        parallel=parallel,
        credentials=credentials,
        network=network,
    )
    kept = DetailCache(cache or folder / f"{vendor}.sqlite", "test")
    return Reader(http, kept, offline=offline), Writer(http)
