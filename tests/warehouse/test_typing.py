"""Raw JSON → typed tables: what is taken as it came, what is refused by the name of its field, and where a day ends."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditkit import values
from auditkit.errors import ValueRefused
from auditkit.warehouse.snapshots import Draft
from tests.world import audited, invoice, line, nrb, related, typed, workbench

D = Decimal


def raw(body: dict, **literals: str) -> str:
    """The body as text, with these fields as the exact literals given."""
    marks = {field: f"@@{field}@@" for field in literals}
    text = json.dumps({**body, **marks})
    for field, literal in literals.items():
        text = text.replace(f'"@@{field}@@"', literal)
    return text


@pytest.fixture(scope="module")
def bench() -> Iterator[Draft]:
    with workbench() as draft:
        yield draft


# Fields of an NRB: (field, literal, column, value) or, where it is refused, (field, literal, words)

TIME = 1_747_849_689_000
TAKEN = [
    # money in three forms
    ("nrbTotalAfterMarkup", '"862.50"', "total_after_markup", D("862.50")),
    ("nrbTotalAfterMarkup", "862.5", "total_after_markup", D("862.50")),
    ("nrbTotalAfterMarkup", "10000", "total_after_markup", D("10000.00")),
    ("nrbTotalAfterMarkup", "15438.99", "total_after_markup", D("15438.99")),
    ("nrbTotalAfterMarkup", '"37.500"', "total_after_markup", D("37.50")),
    ("nrbTotalAfterMarkup", '"37.500000"', "total_after_markup", D("37.50")),
    ("nrbTotalAfterMarkup", "-0.01", "total_after_markup", D("-0.01")),
    ("nrbTotalAfterMarkup", "0", "total_after_markup", D("0.00")),
    ("nrbTotalAfterMarkup", '"999999999999999.99"', "total_after_markup", D("999999999999999.99")),
    ("nrbTotalAfterMarkup", "999999999999999.99", "total_after_markup", D("999999999999999.99")),
    ("nrbTotalAfterMarkup", "null", "total_after_markup", None),
    # rates and quantities keep six decimals
    ("nrbRate", '"0.000001"', "rate", D("0.000001")),
    ("nrbRate", "750.123456", "rate", D("750.123456")),
    ("nrbQuantity", '"1.000"', "quantity", D("1.000000")),
    ("nrbUpcharge", "12.5", "upcharge_percent", D("12.500000")),
    ("nrbUpcharge", "null", "upcharge_percent", None),
    # epoch milliseconds, from 2005 up to 2100
    ("nrbCreatedAt", "1104537600000", "created_at", datetime(2005, 1, 1, tzinfo=UTC)),
    ("nrbCreatedAt", "4102444799999", "created_at", datetime(2099, 12, 31, 23, 59, 59, 999000, tzinfo=UTC)),
    ("nrbCreatedAt", f'"{TIME}"', "created_at", datetime(2025, 5, 21, 17, 48, 9, tzinfo=UTC)),
    ("nrbCreatedAt", "null", "created_at", None),
    # flags
    ("nrbIsExported", "true", "is_exported", True),
    ("nrbIsExported", "false", "is_exported", False),
    ("nrbIsExported", "null", "is_exported", None),
    # text stays as it came; empty is NULL
    ("nrbExternalId", '"000123"', "external_id", "000123"),
    ("nrbExternalId", '" x "', "external_id", " x "),
    ("nrbExternalId", '""', "external_id", None),
    ("nrbExternalId", '"  "', "external_id", None),
    ("nrbExternalId", r'"\u00e9 \"q\" \\ 日本"', "external_id", 'é "q" \\ 日本'),
    ("nrbExternalId", '"null"', "external_id", "null"),
]
NUMBERS_REFUSED = [
    *('"NaN"', '"1e3"', "1e3", "1E+3", "1.5e-1", '"1,000.00"', '" 1 "', '"1 "', '"１２"', '""', '"+1"', '".5"', '"1."'),
    *('"-"', '"--1"', '"0x10"', '"1_000"', '"Infinity"', r'"1\n"', '"1.0000000"', "1.0000000", '"$5"', '"null"'),
    *('"1234567890123456"', "1234567890123456", "true", "[1]", '{"a": 1}'),
]
REFUSED = [
    *[("nrbTotalAfterMarkup", literal, "") for literal in NUMBERS_REFUSED],
    *[("nrbRate", literal, "") for literal in NUMBERS_REFUSED],
    ("nrbTotalAfterMarkup", '"1.005"', 'expected whole cents, found "1.005"'),
    ("nrbTotalAfterMarkup", "0.001", 'expected whole cents, found "0.001"'),
    ("nrbVendorTax", '"37.501"', "expected whole cents"),
    ("nrbTotalAfterMarkup", '"1e3"', 'expected digits such as 862.50, found "1e3"'),
    ("nrbTotalAfterMarkup", "true", "expected a number, found boolean"),
    ("nrbCreatedAt", "1104537599999", "1104537599999 is not between 2005 and 2100 in epoch milliseconds"),
    ("nrbCreatedAt", "4102444800000", "is not between 2005 and 2100"),
    ("nrbCreatedAt", "1747849689", "is not between 2005 and 2100"),  # seconds
    ("nrbCreatedAt", "0", "is not between 2005 and 2100"),
    ("nrbCreatedAt", "1747849689000.5", "expected a whole number"),
    ("nrbCreatedAt", "1.747e12", "expected a whole number"),
    ("nrbCreatedAt", '"2025-05-21"', "expected a whole number"),
    ("nrbCreatedAt", '" 1747849689000"', "expected a whole number"),
    ("nrbCreatedAt", "99999999999999999", "expected a whole number"),
    ("nrbCreatedAt", "true", "expected a whole number"),
    ("nrbIsExported", '"true"', 'expected true or false, found "true"'),
    ("nrbIsExported", "1", 'expected true or false, found "1"'),
    ("nrbIsExported", "[true]", "expected true or false"),
    ("nrbExternalId", "123", "expected text, found"),
    ("nrbExternalId", "true", "expected text, found boolean"),
    ("nrbExternalId", '["x"]', "expected text, found"),
    ("nrbExternalId", '{"a": "x"}', "expected text, found"),
    ("nrbChildren", '{"nrbGuid": "x"}', "expected a list"),
    ("nrbChildren", '"x"', "expected a list, found varchar"),
]
KINDS = {
    "text": "7",
    "flag": '"yes"',
    "number": '"many"',
    "time": '"today"',
}
FIELDS = {
    "text": """nrbExternalId nrbOriginReference nrbJobOrderNumber nrbWBSSharedIdentifier nrbPONumber nrbVendorCode
        nrbInvoiceNumber nrbName nrbTypeName nrbDocumentType nrbAccountType nrbMarkupAppliesOn nrbBilledInGuid
        nrbBilledInName nrbParentGuid nrbNotes nrbCreatedByUserName nrbCreatedByFullName""",
    "flag": "nrbIsBillable isInternal nrbIsExported nrbShouldReconcileWithPO",
    "number": "nrbRate nrbQuantity nrbVendorTax nrbUpcharge nrbTotalAfterMarkup",
    "time": "nrbInvoiceDate nrbCreatedAt nrbUpdatedAt",
}
INVOICE_FIELDS = {
    "text": "guid external_id number status_name customer created_by sales_rep_name",
    "flag": "is_active is_archived",
    "number": "status subtotal tax total cost margin total_paid due items related payments",
    "time": "date_invoice date_due date_created date_updated date_status_change date_paid_in_full",
}
ITEM_FIELDS = {
    "text": "jnid name description uom item_type",
    "number": "quantity price amount cost tax_rate",
}


def every(fields: dict[str, str]) -> list[tuple[str, str]]:
    """(field, a literal of another type) for each field."""
    return [(field, KINDS[kind]) for kind, names in fields.items() for field in names.split()]


@pytest.fixture(scope="module")
def nrbs(bench):
    """guid → typed row, and guid → (field, reason): the guid is the case's place in its table."""
    bodies = [raw(nrb(f"taken-{n}"), **{case[0]: case[1]}) for n, case in enumerate(TAKEN)]
    bodies += [raw(nrb(f"refused-{n}"), **{case[0]: case[1]}) for n, case in enumerate(REFUSED)]
    bodies += [raw(nrb(f"wrong-{field}"), **{field: literal}) for field, literal in every(FIELDS)]
    typed(bench, bodies)
    rows = {row["guid"]: row for row in bench.query("select * from nrb").records()}
    sql = "select subject_id, field, reason from quarantine where subject_type = 'nrb'"
    return rows, {guid: (field, reason) for guid, field, reason in bench.query(sql).rows}


