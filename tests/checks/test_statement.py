"""The bridge from cost to invoice: each row, by every scope, on random worlds, and the rules that rows equal."""

from collections import Counter
from datetime import date
from decimal import Decimal
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditkit.checks import reconcile
from auditkit.checks.rules import load_rules, load_steps, read_step
from auditkit.sql import read
from tests import world
from tests.world import AS_OF, audited, invoice, line, ms, reconciled, related, seconds, workbench

D = Decimal
COST_ROWS = [
    "cost_booked",
    "internal",
    "not_billable",
    "never_invoiced",
    "look_first",
    "line_missing",
    "invoice_missing",
    "on_void",
    "on_draft",
    "under_billed",
    "undecided",
    "marked_several",
    "unreadable",
    "credited_back",
    "reversed",
    "over_billed",
    "charged_twice",
    "rounding",
    "billed_by_name",
    "billed_by_mark",
    "billed_by_amount",
]
INVOICE_ROWS = [
    "free_billed",
    "other_lines",
    "discounts",
    "lines_to_subtotal",
    "tax",
    "subtotal_to_total",
    "invoice_total",
]
SUBTOTALS = {
    "billable_cost": ("cost_booked", "internal", "not_billable"),
    "unbilled": (
        *("never_invoiced", "look_first", "line_missing", "invoice_missing", "on_void", "on_draft", "under_billed"),
    ),
    "billed_cost": ("billed_by_name", "billed_by_mark", "billed_by_amount"),
}
TIMING = {"job": ("to_other_jobs", "from_other_jobs"), "month": ("to_other_months", "from_other_months")}
ROWS = {
    "all": {*COST_ROWS, *SUBTOTALS, *INVOICE_ROWS, "difference"},
    "job": {*COST_ROWS, *SUBTOTALS, *TIMING["job"], *INVOICE_ROWS, "difference"},
    "month": {*COST_ROWS, *SUBTOTALS, *TIMING["month"], *INVOICE_ROWS, "difference"},
    "vendor": {*COST_ROWS, *SUBTOTALS, "difference"},
    "type": {*COST_ROWS, *SUBTOTALS, "difference"},
}


@pytest.fixture(scope="module")
def bench():
    with workbench() as draft:
        yield draft


def statements(draft):
    """(scope, key) → code → (amount, gross, items)."""
    found = {}
    for scope, key, code, *figures in draft.query("select scope, key, code, amount, gross, items from statement").rows:
        rows = found.setdefault((scope, key), {})
        assert code not in rows
        rows[code] = tuple(figures)
    return found


def statement(draft, scope="all", key=""):
    return statements(draft)[scope, key]


def shown(rows):
    """The rows that hold something, without subtotals: code → (amount, items)."""
    return {
        code: (str(amount), items)
        for code, (amount, _, items) in rows.items()
        if items and code not in SUBTOTALS and code != "difference"
    }


def nrb(guid, total, **changes):
    return world.nrb(guid, total, **{"nrbOriginReference": f"R10-{guid}", **changes})


def unbilled(guid, total, **changes):
    return nrb(guid, total, **{"nrbBilledInName": None, **changes})


def billed(guid, total, **changes):
    return nrb(guid, total, **{"nrbBilledInName": f"INV-{guid}", **changes})


# (NRBs, invoices, the row that they are in). Amounts are powers of two, so that a row tells which cases it holds.
COST = [
    ([unbilled("int", "1.00", isInternal=True)], [], "internal"),
    ([billed("int2", "2.00", isInternal=True)], [invoice([line("R10-int2", "0.50")], "int2")], "internal"),
    ([unbilled("not", "4.00", nrbIsBillable=False)], [], "not_billable"),
    ([unbilled("acc", "8.00", nrbIsBillable=None, nrbAccountType="Not Billable")], [], "not_billable"),
    ([unbilled("unb", "16.00")], [], "never_invoiced"),
    ([unbilled("neg", "-32.00")], [], "never_invoiced"),
    ([billed("lost", "64.00")], [], "invoice_missing"),
    ([billed("void", "128.00")], [invoice([line("R10-void", "1.00")], "void", is_active=False)], "on_void"),
    ([billed("void2", "256.00")], [invoice([], "void2", is_active=False)], "on_void"),
    ([billed("draft", "512.00")], [invoice([line("R10-draft", "1.00")], "draft", status_name="Draft")], "on_draft"),
    ([billed("draft2", "1024.00")], [invoice([], "draft2", status_name="Draft")], "on_draft"),
    ([billed("gone", "2048.00")], [invoice([line("Gift", "0.25")], "gone")], "line_missing"),
    (
        [unbilled("named", "4096.00", nrbExternalId="E-9012")],
        [invoice([line("Gift", "0.25")], "named", external_id="E-9012")],
        "line_missing",
    ),
    ([billed("bare", "8192.00")], [invoice([], "bare")], "unreadable"),
    (
        [billed("twins", "16384.00", nrbBilledInName="SAME-1")],
        [invoice([line("Gift", "0.25")], f"twins{place}", number="SAME-1") for place in range(2)],
        "marked_several",
    ),
    ([unbilled("asked", "32768.00", nrbInvoiceNumber="44719")], [invoice([line("Crane 44719", "9.00")])], "undecided"),
    (
        [unbilled("back", "65536.00")],
        [invoice([line("R10-back", "65536.00"), line("Credit R10-back", "-65536.00")], "back")],
        "credited_back",
    ),
]


