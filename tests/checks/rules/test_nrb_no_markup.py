"""nrb-no-markup: no markup where the vendor's, else the type's, other costs carry one."""

from decimal import Decimal

from tests.world import SILENT, Account, firing, nrb

RULE = "nrb-no-markup"


def bought(guid, vendor, markup, kind="Other", **changes):
    return nrb(guid, nrbVendorCode=vendor, nrbUpcharge=markup, nrbTypeName=kind, **changes)


def peers(vendor, markups, kind="Other"):
    return [(bought(f"{vendor}-{place}", vendor, markup, kind), SILENT) for place, markup in enumerate(markups)]


CASES = [
    (bought("forgotten", "MANY", "0.000"), "8.00"),  # the lowest markup of the others
    *peers("MANY", ["10", "8", "12.5", "10", "10"]),
    (bought("no-figure", " many ", None), "8.00"),
    # the boundary of $min_peers = 3: two others with markup are no habit, and the type has no more
    (bought("enough", "THREE", "0", "Scarce"), "10.00"),
    *peers("THREE", ["10", "10", "10"], "Scarce"),
    (bought("too-few", "TWO", "0", "Rare"), SILENT),
    *peers("TWO", ["10", "10"], "Rare"),
    # half of the others is no majority
    *peers("HALF", ["10", "10", "10"], "Half"),
    *[(bought(f"half-{place}", "HALF", "0", "Half"), SILENT) for place in range(4)],
    # one more with markup, and it is
    *peers("MOST", ["10", "10", "10", "10"], "Most"),
    *[(bought(f"most-{place}", "MOST", "0", "Most"), "10.00") for place in range(4)],
    # a vendor with fewer than three others is compared with the type
    (bought("lone-vendor", "LONE", "0", "Crane"), "15.00"),
    *peers("CRANES", ["15"] * 6, "Crane"),
    # a vendor that never has markup is no exception, whatever its type
    *[(bought(f"never-{place}", "NEVER", "0", "Crane"), SILENT) for place in range(4)],
    (bought("internal", "MANY", "0", isInternal=True), SILENT),
    (bought("not-billable", "MANY", "0", nrbIsBillable=False), SILENT),
    # a cost of nothing, or one so small that the markup is less than a cent
    *peers("SMALL", ["10"] * 4, "Small"),
    (bought("nothing", "SMALL", "0", "Small", nrbRate="0.00", nrbTotalAfterMarkup="0.00"), SILENT),
    (bought("tiny", "SMALL", "0", "Small", nrbRate="0.04", nrbTotalAfterMarkup="0.04"), SILENT),
    (bought("a-cent", "SMALL", "0", "Small", nrbRate="0.05", nrbTotalAfterMarkup="0.05"), "0.01"),
    # NULL, field by field
    (bought("no-vendor", None, "0", "Nothing"), SILENT),
    (bought("no-vendor-but-type", None, "0", "Most"), SILENT),  # of the type's others only half carry one
    (bought("no-type", "MANY", "0", None), "8.00"),
    (bought("no-rate", "MANY", "0", nrbRate=None), None),
]
ACCOUNT = Account([body for body, _ in CASES])


def test_fires_on_exactly_these():
    assert ACCOUNT.risks(RULE) == firing(CASES)


def test_reason_and_evidence():
    found = ACCOUNT.findings(RULE)
    assert found["most-0"]["reason"] == "no markup, while 4 of 7 others of its vendor carry one"
    assert found["lone-vendor"]["reason"].endswith("of its type carry one")
    assert (found["forgotten"]["evidence"]["lowest_markup"], found["forgotten"]["key"]) == ("8.000000", {})


def test_min_peers():
    assert "too-few" in ACCOUNT.findings(RULE, min_peers=2)
    assert "enough" not in ACCOUNT.findings(RULE, min_peers=4)


def test_tolerance():
    assert "forgotten" in ACCOUNT.findings(RULE, tolerance=Decimal("7.99"))
    kept = ACCOUNT.findings(RULE, tolerance=Decimal("8.00"))
    assert "forgotten" not in kept and {"enough", "no-rate"} <= set(kept)


# Where markup.csv gives a markup, nrb-markup-odd compares with that, and only it.
BODIES = [
    *[body for body, _ in peers("MANY", ["10"] * 4, "Fuel")],
    bought("agreed", "MANY", "0", "Fuel"),
    bought("other-type", "MANY", "0", "Crane"),
]
ROWS = {
    "vendor": [("many ", None, "0")],
    "type": [(None, "FUEL", "0")],
    "both": [("MANY", "Fuel", "0")],
    "another": [("OTHER", None, "0"), ("MANY", "Truck", "0"), ("OTHER", "Fuel", "0")],
}
CONTRACTS = {name: Account(BODIES, markups=rows) for name, rows in ROWS.items()}


def test_a_contract_in_markup_csv_is_not_second_guessed():
    assert CONTRACTS["vendor"].risks(RULE) == {}
    assert CONTRACTS["type"].risks(RULE) == CONTRACTS["both"].risks(RULE) == {"other-type": "10.00"}
    assert CONTRACTS["another"].risks(RULE) == {"agreed": "10.00", "other-type": "10.00"}
