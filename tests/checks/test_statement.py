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
from tests.world import AS_OF, audited, invoice, line, ms, nrb, reconciled, related, seconds, unbilled, workbench

D = Decimal
NRB_TOTAL, INTERNAL, NOT_BILLABLE, UNBILLED, NOT_FOUND, ON_VOID, ON_DRAFT, NO_LINE = range(1, 9)
UNDER, OVER, BY_REFERENCE, BY_AMOUNT = range(9, 13)
OUT_OF_JOB, INTO_JOB, OUT_OF_MONTH, INTO_MONTH = range(13, 17)
OTHER_PARTS, OTHER, NEGATIVE, SUBTOTAL, TAX, TOTAL, INVOICED = range(17, 24)
RESIDUAL = 24


@pytest.fixture(scope="module")
def bench():
    with workbench() as draft:
        yield draft


def statements(draft):
    """(scope, key) → position → (amount, gross, items)."""
    found = {}
    for scope, key, position, *figures in draft.query(
        "select scope, key, position, amount, gross, items from statement"
    ).rows:
        rows = found.setdefault((scope, key), {})
        assert position not in rows
        rows[position] = tuple(figures)
    return found


def statement(draft, scope="all", key=""):
    return statements(draft)[scope, key]


# (NRBs, invoices, the row that they are in). Amounts are powers of two, so that a row tells which cases it holds.


def billed(guid, total, **changes):
    return nrb(guid, total, **{"nrbBilledInName": f"INV-{guid}", **changes})


COST = [
    ([unbilled("int", "1.00", isInternal=True)], [], INTERNAL),
    ([billed("int2", "2.00", isInternal=True)], [invoice([line("R1-int2", "0.50")], "int2")], INTERNAL),
    ([unbilled("not", "4.00", nrbIsBillable=False)], [], NOT_BILLABLE),
    ([unbilled("acc", "8.00", nrbIsBillable=None, nrbAccountType="Not Billable")], [], NOT_BILLABLE),
    ([unbilled("unb", "16.00")], [], UNBILLED),
    ([unbilled("neg", "-32.00")], [], UNBILLED),
    ([billed("lost", "64.00")], [], NOT_FOUND),
    ([billed("void", "128.00")], [invoice([line("R1-void", "1.00")], "void", is_active=False)], ON_VOID),
    ([billed("void2", "256.00")], [invoice([], "void2", is_active=False)], ON_VOID),
    ([billed("draft", "512.00")], [invoice([line("R1-draft", "1.00")], "draft", status_name="Draft")], ON_DRAFT),
    ([billed("draft2", "1024.00")], [invoice([], "draft2", status_name="Draft")], ON_DRAFT),
    ([billed("gone", "2048.00")], [invoice([], "gone")], NO_LINE),
    ([unbilled("named", "4096.00", nrbExternalId="E-9")], [invoice([], "named", external_id="E-9")], NO_LINE),
]


def test_cost_that_is_on_no_issued_line(bench):
    reconciled(bench, [n for nrbs, _, _ in COST for n in nrbs], [i for _, invoices, _ in COST for i in invoices])
    rows = statement(bench)
    for place in range(INTERNAL, NO_LINE + 1):
        held = [D(nrbs[0]["nrbTotalAfterMarkup"]) for nrbs, _, row in COST if row == place]
        assert rows[place] == (-sum(held), sum(map(abs, held)), len(held))
    assert rows[NRB_TOTAL] == (D("8127.00"), D("8191.00"), 13)
    assert {place for place, row in rows.items() if row[0]} - set(range(NRB_TOTAL, NO_LINE + 1)) == {
        OTHER_PARTS,
        INVOICED,
    }
    assert rows[RESIDUAL] == (0, 0, 0)


