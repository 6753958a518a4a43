"""Cut-off: which side of a period each record is on."""

from datetime import date, timedelta

from auditkit.analysis.cutoff import cutoff
from tests.analysis.asking import ask, listed, rows


def test_cutoff(snapshot):
    end = date(2026, 6, 30)
    cases = [
        ("on both days", end, end, None),
        ("late", end, end + timedelta(days=1), ("recorded late", 1)),
        ("early", end + timedelta(days=2), end - timedelta(days=3), ("recorded early", -5)),
        ("after", end + timedelta(days=1), end + timedelta(days=2), None),
        ("day 10", end - timedelta(days=90), end + timedelta(days=10), ("recorded late", 100)),
        ("no date", None, end + timedelta(days=1), None),
        ("never recorded", end, None, None),
    ]
    table = listed(*(case[:3] for case in cases), columns="what, d, r")
    names = {"date": "d", "recorded": "r", "table": table}
    found = ask(snapshot, cutoff(snapshot, end, **names))
    assert {row[4]: row[:2] for row in rows(found)} == {what: side for what, _, _, side in cases if side}
    assert list(found["what"]) == ["early", "late", "day 10"]
    within = {days: ask(snapshot, cutoff(snapshot, str(end), days=days, **names)) for days in (9, 10)}
    assert {days: set(frame["what"]) for days, frame in within.items()} == {
        9: {"early", "late"},
        10: {"early", "late", "day 10"},
    }
