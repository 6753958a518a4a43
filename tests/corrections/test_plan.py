"""A plan: what may be planned, what it shows, and that a loaded plan equals the saved one."""

import json
import stat
from dataclasses import FrozenInstanceError, replace
from datetime import timedelta
from decimal import Decimal

import pytest

from auditkit.corrections.plan import LIFETIME, Change, FieldChange, LeftOut, Plan, plan_value
from auditkit.corrections.signatures import Signature
from auditkit.errors import PlanError
from auditkit.journal import canonical, digest
from auditkit.settings import AccountKey
from auditkit.vendors.strict_json import dump

from .conftest import INVOICE, NEW_NRB, NOON, ONE, TWO, invoice, item, nrb

SIGNATURE = Signature("prepare", "name", "key", "0" * 64, "2026-03-31T12:00:00.000000+00:00", None, "signature")


def change(*fields: FieldChange, **changes) -> Change:
    image = json.dumps(nrb(ONE, nrbBilledInName="INV-1", **changes.pop("image", {})))
    fields = fields or (FieldChange("nrbIsExported", False, True),)
    return Change("edit-nrb", ONE, fields, **{"before_image": image, "reason": "because"} | changes)


def invoiced(operation: str, *fields: FieldChange, **changes) -> Change:
    return Change(operation, INVOICE, fields, json.dumps(invoice(**changes)), reason="because")


def created(operation: str, key: str = "ak-1", **values) -> Change:
    fields = tuple(FieldChange(name, None, plan_value(value)) for name, value in values.items())
    return Change(operation, key, fields, "", reason="because")


def items(*lines: dict) -> str:
    return json.dumps(lines, separators=(",", ":"))


OLD = items(item(1), item(2))
NEW_LINE = {"name": "Fuel", "description": "REF X-1", "quantity": 2, "price": 10}
KEYED_NRB = {"nrbExternalId": "ak-1", **NEW_NRB}
NEW_INVOICE = {
    "external_id": "ak-1",
    "type": "invoice",
    "status": 1,
    "is_active": True,
    "related": [{"id": "job-1", "type": "job"}],
    "items": [NEW_LINE],
}


def plan(*changes: Change, **fields) -> Plan:
    given = {"created_at": NOON, "expires_at": NOON + LIFETIME} | fields
    return Plan(changes or (change(),), "snapshot-1", AccountKey("test", "clerk"), "ann", **given)