def test_cost_that_no_issued_line_charges_for(bench):
    reconciled(bench, [n for nrbs, _, _ in COST for n in nrbs], [i for _, invoices, _ in COST for i in invoices])
    rows = statement(bench)
    for code in {code for _, _, code in COST}:
        held = [D(nrbs[0]["nrbTotalAfterMarkup"]) for nrbs, _, row in COST if row == code]
        assert rows[code] == (-sum(held), sum(map(abs, held)), len(held)), code
    assert rows["cost_booked"][2] == len(COST)
    assert rows["difference"] == (0, 0, 0)


@pytest.mark.parametrize(
    ("nrbs", "invoices", "links", "expected"),
    [
        pytest.param(
            [billed("a", "10.00"), billed("b", "20.00", nrbBilledInName="INV-a")],
            [invoice([line("Labor", "10.00"), line("Material", "15.00")], "a")],
            [("b", "a", 1)],
            {
                "cost_booked": ("30.00", 2),
                "under_billed": ("-5.00", 1),
                "billed_by_name": ("15.00", 1),
                "billed_by_mark": ("10.00", 1),
                "invoice_total": ("25.00", 1),
            },
            id="by mark, and by hand for less",
        ),
        pytest.param(
            [billed("a", "10.00"), billed("b", "20.00", nrbBilledInName="INV-a")],
            [invoice([line("R10-a", "12.00"), line("R10-b", "17.00")], "a")],
            [],
            {
                "cost_booked": ("30.00", 2),
                "under_billed": ("-3.00", 1),
                "over_billed": ("2.00", 1),
                "billed_by_name": ("29.00", 2),
                "invoice_total": ("29.00", 1),
            },
            id="differences that offset each other are apart",
        ),
        pytest.param(
            [billed("a", "10.00", isInternal=True), billed("b", "20.00", nrbBilledInName="INV-a", nrbIsBillable=False)],
            [invoice([line("R10-a", "10.00"), line("R10-b", "21.00")], "a")],
            [],
            {
                "cost_booked": ("30.00", 2),
                "internal": ("-10.00", 1),
                "not_billable": ("-20.00", 1),
                "free_billed": ("31.00", 2),
                "invoice_total": ("31.00", 1),
            },
            id="lines that carry internal and non-billable cost",
        ),
        pytest.param(
            [],
            [invoice([line("Work", "50.00"), line("Gift", "0.00"), line("N", None, price=None), line("Off", "-8.00")])],
            [],
            {"other_lines": ("50.00", 3), "discounts": ("-8.00", 1), "invoice_total": ("42.00", 1)},
            id="other lines and discounts",
        ),
        pytest.param(
            [],
            [invoice([line("Labor", "50.00")], subtotal="53.00", tax="2.50", total="56.00")],
            [],
            {
                "other_lines": ("50.00", 1),
                "lines_to_subtotal": ("3.00", 1),
                "tax": ("2.50", 1),
                "subtotal_to_total": ("0.50", 1),
                "invoice_total": ("56.00", 1),
            },
            id="subtotal, tax and total",
        ),
        pytest.param(
            [billed("a", None)],
            [invoice([line("R10-a", "10.00")], "a", subtotal=None, tax=None, total=None)],
            [],
            {
                "cost_booked": ("0.00", 1),
                "over_billed": ("10.00", 1),
                "billed_by_name": ("10.00", 1),
                "subtotal_to_total": ("-10.00", 1),
                "invoice_total": ("0.00", 1),
            },
            id="what is NULL counts as 0.00",
        ),
        pytest.param(
            [billed("a", "9.00"), billed("b", "3.00")],
            [invoice([line("both", "10.00")], "a")],
            [("a", "a", 0), ("b", "a", 0)],
            {
                "cost_booked": ("12.00", 2),
                "under_billed": ("-2.00", 2),
                "billed_by_name": ("10.00", 2),
                "invoice_total": ("10.00", 1),
            },
            id="a line shared by two",
        ),
        pytest.param(
            [billed("a", "9.00"), billed("b", "3.00")],
            [invoice([line("R10-a and R10-b", "12.01")], "a")],
            [],
            {
                "cost_booked": ("12.00", 2),
                "rounding": ("0.01", 1),
                "billed_by_name": ("12.01", 2),
                "invoice_total": ("12.01", 1),
            },
            id="a line shared by two, and rounded",
        ),
        pytest.param(
            [billed("a", "9.00")],
            [invoice([line("R10-a", "9.00")], "a"), invoice([line("R10-a", "9.00")], "b")],
            [],
            {
                "cost_booked": ("9.00", 1),
                "charged_twice": ("9.00", 1),
                "billed_by_name": ("18.00", 2),
                "invoice_total": ("18.00", 2),
            },
            id="charged twice",
        ),
        pytest.param(
            [unbilled("a", "9.00", nrbInvoiceNumber="AP-9"), unbilled("b", "-9.00", nrbInvoiceNumber="AP-9")],
            [],
            [],
            {"cost_booked": ("0.00", 2), "reversed": ("0.00", 2)},
            id="reversed in Aimsio",
        ),
        pytest.param(
            [billed("a", "12.00")],
            [
                invoice([line("half", "8.00")], "a"),
                invoice([line("half", "2.00")], "b", is_active=False),
                invoice([line("half", "2.00")], "c", status_name="draft"),
            ],
            [("a", "a", 0), ("a", "b", 0), ("a", "c", 0)],
            {
                "cost_booked": ("12.00", 1),
                "under_billed": ("-4.00", 1),
                "billed_by_name": ("8.00", 1),
                "invoice_total": ("8.00", 1),
            },
            id="one NRB on an issued, a void and a draft line",
        ),
        pytest.param(
            [],
            [
                invoice(
                    [line("Welder", "50.00", labor={"price": "30", "amount": "30.00"})], subtotal="80.00", total="80.00"
                )
            ],
            [],
            {"other_lines": ("80.00", 1), "invoice_total": ("80.00", 1)},
            id="labor that is charged beside the amount of its line",
        ),
        pytest.param(
            [billed("a", "50.00")],
            [
                invoice(
                    [line("R10-a", "50.00", labor={"price": "30", "amount": "30.00"})],
                    "a",
                    subtotal="80.00",
                    total="80.00",
                )
            ],
            [],
            {
                "cost_booked": ("50.00", 1),
                "billed_by_name": ("50.00", 1),
                "other_lines": ("30.00", 1),
                "invoice_total": ("80.00", 1),
            },
            id="labor beside a line that carries cost",
        ),
        pytest.param([], [], [], {}, id="nothing at all"),
    ],
)
def test_rows(bench, nrbs, invoices, links, expected):
    reconciled(bench, nrbs, invoices, links=links)
    rows = statement(bench)
    assert shown(rows) == expected
    assert rows["difference"] == (0, 0, 0)


