"""record-vanished: read before, gone from a complete list, and 404 by id."""

from datetime import timedelta

import pytest

from auditkit.corrections.tracking import Verdict
from tests.syncs import corrected
from tests.world import Account, invoice, line, noon, nrb

RULE = "record-vanished"
NRBS = [nrb("stays"), nrb("gone", "42.00"), nrb("gone-without-total", None)]
INVOICES = [invoice([line()], "i1"), invoice([line("other")], "i2", number="INV-2", total="7.00")]
LEFT = (NRBS[:1], INVOICES[:1])
ACCOUNT = Account(*LEFT, before=[(NRBS, INVOICES), LEFT])
FIRST = Account(NRBS, INVOICES)
BACK = Account(NRBS, INVOICES, before=[(NRBS, INVOICES), LEFT])


def test_fires_on_exactly_these():
    assert ACCOUNT.risks(RULE) == {"gone": "42.00", "gone-without-total": None, "i2": "7.00"}
    assert ACCOUNT.draft.query("select count(*) from nrb where guid like 'gone%'").scalar() == 0


def test_reason_evidence_and_key():
    found = ACCOUNT.findings(RULE)
    assert found["gone"]["reason"] == "last seen in sync 1, answered 404 in sync 2"
    assert (found["gone"]["subject_type"], found["gone"]["job_number"]) == ("nrb", "JOB-1001")
    assert (found["i2"]["subject_type"], found["i2"]["evidence"]["name"]) == ("invoice", "INV-2")
    assert found["gone"]["key"] == {}


def test_nothing_has_vanished_from_a_first_sync():
    assert FIRST.risks(RULE) == {}


def test_what_is_listed_again_has_not_vanished():
    assert BACK.risks(RULE) == {}
    spans = BACK.draft.query("select first_sync, last_sync from raw.nrb_body where guid = 'gone' order by 1").rows
    assert spans == [(1, 1), (3, 3)]


# ── What auditkit itself deactivated: JobNimbus may hide it, then it is no longer listed and answered 404 ────────────

GONE = invoice([line("other")], "i2", number="INV-2", total="7.00")
LATER = noon(1) + timedelta(hours=1)
VERIFIED = corrected(Verdict.VERIFIED, LATER)
OTHERWISE = [(number, at, "other", body, key) for number, at, _, body, key in VERIFIED]  # records of another kind
JOURNALS = {
    "verified": (VERIFIED, False),
    "active again since": (corrected(Verdict.VERIFIED, noon(1) - timedelta(hours=1)), True),
    "not verified": (corrected(Verdict.UNKNOWN, LATER), True),
    "another operation": (corrected(Verdict.VERIFIED, LATER, "edit-invoice"), True),
    "another operation, after one that was not verified": (
        [*corrected(Verdict.UNKNOWN, LATER), *corrected(Verdict.VERIFIED, LATER, "edit-invoice", plan="ba9876543210")],
        True,
    ),
    "another invoice": (corrected(Verdict.VERIFIED, LATER, jnid="i3"), True),
    "an intent of another kind": ([OTHERWISE[0], VERIFIED[1]], True),
    "a verdict of another kind": ([VERIFIED[0], OTHERWISE[1]], True),
    "nobody": ([], True),
}
HIDDEN = {name: Account(before=[([], [GONE])], journal=journal) for name, (journal, _) in JOURNALS.items()}
SEEN_VOID = Account(before=[([], [GONE]), ([], [{**GONE, "is_active": False}])], journal=VERIFIED)
# Active in sync 2, although it was deactivated after sync 1; and an NRB that has the id of a deactivated invoice.
ACTIVE_AGAIN = Account(before=[([], [GONE]), ([], [GONE])], journal=VERIFIED)
NRB_OF_ITS_ID = Account(before=[([nrb("i2", "42.00")], [GONE])], journal=VERIFIED)


@pytest.mark.parametrize("name", JOURNALS)
def test_a_deactivation_that_auditkit_verified_is_not_a_vanished_record(name):
    assert set(HIDDEN[name].risks(RULE)) == ({"i2"} if JOURNALS[name][1] else set())


def test_an_invoice_that_was_active_again_when_it_was_last_seen():
    assert ACTIVE_AGAIN.risks(RULE) == {"i2": "7.00"}


def test_only_invoices_are_deactivated():
    assert NRB_OF_ITS_ID.risks(RULE) == {"i2": "42.00"}


def test_an_invoice_that_was_seen_deactivated_before_it_was_hidden():
    assert SEEN_VOID.risks(RULE) == {}
