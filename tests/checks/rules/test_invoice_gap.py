"""invoice-gap: a number that is missing inside a series."""

from tests.world import Account, invoice, line

RULE = "invoice-gap"


def series(prefix, *places, width=1, **changes):
    """Invoices with these numbers; their jnid is the number."""
    numbers = [f"{prefix}{place:0{width}d}" for place in places]
    return [invoice([line("Labor", "1.00")], number, number=number, **changes) for number in numbers]


INVOICES = [
    *series("A-", *range(1, 10), 11),  # ten numbers, 10 is missing
    *series("B-", *range(1, 9), 10),  # nine numbers are no series
    *series("C-", *range(1, 10), 30),  # twenty are missing
    *series("D-", *range(1, 10), 31),  # a jump over twenty-one starts another range
    *series("E-", *range(95, 105)),  # from two digits to three
    *series("F-", *range(95, 105), width=4),
    *series("G-", *range(1, 11)),
    # a void invoice and a draft hold their number, and of two with one number the issued one is named
    *series("H-", *range(1, 10), 12),
    *series("H-", 10, is_active=False),
    invoice([], "0-void", number="H-12", is_active=False),
    *series("I-", *range(1, 10), 11),
    *series("I-", 10, status_name="Draft"),
    # one series, whatever the case
    *series("j-", 1, 3, 5, 7, 9),
    *series("J-", 2, 4, 6, 8, 10),
    # NULL and what has no digits at its end
    invoice([], "B", number="B-"),
    *[invoice([], f"none-{place}", number=None) for place in range(12)],
    *[invoice([], f"word-{place}", number=f"{place}-A") for place in range(0, 24, 2)],
    *[invoice([], f"long-{place}", number=f"{place:016d}") for place in range(0, 24, 2)],
]
ACCOUNT = Account([], INVOICES)


def test_fires_on_the_invoice_after_the_gap():
    found = ACCOUNT.findings(RULE)
    assert {jnid: hit["evidence"]["missing"] for jnid, hit in found.items()} == {"A-11": 1, "C-30": 20, "H-12": 1}
    assert {hit["amount_at_risk"] for hit in found.values()} == {None}


def test_reason_and_evidence():
    found = ACCOUNT.findings(RULE)
    assert found["A-11"]["reason"] == "one number is missing before A-11"
    assert found["C-30"]["reason"] == "20 numbers are missing before C-30"
    evidence = found["C-30"]["evidence"]
    assert (evidence["first_missing"], evidence["last_missing"]) == (10, 29)
    assert found["C-30"]["key"] == {"first_missing": 10, "last_missing": 29}


def test_min_numbers():
    assert set(ACCOUNT.findings(RULE, min_numbers=9)) == {"A-11", "B-10", "C-30", "H-12"}
    assert set(ACCOUNT.findings(RULE, min_numbers=11)) == {"H-12"}


def test_max_missing():
    assert "D-31" in ACCOUNT.findings(RULE, max_missing=21)
    assert "C-30" not in ACCOUNT.findings(RULE, max_missing=19)


# What is there and could not be read is not missing.
SEVERAL = [*series("A-", *range(1, 10), 11), *series("B-", *range(1, 10), 13)]
UNREAD = [invoice([], "unread", number=["A-10"])]
UNREAD_ACCOUNT = Account([], [*SEVERAL, *UNREAD])
UNREAD_TWICE = Account([], [*SEVERAL, *UNREAD, invoice([], "A-11-again", number=["A-11"])])
# One whose identity could not be read holds its number all the same.
BROKEN = invoice([], ["broken"], number="A-10")
BROKEN_ACCOUNT = Account([], [*SEVERAL, BROKEN])
# A number that was sent as a number is read, whatever else of the invoice is not.
AS_NUMBERS = [invoice([], f"n{place}", number=place) for place in (*range(1, 10), 11)]
AS_NUMBERS_ACCOUNT = Account([], [*AS_NUMBERS, invoice([], "n12", number=12, subtotal="free")])
UNNUMBERED_ACCOUNT = Account([], [*SEVERAL, *[invoice([], f"u{n}", number={"is": n}) for n in range(3)]])


def test_invoices_that_could_not_be_read_hold_their_numbers():
    assert set(UNREAD_ACCOUNT.findings(RULE)) == {"B-13"}
    assert set(UNREAD_TWICE.findings(RULE)) == {"B-13"}


def test_a_gap_is_silent_while_as_many_numbers_could_not_be_read():
    assert set(BROKEN_ACCOUNT.findings(RULE)) == {"B-13"}
    assert set(UNNUMBERED_ACCOUNT.findings(RULE)) == set()
    assert set(AS_NUMBERS_ACCOUNT.findings(RULE)) == {"n11"}


def test_unread_nrbs_hold_no_invoice_numbers():
    nrbs = [{"nrbGuid": f"n{n}", "nrbRate": "free", "number": "A-10"} for n in range(5)]
    assert set(Account(nrbs, SEVERAL).findings(RULE)) == {"A-11", "B-13"}