@pytest.mark.parametrize(("setting", "footing"), [("auto", ("0.00", 0)), ("no", ("0.00", 0)), ("yes", ("30.00", 1))])
def test_labor_beside_a_line_by_setting(bench, setting, footing):
    lines = [line("Welder", "50.00", labor={"price": "30", "amount": "30.00"})]
    reconciled(bench, [], [invoice(lines, subtotal="80.00", total="80.00")], labor_in_amount=setting)
    amount, _, items = statement(bench)["lines_to_subtotal"]
    assert (str(amount), items) == footing
    assert statement(bench)["difference"] == (0, 0, 0)


# ── By job, month, vendor and type ──────────────────────────────────────────────────────────────────────────────────


AUGUST, SEPTEMBER = date(2026, 8, 20), date(2026, 9, 10)
NO_DAY = {"nrbInvoiceDate": None, "nrbCreatedAt": None}
CROSSING = (
    [
        billed("a", "10.00", nrbJobOrderNumber="JOB-1"),
        billed("b", "20.00", nrbJobOrderNumber=" job-1", nrbBilledInName="INV-x", nrbInvoiceDate=ms(AUGUST)),
        unbilled("c", "4.00", nrbJobOrderNumber=None, nrbVendorCode=None, nrbTypeName=None, **NO_DAY),
        nrb("d", "8.00", nrbJobOrderNumber="JOB-2", nrbBilledInName="INV-x", nrbVendorCode="ACE", nrbTypeName="Rental"),
        nrb("e", "1.00", nrbJobOrderNumber="JOB-1", nrbBilledInName="INV-s"),
        nrb("f", "2.00", nrbJobOrderNumber="JOB-2", nrbBilledInName="INV-s"),
    ],
    [
        invoice([line("R10-a", "10.00")], "a", related=[related("Job-1 ")]),
        invoice(
            [line("R10-b", "20.00"), line("R10-d", "6.00"), line("Labor", "5.00")],
            "x",
            tax="1.00",
            related=[related("JOB-2", "J2")],
        ),
        invoice([line("Labor", "3.00"), line("Off", "-1.00")], "n", related=[], date_invoice=None, date_created=None),
        invoice(
            [line("R10-e", "1.00"), line("R10-f", "2.00")], "s", related=[related("JOB-1"), related("JOB-2", "J2")]
        ),
    ],
)
BY_SCOPE = {
    ("all", ""): {
        "cost_booked": 45, "never_invoiced": -4, "under_billed": -2, "billed_by_name": 39, "other_lines": 8,
        "discounts": -1, "tax": 1, "invoice_total": 47,
    },
    ("job", " job-1"): {"cost_booked": 31, "billed_by_name": 31, "to_other_jobs": -21, "invoice_total": 10},
    ("job", "JOB-2"): {
        "cost_booked": 10, "under_billed": -2, "billed_by_name": 8, "to_other_jobs": -2, "from_other_jobs": 20,
        "other_lines": 5, "tax": 1, "invoice_total": 32,
    },
    ("job", "(several)"): {"from_other_jobs": 3, "invoice_total": 3},
    ("job", None): {"cost_booked": 4, "never_invoiced": -4, "other_lines": 3, "discounts": -1, "invoice_total": 2},
    ("month", "2026-08"): {"cost_booked": 20, "billed_by_name": 20, "to_other_months": -20},
    ("month", "2026-09"): {
        "cost_booked": 21, "under_billed": -2, "billed_by_name": 19, "from_other_months": 20, "other_lines": 5,
        "tax": 1, "invoice_total": 45,
    },
    ("month", None): {"cost_booked": 4, "never_invoiced": -4, "other_lines": 3, "discounts": -1, "invoice_total": 2},
    ("vendor", "ACE"): {"cost_booked": 8, "under_billed": -2, "billed_by_name": 6},
    ("vendor", "BIT"): {"cost_booked": 33, "billed_by_name": 33},
    ("vendor", None): {"cost_booked": 4, "never_invoiced": -4},
    ("type", "Other"): {"cost_booked": 33, "billed_by_name": 33},
    ("type", "Rental"): {"cost_booked": 8, "under_billed": -2, "billed_by_name": 6},
    ("type", None): {"cost_booked": 4, "never_invoiced": -4},
}  # fmt: skip


@pytest.fixture(scope="module")
def crossing():
    with workbench() as draft:
        reconciled(draft, *CROSSING)
        yield draft


def test_every_scope_has_these_keys_and_no_other(crossing):
    keys = crossing.query("select distinct scope, key from statement").rows
    assert sorted(keys, key=str) == sorted(BY_SCOPE, key=str)


