"""What an explanation shows for each kind of subject: records, links, and what the vendors sent."""

import pytest

from auditkit.analysis.explain import explain
from tests.world import audited, invoice, line, nrb, related, unbilled


def undecided(job, *jobs):
    """n2 is perhaps on a line of its job's invoice, which also charges n1 of another job."""
    return {
        "nrbs": [
            nrb("n1", nrbJobOrderNumber="J-A", nrbBilledInName="INV-b"),
            unbilled("n2", "300.00", nrbJobOrderNumber=job, nrbInvoiceNumber="44719"),
        ],
        "invoices": [invoice([line("R1-n1", "60.00"), line("Crane 44719", "9.00")], "b", related=list(jobs))],
    }


TWINS = [nrb("n1", nrbInvoiceNumber="B-7"), nrb("n2", nrbInvoiceNumber="B-7"), nrb("n3")]
NO_JOB = [unbilled(guid, nrbJobOrderNumber=None, nrbInvoiceNumber="44719") for guid in ("n1", "n2")]
CASES = [
    # world, rule, subject, NRBs, invoices
    (undecided("J-B", related("J-B")), "job-variance", "J-B", ["n1", "n2"], ["b"]),
    (
        {"nrbs": NO_JOB, "invoices": [invoice([line("44719")], "b", related=[])]},
        "job-variance",
        "(no job)",
        ["n1", "n2"],
        ["b"],
    ),
    ({"nrbs": [unbilled("n1")]}, "job-unmapped", "JOB-1001", ["n1"], []),
    ({"nrbs": TWINS}, "nrb-duplicate", "n2", ["n1", "n2"], []),
    ({"invoices": [invoice([line()], "a/b", subtotal=7.0)]}, "invoice-subtotal", "a/b", [], ["a/b"]),
    ({"invoices": [invoice([line(quantity=2.0)], "a/b")]}, "line-arithmetic", "a/b/0", [], ["a/b"]),
    ({"nrbs": [nrb("bad", nrbRate="many")]}, "record-quarantined", "bad", ["bad"], []),
]


@pytest.mark.parametrize(("world", "rule", "subject", "nrbs", "invoices"), CASES)
def test_the_evidence_of_a_finding(tmp_path, world, rule, subject, nrbs, invoices):
    with audited(tmp_path, **world) as snapshot:
        (found,) = snapshot.query(
            "select * from finding where rule_id = $rule and subject_id = $subject", {"rule": rule, "subject": subject}
        ).records()
        why = explain(snapshot, found)
    assert list(why.parts["NRBs"]["guid"]) == nrbs and list(why.parts["Invoices"]["jnid"]) == invoices
    sent = {(row.subject_type, row.subject_id) for row in why.raw.itertuples()}
    assert sent == {*(("nrb", guid) for guid in nrbs or ([subject] if rule == "record-quarantined" else []))} | {
        ("invoice", jnid) for jnid in invoices
    }
    assert all(why.raw["digest_holds"]) and len(why.row) == 1
    assert ("Links" in str(why)) is bool(len(why.parts["Links"]))


def test_the_evidence_of_an_undecided_pair_term_by_term(tmp_path):
    with audited(tmp_path, **undecided("J-B", related("J-B"))) as snapshot:
        (found,) = snapshot.query("select * from finding where rule_id = 'nrb-link-undecided'").records()
        why = explain(snapshot, found)
    terms = "vendor's invoice number 44719 (plain) 2, an amount far from the NRB's -1"
    (pair,) = why.parts["Evidence"].to_dict("records")
    assert {name: str(value) for name, value in pair.items()} == {
        "nrb_guid": "n2",
        "line": "INV-b/1",
        "line_text": "Service: Crane 44719",
        "line_amount": "9.00",
        "kind": "name",
        "points": "1",
        "terms": terms,
    }
    assert list(why.parts["Not decided"]["line"]) == ["INV-b/1"]
    assert "auditkit links" in str(why) and terms in str(why)