@pytest.mark.parametrize("place", range(len(TAKEN)), ids=[" ".join(case[:2]) for case in TAKEN])
def test_taken_as_it_came(nrbs, place):
    _, _, column, value = TAKEN[place]
    found = nrbs[0][f"taken-{place}"][column]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize("place", range(len(REFUSED)), ids=[" ".join(case[:2]) for case in REFUSED])
def test_refused_by_name_of_field(nrbs, place):
    field, _, words = REFUSED[place]
    rows, refusals = nrbs
    assert f"refused-{place}" not in rows
    name, reason = refusals[f"refused-{place}"]
    assert name == field
    assert reason.startswith(f"{field}: ")
    assert words in reason


@pytest.mark.parametrize("field", [field for field, _ in every(FIELDS)])
def test_every_field_refuses_another_type(nrbs, field):
    assert nrbs[1][f"wrong-{field}"][0] == field


def test_nothing_is_dropped(nrbs):
    rows, refusals = nrbs
    assert len(rows) + len(refusals) == len(TAKEN) + len(REFUSED) + len(every(FIELDS))


# Invoices: refused whole, by the name of the field and the place of the line


@pytest.fixture(scope="module")
def invoices(bench):
    seconds = 1_683_781_200
    bodies = [raw(invoice([line()], f"wrong-{field}"), **{field: literal}) for field, literal in every(INVOICE_FIELDS)]
    for field, literal in every(ITEM_FIELDS):
        items = json.dumps([line(), "@@"]).replace('"@@"', raw(line(), **{field: literal}))
        bodies.append(raw(invoice([line()], f"line-{field}"), items=items))
    bodies += [
        raw(invoice([line()], "no-object"), items='[{"name": "x"}, 7]'),
        raw(invoice([line()], "labour"), items='[{"name": "x", "labor": {"amount": "free"}}]'),
        raw(invoice([line()], "no-job-object"), related='["x"]'),
        raw(invoice([line()], "job-number"), related='[{"id": "x", "type": "job", "number": 1000}]'),
        raw(invoice([line()], "in-ms"), date_invoice=f"{seconds}000"),
        raw(invoice([line()], "two"), total='"x"', items='[{"amount": "1.005"}]'),
        raw(invoice([line()], "too-large"), items='[{"quantity": 999999999999999, "price": 999999999999999}]'),
        raw(invoice([line()], "unset"), date_paid_in_full="0", date_due='"0"', date_status_change="null"),
        raw(invoice([line()], "set"), date_invoice=f'"{seconds}"', status='"4"'),
        raw(invoice([line()], "no-lists"), items="null", related="null", payments="null"),
        raw(
            invoice([line()], "lines"),
            items='[{"quantity": "0.5", "price": 0.25}, {"quantity": 2, "price": 3, "amount": 7}, {"price": 1}, {}]',
        ),
        raw(invoice([line()], "labour-kept"), items='[{"labor": {"price": "1.5", "amount": 2}}, {"labor": null}]'),
        raw(invoice([line()], "paid"), payments='[{"a": 1.10}, "x"]'),
    ]
    typed(bench, [], bodies)
    sql = "select subject_id, field, reason from quarantine where subject_type = 'invoice'"
    refusals = {jnid: (field, reason) for jnid, field, reason in bench.query(sql).rows}
    return {row["jnid"]: row for row in bench.query("select * from invoice").records()}, refusals, bench