@pytest.mark.parametrize(("scope", "key"), BY_SCOPE, ids=str)
def test_rows_of_a_scope(crossing, scope, key):
    rows = statement(crossing, scope, key)
    amounts = {code: int(amount) for code, (amount, _, _) in rows.items() if amount and code not in SUBTOTALS}
    assert amounts == BY_SCOPE[scope, key]
    assert set(rows) == ROWS[scope]
    assert rows["difference"] == (0, 0, 0)


def test_the_rows_are_in_order_and_the_difference_is_last(crossing):
    codes = crossing.query("select code from statement where scope = 'all' order by position").column()
    assert codes[0] == "cost_booked" and codes[-1] == "difference"
    for subtotal, parts in SUBTOTALS.items():
        if subtotal != "billed_cost":
            assert all(codes.index(part) < codes.index(subtotal) for part in parts)
    assert codes.index("rounding") < codes.index("billed_cost") < codes.index("billed_by_name")


@pytest.mark.parametrize("scope", ROWS)
def test_subtotals_are_the_sums_of_their_rows(crossing, scope):
    for (each, _), rows in statements(crossing).items():
        if each == scope:
            for subtotal, parts in SUBTOTALS.items():
                figures = [rows[part] for part in parts]
                if subtotal == "billable_cost":  # what remains of the cost that was booked
                    figures[1:] = [(amount, -gross, -items) for amount, gross, items in figures[1:]]
                assert rows[subtotal] == added(figures)
    marked = set(crossing.query("select distinct code from statement where is_subtotal").column())
    assert marked == set(SUBTOTALS)


def test_a_key_is_spelled_as_in_the_reconciliation(crossing):
    sql = "select distinct key from statement where scope = 'job' order by key nulls last"
    assert (
        crossing.query(sql).rows
        == crossing.query("select job_number from job_reconciliation order by job_number nulls last").rows
    )


@pytest.mark.parametrize(
    ("by", "key", "columns", "first"),
    [
        (
            "all",
            None,
            "code label amount gross items is_subtotal",
            ("cost_booked", "Cost booked, with markup", 45, 45, 6, False),
        ),
        (
            "job",
            None,
            "key code label amount gross items is_subtotal",
            (" job-1", "cost_booked", "Cost booked, with markup", 31, 31, 3, False),
        ),
        (
            "job",
            "JOB-2",
            "code label amount gross items is_subtotal",
            ("cost_booked", "Cost booked, with markup", 10, 10, 2, False),
        ),
        (
            "vendor",
            "",
            "code label amount gross items is_subtotal",
            ("cost_booked", "Cost booked, with markup", 4, 4, 1, False),
        ),
        (
            "month",
            "2026-08",
            "code label amount gross items is_subtotal",
            ("cost_booked", "Cost booked, with markup", 20, 20, 1, False),
        ),
    ],
)
def test_the_question_for_a_scope(crossing, by, key, columns, first):
    table = crossing.query(*reconcile.statement(by, key))
    assert (table.columns, table.rows[0]) == (tuple(columns.split()), first)
    assert table.rows[-1][table.columns.index("code")] == "difference"
    assert len(table.rows) == len(ROWS[by]) * (4 if (by, key) == ("job", None) else 1)


@pytest.mark.parametrize(("by", "key"), [("jobs", None), ("", None), ("all", "JOB-1")])
def test_an_unknown_scope(by, key):
    with pytest.raises(ValueError, match="job, month, vendor, type"):
        reconcile.statement(by, key)


def test_the_reconciliation_by_type_adds_up(crossing):
    rows = crossing.query(reconcile.view("type")).records()
    assert {row["type_name"]: (row["nrb_total"], row["variance"]) for row in rows} == {
        "Other": (33, 0), "Rental": (8, -2), None: (4, -4)
    }  # fmt: skip


# ── Differences that cancel each other ──────────────────────────────────────────────────────────────────────────────

OFFSETS = [
    # (NRBs, invoices, (amount, minus, plus) of each pair; a job of its own for each)
    ([unbilled("u1", "100.00")], [invoice([line("Labor", "100.00")] * 2, "o1")], [("100.00", "u1", "o1/0")]),
    (
        [billed("l2", "9.00"), billed("m2", "9.00")],
        [invoice([line("R10-l2", "4.00")], "l2"), invoice([line("R10-m2", "14.00")], "m2")],
        [("5.00", "l2", "m2")],
    ),
    ([], [invoice([line("Labor", "6.00")], "h4", subtotal="9.00", total="6.00")], [("3.00", "h4", "h4")]),
    ([unbilled("u5", "-8.00"), unbilled("w5", "8.00")], [], [("8.00", "w5", "u5")]),
    ([unbilled("u6", "0.00")], [invoice([line("Gift", "0.00")], "o6")], []),  # nothing takes nothing away
    ([billed("t7", "11.00")], [invoice([line("R10-t7", "11.00")], "t7", tax="-11.00")], []),  # no difference
]


def test_differences_that_cancel_each_other_are_listed(bench):
    nrbs, invoices = [], []
    for place, (costs, bills, _) in enumerate(OFFSETS):
        job = f"JOB-{place}"
        nrbs += [{**body, "nrbJobOrderNumber": job} for body in costs]
        invoices += [{**body, "related": [related(job, f"J{place}")]} for body in bills]
    reconciled(bench, nrbs, invoices)
    sql = "select key, amount, minus_id, plus_id from statement_offset where scope = 'job' order by all"
    found = [(key, str(amount), minus, plus) for key, amount, minus, plus in bench.query(sql).rows]
    assert found == [(f"JOB-{place}", *pair) for place, (_, _, pairs) in enumerate(OFFSETS) for pair in pairs]
    assert statement(bench)["difference"] == (0, 0, 0)


