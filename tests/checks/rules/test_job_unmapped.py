"""job-unmapped: billable cost on a job that no invoice belongs to."""

import pytest

from tests.world import amounts, audited, findings, invoice, line, nrb, related, unbilled

RULE = "job-unmapped"


def cost(number, total="100.00", guid=None, **changes):
    return unbilled(guid or f"of-{number}", total, nrbJobOrderNumber=number, **changes)


NRBS = [
    cost("LOST-1", "862.50"),
    cost("lost-1", "1.00", "of-the-same"),  # another spelling of one job
    cost("NUMBER-2"),
    cost("NAME-3"),
    cost("MAP-4"),
    cost("ID-5"),
    cost("VOID-6"),
    cost("FIRST-7"),
    cost("SECOND-8"),
    cost("OURS-9", isInternal=True),
    cost("GIFT-10", nrbIsBillable=False),
    cost("MAPPED-TO-NOTHING-11"),
    nrb("billed", "50.00", nrbJobOrderNumber="BILLED-12", nrbBilledInName="INV-elsewhere"),
    # NULL
    cost("NIL-13", None),
    cost(None, guid="no-job"),
]
INVOICES = [
    invoice([line("Labour", "1.00")], "by-number", related=[related("number 2", "J2")]),
    invoice([line("Labour", "2.00")], "by-name", related=[related("2044", "J3", "Sample Client / NAME-3")]),
    invoice([line("Labour", "3.00")], "by-map", related=[related("2045", "J4")]),
    invoice([line("Labour", "4.00")], "by-map-of-id", related=[related("2046", "J5")]),
    invoice([line("Labour", "5.00")], "void", is_active=False, related=[related("VOID-6", "J6")]),
    invoice([line("Labour", "6.00")], "two", related=[related("FIRST-7", "J7"), related("SECOND-8", "J8")]),
    invoice([line("R1-billed", "50.00")], "elsewhere", related=[related("2047", "J9")]),
    invoice([line("Labour", "7.00")], "two-in-its-name", related=[related("2048", "J10", "LOST-1 or GIFT-10")]),
    invoice([line("Labour", "8.00")], "no-job", related=[]),
]
JOBS = [("MAP-4", "2045"), ("ID-5", "J5"), ("MAPPED-TO-NOTHING-11", "9999")]
EXPECTED = {"LOST-1": "863.50", "MAPPED-TO-NOTHING-11": "100.00", "BILLED-12": "50.00", "NIL-13": "0.00"}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    with audited(tmp_path_factory.mktemp(RULE), NRBS, INVOICES, jobs=JOBS) as snapshot:
        return findings(snapshot, RULE)


def test_it_fires_on_these_alone(found):
    assert amounts(found) == EXPECTED


def test_it_says_how_much_and_since_when(found):
    hit = found["LOST-1"]
    assert (hit["reason"], hit["job_number"]) == ("no invoice belongs to this job", "LOST-1")
    assert (hit["evidence"]["nrb_count"], hit["evidence"]["first_cost"]) == (2, "2026-09-10")
