"""Certificates of an authority made for one run of the tests: a good one, and each kind that must not be trusted."""

import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme

HOST = "127.0.0.1"


class Certificates:
    """`authority` is the file to trust; `context(name)` is a server's side with the certificate of that name."""

    def __init__(self, folder: Path) -> None:
        trusted, unknown = trustme.CA(), trustme.CA()
        self.authority = folder / "authority.pem"
        trusted.cert_pem.write_to_path(self.authority)
        now = datetime.now(UTC)
        self._make: dict[str, Callable[[], trustme.LeafCert]] = {
            "good": lambda: trusted.issue_cert(HOST),
            "expired": lambda: trusted.issue_cert(
                HOST, not_before=now - timedelta(days=9), not_after=now - timedelta(days=1)
            ),
            "not-yet-valid": lambda: trusted.issue_cert(
                HOST, not_before=now + timedelta(days=1), not_after=now + timedelta(days=9)
            ),
            "wrong-host": lambda: trusted.issue_cert("portal.example"),
            "unknown-authority": lambda: unknown.issue_cert(HOST),
        }
        self._self_signed = unknown

    def context(self, name: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if name == "self-signed":
            # The authority's own certificate is the one here that signed itself.
            key, certificate = self._self_signed.private_key_pem, self._self_signed.cert_pem
            with key.tempfile() as key_file, certificate.tempfile() as certificate_file:
                context.load_cert_chain(certificate_file, key_file)
            return context
        self._make[name]().configure_cert(context)
        return context
