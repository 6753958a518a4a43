"""JobNimbus over HTTP: each operation and each switch."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from auditkit.sandbox.clock import fixed_clock, seconds

from .bodies import INVOICE, UPDATED_S, invoice, invoices

NOW = datetime(2026, 9, 30, 12, tzinfo=UTC)
DAY = 86_400
FIRST = 1_600_000_000
POSTED = {
    "type": "invoice",
    "date_created": 1683819562,
    "date_updated": 1684160281,
    "date_invoice": 1683781200,
    "date_due": 1683781200,
    "external_id": "993479",
    "number": "1047-795",
    "is_active": True,
    "status": 1,
    "internal_note": "Project Invoice",
    "dummy_origin": "SystemName",
    "related": [{"id": "JOB_ID_1", "type": "job"}],
    "items": [
        {"name": "Services", "uom": "Items", "item_type": "material", "quantity": 1, "price": 15438.99, "jnid": "x"},
        {"name": "Services", "uom": "Items", "item_type": "material", "quantity": 1.5, "price": 1303, "jnid": "x"},
        {"name": "Services", "uom": "Items", "item_type": "material", "quantity": 1, "price": -349.52},
    ],
}


def ids(page):
    return [row["jnid"] for row in page["results"]]


def numbered(*numbers):
    return [f"INVOICE_ID_{number}" for number in numbers]


def by_range(field, **bounds):
    return json.dumps({"must": [{"range": {field: bounds}}]})


def test_the_list_is_an_envelope_of_whole_invoices(sandbox):
    assert sandbox.page()["count"] == 3
    assert sandbox.jobnimbus("GET").json(parse_float=Decimal)["results"] == invoices()


def test_pages_are_selected_by_from_and_size(sandbox):
    assert ids(sandbox.page(**{"from": 1, "size": 1})) == numbered(2)
    assert ids(sandbox.page(**{"from": 2})) == numbered(3)
    assert sandbox.page(**{"from": 3}) == {"count": 3, "results": []}
    assert sandbox.page(size=0) == {"count": 3, "results": []}


@pytest.mark.parametrize(
    "query", ["from=-1", "from=x", "size=", "size=1.5", "from=1&from=2", "filter=x", "filter={}", "size=9999999999"]
)
def test_an_invalid_page_is_refused(sandbox, query):
    assert sandbox.jobnimbus("GET", f"?{query}").status_code == 400


def test_unknown_parameters_are_ignored(sandbox):
    assert ids(sandbox.page(fields="jnid", sort="x")) == numbered(1, 2, 3)


@pytest.fixture
def make_many(make_sandbox):
    def make(count, **switches):
        return make_sandbox(invoices=invoices(count), nrbs=[], **switches)

    return make


def test_a_page_has_1000_rows_unless_fewer_are_requested(make_many):
    sandbox = make_many(1_002)
    assert [len(sandbox.page(**asked)["results"]) for asked in ({}, {"size": 1_001}, {"size": 999})] == [
        1000,
        1000,
        999,
    ]


@pytest.mark.parametrize(
    ("switch", "status", "rows"), [("error", 400, None), ("empty", 200, 0), ("wrap-to-last", 200, 600)]
)
def test_beyond_ten_thousand_the_answer_is_a_switch(make_many, switch, status, rows):
    sandbox = make_many(10_100, beyond_window=switch)
    at_the_end = sandbox.page(**{"from": 9_400, "size": 600})
    assert (at_the_end["count"], len(at_the_end["results"])) == (10_100, 600)
    beyond = sandbox.jobnimbus("GET", params={"from": 9_401, "size": 600})
    assert beyond.status_code == status
    if rows is not None:
        assert len(beyond.json()["results"]) == rows
    if switch == "wrap-to-last":
        assert beyond.json()["results"] == at_the_end["results"]


def test_a_stable_random_order_is_the_same_for_every_request_and_complete(make_many):
    sandbox = make_many(50, order="stable-random")
    whole = ids(sandbox.page())
    paged = [jnid for start in range(0, 50, 10) for jnid in ids(sandbox.page(**{"from": start, "size": 10}))]
    assert whole == paged
    assert whole != numbered(*range(1, 51))
    assert sorted(whole) == sorted(numbered(*range(1, 51)))


def test_a_random_order_differs_from_request_to_request(make_many):
    sandbox = make_many(50, order="random-per-request")
    first, second = ids(sandbox.page()), ids(sandbox.page())
    assert first != second
    assert sorted(first) == sorted(second)


@pytest.mark.parametrize(
    ("field", "bounds", "found"),
    [
        ("date_created", {"gte": FIRST + DAY}, (2, 3)),
        ("date_created", {"gt": FIRST + DAY}, (3,)),
        ("date_created", {"lt": FIRST + DAY}, (1,)),
        ("date_created", {"gte": FIRST, "lte": FIRST + DAY}, (1, 2)),
        ("date_updated", {"gte": FIRST + 2 * DAY, "lt": FIRST + 3 * DAY}, (2,)),
        ("date_updated", {"gte": 2**40}, ()),
        ("date_updated", {}, (1, 2, 3)),
    ],
)
def test_a_filter_bounds_the_dates(sandbox, field, bounds, found):
    assert ids(sandbox.page(filter=by_range(field, **bounds))) == numbered(*found)


@pytest.mark.parametrize(
    ("term", "found"),
    [
        ({"number": "INV-002"}, (2,)),
        ({"number": "inv-002"}, ()),
        ({"status_name": "Closed"}, (1, 2, 3)),
        ({"status": 4}, (1, 2, 3)),
        ({"status": "4"}, ()),
        ({"is_active": True}, (1, 2, 3)),
        ({"is_active": 1}, ()),
        ({"status": True}, ()),
        ({"total": 15438.99}, (1, 2, 3)),
        ({"related.id": "JOB_ID_1"}, (1, 2, 3)),
        ({"related.id": "JOB_ID_2"}, ()),
        ({"location.id": 1}, (1, 2, 3)),
        ({"items.labor.price": 0}, (1, 2, 3)),
        ({"related": "JOB_ID_1"}, ()),
        ({"nothing": "x"}, ()),
    ],
)
def test_a_term_is_a_field_with_its_value_also_within_lists(sandbox, term, found):
    assert ids(sandbox.page(filter=json.dumps({"must": [{"term": term}]}))) == numbered(*found)


def test_every_condition_of_a_filter_must_hold(sandbox):
    conditions = [{"term": {"status": 4}}, {"range": {"date_created": {"gt": FIRST}}}, {"term": {"number": "INV-003"}}]
    assert ids(sandbox.page(filter=json.dumps({"must": conditions}))) == numbered(3)


def test_the_count_of_a_filter_counts_its_terms(make_sandbox):
    term = json.dumps({"must": [{"term": {"number": "INV-001"}}]})
    assert make_sandbox(count="filter").page(filter=term)["count"] == 1


@pytest.mark.parametrize(
    "condition",
    [
        *({}, {"term": {}}, {"term": {"a": "x", "b": "x"}}, {"term": {"a": None}}, {"term": {"a": ["x"]}}),
        *({"term": {"a": "x"}, "range": {}}, {"terms": {"a": "x"}}, {"range": {"date_due": {"gt": 1}}}),
    ],
)
def test_a_condition_that_cannot_be_read_is_refused(sandbox, condition):
    answer = sandbox.jobnimbus("GET", params={"filter": json.dumps({"must": [condition]})})
    assert (answer.status_code, answer.json()["body"][:14]) == (400, "filter.must[0]")


def test_the_filter_may_be_ignored_like_any_unknown_parameter(make_sandbox):
    sandbox = make_sandbox(filter="ignored")
    assert ids(sandbox.page(filter=by_range("date_created", gte=2**40))) == numbered(1, 2, 3)
    assert ids(sandbox.page(filter="x")) == numbered(1, 2, 3)


@pytest.mark.parametrize(("switch", "count"), [("account", 3), ("filter", 2)])
def test_what_the_count_counts_is_a_switch(make_sandbox, switch, count):
    page = make_sandbox(count=switch).page(filter=by_range("date_created", gt=FIRST))
    assert (page["count"], len(page["results"])) == (count, 2)


def test_slim_rows_omit_null_empty_and_secondary_fields(make_sandbox):
    sandbox = make_sandbox(list_rows="slim")
    row, whole = sandbox.page()["results"][0], sandbox.invoice()
    assert set(whole) - set(row) == {
        *("external_id", "margin", "sections", "payments", "owners", "note", "template_id")
    }
    assert set(whole["items"][0]) - set(row["items"][0]) == {"photos", "sku"}
    assert row["date_paid_in_full"] is None, "a date is never dropped"
    assert row.items() <= {**whole, "items": row["items"]}.items()


def test_money_may_be_strings_in_lists_and_by_id(make_sandbox):
    sandbox = make_sandbox(jobnimbus_numbers="strings")
    for body in (sandbox.invoice(), sandbox.page()["results"][0]):
        assert (body["total"], body["due"], body["subtotal"]) == ("15438.99", "5438.99", "15438")
        assert (body["items"][0]["price"], body["items"][0]["labor"]["amount"]) == ("15438", "0")
        assert (body["status"], body["items"][0]["quantity"]) == (4, 1)


def test_a_creation_computes_amounts_and_totals_and_completes_related_records(make_sandbox):
    sandbox = make_sandbox(post_body="object", clock=fixed_clock(NOW))
    answer = sandbox.jobnimbus("POST", json=POSTED, params={"actor": "ann@example.com"})
    made = answer.json(parse_float=Decimal)
    assert answer.status_code == 200
    assert [item["amount"] for item in made["items"]] == [Decimal("15438.99"), Decimal("1954.5"), Decimal("-349.52")]
    assert made == made | {
        "subtotal": Decimal("17043.97"),
        "tax": 0,
        "total": Decimal("17043.97"),
        "due": Decimal("17043.97"),
        "external_id": "993479",
        "number": "1047-795",
        "status": 1,
        "status_name": "Status 1",
        "date_created": 1683819562,
        "date_updated": seconds(NOW),
        "created_by_name": "ann@example.com",
        "related": invoice()["related"],
    }
    assert "dummy_origin" not in made
    assert sandbox.jobnimbus("GET", f"/{made['jnid']}").json(parse_float=Decimal) == made
    assert sandbox.page()["count"] == 4
    assert set(invoice()) <= set(made)


def test_without_a_body_the_new_invoice_is_found_in_the_list(sandbox):
    answer = sandbox.jobnimbus("POST", json={**POSTED, "number": None, "related": [{"id": "J", "type": "job"}]})
    assert (answer.status_code, answer.content) == (200, b"")
    made = sandbox.page(**{"from": 3})["results"][0]
    assert made["number"] == "4"
    assert made["related"] == [{"id": "J", "name": None, "number": None, "type": "job", "email": None, "subject": None}]


@pytest.mark.parametrize("field", ["type", "is_active", "status", "related", "items"])
def test_a_creation_needs_the_required_fields(sandbox, field):
    answer = sandbox.jobnimbus("POST", json={name: value for name, value in POSTED.items() if name != field})
    assert (answer.status_code, answer.json()) == (400, {"status": 400, "body": f"body: {field} is missing"})
    assert sandbox.page()["count"] == 3


def test_an_update_merges_top_level_fields_and_keeps_the_others(sandbox):
    before = sandbox.invoice()
    answer = sandbox.jobnimbus(
        "PUT", f"/{INVOICE}", json={"external_id": "E-1", "total": 1, "guid": "x", "jnid": INVOICE}
    )
    assert (answer.status_code, answer.content) == (200, b"")
    after = sandbox.invoice()
    assert after.pop("date_updated") > before.pop("date_updated")
    assert after == {**before, "external_id": "E-1"}


@pytest.mark.parametrize("post_body", ["empty", "object"])
@pytest.mark.parametrize("put_body", ["empty", "object"])
def test_what_a_creation_and_an_update_answer_are_two_switches(make_sandbox, post_body, put_body):
    sandbox = make_sandbox(post_body=post_body, put_body=put_body)
    made = sandbox.jobnimbus("POST", json=POSTED)
    jnid = sandbox.page(**{"from": 3})["results"][0]["jnid"]
    assert (made.content == b"") if post_body == "empty" else (made.json() == sandbox.invoice(jnid))
    changed = sandbox.jobnimbus("PUT", f"/{jnid}", json={"number": "N"})
    assert (changed.content == b"") if put_body == "empty" else (changed.json() == sandbox.invoice(jnid))
    assert sandbox.invoice(jnid)["number"] == "N"


def test_every_operation_is_also_answered_without_the_version_in_its_path(make_sandbox):
    sandbox = make_sandbox(post_body="object", put_body="object")

    def unversioned(method, path="", **options):
        url = f"{sandbox.address.jobnimbus_url}/api1/invoices{path}"
        return sandbox.session.request(method, url, headers={"Authorization": "bearer demo-token"}, **options)

    assert unversioned("GET").json() == sandbox.page()
    assert unversioned("GET", f"/{INVOICE}").json() == sandbox.invoice()
    jnid = unversioned("POST", json=POSTED).json()["jnid"]
    assert unversioned("PUT", f"/{jnid}", json={"number": "N"}).json() == sandbox.invoice(jnid)
    assert unversioned("PUT", f"/{jnid}", json={"is_active": False}).json()["is_active"] is False
    assert sandbox.page()["count"] == 4
    assert unversioned("DELETE", f"/{jnid}").status_code == 405


def test_a_write_moves_date_updated_forward_even_if_the_clock_is_stopped(make_sandbox):
    sandbox = make_sandbox(clock=fixed_clock(datetime(2020, 1, 1, tzinfo=UTC)), invoices=[invoice()])
    for step in (1, 2):
        sandbox.jobnimbus("PUT", f"/{INVOICE}", json={"number": str(step)})
        assert sandbox.invoice()["date_updated"] == UPDATED_S + step


@pytest.mark.parametrize(
    ("sent", "subtotal", "total", "due"),
    [
        ({"items": [{"quantity": 3, "price": 0.335}]}, 1.01, 2, -9998),
        ({"items": [{"price": 10000}, {"price": -0.01}]}, 9999.99, 10000.98, 0.98),
        ({"items": []}, 0, 0.99, -9999.01),
        ({"tax": 12}, 15438, 15450, 5450),
    ],
)
def test_totals_follow_items_and_tax(sandbox, sent, subtotal, total, due):
    sandbox.jobnimbus("PUT", f"/{INVOICE}", json=sent)
    after = sandbox.invoice()
    assert (after["subtotal"], after["total"], after["due"]) == (subtotal, total, due)


@pytest.mark.parametrize(
    ("switch", "prices", "names"),
    [("replaced", [7, 5], [None, None]), ("merged", [7, 5], ["Service", None])],
)
def test_sent_items_replace_or_are_merged_by_jnid(make_sandbox, switch, prices, names):
    sandbox = make_sandbox(items=switch)
    sandbox.jobnimbus("PUT", f"/{INVOICE}", json={"items": [{"jnid": "ITEM_ID_1", "price": 7}, {"price": 5}]})
    items = sandbox.invoice()["items"]
    assert ([item["price"] for item in items], [item["name"] for item in items]) == (prices, names)
    assert all(item["jnid"] for item in items)


def test_items_of_one_jnid_are_merged_one_by_one(make_sandbox):
    twins = [invoice()["items"][0] | {"jnid": "PRODUCT", "price": price} for price in (1, 2)]
    sandbox = make_sandbox(items="merged", invoices=[invoice(items=twins)])
    sandbox.jobnimbus(
        "PUT", f"/{INVOICE}", json={"items": [{"jnid": "PRODUCT", "price": price} for price in (3, 4, 5)]}
    )
    assert [item["price"] for item in sandbox.invoice()["items"]] == [3, 4, 5]


def test_merged_items_that_are_not_sent_are_kept(make_sandbox):
    sandbox = make_sandbox(items="merged")
    sandbox.jobnimbus("PUT", f"/{INVOICE}", json={"items": [{"price": 5}]})
    assert [item["price"] for item in sandbox.invoice()["items"]] == [15438, 5]


@pytest.mark.parametrize(
    ("switch", "body", "status"),
    [
        ("no", {"number": "N"}, 200),
        ("yes", {"number": "N"}, 400),
        ("yes", {"number": "N", "jnid": INVOICE}, 200),
        ("no", {"number": "N", "jnid": "another"}, 409),
        ("no", {"items": {}}, 400),
        ("no", {"is_active": "false"}, 400),
        ("no", {"status": "4"}, 400),
    ],
)
def test_an_update_may_need_the_jnid_in_its_body(make_sandbox, switch, body, status):
    sandbox = make_sandbox(put_requires_jnid=switch)
    assert sandbox.jobnimbus("PUT", f"/{INVOICE}", json=body).status_code == status
    assert sandbox.invoice()["number"] == ("N" if status == 200 else "INV-001")


def test_a_new_status_gets_the_name_that_it_has_on_other_invoices(make_sandbox):
    drafts = [invoice(), invoice("D", status=1, status_name="Draft")]
    sandbox = make_sandbox(invoices=drafts, clock=fixed_clock(NOW))
    sandbox.jobnimbus("PUT", f"/{INVOICE}", json={"status": 1})
    after = sandbox.invoice()
    assert (after["status"], after["status_name"], after["date_status_change"]) == (1, "Draft", seconds(NOW))


@pytest.mark.parametrize(("switch", "listed", "status"), [("listed", (1, 2, 3), 200), ("hidden", (2, 3), 404)])
def test_deleting_is_an_update_that_hides_or_not(make_sandbox, switch, listed, status):
    sandbox = make_sandbox(deleted=switch)
    assert sandbox.jobnimbus("PUT", f"/{INVOICE}", json={"is_active": False}).status_code == 200
    page = sandbox.page()
    assert (ids(page), page["count"]) == (numbered(*listed), len(listed))
    assert sandbox.jobnimbus("GET", f"/{INVOICE}").status_code == status
    assert sandbox.jobnimbus("PUT", f"/{INVOICE}", json={"note": "x"}).status_code == status


def test_a_record_with_malformed_items_can_still_be_updated(make_sandbox):
    odd = invoice(items=[{"jnid": "I", "amount": "1,000.00"}])
    sandbox = make_sandbox(invoices=[odd])
    assert sandbox.jobnimbus("PUT", f"/{INVOICE}", json={"tax": 1}).status_code == 200
    assert sandbox.jobnimbus("PUT", f"/{INVOICE}", json={"note": "n"}).status_code == 200
    assert (sandbox.invoice()["total"], sandbox.invoice()["items"]) == (15438.99, odd["items"])
