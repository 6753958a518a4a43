"""The canaries, their spellings, and a search that also looks inside databases and base64.

It shares nothing with the product's own search for credentials, so that neither can hide a gap of the other.
"""

import base64
import hashlib
import html
import json
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import quote, quote_plus, unquote_to_bytes

import duckdb

USER = "canary-user.7Kq2@field"
PASSWORD = 'cAn/ary "Pass\\wörd+<&>%9zQ4'
TOKEN = 'c4n4ry/T0ken"\\%2F+<&>~Zx81w'
PASSPHRASE = 'c4nary "pa55\\phrase+<&>%of aLL keys'
CANARIES = {"user": USER, "password": PASSWORD, "token": TOKEN, "passphrase": PASSPHRASE}

_RUNS = {
    "base64": re.compile(rb"[A-Za-z0-9+/]{16,}"),
    "base64url": re.compile(rb"[A-Za-z0-9_-]{16,}"),
    "hex": re.compile(rb"(?:[0-9a-fA-F]{2}){8,}"),
}
_DUCKDB, _SQLITE = b"DUCK", b"SQLite format 3\0"


@cache
def spellings(secret: str) -> dict[str, bytes]:
    """Name of the spelling → what to search for."""
    raw, quoted = secret.encode(), json.dumps(secret)[1:-1]
    found = {
        "raw": raw,
        "latin-1": secret.encode("latin-1"),
        "UTF-16 LE": secret.encode("utf-16-le"),
        "UTF-16 BE": secret.encode("utf-16-be"),
        "hex": raw.hex().encode(),
        "HEX": raw.hex().upper().encode(),
        "URL": quote(secret, safe="").encode(),
        "URL, slash kept": quote(secret).encode(),
        "URL, plus": quote_plus(secret).encode(),
        "url": re.sub("%..", lambda found: found[0].lower(), quote(secret, safe="")).encode(),
        "JSON": quoted.encode(),
        "JSON, slash quoted": quoted.replace("/", "\\/").encode(),
        "JSON, not ASCII": json.dumps(secret, ensure_ascii=False)[1:-1].encode(),
        "JSON in JSON": json.dumps(quoted)[1:-1].encode(),
        "repr": repr(secret)[1:-1].encode(),
        "repr of bytes": repr(raw)[2:-1].encode(),
        "HTML": html.escape(secret).encode(),
        "HTML, quotes kept": html.escape(secret, quote=False).encode(),
        "reversed": secret[::-1].encode(),
    }
    for before in range(3):
        found[f"base64, aligned {before}"] = _inner(base64.b64encode, raw, before)
        found[f"base64url, aligned {before}"] = _inner(base64.urlsafe_b64encode, raw, before)
    return found


def _inner(encode, raw: bytes, before: int) -> bytes:
    """The characters of base64 that do not depend on the text around them."""
    start = (0, 2, 3)[before]
    return encode(b"\0" * before + raw).rstrip(b"=")[start : None if (before + len(raw)) % 3 == 0 else -1]


def hits(data: bytes) -> set[str]:
    """`canary: spelling` of everything that is found in data, or in what base64, hex, % or \\ hides in them."""
    return {
        f"{canary}: {name}"
        for view in _views(data)
        for canary, secret in CANARIES.items()
        for name, needle in spellings(secret).items()
        if needle in view
    }


def _views(data: bytes) -> Iterator[bytes]:
    yield data
    for kind, runs in _RUNS.items():
        yield b"\n".join(_decoded(kind, run) for run in set(runs.findall(data)))
    if b"%" in data:
        yield unquote_to_bytes(data)
    if b"\\" in data:
        plain = re.sub(rb"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)).encode("utf-8", "replace"), data)
        yield re.sub(rb'\\(["\\/])', rb"\1", plain)


def _decoded(kind: str, run: bytes) -> bytes:
    if kind == "hex":
        return bytes.fromhex(run.decode())
    usual = run.replace(b"-", b"+").replace(b"_", b"/")
    return b"\n".join(base64.b64decode(usual[start:][: len(usual[start:]) // 4 * 4]) for start in range(4))


@dataclass
class Scan:
    """What was searched so far, and what was found: place → hits. The same content is searched once."""

    files: int = 0
    bytes: int = 0
    found: dict[str, set[str]] = field(default_factory=dict)
    _seen: dict[str, set[str]] = field(default_factory=dict, repr=False)

    def data(self, place: str, data: bytes) -> None:
        self.bytes += len(data)
        digest = hashlib.sha256(data).hexdigest()
        if digest not in self._seen:
            self._seen[digest] = hits(data)
        if self._seen[digest]:
            self.found.setdefault(place, set()).update(self._seen[digest])

    def folder(self, folder: Path) -> None:
        """Every file below a folder, with its name, and what is in the tables of databases."""
        for path in sorted(folder.rglob("*")):
            self.data("a name", str(path.relative_to(folder)).encode())
            if path.is_file() and not path.is_symlink():
                self.files += 1
                content = path.read_bytes()
                place = str(path.relative_to(folder))
                self.data(place, content)
                self.data(f"{place}, its tables", tables(path, content))


def tables(path: Path, content: bytes) -> bytes:
    """Every cell of a database file, which may pack them; nothing for any other file."""
    if content[8:12] == _DUCKDB:
        return "\n".join(_duckdb(path)).encode()
    if content.startswith(_SQLITE):
        return "\n".join(_sqlite(path)).encode()
    return b""


def _duckdb(path: Path) -> Iterator[str]:
    try:
        database = duckdb.connect(":memory:")
        database.execute(f"attach '{path}' as it (read_only)")
    except duckdb.Error:
        return  # cut short by a kill: its bytes were searched
    with database:
        names = database.execute("select schema_name, table_name from duckdb_tables() where database_name = 'it'")
        for schema, table in names.fetchall():
            for row in database.execute(f'select * from it."{schema}"."{table}"').fetchall():
                yield from map(str, row)


def _sqlite(path: Path) -> Iterator[str]:
    database = sqlite3.connect(path)
    try:
        for (table,) in database.execute("select name from sqlite_master where type = 'table'").fetchall():
            for row in database.execute(f'select * from "{table}"'):
                yield from (cell.decode("utf-8", "replace") if isinstance(cell, bytes) else str(cell) for cell in row)
    finally:
        database.close()