@pytest.mark.parametrize("field", [field for field, _ in every(INVOICE_FIELDS)])
def test_every_field_of_an_invoice_refuses_another_type(invoices, field):
    rows, refusals, _ = invoices
    assert refusals[f"wrong-{field}"][0] == field
    assert f"wrong-{field}" not in rows


@pytest.mark.parametrize("field", [field for field, _ in every(ITEM_FIELDS)])
def test_every_field_of_a_line_refuses_another_type(invoices, field):
    rows, refusals, _ = invoices
    assert refusals[f"line-{field}"][0] == f"items[1].{field}"
    assert f"line-{field}" not in rows


@pytest.mark.parametrize(
    ("jnid", "field", "words"),
    [
        ("no-object", "items[1].", "expected an object, found"),
        ("labour", "items[0].labor.amount", "expected digits"),
        ("no-job-object", "related[0].", "expected an object, found"),
        ("job-number", "related[0].number", "expected text"),
        ("in-ms", "date_invoice", "is not between 2005 and 2100 in epoch seconds"),
        ("two", "items[0].amount, total", "expected whole cents"),
        ("too-large", "items[0].amount", "quantity × price exceeds 18 digits"),
    ],
)
def test_what_refuses_an_invoice(invoices, jnid, field, words):
    found, reason = invoices[1][jnid]
    assert (found, words in reason) == (field, True)