@pytest.mark.parametrize(
    ("nrbs", "invoices", "links", "expected"),
    [
        pytest.param(
            [billed("a", "10.00"), billed("b", "20.00", nrbBilledInName="INV-a")],
            [invoice([line("Labour", "10.00"), line("Material", "15.00")], "a")],
            [("b", "a", 1)],
            {
                NRB_TOTAL: ("30.00", 2),
                UNDER: ("-5.00", 1),
                BY_REFERENCE: ("15.00", 1),
                BY_AMOUNT: ("10.00", 1),
                INVOICED: ("25.00", 1),
            },
            id="by amount alone, and by hand for less",
        ),
        pytest.param(
            [billed("a", "10.00"), billed("b", "20.00", nrbBilledInName="INV-a")],
            [invoice([line("R1-a", "12.00"), line("R1-b", "17.00")], "a")],
            [],
            {
                NRB_TOTAL: ("30.00", 2),
                UNDER: ("-3.00", 1),
                OVER: ("2.00", 1),
                BY_REFERENCE: ("29.00", 2),
                INVOICED: ("29.00", 1),
            },
            id="differences that offset each other stand apart",
        ),
        pytest.param(
            [billed("a", "10.00", isInternal=True), billed("b", "20.00", nrbBilledInName="INV-a", nrbIsBillable=False)],
            [invoice([line("R1-a", "10.00"), line("R1-b", "21.00")], "a")],
            [],
            {
                NRB_TOTAL: ("30.00", 2),
                INTERNAL: ("-10.00", 1),
                NOT_BILLABLE: ("-20.00", 1),
                OTHER_PARTS: ("31.00", 2),
                INVOICED: ("31.00", 1),
            },
            id="lines that carry internal and non-billable cost",
        ),
        pytest.param(
            [],
            [invoice([line("Work", "50.00"), line("Gift", "0.00"), line("N", None, price=None), line("Off", "-8.00")])],
            [],
            {OTHER: ("50.00", 3), NEGATIVE: ("-8.00", 1), INVOICED: ("42.00", 1)},
            id="other lines and discounts",
        ),
        pytest.param(
            [],
            [invoice([line("Labour", "50.00")], subtotal="53.00", tax="2.50", total="56.00")],
            [],
            {
                OTHER: ("50.00", 1),
                SUBTOTAL: ("3.00", 1),
                TAX: ("2.50", 1),
                TOTAL: ("0.50", 1),
                INVOICED: ("56.00", 1),
            },
            id="subtotal, tax and total",
        ),
        pytest.param(
            [billed("a", None)],
            [invoice([line("R1-a", "10.00")], "a", subtotal=None, tax=None, total=None)],
            [],
            {
                NRB_TOTAL: ("0.00", 1),
                OVER: ("10.00", 1),
                BY_REFERENCE: ("10.00", 1),
                TOTAL: ("-10.00", 1),
                INVOICED: ("0.00", 1),
            },
            id="what is NULL counts as 0.00",
        ),
        pytest.param(
            [billed("a", "9.00"), billed("b", "3.00")],
            [invoice([line("both", "10.00")], "a")],
            [("a", "a", 0), ("b", "a", 0)],
            {NRB_TOTAL: ("12.00", 2), UNDER: ("-2.00", 2), BY_REFERENCE: ("10.00", 2), INVOICED: ("10.00", 1)},
            id="a line shared by two",
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
                NRB_TOTAL: ("12.00", 1),
                ON_VOID: ("-2.00", 1),
                ON_DRAFT: ("-2.00", 1),
                BY_REFERENCE: ("8.00", 1),
                INVOICED: ("8.00", 1),
            },
            id="one NRB on an issued, a void and a draft line",
        ),
        pytest.param([], [], [], {}, id="nothing at all"),
    ],
)  # fmt: skip
def test_rows(bench, nrbs, invoices, links, expected):
    reconciled(bench, nrbs, invoices, links=links)
    rows = statement(bench)
    assert {position: (str(amount), items) for position, (amount, _, items) in rows.items() if items} == expected
    assert rows[RESIDUAL] == (0, 0, 0)


