"""Change some values in a small TOML text that people edit, too, and keep everything else.

Not here: what the values mean (`settings.py`, `credentials.py`), and the files (`files.py`).
"""

import json
import re
import tomllib
from collections.abc import Mapping

__all__ = ["quoted", "with_values"]

# The first table with the comment above it: before it are the settings outside of tables.
_TABLES = re.compile(r"^(?:[ \t]*#[^\n]*\n)*[ \t]*\[", re.MULTILINE)
_TEXT = r"""(?:"(?:[^"\\\n]|\\.)*"|'[^'\n]*')"""


def quoted(text: str) -> str:
    """A text as a TOML string on one line."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def with_values(text: str, values: Mapping[str, str]) -> str | None:
    """A TOML text with these values for settings outside of tables.

    Comments, order, other settings and tables are kept; None if they could not be.
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


def _means(text: str, values: Mapping[str, object]) -> bool:
    try:
        return tomllib.loads(text) == values
    except tomllib.TOMLDecodeError:
        return False
