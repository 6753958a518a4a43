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


def test_records_of_both_vendors_may_have_one_id(tmp_path):
    """Nothing keeps the ids of two vendors apart; each is a finding with a fingerprint of its own."""
    nrbs = [unbilled("same", nrbTotalAfterMarkup="free"), unbilled("nrb x"), unbilled("x", nrbRate="1e3")]
    with audited(tmp_path, nrbs, [invoice([line(cost="free")], "same")]) as snapshot:
        sql = "select subject_type, subject_id from finding where rule_id = $rule order by all"
        rows = snapshot.query(sql, {"rule": RULE}).rows
        fingerprints = snapshot.query("select count(distinct fingerprint) from finding where rule_id = $r", {"r": RULE})
    assert rows == [("invoice", "same"), ("nrb", "same"), ("nrb", "x")]
    assert fingerprints.scalar() == 3


def test_a_refused_record_is_in_no_other_rule(snapshot):
    assert subjects(snapshot, "nrb-unbilled") == {"good", "all-null"}