# By job, month, vendor and type


AUGUST, SEPTEMBER = date(2026, 8, 20), date(2026, 9, 10)
NO_DAY = {"nrbInvoiceDate": None, "nrbCreatedAt": None}
CROSSING = (
    [
        billed("a", "10.00", nrbJobOrderNumber="JOB-1"),
        billed("b", "20.00", nrbJobOrderNumber=" job-1", nrbBilledInName="INV-x", nrbInvoiceDate=ms(AUGUST)),
        unbilled("c", "4.00", nrbJobOrderNumber=None, nrbVendorCode=None, nrbTypeName=None, **NO_DAY),
        nrb(
            "d", "8.00", nrbJobOrderNumber="JOB-2", nrbBilledInName="INV-x", nrbVendorCode="ACE", nrbTypeName="Rental"
        ),
        nrb("e", "1.00", nrbJobOrderNumber="JOB-1", nrbBilledInName="INV-s"),
        nrb("f", "2.00", nrbJobOrderNumber="JOB-2", nrbBilledInName="INV-s"),
    ],
    [
        invoice([line("R1-a", "10.00")], "a", related=[related("Job-1 ")]),
        invoice([line("R1-b", "20.00"), line("R1-d", "6.00"), line("Labour", "5.00")], "x", tax="1.00",
            related=[related("JOB-2", "J2")]),
        invoice([line("Labour", "3.00"), line("Off", "-1.00")], "n", related=[], date_invoice=None, date_created=None),
        invoice([line("R1-e", "1.00"), line("R1-f", "2.00")], "s", related=[related("JOB-1"), related("JOB-2", "J2")]),
    ],
)  # fmt: skip
BY_SCOPE = {
    ("all", ""): {
        NRB_TOTAL: 45, UNBILLED: -4, UNDER: -2, BY_REFERENCE: 39, OTHER: 8, NEGATIVE: -1, TAX: 1, INVOICED: 47
    },
    ("job", " job-1"): {NRB_TOTAL: 31, BY_REFERENCE: 31, OUT_OF_JOB: -21, INVOICED: 10},
    ("job", "JOB-2"): {
        NRB_TOTAL: 10, UNDER: -2, BY_REFERENCE: 8, OUT_OF_JOB: -2, INTO_JOB: 20, OTHER: 5, TAX: 1, INVOICED: 32
    },
    ("job", "(several)"): {INTO_JOB: 3, INVOICED: 3},
    ("job", None): {NRB_TOTAL: 4, UNBILLED: -4, OTHER: 3, NEGATIVE: -1, INVOICED: 2},
    ("month", "2026-08"): {NRB_TOTAL: 20, BY_REFERENCE: 20, OUT_OF_MONTH: -20},
    ("month", "2026-09"): {
        NRB_TOTAL: 21, UNDER: -2, BY_REFERENCE: 19, INTO_MONTH: 20, OTHER: 5, TAX: 1, INVOICED: 45
    },
    ("month", None): {NRB_TOTAL: 4, UNBILLED: -4, OTHER: 3, NEGATIVE: -1, INVOICED: 2},
    ("vendor", "ACE"): {NRB_TOTAL: 8, UNDER: -2, BY_REFERENCE: 6},
    ("vendor", "BIT"): {NRB_TOTAL: 33, BY_REFERENCE: 33},
    ("vendor", None): {NRB_TOTAL: 4, UNBILLED: -4},
    ("type", "Other"): {NRB_TOTAL: 33, BY_REFERENCE: 33},
    ("type", "Rental"): {NRB_TOTAL: 8, UNDER: -2, BY_REFERENCE: 6},
    ("type", None): {NRB_TOTAL: 4, UNBILLED: -4},
}  # fmt: skip
COST_ROWS = list(range(NRB_TOTAL, BY_AMOUNT + 1))
INVOICE_ROWS = list(range(OTHER_PARTS, INVOICED + 1))
ROWS = {
    "all": [*COST_ROWS, *INVOICE_ROWS, RESIDUAL],
    "job": [*COST_ROWS, OUT_OF_JOB, INTO_JOB, *INVOICE_ROWS, RESIDUAL],
    "month": [*COST_ROWS, OUT_OF_MONTH, INTO_MONTH, *INVOICE_ROWS, RESIDUAL],
    "vendor": [*COST_ROWS, RESIDUAL],
    "type": [*COST_ROWS, RESIDUAL],
}


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
    assert {place: int(amount) for place, (amount, _, _) in rows.items() if amount} == BY_SCOPE[scope, key]
    assert sorted(rows) == ROWS[scope]
    assert rows[RESIDUAL] == (0, 0, 0)