# What may be planned


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: change(FieldChange("nrbBilledInName", "INV-1", "INV-2")), "nrbBilledInName cannot be written"),
        (lambda: change(FieldChange("nrbTotalAfterMarkup", "862.50", "1.00")), "nrbTotalAfterMarkup cannot be written"),
        (lambda: change(FieldChange("nrbIsExprted", None, True)), "nrbIsExprted"),
        (lambda: change(FieldChange("nrbIsExported", False, "yes")), "nrbIsExported"),
        (lambda: change(FieldChange("nrbRate", "750.000", "1,000.00")), "nrbRate"),
        (lambda: change(image={"nrbRate": "1,000.00"}), "nrbRate"),
        (lambda: change(FieldChange("nrbIsExported", True, False)), "is not True in the before-image"),
        (lambda: change(FieldChange("nrbIsExported", False, False)), "is False already"),
        (lambda: change(FieldChange("nrbRate", "750.000", "750")), "is '750' already"),
        (lambda: change(FieldChange("nrbLineItems", None, None)), "nrbLineItems is not None"),
        (lambda: change(*[FieldChange("nrbIsExported", False, True)] * 2), "nrbIsExported is changed twice"),
        (lambda: change(FieldChange("nrbGuid", ONE, TWO)), "edit-nrb does not set nrbGuid"),
        (lambda: change(before_image="[]"), "another object"),
        (lambda: change(before_image="{"), "expected JSON"),
        (lambda: invoiced("edit-invoice", FieldChange("total", "1811.25", "1.00")), "total cannot be written"),
        (lambda: invoiced("edit-invoice", FieldChange("total", 1811.25, 1)), "total"),
        (lambda: invoiced("edit-invoice", FieldChange("status", 1, 2)), "edit-invoice does not set status"),
        (lambda: invoiced("edit-invoice", FieldChange("items", OLD, "{")), "items: expected JSON"),
        (lambda: invoiced("edit-invoice", FieldChange("items", OLD, "{}")), "expected an array of objects"),
        (lambda: invoiced("add-line", FieldChange("note", "", "x")), "add-line does not set note"),
        (lambda: invoiced("add-line", FieldChange("items", OLD, items(item(1)))), "keeps every line and adds some"),
        (
            lambda: invoiced("add-line", FieldChange("items", OLD, items(item(2), item(1), NEW_LINE))),
            "keeps every line",
        ),
        (
            lambda: invoiced("add-line", FieldChange("items", OLD, items(item(1), item(2), item(1)))),
            "the jnid of another",
        ),
        (
            lambda: invoiced("add-line", FieldChange("items", OLD, items(item(1), item(2), NEW_LINE)), subtotal=9),
            "subtotal 9 is not the sum of its lines",
        ),
        (
            lambda: invoiced("edit-invoice", FieldChange("items", OLD, items(item(1, price=9), item(2)))),
            "line-1: leave amount out",
        ),
        (
            lambda: invoiced(
                "edit-invoice",
                FieldChange("items", items(item(1, price=9), item(2)), items(item(1, price=9))),
                items=[item(1, price=9), item(2)],
            ),
            "line-1: its amount is not quantity × price",
        ),
        (lambda: invoiced("deactivate-invoice", FieldChange("is_active", False, True), is_active=False), "to undo it"),
        (lambda: created("create-nrb", **KEYED_NRB | {"nrbRate": None}), "is None already"),
        (lambda: created("create-nrb", **{k: v for k, v in KEYED_NRB.items() if k != "nrbRate"}), "needs nrbRate"),
        (lambda: created("create-nrb", "other", **KEYED_NRB), "nrbExternalId must be the key"),
        (lambda: created("create-invoice", **{k: v for k, v in NEW_INVOICE.items() if k != "items"}), "items"),
        (lambda: replace(created("create-nrb", **KEYED_NRB), before_image="{}"), "has no before-image"),
        (lambda: replace(change(), changes=()), "nothing to change"),
        (lambda: replace(change(), object_id=TWO), "another object"),
        (lambda: replace(plan(), changes=()), "changes nothing"),
        (lambda: plan(change(), change()), "more than once"),
        (lambda: plan(expires_at=NOON), "expires before"),
        (lambda: plan(expires_at=NOON + LIFETIME + timedelta(seconds=1)), "more than 3 days"),
        (lambda: plan(conditions=("fine\x1b[2J",)), "one line of text"),
        (lambda: replace(change(), reason="fine\r\nApprove"), "a reason is one line"),
        (lambda: plan(created_at=NOON.replace(tzinfo=None)), "lack a zone"),
    ],
)
def test_which_changes_cannot_be_planned(make, message):
    with pytest.raises(PlanError, match=message) as caught:
        made = make()
        plan(made)
    assert "\n" not in str(caught.value)


def test_an_edit_sends_the_guid_the_required_fields_and_the_changes_only():
    body = change(FieldChange("nrbNotes", "Purchased field software", None)).body
    assert body == {
        "nrbGuid": ONE,
        "nrbExternalId": "EXT-0",
        "nrbJobOrderNumber": "JOB1",
        "nrbTypeName": "Other",
        "nrbAccountType": "Billable",
        "nrbIsBillable": True,
        "nrbVendorCode": "BIT",
        "nrbRate": Decimal("750.000"),
        "nrbQuantity": Decimal("1.000"),
        "nrbNotes": None,
    }
    assert '"nrbRate":750.000,"nrbQuantity":1.000,"nrbNotes":null}' in dump(body)


