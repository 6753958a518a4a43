"""A search that finds nothing proves something only if it finds what was planted."""

import base64
import json
import sqlite3
from pathlib import Path

import duckdb
import pytest

from tests.canaries.scanner import CANARIES, PASSWORD, TOKEN, USER, Scan, hits, spellings


@pytest.mark.parametrize("canary", CANARIES)
@pytest.mark.parametrize("spelling", spellings(USER))
def test_every_spelling_is_found_at_any_place(canary: str, spelling: str) -> None:
    needle = spellings(CANARIES[canary])[spelling]
    for planted in (needle, b"x" + needle, b'{"a": "' + needle + b'"}', b"\x00\xff" * 3 + needle + b"zz"):
        assert any(hit.startswith(f"{canary}: ") for hit in hits(planted))


@pytest.mark.parametrize("secret", [PASSWORD, TOKEN, USER])
@pytest.mark.parametrize("before", range(7))
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_base64_is_found_at_every_alignment(secret: str, before: int, encode) -> None:
    for around in (b"", b"b", b"bc", b"bcd"):
        assert hits(encode(b"a" * before + secret.encode() + around))


@pytest.mark.parametrize("secret", [PASSWORD, TOKEN, USER])
def test_a_secret_in_two_spellings_at_once_is_found(secret: str) -> None:
    """A JSON body with the secret in it, in base64, in JSON: an entry of the cache."""
    body = json.dumps({"note": f"it is {secret}"}).encode()
    assert hits(json.dumps({"_content": base64.b64encode(body).decode()}).encode())


def test_other_text_is_not_found() -> None:
    harmless = "canary user field password token wörd %2F <&>".encode()
    assert hits(harmless + base64.b64encode(harmless) + harmless.hex().encode()) == set()
    assert hits(PASSWORD[:-1].encode() + b"\n" + TOKEN[1:].encode()) == set()


def test_files_their_names_and_packed_tables_are_searched(tmp_path: Path) -> None:
    """DuckDB packs repeated texts, so that the bytes alone may not show them."""
    with duckdb.connect(str(tmp_path / "packed.duckdb")) as database:
        database.execute("create table t as select ? || (i % 3) as a from range(100000) r(i)", [PASSWORD])
        database.execute("checkpoint")
    with sqlite3.connect(tmp_path / "cache.sqlite") as database:
        database.execute("create table t (a)")
        database.execute("insert into t values (?)", (TOKEN,))
    database.close()
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / f"{USER}.txt").write_text("nothing")
    scan = Scan()
    scan.folder(tmp_path)
    assert scan.files == 3
    places = {place: {hit.partition(":")[0] for hit in found} for place, found in scan.found.items()}
    assert places["packed.duckdb, its tables"] == {"password"}
    assert places["cache.sqlite"] == places["cache.sqlite, its tables"] == {"token"}
    assert places["a name"] == {"user"}
