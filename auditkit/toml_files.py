"""Small TOML files that people edit too: some values changed, the rest as it was, written whole or not at all.

Not here: what the values mean (config, credentials).
"""

import json
import os
import re
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path

__all__ = ["quoted", "with_values", "write_whole"]

# The first table with the comment above it: what comes before are the settings that are in no table.
_TABLES = re.compile(r"^(?:[ \t]*#[^\n]*\n)*[ \t]*\[", re.MULTILINE)
_TEXT = r"""(?:"(?:[^"\\\n]|\\.)*"|'[^'\n]*')"""


def quoted(text: str) -> str:
    """A text as TOML writes it, on one line."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def with_values(text: str, values: Mapping[str, str]) -> str | None:
    """A TOML text in which the settings outside of tables that `values` names have these values.

    Comments, order, other settings and tables stay; None for a text in which they would not.
    """
    tables = _TABLES.search(text)
    head, rest = (text[: tables.start()], text[tables.start() :]) if tables else (text, "")
    end = "\r\n" if "\r\n" in text else "\n"
    added = ""
    for name, value in values.items():
        line = f"{name} = {quoted(value)}"
        if found := re.search(rf"(?m)^[ \t]*{name}[ \t]*=[ \t]*{_TEXT}", head):
            head = head[: found.start()] + line + head[found.end() :]
        else:
            added += line + end
    if added and head and not head.endswith("\n"):
        head += end
    made = head + added + (end if added and rest else "") + rest
    return made if _means(made, {**tomllib.loads(text), **values}) else None


def write_whole(path: Path, text: str, mode: int = 0o600) -> None:
    """Write a file so that at any time the old or the new one stands there, whole. Raises `OSError`."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=f".{path.name}")
    private = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        private.chmod(mode)
        private.replace(path)
    finally:
        private.unlink(missing_ok=True)


def _means(text: str, values: Mapping[str, object]) -> bool:
    try:
        return tomllib.loads(text) == values
    except tomllib.TOMLDecodeError:
        return False
