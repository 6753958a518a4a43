"""Where the two secrets of an account are kept: in the system's keyring, else in `secrets.toml` beside auditkit.toml.

Either stores a secret under its server and user, so that none is sent to another server when a setting changes. The
file is for machines without a keyring; nobody but its owner may read it:

    ["https://portal.aimsio.com"]
    "user" = "password"

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

__all__ = ["PLACES", "SECRETS_FILE", "Place", "keep_in_file", "keep_in_keyring", "kept", "place"]

SECRETS_FILE = "secrets.toml"
_GIT_IGNORES = "*secrets.toml"  # also temporary files that a killed program left
# The setting of a secret → those of its server and user; JobNimbus has no users.
PLACES = {"aimsio_password": ("aimsio_url", "aimsio_username"), "jobnimbus_token": ("jobnimbus_url", None)}
_MOST_BYTES = 1_000_000
# A keyring that refuses; a user without a home folder, where it would be configured; a wrong PYTHON_KEYRING_BACKEND.
_NO_KEYRING = (keyring.errors.KeyringError, RuntimeError, ValueError)
_ADVICE = "let `auditkit init` write it again, or set AUDITKIT_AIMSIO_PASSWORD and AUDITKIT_JOBNIMBUS_TOKEN"


@dataclass(frozen=True)
class Place:
    """What a secret is for: the base URL of a server, and the user there."""

    url: str
    user: SecretStr


def place(secret: str, given: Callable[[str], str | None]) -> Place | None:
    """Where the secret of a setting is kept; None if the settings, as `given`, have no server or user for it."""
    url, user = PLACES[secret]
    at, who = given(url), given(user) if user else "token"
    return Place(at, SecretStr(who)) if at and who else None


def kept(path: Path, where: Place) -> SecretStr | None:
    """The secret in the keyring, else in the file at `path`. Raises `SettingsError` for a file that others may read."""
    return _in_keyring(where) or _read(path).get(where)


def keep_in_keyring(where: Place, secret: SecretStr) -> bool:
    """Save a secret in the system's keyring; False if there is none that keeps it."""
    try:
        keyring.set_password(_service(where), where.user.get_secret_value(), secret.get_secret_value())
    except _NO_KEYRING:
        return False
    return _in_keyring(where) == secret


def keep_in_file(path: Path, secrets: Mapping[Place, SecretStr]) -> None:
    """Add secrets to a file that only its owner may read, and that git ignores.

    The file is written whole or not at all. Raises `OSError`, and `SettingsError` as `kept` does.
    """
    servers: dict[str, list[str]] = {}
    for where, secret in {**_read(path), **secrets}.items():
        line = " = ".join(quoted(each.get_secret_value()) for each in (where.user, secret))
        servers.setdefault(where.url, []).append(line)
    tables = ["\n".join([f"[{quoted(url)}]", *lines]) for url, lines in servers.items()]
    _hide_from_git(path.parent)
    write_whole(path, "\n\n".join(["# Secrets, for you alone: neither copy nor share this file.", *tables]) + "\n")


def _service(where: Place) -> str:
    return f"auditkit {where.url}"


def _in_keyring(where: Place) -> SecretStr | None:
    try:
        found = keyring.get_password(_service(where), where.user.get_secret_value())
    except _NO_KEYRING:
        return None
    return SecretStr(found) if found else None


def _read(path: Path) -> dict[Place, SecretStr]:
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


def _secrets(tables: Mapping[str, Any]) -> dict[Place, SecretStr]:
    every = [(url, user, secret) for url, users in tables.items() for user, secret in users.items()]
    if not all(isinstance(secret, str) for _, _, secret in every):
        raise ValueError("a secret that is not text")
    return {Place(url, SecretStr(user)): SecretStr(secret) for url, user, secret in every}


def _hide_from_git(folder: Path) -> None:
    """In a git work tree, add the file to .gitignore."""
    if not any((parent / ".git").exists() for parent in (folder, *folder.parents)):
        return
    path = folder / ".gitignore"
    before = path.read_text("utf-8", errors="replace") if path.exists() else ""
    if _GIT_IGNORES not in before.splitlines():
        with path.open("a", encoding="utf-8") as file:
            file.write("\n" * bool(before and not before.endswith("\n")) + _GIT_IGNORES + "\n")