def test_an_offset_is_within_one_job_or_one_month(bench):
    nrbs = [
        unbilled("a", "5.00", nrbJobOrderNumber="JOB-1", nrbInvoiceDate=ms(AUGUST)),
        unbilled("b", "-5.00", nrbJobOrderNumber="JOB-2", nrbInvoiceDate=ms(AUGUST)),
        unbilled("c", "6.00", nrbJobOrderNumber=None, nrbInvoiceDate=ms(AUGUST)),
        unbilled("d", "-6.00", nrbJobOrderNumber=None, **NO_DAY),
    ]
    reconciled(bench, nrbs, [])
    assert bench.query(read("queries/offsets")).rows == [
        ("job", None, 6, "Never invoiced", "nrb", "c", "c", "Never invoiced", "nrb", "d", "d"),
        ("month", "2026-08", 5, "Never invoiced", "nrb", "a", "a", "Never invoiced", "nrb", "b", "b"),
    ]


# ── What another tolerance would change ─────────────────────────────────────────────────────────────────────────────

# (job, NRB, line): differences of 0, to the cent on and beside each tolerance
TOLERATED = [
    ("equal", "100.00", "100.00"),
    ("cent", "1.00", "1.01"),
    ("five", "2.00", "1.95"),
    ("one", "50.00", "51.00"),
    ("tenth", "2000.00", "1998.00"),
    ("over-tenth", "2000.00", "1997.99"),
    ("hundredth", "-300.00", "-303.00"),
    ("far", "10.00", "90.00"),
]


def test_sensitivity(bench):
    jobs = [(f"JOB-{place}", name, cost, charge) for place, (name, cost, charge) in enumerate(TOLERATED)]
    nrbs = [billed(name, cost, nrbJobOrderNumber=job) for job, name, cost, _ in jobs]
    invoices = [
        invoice([line(f"R10-{name}", charge)], name, related=[related(job, job)]) for job, name, _, charge in jobs
    ]
    nrbs += [unbilled("alone", "9.00", nrbJobOrderNumber="ALONE-1")]  # no matter of tolerance
    nrbs += [billed(f"off{place}", "9.00", nrbJobOrderNumber="OFF-1") for place in range(2)]
    invoices += [  # no difference of the job, two of its costs
        invoice([line(f"R10-off{place}", charge)], f"off{place}", related=[related("OFF-1", "J9")])
        for place, charge in enumerate(("8.96", "9.04"))
    ]
    invoices += [invoice([line("Labor", "3.00")], "lab", related=[related("LAB-1", "J10")])]
    reconciled(bench, nrbs, invoices)
    table = bench.query(read("queries/sensitivity"))
    assert table.columns == (
        "tolerance", "jobs_agree", "jobs_more", "jobs_under_billed", "jobs_over_billed", "job_variance",
        "costs_agree", "costs_more", "costs_under_billed", "costs_over_billed", "cost_variance",
    )  # fmt: skip
    assert [(name, *(str(value) for value in row)) for name, *row in table.rows] == [
        ("0.00", "2", "0", "4", "3", "88.07", "1", "0", "5", "4", "88.15"),
        ("0.01", "3", "1", "4", "2", "88.06", "2", "1", "5", "3", "88.14"),
        ("0.05", "4", "2", "3", "2", "88.01", "5", "4", "3", "2", "88.01"),
        ("1.00", "5", "3", "3", "1", "87.01", "6", "5", "3", "1", "87.01"),
        ("0.1 %", "3", "1", "3", "3", "86.07", "2", "1", "4", "4", "86.15"),
        ("1 %", "6", "4", "1", "2", "81.05", "7", "6", "1", "2", "81.05"),
    ]
    verdicts = dict(bench.query("select verdict, count(*) from job_reconciliation group by verdict").rows)
    assert verdicts == {"agrees": 2, "under-billed": 4, "over-billed": 3, "nrb-only": 1, "invoice-only": 1}


def test_sensitivity_of_nothing(bench):
    reconciled(bench, [], [])
    assert [row[1:] for row in bench.query(read("queries/sensitivity")).rows] == [(0,) * 10] * 6


# ── Random worlds ───────────────────────────────────────────────────────────────────────────────────────────────────

CENTS = st.sampled_from([10050, 4999, 4999, -800, 0]) | st.integers(-2000, 20000)
MONEY = CENTS.map(lambda cents: str(D(cents) / 100)) | CENTS.map(lambda cents: str(D(cents) / 100)) | st.none()
FLAG = st.sampled_from([True, True, True, False, None])
DAY = st.sampled_from([AUGUST, SEPTEMBER, AS_OF, None])
JOBS = [[related("JOB-1")], [related("job-2", "J2")], [related("JOB-1"), related("JOB-2", "J2")], []]
NUMBER = st.integers(0, 5).map(lambda place: f"INV-i{place}")


@st.composite
def nrb_bodies(draw):
    bodies = []
    for place in range(draw(st.integers(2, 14))):
        mark = draw(NUMBER | NUMBER | st.sampled_from(["INV-404", None]))
        parent = draw(st.integers(0, place - 1)) if place and draw(st.integers(0, 4)) == 4 else None
        day = draw(DAY)
        bodies.append(
            nrb(
                f"n{place}",
                draw(MONEY),
                nrbRate="1",
                nrbBilledInName=mark,
                nrbIsBillable=draw(FLAG),
                isInternal=draw(st.sampled_from([False, False, True, None])),
                nrbJobOrderNumber=draw(st.sampled_from(["JOB-1", "JOB-2", " job-2", None])),
                nrbVendorCode=draw(st.sampled_from(["BIT", "ACE", None])),
                nrbTypeName=draw(st.sampled_from(["Other", "Rental", None])),
                nrbInvoiceDate=day and ms(day),
                nrbCreatedAt=draw(st.sampled_from([ms(AUGUST), None])),
                nrbParentGuid=None if parent is None else f"n{parent}",
            )
        )
    return bodies


