"""Accepting findings: a person decides, with a note and an end date, that one needs no action.

An acceptance is a record of the journal and holds the evidence of that day. It counts from the next audit on;
`lifecycle.py` decides when it ends.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from auditkit import sql
from auditkit.errors import FindingError
from auditkit.journal import Journal, Record
from auditkit.warehouse.snapshots import Snapshot

__all__ = ["accept", "acceptances", "day", "named", "withdraw"]

SHORTEST = 6
_HEX = frozenset("0123456789abcdef")


def named(snapshot: Snapshot, fingerprint: str) -> dict[str, Any]:
    """The one finding whose fingerprint begins so: six digits or more. Raises `FindingError` for none or several."""
    start = {"start": _start(fingerprint)}
    found = snapshot.query(sql.read("queries/finding_by_fingerprint"), start).records()
    if not found and (cleared := snapshot.query(sql.read("queries/cleared_finding"), start).records()):
        raise FindingError(
            f"{cleared[0]['rule_id']} of {cleared[0]['subject_id']} was cleared in sync {cleared[0]['sync_id']}; its"
            " evidence is in the snapshots before it (`snapshots/` in the home)"
        )
    _refuse_unless_one(fingerprint, [row["fingerprint"] for row in found], "finding")
    return found[0]


def accept(
    snapshot: Snapshot,
    journal: Journal,
    fingerprints: Sequence[str],
    *,
    note: str,
    who: str,
    until: date | None,
    today: date,
    snapshot_id: str,
) -> list[str]:
    """Journal an acceptance of each finding, all or none. Returns the whole fingerprints.

    Raises `FindingError` for an empty note or person, a day that has passed, or an unknown finding.
    """
    findings = list({row["fingerprint"]: row for row in (named(snapshot, each) for each in fingerprints)}.values())
    _refuse_empty(note, who)
    if not findings:
        raise FindingError("no finding was given; give the fingerprints that `auditkit findings` shows")
    if until is not None and until < today:
        raise FindingError(f"{until} has passed (today is {today}); give today or a later day")
    for finding in findings:
        risk = finding["amount_at_risk"]
        journal.append(
            "accept",
            {
                **{name: finding[name] for name in ("fingerprint", "rule_id", "subject_id", "reason")},
                **{name: str(finding[name]) for name in ("key", "evidence")},
                "amount_at_risk": None if risk is None else format(risk, "f"),
                "note": " ".join(note.split()),
                "until": until.isoformat() if until else None,
                "who": who.strip(),
                "snapshot_id": snapshot_id,
            },
        )
    return [finding["fingerprint"] for finding in findings]


def withdraw(snapshot: Snapshot, journal: Journal, fingerprints: Sequence[str], *, note: str, who: str) -> list[str]:
    """Journal that acceptances are taken back, all or none, also those of cleared findings; as `accept`."""
    _refuse_empty(note, who)
    accepted: list[str] = []
    for fingerprint in fingerprints:
        query = sql.read("queries/accepted_fingerprint")
        found = [str(each) for each in snapshot.query(query, {"start": _start(fingerprint)}).column()]
        _refuse_unless_one(fingerprint, found, "accepted finding")
        accepted += found
    for fingerprint in dict.fromkeys(accepted):
        journal.append("unaccept", {"fingerprint": fingerprint, "note": " ".join(note.split()), "who": who.strip()})
    return accepted


class _Acceptances:
    """The acceptances in force, by fingerprint."""

    def __init__(self) -> None:
        self.in_force: dict[str, dict[str, Any]] = {}

    def take(self, record: Record) -> None:
        if record.kind == "accept":
            self.in_force[record.body["fingerprint"]] = {**record.body, "accepted_at": record.at.isoformat()}
        elif record.kind == "unaccept":
            self.in_force.pop(record.body["fingerprint"], None)


def acceptances(journal: Journal) -> list[dict[str, Any]]:
    """The bodies of the acceptances that nobody took back, the latest of each finding, with `accepted_at`."""
    return list(journal.projection(_Acceptances).in_force.values())


def day(until: date | str | None) -> date | None:
    """A day as a date; text is YYYY-MM-DD. Raises `FindingError`."""
    if isinstance(until, datetime):
        return until.date()
    if until is None or isinstance(until, date):
        return until
    try:
        return date.fromisoformat(until)
    except (ValueError, TypeError):
        raise FindingError(f"{until!r} is not a day; write it as YYYY-MM-DD") from None


def _start(fingerprint: str) -> str:
    start = fingerprint.strip().lower()
    if len(start) < SHORTEST or not set(start) <= _HEX:
        raise FindingError(
            f"{fingerprint!r} is not a fingerprint; give its first {SHORTEST} digits or more, from `auditkit findings`"
        )
    return start


def _refuse_unless_one(fingerprint: str, found: Sequence[str], what: str) -> None:
    if not found:
        raise FindingError(f"no {what} has the fingerprint {fingerprint}; `auditkit findings` lists them")
    if len(found) > 1:
        raise FindingError(f"{fingerprint} is the start of several: {', '.join(found[:3])}; give more digits")


def _refuse_empty(note: object, who: object) -> None:
    if not isinstance(note, str) or not note.strip():
        raise FindingError("a note is needed: why does this finding need no action?")
    if not isinstance(who, str) or not who.strip():
        raise FindingError("the person who decides is not known; set AUDITKIT_IDENTITY")