def test_a_key_is_spelt_as_in_the_reconciliation(crossing):
    sql = "select distinct key from statement where scope = 'job' order by key nulls last"
    assert (
        crossing.query(sql).rows
        == crossing.query("select job_number from job_reconciliation order by job_number nulls last").rows
    )


def test_timing_rows_say_what_they_are(crossing):
    sql = "select distinct label from statement where scope = $scope and position between 13 and 16 order by label desc"
    labels = {scope: [label for (label,) in crossing.query(sql, {"scope": scope}).rows] for scope in ROWS}
    assert labels == {
        "all": [],
        "job": ["NRBs of this job on other jobs' invoices", "NRBs of other jobs on this job's invoices"],
        "month": ["NRBs of this month on other months' invoices", "NRBs of other months on this month's invoices"],
        "vendor": [],
        "type": [],
    }


@pytest.mark.parametrize(
    ("by", "key", "columns", "first"),
    [
        ("all", None, "label amount gross items", ("NRB total after mark-up", 45, 45, 6)),
        ("job", None, "key label amount gross items", (" job-1", "NRB total after mark-up", 31, 31, 3)),
        ("job", "JOB-2", "label amount gross items", ("NRB total after mark-up", 10, 10, 2)),
        ("vendor", "", "label amount gross items", ("NRB total after mark-up", 4, 4, 1)),
        ("month", "2026-08", "label amount gross items", ("NRB total after mark-up", 20, 20, 1)),
    ],
)
def test_the_question_for_a_scope(crossing, by, key, columns, first):
    table = crossing.query(*reconcile.statement(by, key))
    assert (table.columns, table.rows[0]) == (tuple(columns.split()), first)
    assert table.rows[-1][table.columns.index("label")] == "residual"
    assert len(table.rows) == len(ROWS[by]) * (4 if (by, key) == ("job", None) else 1)


@pytest.mark.parametrize(("by", "key"), [("jobs", None), ("", None), ("all", "JOB-1")])
def test_a_scope_that_is_none(by, key):
    with pytest.raises(ValueError, match="job, month, vendor, type"):
        reconcile.statement(by, key)


def test_the_reconciliation_by_type_adds_up(crossing):
    rows = crossing.query(reconcile.view("type")).records()
    assert {row["type_name"]: (row["nrb_total"], row["variance"]) for row in rows} == {
        "Other": (33, 0), "Rental": (8, -2), None: (4, -4)
    }  # fmt: skip


# Differences that cancel each other