def test_numbers_are_planned_and_sent_with_their_digits():
    image = canonical(nrb(ONE)).replace('"750.000"', "750.10")
    cheaper = change(FieldChange("nrbRate", "750.10", "700.00"), before_image=image)
    assert dump(cheaper.body["nrbRate"]) == "700.00"
    assert str(change(before_image=image).body["nrbRate"]) == "750.10"


# What it shows


def test_preview_has_a_row_for_each_field():
    fields = (FieldChange("nrbIsExported", False, True), FieldChange("nrbRate", "750.000", "700.00"))
    assert plan(change(*fields)).preview() == [
        {
            "operation": "edit-nrb",
            "object": ONE,
            "known_as": "REF-0 · vendor BIT · job JOB1",
            "field": field,
            "before": before,
            "after": after,
            "reason": "because",
            "findings": "",
        }
        for field, before, after in (
            ("nrbIsExported", False, True),
            ("nrbRate", Decimal("750.00"), Decimal("700.00")),
            ("nrbTotalAfterMarkup (computed)", Decimal("862.50"), Decimal("807.50")),
        )
    ]


@pytest.mark.parametrize(
    ("made", "follows", "money"),
    [
        (change, {}, "862.50"),
        (lambda: change(FieldChange("nrbNotes", "Purchased field software", "x")), {}, "0"),
        (lambda: change(FieldChange("nrbUpcharge", "10.000", "12")), {"nrbTotalAfterMarkup": "877.50"}, "15.00"),
        (lambda: change(FieldChange("nrbRate", "750.000", None)), {}, "862.50"),
        (
            lambda: change(FieldChange("nrbUpcharge", "10.000", "0"), FieldChange("nrbIsBillable", True, False)),
            {"nrbTotalAfterMarkup": "787.50"},
            "862.50",
        ),
        (lambda: created("create-nrb", **KEYED_NRB), {"nrbTotalAfterMarkup": "300.00"}, "300.00"),
        (lambda: created("create-invoice", **NEW_INVOICE), {"subtotal": "20.00", "total": "20.00"}, "20.00"),
        (
            lambda: invoiced("add-line", FieldChange("items", OLD, items(item(1), item(2), NEW_LINE))),
            {"subtotal": "1745.00", "total": "1831.25", "due": "1831.25"},
            "20.00",
        ),
        (
            lambda: invoiced("edit-invoice", FieldChange("items", OLD, items(item(2)))),
            {"subtotal": "862.5", "total": "948.75", "due": "948.75"},
            "862.5",
        ),
        (lambda: invoiced("edit-invoice", FieldChange("note", "", "x")), {}, "0"),
        (lambda: invoiced("deactivate-invoice", FieldChange("is_active", True, False)), {}, "1811.25"),
    ],
)
def test_expected_amounts_and_the_money_that_moves(made, follows, money):
    assert made().expected == {name: Decimal(amount) for name, amount in follows.items()}
    assert made().money == Decimal(money)
    assert plan(made()).money == Decimal(money)


