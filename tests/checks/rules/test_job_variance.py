"""job-variance: more of a job's cost is undecided than the lines that may carry it charge."""

from decimal import Decimal

from tests.world import SILENT, Account, invoice, line, nrb, related, unbilled

RULE = "job-variance"


def job(number, nrbs, invoices):
    """The NRBs and the invoices of one job."""
    return (
        number,
        [{**body, "nrbJobOrderNumber": number} for body in nrbs],
        [{**body, "related": [related(number, number and f"J-{number}")] if number else []} for body in invoices],
    )


def marked(guid, total, jnid):
    """An NRB marked with an invoice; nothing on a line names it but its amount."""
    return nrb(guid, total, nrbBilledInName=f"INV-{jnid}")


def tied(prefix, count, total="50.00"):
    """NRBs of one amount, marked with one invoice: with fewer lines of that amount, nothing tells them apart."""
    return [marked(f"{prefix}{number}", total, prefix) for number in range(count)]


def sold(prefix, *amounts, **changes):
    return invoice([line(f"Part {place}", amount) for place, amount in enumerate(amounts)], prefix, **changes)


CASES = [
    # three of 50.00, and lines for two: one of them cannot have been billed
    (job("TIED-1", tied("a", 3), [sold("a", "50.00", "50.00")]), "50.00"),
    # the job charges more on another invoice, so that one may be there
    (job("ELSEWHERE-2", tied("b", 3), [sold("b", "50.00", "50.00"), sold("b2", "49.99")]), "0.01"),
    (job("ENOUGH-3", tied("c", 3), [sold("c", "50.00", "50.00"), sold("c2", "50.00")]), SILENT),
    # a credit carries no cost
    (job("CREDIT-4", tied("d", 3), [sold("d", "50.00", "50.00"), sold("d2", "-60.00")]), "50.00"),
    (job("DRAFT-5", tied("e", 3), [sold("e", "50.00", "50.00"), sold("e2", "60.00", status_name="Draft")]), "50.00"),
    (job("ONLY-DRAFT-19", tied("w", 3), [sold("w", "50.00", "50.00", status_name="Draft")]), SILENT),
    # a credit among the costs is taken off
    (
        job(
            "NET-6",
            [*tied("f", 3), *tied("f-minus-", 2, "-20.00")],
            [sold("f", "50.00", "50.00"), sold("f-minus-", "-20.00")],
        ),
        "10.00",
    ),
    # what single costs show is not repeated here
    (job("UNBILLED-7", [unbilled("g", "862.50")], [sold("g", "1.00")]), SILENT),
    (job("NOTHING-8", [unbilled("h", "862.50")], []), SILENT),
    (job("LABOR-9", [], [sold("i", "70.00")]), SILENT),
    (job("PART-10", [nrb("j", "50.00")], [invoice([line("R1-j", "40.00")], "j")]), SILENT),
    (job("OVER-11", [nrb("k", "50.00")], [invoice([line("R1-k", "60.00")], "k")]), SILENT),
    (job("CREDITED-12", [nrb("l", "50.00")], [invoice([line("R1-l", "50.00"), line("R1-l", "-50.00")], "l")]), SILENT),
    (job("TWICE-13", [nrb("m", "50.00")], [invoice([line("R1-m", "50.00"), line("R1-m", "50.00")], "m")]), SILENT),
    (job("NOT-ON-IT-14", [marked("n", "50.00", "n")], [sold("n", "9.00")]), SILENT),
    (job("NOT-FOUND-15", [marked("o", "50.00", "404")], [sold("o", "9.00")]), SILENT),
    (job("OWN-16", [unbilled("p", "50.00", isInternal=True)], [sold("p", "9.00")]), SILENT),
    # cost that is billed within rounding, or less the vendor's tax, is billed
    (
        job(
            "LUMP-17",
            [nrb("q1", "10.00"), nrb("q2", "20.00"), nrb("q3", "30.00")],
            [invoice([line("R1-q1 R1-q2 R1-q3", "59.99")], "q")],
        ),
        SILENT,
    ),
    (job("TAX-18", [nrb("r", "105.00", nrbVendorTax="5.00")], [invoice([line("R1-r", "100.00")], "r")]), SILENT),
    # no job is a subject of its own, and a job may be called what the missing job is called
    (job(None, tied("t", 3), [sold("t", "50.00", "50.00")]), "50.00"),
    (job("(no job)", tied("u", 3), [sold("u", "50.00", "50.00")]), "50.00"),
    (job("(no job).", tied("v", 3), [sold("v", "50.00", "50.00")]), "50.00"),
]  # fmt: skip
SUBJECTS = {None: "(no job)", "(no job)": "(no job).", "(no job).": "(no job).."}