OFFSETS = [
    # (NRBs, invoices, (amount, minus, plus) of each pair; a job of its own for each)
    ([unbilled("u1", "100.00")], [invoice([line("Labour", "100.00")] * 2, "o1")], [("100.00", "u1", "o1/0")]),
    ([billed("l2", "9.00"), billed("m2", "9.00")], [invoice([line("R1-l2", "4.00")], "l2"),
        invoice([line("R1-m2", "14.00")], "m2")], [("5.00", "l2/0", "m2/0")]),
    ([unbilled("v3", "7.00"), unbilled("u3", "7.00"), billed("w3", "7.00")], [invoice([line("Labour", "7.00"),
        line("More", "7.00")], "o3")], [("7.00", "u3", "o3/0"), ("7.00", "v3", "o3/1")]),
    ([], [invoice([line("Labour", "6.00")], "h4", subtotal="9.00", total="6.00")], [("3.00", "h4", "h4")]),
    ([unbilled("u5", "-8.00"), unbilled("w5", "8.00")], [], [("8.00", "w5", "u5")]),
    ([unbilled("u6", "0.00")], [invoice([line("Gift", "0.00")], "o6")], []),  # nothing takes nothing away
    ([billed("t7", "11.00")], [invoice([line("R1-t7", "11.00")], "t7", tax="-11.00")], []),  # no difference
]  # fmt: skip


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
    assert statement(bench)[RESIDUAL] == (0, 0, 0)


def test_an_offset_is_within_one_job_or_one_month(bench):
    nrbs = [
        unbilled("a", "5.00", nrbJobOrderNumber="JOB-1", nrbInvoiceDate=ms(AUGUST)),
        unbilled("b", "-5.00", nrbJobOrderNumber="JOB-2", nrbInvoiceDate=ms(AUGUST)),
        unbilled("c", "6.00", nrbJobOrderNumber=None, nrbInvoiceDate=ms(AUGUST)),
        unbilled("d", "-6.00", nrbJobOrderNumber=None, **NO_DAY),
    ]
    reconciled(bench, nrbs, [])
    assert bench.query(read("queries/offsets")).rows == [
        ("job", None, 6, "unbilled", "nrb", "c", "c", "unbilled", "nrb", "d", "d"),
        ("month", "2026-08", 5, "unbilled", "nrb", "a", "a", "unbilled", "nrb", "b", "b"),
    ]


