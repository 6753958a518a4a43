"""A corporate network: authorities of its own, a proxy, and the variables of other programs, which change nothing."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests.auth

from auditkit.errors import SettingsError, Unreachable
from auditkit.settings import Settings
from auditkit.vendors.aimsio import AimsioClient
from auditkit.vendors.http import Network
from auditkit.vendors.transport import Reader
from tests.faults.certificates import Certificates
from tests.faults.faults import answer
from tests.faults.server import Server, running, says
from tests.readers import connected

AUTH = requests.auth.HTTPBasicAuth(b"clerk", b"password-1234")
HOST = "wrong-host"  # the certificate for a host that only the proxy knows
PORTAL = "https://portal.example"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def server(certificates: Certificates) -> Iterator[Server]:
    with running(certificates.context("good")) as found:
        found.plays(says(answer(b"[]")))
        yield found


@dataclass
class Proxy:
    """An HTTP proxy that connects everything to one server. `asked` holds the first line of each request."""

    to: int
    status: bytes = b"200 Connection established"
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def serve(self, listening: socket.socket) -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=self._tunnel, args=(client,), daemon=True).start()

    def _tunnel(self, client: socket.socket) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += client.recv(1)
        self.asked.append(head.partition(b" HTTP/")[0].decode())
        client.sendall(b"HTTP/1.1 " + self.status + b"\r\n\r\n")
        if not self.status.startswith(b"200"):
            client.close()
            return
        onward = socket.create_connection(("127.0.0.1", self.to))
        back = threading.Thread(target=_copy, args=(onward, client), daemon=True)
        back.start()
        _copy(client, onward)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def proxied(to: int) -> Iterator[Proxy]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        proxy = Proxy(to, url=f"http://127.0.0.1:{listening.getsockname()[1]}")
        threading.Thread(target=proxy.serve, args=(listening,), daemon=True).start()
        yield proxy
        listening.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def reading(url: str, folder: Path, network: Network | None) -> Iterator[Reader]:
    reader, _ = connected("Aimsio", url, AUTH, folder, network=network)
    with contextlib.closing(reader):
        yield reader


def test_an_authority_of_our_own_is_trusted(server: Server, certificates: Certificates, tmp_path: Path) -> None:
    with (
        reading(server.url, tmp_path, None) as reader,
        pytest.raises(Unreachable, match="no trusted TLS connection") as refused,
    ):
        reader.get("/x")
    assert refused.value.cause == "certificate" and "AUDITKIT_CA_BUNDLE" in str(refused.value)
    with reading(server.url, tmp_path, Network(ca_bundle=certificates.authority)) as reader:
        assert reader.get("/x").text == "[]"


def test_a_proxy_is_used_and_sees_no_credentials(certificates: Certificates, tmp_path: Path) -> None:
    with running(certificates.context(HOST)) as server, proxied(server.port) as proxy:
        server.plays(says(answer(b"[]")))
        with reading(PORTAL, tmp_path, Network(certificates.authority, proxy.url)) as reader:
            assert reader.get("/x").text == "[]"
    assert proxy.asked == ["CONNECT portal.example:443"]


@pytest.mark.parametrize("status", [b"407 Proxy Authentication Required", b"403 Forbidden"])
def test_a_proxy_that_refuses(status: bytes, certificates: Certificates, tmp_path: Path) -> None:
    with proxied(9) as proxy, reading(PORTAL, tmp_path, Network(certificates.authority, proxy.url)) as reader:
        proxy.status = status
        words = f"the proxy of AUDITKIT_PROXY made no connection \\(answered {status[:3].decode()}\\)"
        with pytest.raises(Unreachable, match=words) as refused:
            reader.get("/x")
    assert refused.value.cause == "proxy"


def test_a_proxy_that_does_not_answer(tmp_path: Path) -> None:
    with (
        reading(PORTAL, tmp_path, Network(proxy="http://127.0.0.1:9")) as reader,
        pytest.raises(Unreachable, match="the proxy of AUDITKIT_PROXY made no connection") as refused,
    ):
        reader.get("/x")
    assert refused.value.cause == "proxy"


def test_variables_of_other_programs_change_nothing(
    server: Server, certificates: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "nowhere.pem"))
    with reading(server.url, tmp_path, Network(ca_bundle=certificates.authority)) as reader:
        assert reader.get("/x").text == "[]"
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificates.authority))
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.authority))
    with reading(server.url, tmp_path, None) as reader, pytest.raises(Unreachable, match="no trusted TLS"):
        reader.get("/x")


# ── The settings ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def account(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "HOME": "home",
        "AIMSIO_URL": server.url,
        "AIMSIO_USERNAME": "clerk",
        "AIMSIO_PASSWORD": "password-1234",
        "JOBNIMBUS_URL": server.url,
        "JOBNIMBUS_TOKEN": "token-123456",
    }.items():
        monkeypatch.setenv(f"AUDITKIT_{name}", value)


@pytest.mark.usefixtures("account")
def test_the_settings_reach_the_wire(
    certificates: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bundle is found from the project's folder; a proxy is not asked for an address of this machine."""
    (tmp_path / "corporate.pem").write_bytes(certificates.authority.read_bytes())
    monkeypatch.setenv("AUDITKIT_CA_BUNDLE", "corporate.pem")
    monkeypatch.setenv("AUDITKIT_PROXY", "http://127.0.0.1:9")
    settings = Settings.load()
    assert settings.ca_bundle == tmp_path / "corporate.pem"
    with contextlib.closing(AimsioClient.from_settings(settings)) as aimsio:
        assert aimsio.stubs() == []


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("CA_BUNDLE", "nowhere.pem", "cannot be used (No such file or directory)"),
        ("CA_BUNDLE", "empty.pem", "cannot be used (holds no certificate in PEM)"),
        ("PROXY", "proxy.example:3128", "must be http://host:port"),
        ("PROXY", "https://proxy.example:3128", "must be http://host:port"),
        ("PROXY", "http://proxy.example", "must be http://host:port"),
        ("PROXY", "http://ann:secret-word@proxy.example:3128", "must not hold a user name or password"),
    ],
)
def test_a_setting_that_cannot_be_used(
    name: str, value: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty.pem").touch()
    monkeypatch.setenv(f"AUDITKIT_{name}", value)
    with pytest.raises(SettingsError) as refused:
        Settings.load()
    assert f"AUDITKIT_{name}" in str(refused.value) and words in str(refused.value)
    assert "secret-word" not in str(refused.value) and "\n" not in str(refused.value)
