"""Where the two secrets of an account are stored: in the system's keyring, else in `secrets.toml` beside auditkit.toml.

Either stores a secret under its server and user, so that none is sent to another server when a setting changes. The
file is for machines without a keyring; nobody but its owner may read it:

    ["https://portal.aimsio.com"]
    "user" = "password"

A keyring that cannot be loaded (a missing backend, no session bus, a broken configuration) counts as absent.

Not here: the environment, which overrides both (`settings.py`), and whether a person wants the file (`cli/init.py`).
"""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keyring
import keyring.errors
from pydantic import SecretStr

from auditkit.errors import SettingsError
from auditkit.files import read_private, write_whole
from auditkit.toml_edit import quoted

__all__ = [
    "LOGINS",
    "SECRETS_FILE",
    "Login",
    "keyring_problem",
    "login_for",
    "store_in_file",
    "store_in_keyring",
    "stored_secret",
]

SECRETS_FILE = "secrets.toml"
_GIT_IGNORES = "*secrets.toml"  # also temporary files that a killed program left
# The setting of a secret → those of its server and user; JobNimbus has no users.
LOGINS = {"aimsio_password": ("aimsio_url", "aimsio_username"), "jobnimbus_token": ("jobnimbus_url", None)}
_MOST_BYTES = 1_000_000
_ADVICE = "let `auditkit init` write it again, or set AUDITKIT_AIMSIO_PASSWORD and AUDITKIT_JOBNIMBUS_TOKEN"
_PROBE = "auditkit"  # a service and user that nobody stores anything for


@dataclass(frozen=True)
class Login:
    """What a secret is for: the base URL of a server, and the user there."""

    url: str
    user: SecretStr


def login_for(secret: str, given: Callable[[str], str | None]) -> Login | None:
    """The login of a secret's setting; None if the settings, as `given`, have no server or user for it."""
    url, user = LOGINS[secret]
    at, who = given(url), given(user) if user else "token"
    return Login(at, SecretStr(who)) if at and who else None


def stored_secret(path: Path, login: Login) -> SecretStr | None:
    """The secret in the keyring, else in the file at `path`. `SettingsError` for a file that others may read."""
    return _in_keyring(login) or _read(path).get(login)


def keyring_problem() -> str | None:
    """Why the system's keyring cannot be used, in a few words; None if it can, or if this system has none."""
    try:
        keyring.get_password(_PROBE, _PROBE)
    except (keyring.errors.NoKeyringError, keyring.errors.KeyringLocked):
        return None
    except Exception as error:  # noqa: BLE001  a backend may fail in any way, already when it is imported
        missing = f" {error.name}" if isinstance(error, ImportError) and error.name else ""
        return f"{type(error).__name__}{missing}"
    return None


def store_in_keyring(login: Login, secret: SecretStr) -> bool:
    """Put a secret into the system's keyring; False if there is none that keeps it."""
    try:
        keyring.set_password(_service(login), login.user.get_secret_value(), secret.get_secret_value())
    except Exception:  # noqa: BLE001  as in `keyring_problem`
        return False
    return _in_keyring(login) == secret


def store_in_file(path: Path, secrets: Mapping[Login, SecretStr]) -> None:
    """Add secrets to a file that only its owner may read, and that git ignores.


    The file is written whole or not at all. Raises `OSError`, and `SettingsError` as `stored_secret` does.
    """
    servers: dict[str, list[str]] = {}
    for login, secret in {**_read(path), **secrets}.items():
        line = " = ".join(quoted(each.get_secret_value()) for each in (login.user, secret))
        servers.setdefault(login.url, []).append(line)
    tables = ["\n".join([f"[{quoted(url)}]", *lines]) for url, lines in servers.items()]
    _hide_from_git(path.parent)
    write_whole(path, "\n\n".join(["# Secrets, for you alone: neither copy nor share this file.", *tables]) + "\n")


def _service(login: Login) -> str:
    return f"auditkit {login.url}"


def _in_keyring(login: Login) -> SecretStr | None:
    try:
        found = keyring.get_password(_service(login), login.user.get_secret_value())
    except Exception:  # noqa: BLE001  as in `keyring_problem`
        return None
    return SecretStr(found) if found else None


def _read(path: Path) -> dict[Login, SecretStr]:
    """The secrets in the file, hidden; none if there is no file."""
    try:
        data = read_private(
            path,
            _MOST_BYTES,
            restore=f"delete it, and {_ADVICE}",
            exposed="the secrets may be known; change them",
        )
    except FileNotFoundError:
        return {}
    try:
        return _secrets(tomllib.loads(data.decode()))
    except (ValueError, RecursionError, AttributeError):  # its text is not shown, because it may be a secret
        raise SettingsError(f"{path}: must be a table of secrets for each server; delete it, and {_ADVICE}") from None


def _secrets(tables: Mapping[str, Any]) -> dict[Login, SecretStr]:
    every = [(url, user, secret) for url, users in tables.items() for user, secret in users.items()]
    if not all(isinstance(secret, str) for _, _, secret in every):
        raise ValueError("a secret that is not text")
    return {Login(url, SecretStr(user)): SecretStr(secret) for url, user, secret in every}


def _hide_from_git(folder: Path) -> None:
    """In a git work tree, add the file to .gitignore."""
    if not any((parent / ".git").exists() for parent in (folder, *folder.parents)):
        return
    path = folder / ".gitignore"
    before = path.read_text("utf-8", errors="replace") if path.exists() else ""
    if _GIT_IGNORES not in before.splitlines():
        with path.open("a", encoding="utf-8") as file:
            file.write("\n" * bool(before and not before.endswith("\n")) + _GIT_IGNORES + "\n")