def with_line(**line) -> FieldChange:
    return FieldChange("items", OLD, items(item(1), item(2), {"name": "Fuel", **line}))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: invoiced("add-line", with_line(quantity=1, price=1000000), subtotal=None), "is not the sum"),
        (lambda: invoiced("add-line", with_line(quantity=1, price=1000000), subtotal="1,725.00"), "is not the sum"),
        (lambda: invoiced("add-line", with_line(quantity=1, price=1000000, amount=0)), "does not set amount"),
        (lambda: invoiced("add-line", with_line(quantity=1, price=1000000, amount=1)), "does not set amount"),
        (lambda: invoiced("add-line", with_line(quantity=1, price="1e6")), "price: expected digits"),
        (lambda: invoiced("add-line", with_line(quantity=" 1000", price=1)), "quantity: expected digits"),
        (lambda: invoiced("add-line", with_line(quantity=1, price=True)), "price: expected digits"),
        (lambda: invoiced("add-line", with_line(price=1, labor={"amount": 1000000})), "does not set labor"),
        (lambda: invoiced("add-line", with_line(price=1, labor={"amount": "x"})), "labor.amount: expected digits"),
        (lambda: invoiced("add-line", with_line(price=1, tax_rate=50)), "does not set tax_rate"),
        (lambda: invoiced("edit-invoice", FieldChange("items", OLD, '[{"jnid":[]}]')), "jnid must be text"),
        (lambda: invoiced("edit-invoice", FieldChange("items", OLD, '[{"labor":5}]')), "labor an object"),
        (lambda: created("create-invoice", **NEW_INVOICE | {"items": [{**NEW_LINE, "amount": 1}]}), "not set amount"),
        (lambda: created("create-invoice", **NEW_INVOICE | {"items": [{**NEW_LINE, "price": "1e3"}]}), "price"),
        (
            lambda: invoiced("deactivate-invoice", FieldChange("is_active", True, False), subtotal=None, total=None),
            "its amount is not known",
        ),
        (
            lambda: change(
                FieldChange("nrbIsBillable", True, False), image={"nrbTotalAfterMarkup": None, "nrbRate": None}
            ),
            "its amount is not known",
        ),
        (lambda: change(FieldChange("nrbInvoiceDate", 1_743_503_400_000, 10**19)), "nrbInvoiceDate"),
        (lambda: invoiced("edit-invoice", FieldChange("date_due", None, 10**30)), "date_due"),
    ],
)
def test_a_change_of_an_unknown_amount_is_not_planned(make, words):
    with pytest.raises(PlanError, match=words):
        plan(make())


def test_changes_that_offset_each_other_are_both_counted():
    up, down = item(1, price=1000862.5, amount=1000862.5), item(2, price=-999137.5, amount=-999137.5)
    made = invoiced("edit-invoice", FieldChange("items", OLD, items(up, down)))
    assert (made.expected["subtotal"], made.money) == (Decimal("1725.0"), Decimal("2000000"))


def test_a_missing_total_of_an_nrb_is_computed():
    made = change(FieldChange("nrbIsBillable", True, False), image={"nrbTotalAfterMarkup": None})
    assert made.money == Decimal("862.50")


def test_changed_and_removed_lines_are_shown_by_name():
    made = invoiced("edit-invoice", FieldChange("items", OLD, items(item(2, cost=9), item(1))))
    assert [(row["field"], row["before"], row["after"]) for row in made.preview()][1:2] == [
        (
            "items: changed line",
            "Crane hire · BIT / REF EXT-2: 862.50",
            "Crane hire · BIT / REF EXT-2: 862.50 (cost None → 9.00)",
        ),
    ]
    gone = invoiced("edit-invoice", FieldChange("items", OLD, items(item(2))))
    assert ("items: removed line", "Crane hire · BIT / REF EXT-1: 862.50", None) in [
        (row["field"], row["before"], row["after"]) for row in gone.preview()
    ]


def test_a_text_cut_within_an_emoji_is_kept(tmp_path):
    made = plan(change(image={"nrbNotes": "cut \ud83d"}))
    assert Plan.load(made.save(tmp_path)) == made


def test_an_added_line_is_shown_in_words():
    made = invoiced("add-line", FieldChange("items", OLD, items(item(1), item(2), NEW_LINE)))
    assert [(row["field"], row["before"], row["after"]) for row in made.preview()] == [
        ("items", "2 lines, 1,725.00", "3 lines, 1,745.00"),
        ("items: new line", None, "Fuel · REF X-1: 2 × 10.00 = 20.00"),
        ("subtotal (computed)", Decimal("1725.00"), Decimal("1745.00")),
        ("total (computed)", Decimal("1811.25"), Decimal("1831.25")),
        ("due (computed)", Decimal("1811.25"), Decimal("1831.25")),
    ]


def test_the_repr_of_a_plan_is_one_line():
    made = replace(plan(), preparer="ann\x1b[2J\n")
    name = made.digest[:12]
    assert repr(made) == f"<Plan {name}: 1 object, moves 862.50, prepared by ann�[2J , not approved>"
    approved = plan().signed(replace(SIGNATURE, role="approve", name="bob"))
    assert repr(approved).endswith("prepared by ann, approved by bob>")


