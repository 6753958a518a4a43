"""Where secrets are saved: by server and user, in the keyring or a private file; they are never shown."""

import os
import stat
from pathlib import Path

import keyring
import keyring.backends.fail
import keyring.backends.null
import pytest
from pydantic import SecretStr

from auditkit.credentials import (
    LOGINS,
    Login,
    keyring_problem,
    login_for,
    store_in_file,
    store_in_keyring,
    stored_secret,
)
from auditkit.errors import SettingsError
from auditkit.settings import Settings, keyring_note
from tests.keyrings import FILE, Kept

SECRET = 'Pa:ss "wörd\\1'
URLS = {"aimsio_url": "https://portal.aimsio.com", "jobnimbus_url": "https://app.jobnimbus.com"}
AIMSIO = Login(URLS["aimsio_url"], SecretStr("clerk@field"))
JOBNIMBUS = Login(URLS["jobnimbus_url"], SecretStr("token"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "secrets.toml"


@pytest.fixture
def a_keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working keyring."""
    monkeypatch.setattr(keyring.core, "_keyring_backend", Kept())
    monkeypatch.setenv(FILE, str(tmp_path / "keyring"))
    return tmp_path / "keyring"


def test_a_secret_belongs_to_a_server_and_a_user() -> None:
    given = {**URLS, "aimsio_username": "clerk@field"}
    assert {name: login_for(name, given.get) for name in LOGINS} == {
        "aimsio_password": AIMSIO,
        "jobnimbus_token": JOBNIMBUS,
    }
    for name in ("aimsio_url", "aimsio_username"):
        assert login_for("aimsio_password", {**given, name: ""}.get) is None
    assert login_for("jobnimbus_token", {}.get) is None


def test_the_file_returns_what_was_stored(path: Path) -> None:
    assert stored_secret(path, AIMSIO) is None
    store_in_file(path, {AIMSIO: SecretStr(SECRET)})
    store_in_file(path, {JOBNIMBUS: SecretStr("tok")})
    other = Login(AIMSIO.url, SecretStr('o"ther'))
    store_in_file(path, {JOBNIMBUS: SecretStr("token-2"), other: SecretStr("third")})
    assert [
        each and each.get_secret_value() for each in (stored_secret(path, p) for p in (AIMSIO, JOBNIMBUS, other))
    ] == [
        SECRET,
        "token-2",
        "third",
    ]
    assert stored_secret(path, Login("https://sandbox.aimsio.com", AIMSIO.user)) is None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and [each.name for each in path.parent.iterdir()] == [path.name]


def test_the_keyring_uses_the_documented_names(a_keyring: Path, path: Path) -> None:
    store_in_file(path, {AIMSIO: SecretStr("of the file")})
    assert store_in_keyring(AIMSIO, SecretStr(SECRET))
    assert keyring.get_password("auditkit https://portal.aimsio.com", "clerk@field") == SECRET
    assert stored_secret(path, AIMSIO) == SecretStr(SECRET), "the keyring takes precedence"


@pytest.mark.parametrize("backend", [keyring.backends.fail.Keyring, keyring.backends.null.Keyring, Kept])
def test_a_keyring_that_does_not_keep(backend: type, a_keyring: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is none, it forgets, or it is locked."""
    a_keyring.mkdir()
    monkeypatch.setattr(keyring.core, "_keyring_backend", backend())
    assert not store_in_keyring(AIMSIO, SecretStr(SECRET))


class Broken(Kept):
    """A backend whose bus is dead: it fails in a way of its own."""

    def get_password(self, service: str, username: str) -> str | None:
        raise ConnectionError(f"no bus for {service}")

    set_password = get_password  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("variable", "problem"),
    [
        ("no_such_package.Keyring", "ModuleNotFoundError no_such_package"),
        ("tests.keyrings.Missing", "AttributeError"),
        ("tests.test_credentials.Broken", "ConnectionError"),
        ("keyring.backends.null.Keyring", None),
        ("keyring.backends.fail.Keyring", None),
    ],
)
def test_a_keyring_that_cannot_load_counts_as_absent(
    variable: str, problem: str | None, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`secrets.toml` still works; the problem is named in one line."""
    monkeypatch.setattr(keyring.core, "_keyring_backend", None)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", variable)
    store_in_file(path, {AIMSIO: SecretStr(SECRET)})
    assert stored_secret(path, AIMSIO) == SecretStr(SECRET)
    assert not store_in_keyring(AIMSIO, SecretStr("other"))
    assert keyring_problem() == problem
    note = keyring_note()
    assert (note is None) if problem is None else note and "\n" not in note and problem in note
    monkeypatch.setenv("AUDITKIT_AIMSIO_PASSWORD", "shell")
    monkeypatch.setenv("AUDITKIT_JOBNIMBUS_TOKEN", "shell")
    assert keyring_note() is None


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_file_that_is_open_to_others_is_not_read(mode: int, path: Path) -> None:
    store_in_file(path, {AIMSIO: SecretStr(SECRET)})
    path.chmod(mode)
    assert_refused(path, "is open to others, so the secrets may be known; change them, or chmod 600 it")
    with pytest.raises(SettingsError, match="open to others"):
        store_in_file(path, {JOBNIMBUS: SecretStr("tok")})


@pytest.mark.parametrize(
    "text",
    [f"'{SECRET}'", f"a = '{SECRET}'", "[a]\nb = 5", "[a.b]\nc = 'd'", "a = \xff", f"['a']\n{SECRET}", "[" * 5000],
    ids=["no TOML", "no table", "a number", "deeper", "no UTF-8", "half", "deep"],
)
def test_a_file_that_is_not_a_table_of_secrets(text: str, path: Path) -> None:
    path.write_bytes(text.encode("latin-1"))
    path.chmod(0o600)
    assert_refused(path, "must be a table of secrets for each server", "auditkit init")


def test_a_path_that_is_not_a_regular_file(path: Path) -> None:
    (path.parent / "elsewhere").touch(0o600)
    for make in (lambda: path.symlink_to(path.parent / "elsewhere"), lambda: os.mkfifo(path, 0o600)):
        make()
        assert_refused(path, "secrets.toml: ", "delete it, and let `auditkit init` write it again")
        path.unlink()
    path.mkdir()
    assert_refused(path, "is not a file")


def assert_refused(path: Path, *words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        stored_secret(path, AIMSIO)
    message = str(caught.value)
    assert "\n" not in message and SECRET not in message and "clerk" not in message
    assert all(word in message for word in words), message


# ── With settings ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def project(path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An account whose settings are in auditkit.toml and whose secrets are in secrets.toml."""
    lines = {**URLS, "aimsio_username": "clerk@field", "timezone": "America/Edmonton"}
    (path.parent / "auditkit.toml").write_text("".join(f'{name} = "{value}"\n' for name, value in lines.items()))
    store_in_file(path, {AIMSIO: SecretStr(SECRET), JOBNIMBUS: SecretStr("tok-SECRET")})
    monkeypatch.chdir(path.parent)
    return path.parent


def secrets() -> list[str]:
    settings = Settings.load()
    found = [settings.aimsio_password, settings.jobnimbus_token]
    assert not [each for each in found if each and each.get_secret_value() in repr(settings) + str(vars(settings))]
    return [each.get_secret_value() if each else "" for each in found]


def test_settings_take_a_secret_from_environment_keyring_and_file_in_this_order(
    project: Path, a_keyring: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert secrets() == [SECRET, "tok-SECRET"]
    store_in_keyring(JOBNIMBUS, SecretStr("of the keyring"))
    assert secrets() == [SECRET, "of the keyring"]
    monkeypatch.setenv("AUDITKIT_JOBNIMBUS_TOKEN", "of the environment")
    assert secrets() == [SECRET, "of the environment"]


def test_a_missing_secret_and_a_broken_keyring_are_one_line(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "secrets.toml").unlink()
    monkeypatch.setattr(keyring.core, "_keyring_backend", Broken())
    with pytest.raises(SettingsError, match=r"missing .*; the system's keyring cannot be used \(ConnectionError\)"):
        Settings.load()


def test_no_secret_goes_to_another_server_or_user(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in (("AIMSIO_URL", "https://sandbox.aimsio.com"), ("AIMSIO_USERNAME", "other")):
        with monkeypatch.context() as patch:
            patch.setenv(f"AUDITKIT_{variable}", value)
            with pytest.raises(SettingsError, match="missing AUDITKIT_AIMSIO_PASSWORD"):
                Settings.load()


def test_a_file_open_to_others_is_an_error_unless_it_is_not_needed(
    project: Path, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.chmod(0o644)
    with pytest.raises(SettingsError, match="open to others"):
        Settings.load()
    assert Settings.load(demo=True).is_demo
    monkeypatch.setenv("AUDITKIT_AIMSIO_PASSWORD", "shell")
    with pytest.raises(SettingsError, match="open to others"):
        Settings.load()
    monkeypatch.setenv("AUDITKIT_JOBNIMBUS_TOKEN", "shell")
    assert secrets() == ["shell", "shell"]


# ── git ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, "*secrets.toml\n"),
        ("data/", "data/\n*secrets.toml\n"),
        ("data/\n", "data/\n*secrets.toml\n"),
        ("*secrets.toml\ndata/", "*secrets.toml\ndata/"),
    ],
)
def test_git_ignores_the_file(before: str | None, after: str, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    folder = tmp_path / "audit"
    folder.mkdir()
    if before is not None:
        (folder / ".gitignore").write_text(before)
    store_in_file(folder / "secrets.toml", {AIMSIO: SecretStr(SECRET)})
    assert (folder / ".gitignore").read_text() == after


def test_without_git_no_gitignore_is_written(path: Path) -> None:
    store_in_file(path, {AIMSIO: SecretStr(SECRET)})
    assert not (path.parent / ".gitignore").exists()