@st.composite
def invoice_bodies(draw, guids):
    bodies = []
    for place in range(draw(st.integers(1, 6))):
        texts = draw(st.lists(st.sampled_from([*(f"R10-{guid}" for guid in guids), "Labor"]), min_size=1, max_size=5))
        headers = {name: draw(MONEY) for name in ("subtotal", "tax", "total") if draw(st.integers(0, 3)) == 0}
        if place and draw(st.integers(0, 3)) == 0:  # issued again under its number
            headers["number"] = f"INV-i{place - 1}"
        day = draw(DAY)
        bodies.append(
            invoice(
                [line(text, draw(MONEY)) for text in texts],
                f"i{place}",
                is_active=draw(FLAG),
                status_name=draw(st.sampled_from(["Sent", "Sent", "Draft", None])),
                related=draw(st.sampled_from(JOBS)),
                date_invoice=day and seconds(day),
                date_created=draw(st.sampled_from([seconds(AUGUST), None])),
                **headers,
            )
        )
    return bodies  # fmt: skip


@st.composite
def worlds(draw):
    nrbs = draw(nrb_bodies())
    guids = [body["nrbGuid"] for body in nrbs]
    invoices = draw(invoice_bodies(guids))
    lines = [(body["jnid"], place) for body in invoices for place in range(len(body["items"]))]
    pairs = st.tuples(st.sampled_from(guids), st.sampled_from(lines))
    return (
        nrbs,
        invoices,
        [(guid, *place) for guid, place in draw(st.lists(pairs, min_size=2, max_size=8, unique=True))],
    )


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(world=worlds())
def test_every_statement_holds_on_any_world(bench, world):
    nrbs, invoices, links = world
    reconciled(bench, nrbs, invoices, links=links)
    found = statements(bench)
    assert {rows["difference"] for rows in found.values()} == {(0, 0, 0)}
    begins_and_ends_with_what_the_vendors_sent(found["all", ""], nrbs, invoices)
    keys_add_up_to_the_whole(found)
    jobs_are_those_of_the_reconciliation(bench, found)
    rows_equal_their_rules(bench, found)
    differences_are_offset_as_far_as_they_can_be(bench)
    assert bench.query("select nrb_guid from link group by all having count(distinct state) > 1").rows == []


def begins_and_ends_with_what_the_vendors_sent(rows, nrbs, invoices):
    leaves = {body["nrbGuid"] for body in nrbs} - {body["nrbParentGuid"] for body in nrbs}
    assert rows["cost_booked"][0] == sum(D(b["nrbTotalAfterMarkup"] or 0) for b in nrbs if b["nrbGuid"] in leaves)
    issued = [b for b in invoices if b["is_active"] is not False and b["status_name"] != "Draft"]
    assert rows["invoice_total"][0] == sum(D(body["total"] or 0) for body in issued)
    # every line of an issued invoice is in it once
    amounts = [D(item["amount"] or item["price"] or 0) for body in issued for item in body["items"]]
    carried = ("billed_by_name", "billed_by_mark", "billed_by_amount", "free_billed", "other_lines", "discounts")
    assert sum(rows[code][0] for code in carried) == sum(amounts)


def keys_add_up_to_the_whole(found):
    whole = found["all", ""]
    for scope, codes in ROWS.items():
        tables = [rows for (each, _), rows in found.items() if each == scope]
        assert all(set(rows) == codes for rows in tables)
        total = {code: added(rows[code] for rows in tables) for code in codes}
        assert {code: whole[code] for code in codes if code in whole} == {
            code: total[code] for code in codes if code in whole
        }
        if scope in TIMING:  # what leaves one arrives in another
            out, into = TIMING[scope]
            amount, gross, items = total[out]
            assert total[into] == (-amount, gross, items)


def added(figures):
    return tuple(map(sum, zip((0, 0, 0), *figures, strict=True)))


def jobs_are_those_of_the_reconciliation(draft, found):
    jobs = draft.query(
        "select job_number, nrb_total, -unbilled_total, -undecided_total, variance, invoice_total"
        " from job_reconciliation"
    ).rows

    def of_the_statement(rows):
        undecided = sum(rows[code][0] for code in ("undecided", "marked_several", "unreadable"))
        variance = rows["billed_cost"][0] - rows["billable_cost"][0]
        return (rows["cost_booked"][0], rows["unbilled"][0], undecided, variance, rows["invoice_total"][0])

    assert {job: tuple(totals) for job, *totals in jobs} == {
        key: of_the_statement(rows) for (scope, key), rows in found.items() if scope == "job"
    }


DIFFERENCES = {
    *SUBTOTALS["unbilled"], "undecided", "marked_several", "unreadable", "credited_back", "over_billed",
    "charged_twice", "other_lines", "discounts", "lines_to_subtotal", "subtotal_to_total",
}  # fmt: skip


