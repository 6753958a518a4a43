"""nrb-markup-odd: a markup that is neither the contract's nor the one that its peers have."""

from decimal import Decimal

import pytest

from tests.world import SILENT, Account, firing, nrb

RULE = "nrb-markup-odd"


def bought(guid, vendor, markup, kind="Other", **changes):
    return nrb(guid, nrbVendorCode=vendor, nrbUpcharge=markup, nrbTypeName=kind, **changes)


def peers(vendor, count, markup="10", kind="Other"):
    return [(bought(f"{vendor}-{markup}-{place}", vendor, markup, kind), SILENT) for place in range(count)]


# markup.csv: vendor and type, vendor alone, type alone; of two that fit the vendor's row comes first.
MARKUPS = [("CSV", "Crane", "12.5"), ("csv ", None, "8"), (None, "Crane", "20"), ("FREE", None, "0")]
PEERS = [
    # the boundary of $min_peers = 5: five others with one markup
    *peers("FIVE", 5),
    (bought("odd", " five", "12"), "2.00"),
    *peers("FOUR", 4),
    (bought("too-few", "FOUR", "12"), SILENT),
    # the boundary of $min_share = 0.80 of the others: 8 of 10, then 8 of 11
    *peers("MOST", 8),
    *[(bought(f"most-{markup}", "MOST", markup), "1.00") for markup in ("11", "9")],
    (bought("most-odd", "MOST", "15"), "5.00"),
    *peers("LESS", 8),
    *[(bought(f"less-{markup}", "LESS", markup), SILENT) for markup in ("11", "9", "12", "15")],
    # other types of one vendor are no peers, and neither are costs that are not charged
    *peers("TYPES", 5, kind="Fuel"),
    (bought("other-type", "TYPES", "12", "Truck"), SILENT),
    *[(bought(f"ours-{place}", "OURS", "10", isInternal=True), SILENT) for place in range(5)],
    *[(bought(f"gift-{place}", "OURS", "10", nrbIsBillable=False), SILENT) for place in range(5)],
    (bought("beside-ours", "OURS", "12"), SILENT),
    (bought("internal", "FIVE", "12", isInternal=True), SILENT),
    # without a markup it is nrb-no-markup
    (bought("none", "FIVE", "0"), SILENT),
    # NULL, field by field
    (bought("no-markup", "FIVE", None), SILENT),
    *peers(None, 5),
    (bought("no-vendor", None, "12"), SILENT),
    *peers("UNTYPED", 5, kind=None),
    (bought("no-type", "UNTYPED", "12", None), "2.00"),
    *peers("NIL", 12),
    (bought("no-rate", "NIL", "12", nrbRate=None), None),
    (bought("no-quantity", "NIL", "12", nrbQuantity=None), None),
    # a difference of less than a cent
    (bought("tiny", "NIL", "12", nrbRate="0.01"), SILENT),
]
CONTRACT = [
    (bought("vendor-and-type", "CSV", "12", "crane"), "0.50"),
    (bought("as-agreed", "CSV", "12.5", "Crane"), SILENT),
    (bought("vendor-alone", "CSV", "10", "Fuel"), "2.00"),
    (bought("vendor-alone-as-agreed", "CSV", "8", "Fuel"), SILENT),
    (bought("type-alone", "OTHER", "10", "Crane"), "10.00"),
    (bought("no-row-fits", "OTHER", "10", "Fuel"), SILENT),
    # a contract counts for a cost without a markup, too, and may agree on none
    (bought("forgotten", "CSV", "0", "Fuel"), "8.00"),
    (bought("forgotten-null", "CSV", None, "Fuel"), "8.00"),
    (bought("none-agreed", "FREE", "0"), SILENT),
    (bought("none-agreed-null", "FREE", None), SILENT),
    (bought("charged-all-the-same", "FREE", "5"), "5.00"),
    # it counts before the peers
    *[(bought(f"free-{place}", "FREE", "5", "Fuel"), "5.00") for place in range(6)],
    # NULL, field by field
    (bought("no-vendor", None, "10", "Crane"), "10.00"),
    (bought("no-type", "CSV", "10", None), "2.00"),
    (bought("neither", None, "10", None), SILENT),
]
ACCOUNT = Account([body for body, _ in PEERS])
AGREED = Account([body for body, _ in CONTRACT], markups=MARKUPS)


def test_fires_on_exactly_these_beside_their_peers():
    assert ACCOUNT.risks(RULE) == firing(PEERS)


def test_fires_on_exactly_these_against_markup_csv():
    assert AGREED.risks(RULE) == firing(CONTRACT)


@pytest.mark.parametrize(
    ("account", "guid", "reason"),
    [
        (ACCOUNT, "odd", "markup 12 %, expected 10 % (most others of its vendor and type)"),
        (AGREED, "vendor-and-type", "markup 12 %, expected 12.5 % (markup.csv)"),
        (AGREED, "forgotten", "markup 0 %, expected 8 % (markup.csv)"),
    ],
)
def test_reason_and_key(account, guid, reason):
    hit = account.findings(RULE)[guid]
    assert (hit["reason"], hit["severity"], hit["key"]) == (reason, "low", {"reason": reason})


def test_min_peers():
    assert "too-few" in ACCOUNT.findings(RULE, min_peers=4)
    assert "odd" not in ACCOUNT.findings(RULE, min_peers=6)


def test_min_share():
    assert "less-11" in ACCOUNT.findings(RULE, min_share=Decimal("0.72"))
    assert "most-odd" not in ACCOUNT.findings(RULE, min_share=Decimal("0.81"))


def test_of_several_markups_with_that_share_the_most_frequent_is_expected():
    hit = ACCOUNT.findings(RULE, min_share=Decimal("0.05"))["less-11"]
    assert hit["reason"] == "markup 11 %, expected 10 % (most others of its vendor and type)"


def test_tolerance():
    assert "odd" in ACCOUNT.findings(RULE, tolerance=Decimal("1.99"))
    kept = ACCOUNT.findings(RULE, tolerance=Decimal("2.00"))
    assert "odd" not in kept and {"most-odd", "no-rate"} <= set(kept)


def test_the_order_of_markup_csv_changes_nothing():
    turned = Account([body for body, _ in CONTRACT], markups=MARKUPS[::-1])
    assert turned.risks(RULE) == firing(CONTRACT)
