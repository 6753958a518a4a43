"""nrb-price-odd: a unit price far from what the same vendor usually charges for the same thing."""

from decimal import Decimal

from tests.world import SILENT, Account, firing, nrb

RULE = "nrb-price-odd"


def bought(guid, name, rate, vendor="BIT", kind="Other", **changes):
    return nrb(guid, nrbName=name, nrbRate=rate, nrbVendorCode=vendor, nrbTypeName=kind, **changes)


def peers(name, count, rate="10.00", **changes):
    return [(bought(f"{name}-{rate}-{place}", name, rate, **changes), SILENT) for place in range(count)]


CASES = [
    # the boundaries of $min_peers = 8 and $factor = 3: above three times the median, below a third of it
    *peers("Sand", 60),
    (bought("ten-times", " sand", "100.00"), "100.00"),
    (bought("just-above", "Sand", "30.01"), "100.00"),
    (bought("at-three-times", "Sand", "30.00"), SILENT),
    (bought("tenth", "Sand", "1.00"), "100.00"),
    (bought("at-a-third", "Gravel", "10.00"), SILENT),
    (bought("below-a-third", "Gravel", "9.99"), "100.00"),
    *peers("Gravel", 20, "30.00"),
    *peers("Eight", 8),
    (bought("eight-peers", "Eight", "100.00"), "100.00"),
    *peers("Seven", 7),
    (bought("seven-peers", "Seven", "100.00"), SILENT),
    # nine in ten of the others are within a quarter of the median
    *peers("Within", 5, "8.00"),
    *peers("Within", 5, "10.00"),
    *peers("Within", 5, "12.50"),
    (bought("within", "Within", "100.00"), "100.00"),
    *peers("Steady", 18),
    *peers("Steady", 1, "14.00"),
    (bought("steady", "Steady", "100.00"), "100.00"),
    *peers("Mixed", 17),
    *peers("Mixed", 2, "14.00"),
    (bought("mixed", "Mixed", "100.00"), SILENT),
    *peers("Mixed", 3, "10.01", vendor="OTHER"),
    *peers("Mixed", 3, "10.02", kind="Truck"),
    # another vendor, another type, another name
    (bought("other-vendor", "Sand", "100.00", "OTHER"), SILENT),
    (bought("other-type", "Sand", "100.00", kind="Truck"), SILENT),
    (bought("other-name", "Fine sand", "100.00"), SILENT),
    (bought("internal", "Sand", "100.00", isInternal=True), "100.00"),
    # NULL, field by field; a credit has no price
    (bought("no-rate", "Sand", None), SILENT),
    (bought("no-price", "Sand", "0.00"), SILENT),
    (bought("credit", "Sand", "-100.00"), SILENT),
    *[(bought(f"unnamed-{place}", None, "10.00"), SILENT) for place in range(9)],
    (bought("no-name", None, "100.00"), SILENT),
    *peers("Orphan", 9, vendor=None),
    (bought("no-vendor", "Orphan", "100.00", None), SILENT),
    *peers("Untyped", 9, kind=None),
    (bought("no-type", "Untyped", "100.00", kind=None), "100.00"),
    (bought("no-total", "Sand", "100.00", nrbTotalAfterMarkup=None), None),
]
ACCOUNT = Account([body for body, _ in CASES])


def test_fires_on_exactly_these():
    assert ACCOUNT.risks(RULE) == firing(CASES)


def test_reason_and_evidence():
    hit = ACCOUNT.findings(RULE)["steady"]
    assert (hit["reason"], hit["severity"], hit["key"]) == ("rate 100, usually about 10.0", "low", {})
    assert hit["evidence"] == {
        "vendor_code": "BIT",
        "type_name": "Other",
        "name": "Steady",
        "rate": "100.000000",
        "usual": 10.0,
        "peers": 19,
    }


def test_factor():
    assert "at-three-times" in ACCOUNT.findings(RULE, factor=Decimal("2.99"))
    assert "just-above" not in ACCOUNT.findings(RULE, factor=Decimal("3.01"))
    assert "below-a-third" not in ACCOUNT.findings(RULE, factor=Decimal("3.01"))


def test_min_peers():
    assert "seven-peers" in ACCOUNT.findings(RULE, min_peers=7)
    assert "eight-peers" not in ACCOUNT.findings(RULE, min_peers=9)