def differences_are_offset_as_far_as_they_can_be(draft):
    for scope, column in (("job", "job_number"), ("month", "strftime(month, '%Y-%m')")):
        columns = f"{column}, code, amount, label, subject_type, subject_id, nrb_guid"
        items = draft.query(f"select {columns} from statement_item").rows
        assert len(set(items)) == len(items)
        differing = Counter((key, amount) for key, code, amount, *_ in items if code in DIFFERENCES and amount)
        possible = {
            (key, amount): min(number, differing[key, -amount])
            for (key, amount), number in list(differing.items())
            if amount > 0 and differing[key, -amount]
        }
        for side, sign in (("minus", -1), ("plus", 1)):
            names = ", ".join(f"{side}_{name}" for name in ("label", "type", "id", "nrb_guid"))
            sql = f"select key, {sign} * amount, {names} from statement_offset where scope = '{scope}'"
            paired = draft.query(sql).rows
            assert len(set(paired)) == len(paired)  # none is in two pairs
            assert set(paired) <= {(key, *item) for key, _, *item in items}
            assert Counter((key, sign * amount) for key, amount, *_ in paired) == possible


# ── Rows that have a rule ───────────────────────────────────────────────────────────────────────────────────────────

# rows → (which of their figures, the rules that find them). Money at risk that is NULL counts as 0.00 in the row.
TIES = {
    ("never_invoiced", "look_first"): ("amount", ("nrb-unbilled",)),
    ("invoice_missing",): ("amount", ("nrb-billed-not-found",)),
    ("on_void",): ("amount", ("nrb-billed-on-void",)),
    ("line_missing",): ("amount", ("nrb-line-not-found",)),
    ("credited_back",): ("amount", ("nrb-credited-back",)),
    ("lines_to_subtotal",): ("gross", ("invoice-subtotal",)),
    ("subtotal_to_total",): ("gross", ("invoice-total",)),
}

COMMON = {"as_of": AS_OF, "labor_in_amount": "auto", "tolerance": D("0.00"), "vendor_tax": "ask"}
# At its loosest a rule fires on all of its row; on an unbilled NRB of 0.00 for a threshold below 0 alone.
LOOSEST = {"nrb-unbilled": {"min_amount": D("-0.01")}}


@cache
def loosest(name):
    (rule,) = [each for each in load_rules() if each.name == name]
    return rule.executed({**rule.values(COMMON, {}), **LOOSEST.get(name, {})})


def rows_equal_their_rules(draft, found):
    """In money and number, job by job. An invoice without a total is found even where 0.00 would be right."""
    for codes, (side, names) in TIES.items():
        counted = "r.amount_at_risk <> 0" if side == "gross" else "true"
        every = " union all ".join(f"select subject_id, job_number, amount_at_risk from ({loosest(n)})" for n in names)
        sql = f"""
            select n.job_number, sum(coalesce(r.amount_at_risk, 0)), count(*)
            from ({every}) as r left join job_name as n on n.job_key = folded(r.job_number)
            where {counted} group by n.job_number
        """

        def figures(rows, codes=codes, side=side):
            amount, gross, items = added(rows[code] for code in codes)
            return (-amount if side == "amount" else gross, items)

        assert {job: tuple(risk) for job, *risk in draft.query(sql).rows} == {
            key: figures(rows) for (scope, key), rows in found.items() if scope == "job" and figures(rows)[1]
        }
    whole = found["all", ""]
    assert at_risk_of(draft, "nrb-charged-twice") == whole["charged_twice"][0]
    # Under- and over-billed cost is found by line, or by cost where several lines carry it: net, and all of it.
    by_line = f"select coalesce(sum(difference), 0) from ({loosest('line-amount-difference')})"
    by_cost = f"select coalesce(sum(-amount_at_risk), 0) from ({loosest('nrb-billed-part')})"
    net = draft.query(by_line).scalar() + draft.query(by_cost).scalar()
    assert net == whole["under_billed"][0] + whole["over_billed"][0]


def at_risk_of(draft, name):
    return draft.query(f"select coalesce(sum(amount_at_risk), 0) from ({loosest(name)})").scalar()


WORLD = (
    [n for nrbs, _, _ in COST for n in nrbs]
    + [
        unbilled("nil", None),
        billed("less", "40.00"),
        billed("more", "50.00"),
        billed("cent", "60.00"),
        billed("nothing", None),
        billed("half1", "70.00"),
        billed("half2", "71.00"),
    ],
    [i for _, invoices, _ in COST for i in invoices]
    + [
        invoice([line("R10-less", "39.00")], "less", subtotal="41.00"),
        invoice([line("R10-more", "52.00")], "more", subtotal="48.00", total="47.00"),
        invoice([line("R10-cent", "60.01")], "cent", total=None, tax="3.00"),
        invoice([line("R10-nothing", "4.00")], "nothing"),
        invoice([line("both", "99.99"), line("Discount", "-5.00")], "half1", total="500.00"),
        invoice([line("Labor", "9.00")], "wrong-void", subtotal="1.00", total="2.00", is_active=False),
        invoice([line("Labor", "9.00")], "wrong-draft", subtotal="1.00", total="2.00", status_name="Draft"),
    ],
)
SHARED = [("half1", "half1", 0), ("half2", "half1", 0)]


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory):
    with audited(tmp_path_factory.mktemp("ties"), *WORLD, links=SHARED) as snapshot:
        yield snapshot


def at_risk(snapshot, rules):
    return snapshot.query(
        "select coalesce(sum(amount_at_risk), 0), count(*) from finding where list_contains($rules, rule_id)",
        {"rules": list(rules)},
    ).rows[0]


@pytest.mark.parametrize("codes", TIES, ids=" ".join)
def test_rows_equal_their_rules(snapshot, codes):
    side, rules = TIES[codes]
    rows = statement(snapshot)
    amount, gross, items = added(rows[code] for code in codes)
    assert (-amount if side == "amount" else gross, items) == at_risk(snapshot, rules)
    assert items > 0