def test_a_refused_invoice_leaves_no_line_behind(invoices):
    _, refusals, bench = invoices
    for table in ("invoice_item", "invoice_related", "payment", "line_token", "related_token"):
        assert not {jnid for (jnid,) in bench.query(f"select jnid from {table}").rows} & set(refusals)


def test_zero_and_null_are_no_time_in_jobnimbus(invoices):
    row = invoices[0]["unset"]
    assert (row["paid_in_full_at"], row["due_date"], row["status_changed_at"]) == (None, None, None)


def test_text_that_is_a_number_is_one(invoices):
    row = invoices[0]["set"]
    assert (row["invoice_at"], row["status"]) == (datetime(2023, 5, 11, 5, tzinfo=UTC), 4)


def test_missing_lists_are_no_lines(invoices):
    rows, _, bench = invoices
    assert "no-lists" in rows
    assert bench.query("select count(*) from invoice_item where jnid = 'no-lists'").scalar() == 0


def test_an_amount_that_is_missing_is_quantity_times_price(invoices):
    sql = "select position, amount, amount_derived from invoice_item where jnid = 'lines' order by position"
    assert invoices[2].query(sql).rows == [
        (0, D("0.13"), True),
        (1, D("7.00"), False),
        (2, None, True),
        (3, None, True),
    ]


def test_labour_and_payments_are_kept(invoices):
    bench = invoices[2]
    sql = "select labor_price, labor_amount from invoice_item where jnid = 'labour-kept' order by position"
    assert bench.query(sql).rows == [(D("1.500000"), D("2.00")), (None, None)]
    rows = bench.query("select position, body from payment where jnid = 'paid' order by position").rows
    assert [(place, json.loads(body)) for place, body in rows] == [(0, {"a": 1.1}), (1, "x")]
    assert "1.10" in rows[0][1]


# Days


@pytest.mark.parametrize(
    ("zone", "day"),
    [("America/Edmonton", date(2023, 5, 10)), ("America/Chicago", date(2023, 5, 11)), ("UTC", date(2023, 5, 11))],
)
def test_the_zone_decides_the_day(bench, zone, day):
    """05:00 UTC: the vendor's own sample, midnight in Chicago, the evening before in Edmonton."""
    when = 1_683_781_200
    bodies = (
        [nrb(nrbInvoiceDate=when * 1000, nrbCreatedAt=when * 1000)],
        [invoice(date_invoice=when, date_due=when, date_created=when)],
    )
    typed(bench, *bodies, zone=zone)
    assert bench.query("select vendor_invoice_date, created_on from nrb").rows == [(day, day)]
    assert bench.query("select invoice_date, due_date, created_on from invoice").rows == [(day, day, day)]
    instants = bench.query("select n.created_at, i.invoice_at from nrb as n, invoice as i").rows
    assert set(instants[0]) == {datetime(2023, 5, 11, 5, tzinfo=UTC)}