def test_a_plan_is_frozen_and_its_digest_covers_everything():
    made = plan()
    with pytest.raises(FrozenInstanceError):
        made.account = "other"
    others = [replace(made, **{name: "x"}) for name in ("snapshot_id", "preparer")] + [
        replace(made, account=AccountKey("x", "clerk")),
        replace(made, account=AccountKey("test", "x")),
        replace(made, expires_at=NOON + timedelta(days=1)),
        replace(made, created_at=NOON + timedelta(days=1)),
        replace(made, changes=(replace(made.changes[0], reason="x"),)),
        replace(made, changes=(replace(made.changes[0], findings=("x",)),)),
        replace(made, changes=(replace(made.changes[0], rule="x"),)),
        replace(made, left_out=(LeftOut(TWO, "why"),)),
        replace(made, conditions=("x",)),
    ]
    assert len({made.digest, *(other.digest for other in others)}) == len(others) + 1
    assert plan().digest == made.digest
    assert made.signed(SIGNATURE).digest == made.digest


# Its file


def test_a_loaded_plan_equals_the_saved_one(tmp_path):
    made = plan(change(FieldChange("nrbNotes", "Purchased field software", "é \u2028 \U0001f600"))).signed(SIGNATURE)
    path = made.save(tmp_path / "plans")
    assert path == tmp_path / "plans" / f"{made.digest[:12]}.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Plan.load(path) == made
    assert Plan.load(path).digest == made.digest
    assert made.save(tmp_path / "plans").read_bytes() == path.read_bytes()


def edited(**fields):
    return lambda text: json.dumps({**json.loads(text), **fields})


def digested(old: str, new: str):
    """The text with another word in it, and the digest that fits it."""

    def edit(text: str) -> str:
        found = json.loads(text.replace(old, new))
        return canonical({**found, "digest": digest(canonical(found["plan"]))}) + "\n"

    return edit


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda text: text.replace('"after":true', '"after":null'), "was edited"),
        (lambda text: text.replace("clerk", "admin"), "was edited"),
        (lambda text: text.replace('"account"', '"extra":1,"account"'), "was edited"),
        (lambda text: text.replace('{"digest"', '{ "digest"'), "was edited"),
        (lambda text: text[:-1], "was edited"),
        (edited(digest="0" * 64), "was edited"),
        (edited(version=1), "version 1 is unknown"),
        (edited(signatures=[{}]), "signatures"),
        (lambda text: text.replace('"edit-nrb"', '"drop-nrb"'), "was edited"),
        (lambda text: text.replace('"after":true', '"after":1.5'), "was edited"),
        (digested('"edit-nrb"', '"drop-nrb"'), r"\(changes.0.operation: "),
        (digested('"expires_at"', '"expire_at"'), r"\(expires_at: "),
        (digested('"field":"nrbIsExported"', '"field":"nrbUpdatedAt"'), r"\([^ ].*nrbUpdatedAt"),
        (digested('"before_image":"{', '"before_image":"['), "not a plan"),
        (digested('"expires_at":"2026', '"expires_at":"2016'), r"not a plan \(the plan expires before"),
        (digested('"expires_at":"2026-04-03', '"expires_at":"2026-04-13'), r"not a plan \(the plan would be valid"),
        (lambda text: text[: len(text) // 2], "not a plan"),
        (lambda _: "", "not a plan"),
        (lambda _: "[]", "not a plan"),
        (lambda _: "{}", "not a plan"),
        (lambda _: "é", "not a plan"),
    ],
)
def test_an_edited_file_is_refused_with_its_name(tmp_path, edit, message):
    path = plan().save(tmp_path)
    path.write_text(edit(path.read_text()))
    with pytest.raises(PlanError, match=message) as caught:
        Plan.load(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)
    assert str(caught.value).count("plan again") == 1


def test_an_unreadable_file_is_a_plan_error(tmp_path):
    with pytest.raises(PlanError, match="cannot be read"):
        Plan.load(tmp_path / "none.json")