def test_under_and_over_billed_cost_equals_its_rules(snapshot):
    rows = statement(snapshot)
    found = (
        snapshot.query(
            "select sum(cast(evidence->>'difference' as decimal(18, 2))) from finding"
            " where rule_id = 'line-amount-difference'"
        ).scalar()
        - at_risk(snapshot, ["nrb-billed-part"])[0]
    )
    assert found == rows["under_billed"][0] + rows["over_billed"][0]
    assert rows["under_billed"][2] + rows["over_billed"][2] > 4


def test_what_is_undecided_equals_its_rules(snapshot):
    rows = statement(snapshot)
    amount, _, items = added(rows[code] for code in ("undecided", "marked_several", "unreadable"))
    assert (-amount, items) == at_risk(snapshot, ["nrb-link-undecided", "nrb-other-job"])
    assert items == 3


# ── A difference that cannot show proves nothing ────────────────────────────────────────────────────────────────────


BREAKABLE = ("statement_row", "statement_member", "statement_item", "statement_line", "statement")


@pytest.fixture(scope="module")
def broken():
    """Makes the statement again with a text of a step replaced by another; returns the difference of a scope."""
    nrbs = [
        unbilled("a", "-5.00"),
        unbilled("b", "8.00", nrbJobOrderNumber="OTHER-2"),
        billed("c", "9.00"),
        billed("d", "4.00", nrbJobOrderNumber="OTHER-2", nrbInvoiceDate=ms(AUGUST)),
    ]
    invoices = [
        invoice([line("R10-c", "7.50"), line("Labor", "8.00"), line("Discount", "-8.00")], "c", tax="-1.00"),
        invoice([line("R10-d", "4.00")], "d", related=[related("THIRD-3", "J3")]),
    ]
    steps = [step for step in load_steps("reconcile") if step.name in BREAKABLE]
    with workbench() as draft:
        engine = reconciled(draft, nrbs, invoices)

        def difference(*replaced, scope="all"):
            draft.query("delete from statement_item")
            draft.query("delete from statement")
            texts = {step.name: step.text for step in steps}
            for before, after in replaced:
                (name,) = [name for name, text in texts.items() if before in text]
                texts[name] = texts[name].replace(before, after)
            for step in steps:
                engine.run(read_step(step.name, texts[step.name], step.path), {})
            sql = (
                "select sum(amount), sum(gross), sum(items) from statement where code = 'difference' and scope = $scope"
            )
            return draft.query(sql, {"scope": scope}).rows[0]

        yield difference


@pytest.mark.parametrize("scope", ROWS)
def test_an_unbroken_statement_has_no_difference(broken, scope):
    assert broken(scope=scope) == (0, 0, 0)


UNBILLED = "from leaf where state = 'unbilled' and not look_first"


@pytest.mark.parametrize(
    ("before", "after", "gross"),
    [
        (UNBILLED, f"{UNBILLED} and total > 0", "5.00"),  # counted nowhere
        ("from leaf where state = 'internal'", "from leaf where state in ('internal', 'unbilled')", "3.00"),  # twice
        (
            "case when amount < 0 then 'discounts'",
            "case when amount < 0 then 'gifts'",
            "8.00",
        ),  # a row that is not there
        ("null, jnid, null, tax", "null, jnid, null, abs(tax)", "2.00"),
        ("from leaf where state = 'billed_part'", "from leaf where false", "1.50"),
        ("(30, 'other_lines'", "(30, 'more_lines'", "8.00"),  # a row that no member has
    ],
)
def test_a_broken_row_shows_as_a_difference(broken, before, after, gross):
    amount, difference, items = broken((before, after))
    assert (abs(amount), difference, items) == (D(gross), D(gross), 1)


OUT = "from line_part where not internal and billable and"


@pytest.mark.parametrize(
    ("scope", "before", "after", "difference"),
    [
        # NRBs that are charged elsewhere, and nowhere taken off
        ("job", f"-amount\n{OUT} other_job", f"-amount\n{OUT} false", ("4.00", "4.00", 1)),
        ("month", f"-amount\n{OUT} other_month", f"-amount\n{OUT} false", ("4.00", "4.00", 1)),
        # added where they were taken off: one job has them twice, the other not at all
        (
            "job",
            "on this job''s invoices', 'job', 'invoice'",
            "on this job''s invoices', 'job', 'nrb'",
            ("0.00", "8.00", 2),
        ),
        (
            "month",
            "on this month''s invoices', 'month', 'invoice'",
            "on this month''s invoices', 'month', 'nrb'",
            ("0.00", "8.00", 2),
        ),
        # invoices that have the job of their NRBs
        ("job", "case when r.owner = 'nrb' then s.job_key else i.job_key end", "s.job_key", ("0.00", "23.00", 3)),
        ("vendor", "from leaf where state = 'billed_part'", "from leaf where false", ("1.50", "1.50", 1)),
        ("type", UNBILLED, f"{UNBILLED} and total > 0", ("-5.00", "5.00", 1)),
    ],
)
def test_a_row_that_is_broken_in_a_scope_shows_there(broken, scope, before, after, difference):
    amount, gross, items = broken((before, after), scope=scope)
    assert (str(amount), str(gross), items) == difference


def test_errors_of_the_two_bridges_cannot_cancel(broken):
    missing_cost = (UNBILLED, f"{UNBILLED} and total < 0")
    missing_line = ("from line_part where nrb_guid is null", "from line_part where nrb_guid is null and amount < 0")
    amount, gross, items = broken(missing_cost, missing_line)
    assert (amount, gross, items) == (0, D("16.00"), 2)