# Parents and children


def family(bench, *bodies):
    typed(bench, bodies)
    return {row[0]: row[1:] for row in bench.query("select guid, parent_guid, is_leaf, rate from nrb").rows}


PARENT = {"nrbDocumentType": "RECEIPT_AP_INVOICE"}


@pytest.mark.parametrize(
    ("bodies", "expected"),
    [
        pytest.param(
            [nrb("p", **PARENT), nrb("c", nrbParentGuid="p")],
            {"p": (None, False), "c": ("p", True)},
            id="the child names its parent",
        ),
        pytest.param(
            [nrb("p", **PARENT, nrbChildren=[nrb("c")])],
            {"p": (None, False), "c": ("p", True)},
            id="the parent holds its child, which has no record of its own",
        ),
        pytest.param(
            [nrb("p", **PARENT, nrbChildren=[{"nrbGuid": "c"}]), nrb("c")],
            {"p": (None, False), "c": ("p", True)},
            id="the parent lists a child that names nobody",
        ),
        pytest.param(
            [nrb("p", **PARENT, nrbChildren=[nrb("c")]), nrb("q", **PARENT), nrb("c", nrbParentGuid="q")],
            {"p": (None, False), "q": (None, False), "c": ("q", True)},
            id="what the child says of its parent wins",
        ),
        pytest.param([nrb("p", **PARENT, nrbChildren=[])], {"p": (None, True)}, id="no child: a leaf"),
        pytest.param([nrb("p", nrbChildren=None)], {"p": (None, True)}, id="no list: a leaf"),
        pytest.param([nrb("c", nrbParentGuid="gone")], {"c": ("gone", True)}, id="a parent that is not there"),
        pytest.param([nrb("s", nrbParentGuid="s")], {"s": (None, True)}, id="its own parent: none"),
        pytest.param(
            [
                nrb("a", nrbChildren=[nrb("b", nrbChildren=[])]),
                nrb("b", nrbParentGuid="a"),
                nrb("d", nrbParentGuid="b"),
            ],
            {"a": (None, False), "b": ("a", False), "d": ("b", True)},
            id="three generations",
        ),
    ],
)
def test_children_are_read_from_both_sides(bench, bodies, expected):
    assert {guid: row[:2] for guid, row in family(bench, *bodies).items()} == expected


def test_the_childs_own_record_wins(bench):
    held = nrb("c", "5.00", nrbParentGuid="p")
    rows = family(bench, nrb("p", **PARENT, nrbChildren=[held]), nrb("c", "7.00", nrbParentGuid="p"))
    assert rows["c"][2] == D(7)


def test_a_held_child_is_typed_as_strictly(bench):
    typed(bench, [nrb("p", nrbChildren=[nrb("c", nrbRate="1e3"), {"nrbRate": "1"}])])
    rows = bench.query("select subject_id, field from quarantine order by 1").rows
    assert rows == [("c", "nrbRate"), ("p/nrbChildren", "nrbChildren")]
    assert bench.query("select is_leaf from nrb where guid = 'p'").scalar() is False


# Keys of lines


def keys(bench, *lines):
    typed(bench, [], [invoice(lines)])
    return [key for (key,) in bench.query("select line_key from invoice_item order by position").rows]


