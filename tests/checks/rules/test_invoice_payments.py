"""invoice-payments: the payments against the amount that the invoice shows as paid."""

from decimal import Decimal

from tests.world import SILENT, Account, firing, invoice, line

RULE = "invoice-payments"


def paid(jnid, total_paid, *payments, **changes):
    return invoice([line("Labor", "100.00")], jnid, total_paid=total_paid, payments=list(payments), **changes)


def of(amount, **changes):
    return {"jnid": "P", "amount": amount, **changes}


CASES = [
    (paid("one-missing", "100.00", of("60.00")), "40.00"),
    (paid("one-too-many", "100.00", of(100), of("60.00")), "60.00"),
    (paid("a-cent", "100.00", of("99.99")), "0.01"),
    (paid("equal", "100.00", of(60.5), of("39.50")), SILENT),
    (paid("refunded", "0.00", of("100"), of("-100.00")), SILENT),
    (paid("zeros-behind", "33.30", of("33.3000")), SILENT),
    (paid("void", "100.00", of("60.00"), is_active=False), SILENT),
    (paid("draft", "100.00", of("60.00"), status_name="Draft"), SILENT),
    # what cannot be read is not compared
    (paid("unreadable", "100.00", of("60.00"), of("forty")), SILENT),
    (paid("fraction-of-a-cent", "100.00", of("60.001")), SILENT),
    (paid("too-long", "100.00", of("1234567890123456")), SILENT),
    # NULL, field by field
    (paid("no-amount", "100.00", of("60.00"), of(None)), SILENT),
    (paid("other-fields", "100.00", {"jnid": "P"}), SILENT),
    (paid("no-payments", "100.00"), SILENT),
    (paid("no-total-paid", None, of("60.00")), SILENT),
    (paid("no-status", "100.00", of("60.00"), status_name=None), "40.00"),
]
ACCOUNT = Account([], [body for body, _ in CASES])


def test_fires_on_exactly_these():
    assert ACCOUNT.risks(RULE) == firing(CASES)


def test_reason_and_evidence():
    hit = ACCOUNT.findings(RULE)["one-too-many"]
    assert (hit["reason"], hit["severity"], hit["key"]) == ("its payments sum to 160.00", "low", {})
    assert hit["evidence"] == {
        "number": "INV-one-too-many",
        "total_paid": "100.00",
        "payments": "160.00",
        "payment_count": 2,
    }


def test_tolerance():
    assert "a-cent" not in ACCOUNT.findings(RULE, tolerance=Decimal("0.01"))
    assert "one-missing" in ACCOUNT.findings(RULE, tolerance=Decimal("39.99"))
    assert "one-missing" not in ACCOUNT.findings(RULE, tolerance=Decimal("40.00"))
