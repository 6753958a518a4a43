"""One aging and one order of severities: SQL and Python say the same."""

from auditkit.aging_bands import BANDS, ENDS, band_labels
from auditkit.checks.rules import SEVERITIES
from auditkit.warehouse.schema import rebuild_schema
from tests.world import workbench


def band_of(days: int | None) -> str:
    if days is None or days < 0:
        return "no date" if days is None else "future"
    return next((label for label, end in zip(band_labels(), ENDS, strict=False) if days <= end), band_labels()[-1])


def test_the_band_of_every_number_of_days() -> None:
    days = [None, -400, -1, *range(200), 10_000]
    with workbench() as draft:
        rebuild_schema(draft)
        found = draft.query("select age_band(unnest($days))", {"days": days}).column()
    assert found == list(map(band_of, days)) and set(found) == set(BANDS)
    assert BANDS == ("future", "0-30", "31-60", "61-90", "91-180", "over 180", "no date")


def test_the_order_of_severities() -> None:
    with workbench() as draft:
        rebuild_schema(draft)
        ranked = draft.query(
            "select s from unnest($all) as t(s) order by severity_rank(s)", {"all": [*SEVERITIES[::-1]]}
        )
        assert tuple(ranked.column()) == SEVERITIES
        assert draft.query("select severity_rank('urgent')").scalar() is None
