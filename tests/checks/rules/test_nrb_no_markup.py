"""nrb-no-markup: no mark-up where the vendor's, else the type's, others carry one."""

import pytest

from tests.world import SILENT, amounts, asked_again, audited, findings, firing, nrb

RULE = "nrb-no-markup"


def bought(guid, vendor, markup, kind="Other", **changes):
    return nrb(guid, nrbVendorCode=vendor, nrbUpcharge=markup, nrbTypeName=kind, **changes)


def peers(vendor, markups, kind="Other"):
    return [(bought(f"{vendor}-{place}", vendor, markup, kind), SILENT) for place, markup in enumerate(markups)]


CASES = [
    (bought("forgotten", "MANY", "0.000"), "8.00"),  # the lowest mark-up of the others
    *peers("MANY", ["10", "8", "12.5", "10", "10"]),
    (bought("no-figure", " many ", None), "8.00"),
    # the boundary of $min_peers = 3: two others with mark-up are no habit, and the type has no more
    (bought("enough", "THREE", "0", "Scarce"), "10.00"),
    *peers("THREE", ["10", "10", "10"], "Scarce"),
    (bought("too-few", "TWO", "0", "Rare"), SILENT),
    *peers("TWO", ["10", "10"], "Rare"),
    # half of the others is no majority
    *peers("HALF", ["10", "10", "10"], "Half"),
    *[(bought(f"half-{place}", "HALF", "0", "Half"), SILENT) for place in range(4)],
    # one more with mark-up, and it is
    *peers("MOST", ["10", "10", "10", "10"], "Most"),
    *[(bought(f"most-{place}", "MOST", "0", "Most"), "10.00") for place in range(4)],
    # a vendor with fewer than three others is held against the type
    (bought("lone-vendor", "LONE", "0", "Crane"), "15.00"),
    *peers("CRANES", ["15"] * 6, "Crane"),
    # a vendor that never has mark-up is no exception, whatever its type
    *[(bought(f"never-{place}", "NEVER", "0", "Crane"), SILENT) for place in range(4)],
    (bought("internal", "MANY", "0", isInternal=True), SILENT),
    (bought("not-billable", "MANY", "0", nrbIsBillable=False), SILENT),
    # NULL, field by field
    (bought("no-vendor", None, "0", "Nothing"), SILENT),
    (bought("no-vendor-but-type", None, "0", "Most"), SILENT),  # of the type's others only half carry one
    (bought("no-type", "MANY", "0", None), "8.00"),
    (bought("no-rate", "MANY", "0", nrbRate=None), None),
]


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory):
    with audited(tmp_path_factory.mktemp(RULE), [body for body, _ in CASES]) as snapshot:
        yield snapshot


def test_it_fires_on_these_alone(snapshot):
    assert amounts(findings(snapshot, RULE)) == firing(CASES)


def test_it_says_what_the_others_do(snapshot):
    found = findings(snapshot, RULE)
    assert found["most-0"]["reason"] == "no mark-up, while 4 of 7 others of its vendor carry one"
    assert found["lone-vendor"]["reason"].endswith("of its type carry one")
    assert found["forgotten"]["evidence"]["lowest_markup"] == "8.000000"


def test_min_peers(snapshot):
    assert "too-few" in asked_again(snapshot, RULE, min_peers=2)
    assert "enough" not in asked_again(snapshot, RULE, min_peers=4)