# What another tolerance would change

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
        invoice([line(f"R1-{name}", charge)], name, related=[related(job, job)]) for job, name, _, charge in jobs
    ]
    nrbs += [unbilled("alone", "9.00", nrbJobOrderNumber="ALONE-1")]  # no matter of tolerance
    nrbs += [billed(f"off{place}", "9.00", nrbJobOrderNumber="OFF-1") for place in range(2)]
    invoices += [  # no difference of the job, two of its lines
        invoice([line(f"R1-off{place}", charge)], f"off{place}", related=[related("OFF-1", "J9")])
        for place, charge in enumerate(("8.96", "9.04"))
    ]
    invoices += [invoice([line("Labour", "3.00")], "lab", related=[related("LAB-1", "J10")])]
    reconciled(bench, nrbs, invoices)
    table = bench.query(read("queries/sensitivity"))
    assert table.columns == (
        "tolerance", "jobs_agree", "jobs_more", "jobs_under_billed", "jobs_over_billed", "job_variance",
        "lines_agree", "lines_more", "lines_under_billed", "lines_over_billed", "line_variance",
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


# Random worlds

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
        texts = draw(st.lists(st.sampled_from([*(f"R1-{guid}" for guid in guids), "Labour"]), min_size=1, max_size=5))
        headers = {name: draw(MONEY) for name in ("subtotal", "tax", "total") if draw(st.integers(0, 3)) == 0}
        if place and draw(st.integers(0, 3)) == 0:  # issued anew under its number
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
    assert {rows[RESIDUAL] for rows in found.values()} == {(0, 0, 0)}
    begins_and_ends_with_what_the_vendors_sent(found["all", ""], nrbs, invoices)
    keys_add_up_to_the_whole(found)
    jobs_are_those_of_the_reconciliation(bench, found)
    rows_equal_their_rules(bench, found)
    differences_are_offset_as_far_as_they_can_be(bench)


def begins_and_ends_with_what_the_vendors_sent(rows, nrbs, invoices):
    leaves = {body["nrbGuid"] for body in nrbs} - {body["nrbParentGuid"] for body in nrbs}
    assert rows[NRB_TOTAL][0] == sum(D(b["nrbTotalAfterMarkup"] or 0) for b in nrbs if b["nrbGuid"] in leaves)
    issued = [b for b in invoices if b["is_active"] is not False and b["status_name"] != "Draft"]
    assert rows[INVOICED][0] == sum(D(body["total"] or 0) for body in issued)
    # every line of an issued invoice stands in it once
    amounts = [D(item["amount"] or item["price"] or 0) for body in issued for item in body["items"]]
    assert sum(rows[place][0] for place in (BY_REFERENCE, BY_AMOUNT, OTHER_PARTS, OTHER, NEGATIVE)) == sum(amounts)


def keys_add_up_to_the_whole(found):
    whole = found["all", ""]
    for scope, places in ROWS.items():
        tables = [rows for (each, _), rows in found.items() if each == scope]
        assert all(sorted(rows) == places for rows in tables)
        total = {place: added(rows[place] for rows in tables) for place in places}
        assert {place: whole[place] for place in places if place in whole} == {
            place: total[place] for place in places if place in whole
        }
        for out, into in ((OUT_OF_JOB, INTO_JOB), (OUT_OF_MONTH, INTO_MONTH)):
            if out in total:  # what leaves one arrives in another
                amount, gross, items = total[out]
                assert total[into] == (-amount, gross, items)


def added(figures):
    return tuple(map(sum, zip((0, 0, 0), *figures, strict=True)))


def jobs_are_those_of_the_reconciliation(draft, found):
    jobs = draft.query("select job_number, nrb_total, -unbilled_total, invoice_total from job_reconciliation").rows
    assert {job: tuple(totals) for job, *totals in jobs} == {
        key: tuple(rows[place][0] for place in (NRB_TOTAL, UNBILLED, INVOICED))
        for (scope, key), rows in found.items()
        if scope == "job"
    }


DIFFERENCES = {UNBILLED, NOT_FOUND, ON_VOID, ON_DRAFT, NO_LINE, UNDER, OVER, OTHER, NEGATIVE, SUBTOTAL, TOTAL}


def differences_are_offset_as_far_as_they_can_be(draft):
    for scope, column in (("job", "job_number"), ("month", "strftime(month, '%Y-%m')")):
        columns = f"{column}, position, amount, label, subject_type, subject_id, nrb_guid"
        items = draft.query(f"select {columns} from statement_item").rows
        assert len(set(items)) == len(items)
        differing = Counter((key, amount) for key, place, amount, *_ in items if place in DIFFERENCES and amount)
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


# Rows that have a rule

# position → (what of the row it is, the rule). Money at risk that is NULL counts as 0.00 in the row.
TIES = {
    UNBILLED: ("amount", "nrb-unbilled"),
    NOT_FOUND: ("amount", "nrb-billed-not-found"),
    ON_VOID: ("amount", "nrb-billed-on-void"),
    NO_LINE: ("amount", "nrb-line-not-found"),
    SUBTOTAL: ("gross", "invoice-subtotal"),
    TOTAL: ("gross", "invoice-total"),
}

COMMON = {"as_of": AS_OF, "labor_in_amount": "auto", "tolerance": D("0.00")}
# At its loosest a rule fires on all of its row; on an unbilled NRB of 0.00 for a threshold below 0 alone.
LOOSEST = {"nrb-unbilled": {"min_amount": D("-0.01")}}


@cache
def loosest(name):
    (rule,) = [each for each in load_rules() if each.name == name]
    return rule.executed({**rule.values(COMMON, {}), **LOOSEST.get(name, {})})


def rows_equal_their_rules(draft, found):
    """In money and number, job by job."""
    for place, (side, name) in TIES.items():
        sql = f"""
            select n.job_number, sum(coalesce(r.amount_at_risk, 0)), count(*)
            from ({loosest(name)}) as r left join job_name as n on n.job_key = folded(r.job_number)
            group by n.job_number
        """
        assert {job: tuple(risk) for job, *risk in draft.query(sql).rows} == {
            key: (-rows[place][0] if side == "amount" else rows[place][1], rows[place][2])
            for (scope, key), rows in found.items()
            if scope == "job" and rows[place][2]
        }
    # A line may carry NRBs of several jobs: its one finding names all of its parts, those without a difference too
    sql = f"select coalesce(sum(amount_at_risk), 0) from ({loosest('line-amount-difference')})"
    assert draft.query(sql).scalar() == found["all", ""][UNDER][1] + found["all", ""][OVER][1]


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
        invoice([line("R1-less", "39.00")], "less", subtotal="41.00"),
        invoice([line("R1-more", "52.00")], "more", subtotal="48.00", total="47.00"),
        invoice([line("R1-cent", "60.01")], "cent", total=None, tax="3.00"),
        invoice([line("R1-nothing", "4.00")], "nothing"),
        invoice([line("both", "99.99"), line("Discount", "-5.00")], "half1", total="500.00"),
        invoice([line("Labour", "9.00")], "wrong-void", subtotal="1.00", total="2.00", is_active=False),
        invoice([line("Labour", "9.00")], "wrong-draft", subtotal="1.00", total="2.00", status_name="Draft"),
    ],
)
SHARED = [("half1", "half1", 0), ("half2", "half1", 0)]


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory):
    with audited(tmp_path_factory.mktemp("ties"), *WORLD, links=SHARED) as snapshot:
        yield snapshot


