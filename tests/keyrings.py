"""A keyring in a file, for other processes: `PYTHON_KEYRING_BACKEND=tests.keyrings.Kept`."""

import json
import os
from pathlib import Path

import keyring.backend
import keyring.errors

FILE = "TESTS_KEYRING"


class Kept(keyring.backend.KeyringBackend):
    """Service and user → secret, in the file that the environment names; locked where it is a folder, and not
    to be written where `.sealed` stands beside it.
    """

    priority = 1

    def get_password(self, service: str, username: str) -> str | None:
        return self._all().get(f"{service} · {username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        if self._path().with_suffix(".sealed").exists():
            raise keyring.errors.PasswordSetError("sealed")
        self._path().write_text(json.dumps({**self._all(), f"{service} · {username}": password}))

    def delete_password(self, service: str, username: str) -> None:
        raise NotImplementedError

    def _all(self) -> dict[str, str]:
        return json.loads(self._path().read_text()) if self._path().exists() else {}

    def _path(self) -> Path:
        path = Path(os.environ[FILE])
        if path.is_dir():
            raise keyring.errors.KeyringLocked("locked")
        return path
