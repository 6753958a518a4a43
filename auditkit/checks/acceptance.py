"""Accepting findings: a person says why one may stand, and until when; the evidence of that day is frozen with it.

An acceptance is a record of the journal. It counts from the next audit on, and `lifecycle.py` says when it ends.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from auditkit.errors import FindingError
from auditkit.journal import Journal, Record
from auditkit.warehouse.snapshots import Snapshot

__all__ = ["accept", "acceptances", "day", "named", "withdraw"]

SHORTEST = 6
_HEX = frozenset("0123456789abcdef")
_NAMED = "select * from finding where starts_with(fingerprint, $start) order by fingerprint limit 4"
_CLEARED = """
select rule_id, subject_id, sync_id from finding_history
where starts_with(fingerprint, $start) and state = 'cleared' order by rowid desc limit 1
"""
_STANDING = "select fingerprint from acceptance where starts_with(fingerprint, $start) order by fingerprint limit 4"


def named(snapshot: Snapshot, fingerprint: str) -> dict[str, Any]:
    """The one finding whose fingerprint begins so: six digits at least. Raises `FindingError` for none or several."""
    found = snapshot.query(_NAMED, {"start": _start(fingerprint)}).records()
    if not found and (cleared := snapshot.query(_CLEARED, {"start": _start(fingerprint)}).records()):
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

    Raises `FindingError` for an empty note or person, a day that has passed, or a finding that is not there.
    """
    findings = list({row["fingerprint"]: row for row in (named(snapshot, each) for each in fingerprints)}.values())
    _refuse_empty(note, who)
    if not findings:
        raise FindingError("no finding is named; give the fingerprints that `auditkit findings` shows")
    if until is not None and until < today:
        raise FindingError(f"{until} has passed (today is {today}): an acceptance holds until a day to come")
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
    """Journal that acceptances are taken back, all or none, also of findings that are gone; as `accept`."""
    _refuse_empty(note, who)
    standing = []
    for fingerprint in fingerprints:
        found = [str(row["fingerprint"]) for row in snapshot.query(_STANDING, {"start": _start(fingerprint)}).records()]
        _refuse_unless_one(fingerprint, found, "accepted finding")
        standing += found
    for fingerprint in dict.fromkeys(standing):
        journal.append("unaccept", {"fingerprint": fingerprint, "note": " ".join(note.split()), "who": who.strip()})
    return standing


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
            f"{fingerprint!r} is no fingerprint: give its first {SHORTEST} digits or more, as `auditkit findings` shows"
        )
    return start


def _refuse_unless_one(fingerprint: str, found: Sequence[str], what: str) -> None:
    if not found:
        raise FindingError(f"no {what} has the fingerprint {fingerprint}; `auditkit findings` lists those there are")
    if len(found) > 1:
        raise FindingError(f"{fingerprint} is the start of several: {', '.join(found[:3])}; give more digits")


def _refuse_empty(note: object, who: object) -> None:
    if not isinstance(note, str) or not note.strip():
        raise FindingError("a note is needed: why may this finding stand?")
    if not isinstance(who, str) or not who.strip():
        raise FindingError("a person is needed: set AUDITKIT_IDENTITY, or name who decides")