def test_an_inserted_line_moves_nobodys_key(bench):
    lines = [line("A"), line("B"), line("B"), line("C")]
    before = keys(bench, *lines)
    assert len(set(before)) == 4
    assert keys(bench, line("new"), *lines)[1:] == before
    assert keys(bench, *lines[:2], line("new"), *lines[2:]) == [*before[:2], keys(bench, line("new"))[0], *before[2:]]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (line("A"), line("B")),
        (line("A"), line("A", name="Other")),
        (line("A"), line("A", quantity=2)),
        (line("A"), line("A", price="1.00")),
        (line(None), line("")),
        (line("A", name=None), line("A", name="")),
        (line("x", name="a b"), line("b x", name="a")),
    ],
)
def test_two_lines_of_an_invoice_never_share_a_key(bench, one, other):
    assert len(set(keys(bench, one, other))) == 2


def test_what_is_not_in_the_key_does_not_change_it(bench):
    assert keys(bench, line("A", "1.00")) == keys(bench, line("A", "2.00", price="1.00", uom="Hours", cost="5.00"))


# The same rules as auditkit.values

DIGITS = st.from_regex(r"-?[0-9]{1,16}(\.[0-9]{1,7})?", fullmatch=True)
TEXTS = st.lists(DIGITS | st.text(alphabet="0123456789.-+eE ,_NaNx\u0661\uff11", max_size=8), min_size=60, max_size=80)
QUIET = settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))


def python(convert, text):
    try:
        return convert(text)
    except ValueRefused:
        return "refused"


def sql(bench, column, guid="guid", table="nrb"):
    """key → typed value, or "refused"."""
    refused = {key: "refused" for (key,) in bench.query("select subject_id from quarantine").rows}
    return refused | dict(bench.query(f"select {guid}, {column} from {table}").rows)


@QUIET
@given(texts=TEXTS)
def test_money_and_quantities_equal_python(bench, texts):
    typed(bench, [nrb(str(place), nrbVendorTax=text) for place, text in enumerate(texts)])
    assert sql(bench, "vendor_tax") == {str(n): python(values.money, text) for n, text in enumerate(texts)}
    typed(bench, [nrb(str(place), nrbUpcharge=text) for place, text in enumerate(texts)])
    assert sql(bench, "upcharge_percent") == {str(n): python(values.quantity, text) for n, text in enumerate(texts)}


EPOCHS = st.integers(-1, 5 * 10**9) | st.integers(10**12, 5 * 10**12) | st.integers(10**15, 10**17)
WHOLE = st.lists(EPOCHS.map(str) | st.from_regex(r"[0-9]{0,12}[.0 e+-]?[0-9]?", fullmatch=True), min_size=60)


@QUIET
@given(texts=WHOLE)
def test_times_equal_python(bench, texts):
    expected_ms = {str(n): python(values.time_from_ms, text) for n, text in enumerate(texts)}
    expected_s = {str(n): python(values.time_from_s, text) for n, text in enumerate(texts)}
    typed(
        bench,
        [nrb(str(n), nrbCreatedAt=text) for n, text in enumerate(texts)],
        [invoice([], str(n), date_created=text) for n, text in enumerate(texts)],
    )
    bench.query("delete from quarantine where subject_type = 'invoice'")
    assert sql(bench, "created_at") == expected_ms
    rows = dict(bench.query("select jnid, created_at from invoice").rows)
    assert {key: rows.get(key, "refused") for key in expected_s} == expected_s


def decimals(low, high, places):
    return st.integers(low * 10**places, high * 10**places).map(lambda digits: D(digits).scaleb(-places))


PARTS = st.tuples(
    decimals(-1000, 100_000, 3),
    decimals(-10, 1000, 3),
    decimals(0, 100, 3) | st.none(),
    decimals(-10, 1000, 2) | st.none(),
    st.sampled_from([values.SUB_TOTAL, values.SUB_TOTAL_AND_VENDOR_TAX, None, "OTHER"]),
)
SAMPLES = [
    ((D(750), D(1), D(10), D("37.50"), values.SUB_TOTAL), D("862.50")),  # the vendor's own figures
    ((D(750), D(1), D(10), D("37.50"), values.SUB_TOTAL_AND_VENDOR_TAX), D("866.25")),
    ((D(750), D(1), None, None, None), D("750.00")),
    ((D("0.125"), D(1), None, None, None), D("0.13")),
    ((D("-0.125"), D(1), None, None, None), D("-0.13")),
    ((D("0.05"), D(1), D(10), None, None), D("0.06")),  # 0.055
]


