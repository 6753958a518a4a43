"""What an explanation shows for each kind of subject: records, links, and what the vendors sent."""

import pytest

from auditkit.analysis.explain import explain
from tests.world import audited, invoice, line, nrb, related, unbilled

CROSSED = {
    "nrbs": [nrb("n1", nrbJobOrderNumber="J-A", nrbBilledInName="INV-b"), nrb("n2", "70.00", nrbJobOrderNumber="J-B")],
    "invoices": [invoice([line("R1-n1", "60.00")], "b", related=[related("J-B")])],
}
TWINS = [nrb("n1", nrbInvoiceNumber="B-7"), nrb("n2", nrbInvoiceNumber="B-7"), nrb("n3")]
CASES = [
    # world, rule, subject, NRBs, invoices
    (CROSSED, "job-variance", "J-A", ["n1"], ["b"]),
    (CROSSED, "job-variance", "J-B", ["n1", "n2"], ["b"]),
    ({"nrbs": [unbilled("n1", nrbJobOrderNumber=None)]}, "job-variance", "(no job)", ["n1"], []),
    ({"nrbs": TWINS}, "nrb-duplicate", "n1", ["n1", "n2"], []),
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
