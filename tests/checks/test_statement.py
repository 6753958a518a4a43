"""The bridge from cost to invoice: each row, all rows on random worlds, and the rules that rows equal."""

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditkit.checks.rules import load_steps, read_step
from tests.world import audited, invoice, line, nrb, reconciled, related, unbilled, workbench

D = Decimal
NRB_TOTAL, INTERNAL, NOT_BILLABLE, UNBILLED, NOT_FOUND, ON_VOID, ON_DRAFT, NO_LINE = range(1, 9)
UNDER, OVER, BY_REFERENCE, BY_AMOUNT, OTHER_PARTS, OTHER, NEGATIVE, SUBTOTAL, TAX, TOTAL, INVOICED = range(9, 20)
RESIDUAL = 20


@pytest.fixture(scope="module")
def bench():
    with workbench() as draft:
        yield draft


def statement(draft):
    rows = draft.query("select position, amount, gross, items from statement order by position").rows
    return {position: (amount, gross, items) for position, amount, gross, items in rows}


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


# Random worlds

MONEY = st.integers(-2000, 20000).map(lambda cents: str(D(cents) / 100)) | st.none()
FLAG = st.sampled_from([True, True, True, False, None])
NUMBER = st.integers(0, 5).map(lambda place: f"INV-i{place}")


@st.composite
def nrb_bodies(draw):
    bodies = []
    for place in range(draw(st.integers(3, 14))):
        mark = draw(NUMBER | st.just("INV-404") | st.none())
        parent = draw(st.none() | st.integers(0, place - 1)) if place else None
        bodies.append(
            nrb(
                f"n{place}",
                draw(MONEY),
                nrbRate="1",
                nrbBilledInName=mark,
                nrbIsBillable=draw(FLAG),
                isInternal=draw(st.sampled_from([False, False, True, None])),
                nrbJobOrderNumber=draw(st.sampled_from(["JOB-1", "JOB-2", None])),
                nrbParentGuid=None if parent is None else f"n{parent}",
            )
        )
    return bodies


@st.composite
def invoice_bodies(draw):
    bodies = []
    for place in range(draw(st.integers(2, 6))):
        texts = draw(st.lists(st.integers(0, 13).map(lambda n: f"R1-n{n}") | st.just("Labour"), max_size=4))
        headers = {name: draw(MONEY) for name in ("subtotal", "tax", "total") if draw(st.integers(0, 3)) == 0}
        bodies.append(
            invoice(
                [line(text, draw(MONEY)) for text in texts],
                f"i{place}",
                is_active=draw(FLAG),
                status_name=draw(st.sampled_from(["Sent", "Sent", "Draft", None])),
                related=draw(
                    st.sampled_from(
                        [[related("JOB-1")], [related("JOB-2")], [related("JOB-1"), related("JOB-2", "J2")], []]
                    )
                ),
                **headers,
            )
        )
    return bodies  # fmt: skip


@st.composite
def worlds(draw):
    nrbs, invoices = draw(nrb_bodies()), draw(invoice_bodies())
    lines = [(body["jnid"], place) for body in invoices for place in range(len(body["items"]))]
    pairs = st.tuples(st.sampled_from([body["nrbGuid"] for body in nrbs]), st.sampled_from(lines or [None]))
    manual = draw(st.lists(pairs, max_size=4, unique=True)) if lines else []
    return nrbs, invoices, [(guid, *place) for guid, place in manual]


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(world=worlds())
def test_the_residual_is_nothing_on_any_world(bench, world):
    nrbs, invoices, links = world
    reconciled(bench, nrbs, invoices, links=links)
    rows = statement(bench)
    assert rows[RESIDUAL] == (0, 0, 0)
    # what the statement starts and ends with, counted from the bodies
    leaves = {body["nrbGuid"] for body in nrbs} - {body["nrbParentGuid"] for body in nrbs}
    assert rows[NRB_TOTAL][0] == sum(D(b["nrbTotalAfterMarkup"] or 0) for b in nrbs if b["nrbGuid"] in leaves)
    issued = [b for b in invoices if b["is_active"] is not False and b["status_name"] != "Draft"]
    assert rows[INVOICED][0] == sum(D(body["total"] or 0) for body in issued)
    # every line of an issued invoice stands in it once
    amounts = [D(item["amount"] or item["price"] or 0) for body in issued for item in body["items"]]
    assert sum(rows[place][0] for place in range(BY_REFERENCE, NEGATIVE + 1)) == sum(amounts)


# Rows that have a rule

TIES = {
    UNBILLED: ("amount", "nrb-unbilled"),
    NOT_FOUND: ("amount", "nrb-billed-not-found"),
    ON_VOID: ("amount", "nrb-billed-on-void"),
    NO_LINE: ("amount", "nrb-line-not-found"),
    SUBTOTAL: ("gross", "invoice-subtotal"),
    TOTAL: ("gross", "invoice-total"),
}
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


@pytest.fixture(scope="module")
def broken():
    """Runs the statement with a text of a row replaced by another; returns its residual."""
    nrbs = [unbilled("a", "-5.00"), unbilled("b", "8.00", nrbJobOrderNumber="OTHER-2"), billed("c", "9.00")]
    invoices = [invoice([line("R1-c", "7.00"), line("Labour", "8.00"), line("Discount", "-8.00")], "c", tax="-1.00")]
    row, bridge = [step for step in load_steps("reconcile") if step.name in ("statement_row", "statement")]
    with workbench() as draft:
        engine = reconciled(draft, nrbs, invoices)

        def residual(*replaced):
            text = row.text
            for before, after in replaced:
                assert before in text
                text = text.replace(before, after)
            engine.run(read_step(row.name, text, row.path), {})
            draft.query("delete from statement")
            engine.run(bridge, {})
            return statement(draft)[RESIDUAL]

        yield residual


def test_an_unbroken_statement_has_no_residual(broken):
    assert broken() == (0, 0, 0)


@pytest.mark.parametrize(
    ("before", "after", "gross"),
    [
        ("from nrb_part where unbilled", "from nrb_part where unbilled and amount > 0", "5.00"),  # it stands nowhere
        ("from nrb_part where internal", "from nrb_part where internal or unbilled", "3.00"),  # they stand twice
        ("nrb_guid is null and amount < 0", "nrb_guid is null and amount < -10", "8.00"),
        ("sum(tax), sum(abs(tax))", "sum(abs(tax)), sum(abs(tax))", "2.00"),
        ("linked and invoiced_amount < amount", "linked and false", "2.00"),
    ],
)
def test_a_broken_row_shows_as_a_residual(broken, before, after, gross):
    amount, residual, items = broken((before, after))
    assert (abs(amount), residual, items) == (D(gross), D(gross), 1)


def test_errors_of_the_two_bridges_cannot_cancel(broken):
    missing_cost = ("from nrb_part where unbilled", "from nrb_part where unbilled and amount < 0")
    missing_line = ("nrb_guid is null and amount >= 0", "nrb_guid is null and false")
    amount, gross, items = broken(missing_cost, missing_line)
    assert (amount, gross, items) == (0, D("16.00"), 2)