def at_risk(snapshot, rule):
    return snapshot.query(
        "select coalesce(sum(amount_at_risk), 0), count(*) from finding where rule_id = $rule", {"rule": rule}
    ).rows[0]


@pytest.mark.parametrize("place", TIES)
def test_a_row_equals_its_rule(snapshot, place):
    side, rule = TIES[place]
    amount, gross, items = statement(snapshot)[place]
    assert (-amount if side == "amount" else gross, items) == at_risk(snapshot, rule)
    assert items > 0


def test_both_differences_equal_their_rule(snapshot):
    rows = statement(snapshot)
    total, lines = at_risk(snapshot, "line-amount-difference")
    parts = "select sum(len(string_split(evidence->>'nrb_guids', ' '))) from finding where rule_id = $rule"
    assert rows[UNDER][1] + rows[OVER][1] == total
    assert rows[UNDER][2] + rows[OVER][2] == snapshot.query(parts, {"rule": "line-amount-difference"}).scalar() > 4
    assert lines == 5


def test_the_void_part_of_a_split_nrb_equals_its_rule(tmp_path):
    """An NRB on an issued and a void line: the part on the void one charges nobody."""
    invoices = [invoice([line("half", "8.00")], "a"), invoice([line("half", "4.00")], "b", is_active=False)]
    with audited(tmp_path, [billed("a", "12.00")], invoices, links=[("a", "a", 0), ("a", "b", 0)]) as snapshot:
        assert -statement(snapshot)[ON_VOID][0] == at_risk(snapshot, "nrb-billed-on-void")[0]


# A residual that cannot show proves nothing


BREAKABLE = ("statement_row", "statement_member", "statement_item", "statement")


