"""Files in the home that say what no API can: job_map.csv and markup.csv.

Each is a CSV with a header, in UTF-8, with or without a byte-order mark. Not here: what an audit makes of them.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from auditkit.errors import SettingsError

__all__ = ["JOB_MAP_COLUMNS", "MARKUP_COLUMNS", "read_job_map", "read_markups"]

JOB_MAP_COLUMNS = ("aimsio_job_number", "jobnimbus_job_number")
MARKUP_COLUMNS = ("vendor_code", "type_name", "percent")
_PERCENT = re.compile(r"[0-9]{1,4}(\.[0-9]{1,6})?")


def read_job_map(path: Path) -> list[tuple[str, ...]]:
    """(Aimsio, JobNimbus job number) of each row; none where there is no file. `SettingsError` with file and line."""
    rows = []
    for number, row in _rows(path, JOB_MAP_COLUMNS):
        pair = tuple(row[column] for column in JOB_MAP_COLUMNS)
        if not all(pair):
            raise SettingsError(f"{path}:{number}: both job numbers are needed, found {pair}")
        rows.append(pair)
    return rows


def read_markups(path: Path) -> list[tuple[str | None, ...]]:
    """(vendor code, type, percent) of each row, None for an empty vendor or type; `SettingsError` as above."""
    rows: list[tuple[str | None, ...]] = []
    for number, row in _rows(path, MARKUP_COLUMNS):
        if not _PERCENT.fullmatch(row["percent"]):
            raise SettingsError(f"{path}:{number}: percent: expected a number such as 12.5, found {row['percent']!r}")
        rows.append((row["vendor_code"] or None, row["type_name"] or None, row["percent"]))
    return rows


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, Mapping[str, str]]]:
    """(line, column -> trimmed text) of each row of a file that may not be there."""
    if not path.is_file():
        return
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SettingsError(
            f"{path}: expected UTF-8 text, found another byte at {error.start}; save it as UTF-8"
        ) from None
    with io.StringIO(text, newline="") as file:
        reader = csv.DictReader(file)
        if not set(columns) <= set(reader.fieldnames or ()):
            raise SettingsError(f"{path}:1: expected the columns {', '.join(columns)}")
        for row in reader:
            yield reader.line_num, {column: (row[column] or "").strip() for column in columns}
