"""The proof of a sync in a few lines for people: the rows of `sync_run` and `sync_source`, in words."""

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["proof"]

_ALWAYS = ("fetched", "unchanged", "changed")
_COUNTS = (
    ("fetched", "fetched"),
    ("resumed", "from the cache of a run before"),
    ("unchanged", "unchanged"),
    ("changed", "new or changed"),
    ("verified_again", "read again though unchanged"),
    ("changed_unversioned", "of these changed all the same"),
    ("unread", "could not be read"),
    ("quarantined", "could not be typed"),
    ("vanished", "vanished"),
)


def proof(run: Mapping[str, Any], sources: Sequence[Mapping[str, Any]]) -> list[str]:
    """The label, one line for each source, and the calls: from a row of `sync_run` and its rows of `sync_source`."""
    return [_label(run), *map(_source, sources), _calls(run, sources)]


def _label(run: Mapping[str, Any]) -> str:
    if run["status"] == "COMPLETE":
        return "COMPLETE: the vendors' lists were read until they agreed, and every record in the version listed"
    return f"INCOMPLETE: {run['reason']}"


def _source(row: Mapping[str, Any]) -> str:
    counted = f"; the vendor's count is {row['count_meaning']}" if row["count_meaning"] else ""
    how = f"{row['method']}; end: {row['end_of_list'] or 'not proved'}{counted}"
    counts = [f"{row[name]:,} {words}" for name, words in _COUNTS if row[name] or name in _ALWAYS]
    days = f"created {row['first_on']} to {row['last_on']}" if row["first_on"] else "no day of creation"
    oldest = f"oldest content of {row['oldest_verified_at']:%Y-%m-%d}; " if row["oldest_verified_at"] else ""
    return (
        f"  {row['source']:<10} {row['listed']:,} {row['records']} in {row['lists']} read{'s' * (row['lists'] != 1)} of"
        f" the list ({how}): {', '.join(counts)}; {oldest}{row['control_total']:,} in all; {days};"
        f" ids {row['id_hash'][:12]}"
    )


def _calls(run: Mapping[str, Any], sources: Sequence[Mapping[str, Any]]) -> str:
    def total(name: str) -> int:
        return sum(row[name] for row in sources)

    skew = max((row["clock_skew_seconds"] for row in sources), key=abs)
    notices = f"; {run['notices']}" if run["notices"] else ""
    return (
        f"  Calls      {total('calls'):,}, {total('retries'):,} repeated, {total('throttled'):,} refused by the rate"
        f" limit; servers' clocks {skew:+d} s{notices}"
    )
