"""record-quarantined: what could not be typed, of either vendor."""

import pytest

from tests.world import amounts, audited, findings, invoice, line, subjects, unbilled

RULE = "record-quarantined"
NRBS = [
    unbilled("bad-money", nrbTotalAfterMarkup="1,000.00"),
    unbilled("bad-twice", nrbRate="NaN", nrbQuantity="1e3"),
    unbilled("good"),
    unbilled("all-null", None, nrbRate=None, nrbQuantity=None, nrbUpdatedAt=None),
]
INVOICES = [
    invoice([line("Labour", "1.00", cost="free")], "bad-line"),
    invoice([line("Labour", "1.00")], "good-invoice"),
]


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory):
    with audited(tmp_path_factory.mktemp(RULE), NRBS, INVOICES) as snapshot:
        yield snapshot


def test_it_fires_on_these_alone(snapshot):
    assert amounts(findings(snapshot, RULE)) == {"bad-money": None, "bad-twice": None, "bad-line": None}


@pytest.mark.parametrize(
    ("subject", "kind", "field", "reason"),
    [
        (
            "bad-money",
            "nrb",
            "nrbTotalAfterMarkup",
            'nrbTotalAfterMarkup: expected digits such as 862.50, found "1,000.00"',
        ),
        (
            "bad-twice",
            "nrb",
            "nrbRate, nrbQuantity",
            'nrbRate: expected digits such as 862.50, found "NaN";'
            ' nrbQuantity: expected digits such as 862.50, found "1e3"',
        ),
        ("bad-line", "invoice", "items[0].cost", 'items[0].cost: expected digits such as 862.50, found "free"'),
    ],
)
def test_it_says_of_what_vendor_and_which_fields(snapshot, subject, kind, field, reason):
    hit = findings(snapshot, RULE)[subject]
    assert (hit["subject_type"], hit["evidence"]["field"], hit["reason"]) == (kind, field, reason)
    assert hit["job_number"] is None


def test_a_refused_record_is_in_no_other_rule(snapshot):
    assert subjects(snapshot, "nrb-unbilled") == {"good", "all-null"}