def expected(cases):
    return {SUBJECTS.get(number, number): risk for (number, _, _), risk in cases if risk != SILENT}


def account(cases, **changes):
    nrbs = [body for (_, booked, _), _ in cases for body in booked]
    return Account(nrbs, [body for (_, _, invoices), _ in cases for body in invoices], **changes)


ACCOUNT = account(CASES)


def test_fires_on_exactly_these():
    assert ACCOUNT.risks(RULE) == expected(CASES)


def test_reason_and_evidence():
    hit = ACCOUNT.findings(RULE)["TIED-1"]
    assert hit["reason"] == "cost of 150.00 is undecided, but the lines that may carry it charge 100.00"
    assert (hit["job_number"], hit["severity"]) == ("TIED-1", "high")
    assert hit["evidence"] == {
        "verdict": "undecided",
        "undecided_total": "150.00",
        "open_line_total": "100.00",
        "billable_total": "150.00",
        "invoice_total": "100.00",
    }
    assert hit["key"] == {"verdict": "undecided"}
    assert ACCOUNT.findings(RULE)["(no job)"]["job_number"] is None


def test_each_undecided_cost_is_found_on_its_own():
    tied_ones = {f"{prefix}{number}" for prefix in "abcdetuv" for number in range(3)}
    assert tied_ones <= set(ACCOUNT.findings("nrb-link-undecided"))


def test_tolerance():
    assert "ELSEWHERE-2" not in ACCOUNT.findings(RULE, tolerance=Decimal("0.01"))
    assert "NET-6" in ACCOUNT.findings(RULE, tolerance=Decimal("9.99"))
    assert "NET-6" not in ACCOUNT.findings(RULE, tolerance=Decimal("10.00"))


# A cost whose reference is on another job's invoice may have been billed there.
AWAY = account(
    [
        (job("HOME-1", [unbilled("way", "50.00", nrbOriginReference="REF-4711")], [sold("home", "1.00")]), SILENT),
        (job("AWAY-2", [], [invoice([line("REF-4711", "50.00")], "away")]), SILENT),
        (job("AWAY-2", [nrb("other", "9.00", nrbBilledInName="INV-other")], [sold("other", "9.00")]), SILENT),
    ]
)
AWAY_FOR_LESS = account(
    [
        (job("HOME-1", [unbilled("way", "50.00", nrbOriginReference="REF-4711")], [sold("home", "1.00")]), SILENT),
        (job("AWAY-2", [], [invoice([line("REF-4711", "40.00"), line("Labor", "30.00")], "away")]), SILENT),
        (job("AWAY-2", [nrb("other", "9.00", nrbBilledInName="INV-other")], [sold("other", "9.00")]), SILENT),
    ]
)


def test_candidates_on_other_jobs_invoices_count():
    assert set(AWAY.findings("nrb-other-job")) == set(AWAY_FOR_LESS.findings("nrb-link-undecided")) == {"way"}
    assert AWAY.risks(RULE) == {}
    assert AWAY_FOR_LESS.risks(RULE) == {"HOME-1": "9.00"}


def unread(related_job, **changes):
    """A job with one cost too many, and an invoice that could not be read."""
    hidden = invoice([line("Labor", "1.00")], "hidden", related=[related(related_job)], subtotal="free")
    _, nrbs, invoices = job("TIED-1", tied("a", 3), [sold("a", "50.00", "50.00")])
    return Account(nrbs, [*invoices, {**hidden, **changes}])


HIDDEN = unread("TIED-1")
OTHER_HIDDEN = unread("X-9")
READ = unread("X-9", subtotal="1.00")
NRB_UNREAD = account(
    [
        (
            job("TIED-1", [*tied("a", 3), nrb("own", isInternal=True, nrbRate="free")], [sold("a", "50.00", "50.00")]),
            SILENT,
        )
    ]
)
NO_JOB = account(
    [(job(None, tied("a", 3), [sold("a", "50.00", "50.00"), sold("hidden", "1.00", subtotal="free")]), SILENT)]
)


def test_an_invoice_that_could_not_be_read_may_carry_the_rest():
    assert HIDDEN.risks(RULE) == NO_JOB.risks(RULE) == {}
    assert OTHER_HIDDEN.risks(RULE) == NRB_UNREAD.risks(RULE) == READ.risks(RULE) == {"TIED-1": "50.00"}