@settings(QUIET, max_examples=10)
@given(parts=st.lists(PARTS, min_size=50))
def test_the_total_after_markup_equals_python(bench, parts):
    parts = [*parts, *[sample for sample, _ in SAMPLES]]
    names = ("rate", "quantity", "upcharge", "tax", "applies")
    columns = {name: [part[n] if part[n] is None else str(part[n]) for part in parts] for n, name in enumerate(names)}
    rows = bench.query(
        """
        with part as (
            select unnest($rate) as rate, unnest($quantity) as quantity, unnest($upcharge) as upcharge,
                unnest($tax) as tax, unnest($applies) as applies
        )
        select total_after_markup(
            to_quantity(rate), to_quantity(quantity), to_quantity(upcharge), to_money(tax), applies
        )
        from part
        """,
        columns,
    ).rows
    assert [total for (total,) in rows] == [values.total_after_markup(*part) for part in parts]
    assert [total for (total,) in rows][-len(SAMPLES) :] == [total for _, total in SAMPLES]


def test_related_rows_and_their_tokens(bench):
    typed(
        bench,
        [],
        [
            invoice(
                related=[related("1000", "J1", "Client / JOB-1001"), {"id": "C", "type": "contact", "name": "X-9999"}]
            )
        ],
    )
    assert bench.query("select position, related_id, type, number, name from invoice_related order by 1").rows == [
        (0, "J1", "job", "1000", "Client / JOB-1001"),
        (1, "C", "contact", None, "X-9999"),
    ]
    assert bench.query("select token from related_token").rows == [("job-1001",)]


def test_nobody_is_a_child_of_itself(tmp_path):
    with audited(tmp_path, [nrb("a", "500.00", nrbChildren=[{"nrbGuid": "a"}])], []) as snapshot:
        assert snapshot.query("select guid, is_leaf, parent_guid from nrb").rows == [("a", True, None)]


@pytest.mark.parametrize(
    ("bodies", "refused", "leaves"),
    [
        ([nrb("a", nrbParentGuid="b"), nrb("b", nrbParentGuid="a")], "ab", ""),
        ([nrb("a", nrbChildren=[{"nrbGuid": "b"}]), nrb("b", nrbChildren=[{"nrbGuid": "a"}])], "ab", ""),
        ([nrb("a", nrbParentGuid="b", nrbChildren=[nrb("b")])], "ab", ""),
        ([nrb(guid, nrbParentGuid=parent) for guid, parent in ("ab", "bc", "cd", "da")], "abcd", ""),
        ([nrb(guid, nrbParentGuid=parent) for guid, parent in ("ab", "ba", "xa", "yx")], "ab", "y"),
        ([nrb(guid, nrbParentGuid=parent) for guid, parent in ("ab", "bc", "dc")], "", "ad"),
    ],
    ids=["each names the other", "each lists the other", "both ways", "four", "with descendants", "no circle"],
)
def test_who_is_its_own_ancestor_is_refused(bench, bodies, refused, leaves):
    """Nobody in a circle is a leaf: its money would be in no total."""
    typed(bench, bodies)
    rows = bench.query("select subject_id, field, reason from quarantine order by subject_id").rows
    reason = "nrbParentGuid: it is above itself: its parents lead back to it"
    assert rows == [(guid, "nrbParentGuid", reason) for guid in refused]
    found = bench.query("select guid from nrb where is_leaf order by guid").rows
    assert "".join(guid for (guid,) in found) == leaves


def test_what_a_parent_says_does_not_replace_a_record_that_cannot_be_read(bench):
    unreadable = json.dumps(nrb("c", nrbNotes="mark")).replace("mark", "\\ud800")
    typed(bench, [nrb("p", nrbChildren=[nrb("c")]), unreadable])
    assert bench.query("select subject_id, field from quarantine").rows == [("c", "(body)")]
    assert bench.query("select guid from nrb").rows == [("p",)]