@pytest.fixture(scope="module")
def broken():
    """Makes the statement anew with a text of a step replaced by another; returns the residual of a scope in all."""
    nrbs = [
        unbilled("a", "-5.00"),
        unbilled("b", "8.00", nrbJobOrderNumber="OTHER-2"),
        billed("c", "9.00"),
        billed("d", "4.00", nrbJobOrderNumber="OTHER-2", nrbInvoiceDate=ms(AUGUST)),
    ]
    invoices = [
        invoice([line("R1-c", "7.00"), line("Labour", "8.00"), line("Discount", "-8.00")], "c", tax="-1.00"),
        invoice([line("R1-d", "4.00")], "d", related=[related("THIRD-3", "J3")]),
    ]
    steps = [step for step in load_steps("reconcile") if step.name in BREAKABLE]
    with workbench() as draft:
        engine = reconciled(draft, nrbs, invoices)

        def residual(*replaced, scope="all"):
            draft.query("delete from statement_item")
            draft.query("delete from statement")
            texts = {step.name: step.text for step in steps}
            for before, after in replaced:
                (name,) = [name for name, text in texts.items() if before in text]
                texts[name] = texts[name].replace(before, after)
            for step in steps:
                engine.run(read_step(step.name, texts[step.name], step.path), {})
            sql = (
                "select sum(amount), sum(gross), sum(items) from statement where label = 'residual' and scope = $scope"
            )
            return draft.query(sql, {"scope": scope}).rows[0]

        yield residual


@pytest.mark.parametrize("scope", ROWS)
def test_an_unbroken_statement_has_no_residual(broken, scope):
    assert broken(scope=scope) == (0, 0, 0)


@pytest.mark.parametrize(
    ("before", "after", "gross"),
    [
        ("from nrb_part where unbilled", "from nrb_part where unbilled and amount > 0", "5.00"),  # it stands nowhere
        ("from nrb_part where internal", "from nrb_part where internal or unbilled", "3.00"),  # they stand twice
        ("nrb_guid is null and amount < 0", "nrb_guid is null and amount < -10", "8.00"),
        ("null, jnid, null, tax", "null, jnid, null, abs(tax)", "2.00"),
        ("linked and invoiced_amount < amount", "linked and false", "2.00"),
        ("(18, 'other lines'", "(18, 'more lines'", "8.00"),  # a row that no member has
    ],
)
def test_a_broken_row_shows_as_a_residual(broken, before, after, gross):
    amount, residual, items = broken((before, after))
    assert (abs(amount), residual, items) == (D(gross), D(gross), 1)


OUT = "from line_part where not internal and billable and"


@pytest.mark.parametrize(
    ("scope", "before", "after", "residual"),
    [
        # NRBs that are charged elsewhere, and nowhere taken off
        ("job", f"-amount\n{OUT} other_job", f"-amount\n{OUT} false", ("4.00", "4.00", 1)),
        ("month", f"-amount\n{OUT} other_month", f"-amount\n{OUT} false", ("4.00", "4.00", 1)),
        # added where they were taken off: one job has them twice, the other not at all
        ("job", "on this job''s invoices', 'job', 'invoice'", "on this job''s invoices', 'job', 'nrb'",
            ("0.00", "8.00", 2)),
        ("month", "on this month''s invoices', 'month', 'invoice'", "on this month''s invoices', 'month', 'nrb'",
            ("0.00", "8.00", 2)),
        # invoices that have the job of their NRBs
        ("job", "case when r.owner = 'nrb' then s.job_key else i.job_key end", "s.job_key", ("0.00", "22.00", 3)),
        ("vendor", "linked and invoiced_amount < amount", "linked and false", ("2.00", "2.00", 1)),
        ("type", "from nrb_part where unbilled", "from nrb_part where unbilled and amount > 0", ("-5.00", "5.00", 1)),
    ],
)  # fmt: skip
def test_a_row_that_is_broken_in_a_scope_shows_there(broken, scope, before, after, residual):
    amount, gross, items = broken((before, after), scope=scope)
    assert (str(amount), str(gross), items) == residual


def test_errors_of_the_two_bridges_cannot_cancel(broken):
    missing_cost = ("from nrb_part where unbilled", "from nrb_part where unbilled and amount < 0")
    missing_line = ("nrb_guid is null and amount >= 0", "nrb_guid is null and false")
    amount, gross, items = broken(missing_cost, missing_line)
    assert (amount, gross, items) == (0, D("16.00"), 2)
