"""A plan: what may be planned, what it shows, and that what is loaded is what was saved."""

import json
import stat
from dataclasses import FrozenInstanceError, replace
from datetime import timedelta

import pytest

from auditkit.corrections.plan import LIFETIME, REMEDIES, Change, FieldChange, Plan
from auditkit.errors import NotThere, PlanError, TimedOut
from auditkit.journal import canonical, digest

from .conftest import CHILD, NOON, ONE, TWO, nrb


def change(*fields: FieldChange, **changes) -> Change:
    image = json.dumps(nrb(ONE, nrbBilledInName="INV-1", **changes.pop("image", {})))
    fields = fields or (FieldChange("nrbIsExported", False, True),)
    given = {"before_image": image, "before_digest": digest(image)} | changes
    return Change("aimsio", "edit-nrb", ONE, fields, **given, finding="rule x", reason="because")


def plan(*changes: Change, **fields) -> Plan:
    given = {"created_at": NOON, "expires_at": NOON + LIFETIME} | fields
    return Plan(changes or (change(),), "snapshot-1", "test", "clerk", "ann", **given)


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
        (lambda: change(FieldChange("nrbLineItems", None, None)), "single value"),
        (lambda: change(before_digest="0" * 64), "not the one of its digest"),
        (lambda: change(before_image="[]", before_digest=digest("[]")), "another object"),
        (lambda: change(before_image="{", before_digest=digest("{")), "expected JSON"),
        (lambda: replace(change(), changes=()), "nothing to change"),
        (lambda: replace(change(), object_id=TWO), "another object"),
        (lambda: replace(plan(), changes=()), "changes nothing"),
        (lambda: plan(change(), change()), "more than once"),
        (lambda: plan(expires_at=NOON), "expires before"),
        (lambda: plan(created_at=NOON.replace(tzinfo=None)), "lack a zone"),
    ],
)
def test_what_cannot_be_planned(make, message):
    with pytest.raises(PlanError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_an_edit_sends_guid_required_fields_as_read_and_changes_alone():
    assert change(FieldChange("nrbNotes", "Purchased field software", None)).edit_body == {
        "nrbGuid": ONE,
        "nrbExternalId": "EXT-0",
        "nrbJobOrderNumber": "JOB1",
        "nrbTypeName": "Other",
        "nrbAccountType": "Billable",
        "nrbIsBillable": True,
        "nrbVendorCode": "BIT",
        "nrbRate": "750.000",
        "nrbQuantity": "1.000",
        "nrbNotes": None,
    }


def test_numbers_without_quotes_are_sent_and_planned_as_their_digits():
    image = canonical(nrb(ONE)).replace('"750.000"', "750.10")
    cheaper = change(FieldChange("nrbRate", "750.10", "700.00"), before_image=image, before_digest=digest(image))
    assert cheaper.edit_body["nrbRate"] == "700.00"
    assert str(change(before_image=image, before_digest=digest(image)).edit_body["nrbRate"]) == "750.10"


# What it shows


def test_preview_has_a_row_for_each_field():
    fields = (FieldChange("nrbIsExported", False, True), FieldChange("nrbRate", "750.000", "700.00"))
    assert plan(change(*fields)).preview() == [
        {"object": ONE, "field": "nrbIsExported", "before": False, "after": True},
        {"object": ONE, "field": "nrbRate", "before": "750.000", "after": "700.00"},
    ]


def test_a_plan_that_no_remedy_makes_has_no_condition():
    assert plan(change(FieldChange("nrbRate", "750.000", "700.00"))).conditions == ()


def test_a_plan_is_frozen_and_its_digest_covers_everything():
    made = plan()
    with pytest.raises(FrozenInstanceError):
        made.account = "other"
    others = [replace(made, **{name: "x"}) for name in ("snapshot_id", "environment", "account", "preparer")] + [
        replace(made, expires_at=NOON + timedelta(days=9)),
        replace(made, created_at=NOON - timedelta(days=9)),
        replace(made, changes=(replace(made.changes[0], reason="x"),)),
        replace(made, changes=(replace(made.changes[0], finding="x"),)),
        replace(made, left_out=(TWO,)),
    ]
    assert len({made.digest, *(other.digest for other in others)}) == len(others) + 1
    assert plan().digest == made.digest


# Its file


def test_what_is_loaded_is_what_was_saved(tmp_path):
    made = plan(change(FieldChange("nrbNotes", "Purchased field software", "é \u2028 \U0001f600")))
    path = made.save(tmp_path / "plans")
    assert path == tmp_path / "plans" / f"{made.digest[:12]}.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Plan.load(path) == made
    assert Plan.load(path).digest == made.digest
    assert made.save(tmp_path / "plans").read_bytes() == path.read_bytes()


def edited(**fields):
    return lambda text: json.dumps({**json.loads(text), **fields})


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
        (lambda text: text.replace('"edit-nrb"', '"drop-nrb"'), "changes.0.operation"),
        (lambda text: text.replace('"expires_at"', '"expire_at"'), "expires_at"),
        (lambda text: text.replace('"field":"nrbIsExported"', '"field":"nrbUpdatedAt"'), "nrbUpdatedAt"),
        (lambda text: text.replace('"after":true', '"after":1.5'), "not a plan"),
        (lambda text: text.replace('"expires_at":"2026', '"expires_at":"2016'), "expires before"),
        (lambda text: text[: len(text) // 2], "not a plan"),
        (lambda _: "", "not a plan"),
        (lambda _: "[]", "not a plan"),
        (lambda _: "{}", "not a plan"),
        (lambda _: "é", "not a plan"),
    ],
)
def test_a_file_that_is_not_as_it_was_saved_is_refused_by_name(tmp_path, edit, message):
    path = plan().save(tmp_path)
    path.write_text(edit(path.read_text()))
    with pytest.raises(PlanError, match=message) as caught:
        Plan.load(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)
    assert str(caught.value).count("plan again") == 1


def test_no_file_is_a_plan_error(tmp_path):
    with pytest.raises(PlanError, match="cannot be read"):
        Plan.load(tmp_path / "none.json")


# Proposing


def test_the_remedy_of_unexported_marks_as_exported(world):
    made = world.propose(ONE, TWO)
    assert made.preview() == [
        {"object": ONE, "field": "nrbIsExported", "before": False, "after": True},
        {"object": TWO, "field": "nrbIsExported", "before": None, "after": True},
    ]
    (condition,) = made.conditions
    assert condition.startswith("mark exported only what was booked in the ledger by hand")
    first = made.changes[0]
    assert first.before_image == world.state.nrb_text(ONE)
    assert first.finding == f"nrb-unexported {ONE}"
    assert first.reason == "the NRB was never marked as exported; job JOB1, 862.50 at risk"
    assert made.expires_at == NOON + LIFETIME
    assert world.propose(subjects=[world.subject(ONE, fingerprint="f1")]).changes[0].finding == "f1"


def test_what_has_no_record_of_its_own_is_left_out_and_named(world, tmp_path):
    embedded = {**world.subject(CHILD), "guid": "embedded", "has_own_record": False}
    made = world.propose(subjects=[embedded, world.subject(ONE)])
    assert made.preview() == [
        {"object": ONE, "field": "nrbIsExported", "before": False, "after": True},
        {
            "object": "embedded",
            "field": "left out: known from its parent alone, no own record",
            "before": None,
            "after": None,
        },
    ]
    assert Plan.load(made.save(tmp_path)) == made
    with pytest.raises(PlanError, match=r"^nothing to plan: left out embedded: no own record"):
        world.propose(subjects=[embedded])


def test_planning_reads_past_the_cache(world):
    world.aimsio.nrb(ONE, version="1747851986000")
    made = world.aimsio.calls.made
    world.propose(ONE)
    assert world.aimsio.calls.made == made + 1


@pytest.mark.parametrize(
    "edit",
    [{"nrbIsExported": True}, {"nrbNotes": "another"}, {"nrbIsExported": None}],
    ids=str,
)
def test_a_stale_snapshot_is_refused(world, edit):
    subject = world.subject(ONE)
    world.edit_by_hand(ONE, **edit)
    with pytest.raises(PlanError, match="stale: sync first"):
        world.propose(subjects=[subject])
    with pytest.raises(PlanError, match=r"already|stale"):
        world.propose(subjects=[world.subject(ONE, is_exported=True)])


def test_an_object_that_is_gone_is_stale_and_one_that_cannot_be_read_is_no_plan(world):
    subject = world.subject(ONE)
    world.state.delete_nrb(ONE)
    with pytest.raises(PlanError, match="no longer there"):
        world.propose(subjects=[subject])
    world.faulty.gets.extend(["lost", "lost"])
    with pytest.raises(TimedOut):
        world.propose(TWO)
    with pytest.raises(NotThere):
        world.aimsio.nrb(ONE)


def test_a_time_that_cannot_be_read_is_refused(world):
    subject = world.subject(ONE)
    world.state.put_nrb(nrb(ONE, nrbUpdatedAt=17))
    with pytest.raises(PlanError, match="nrbUpdatedAt"):
        world.propose(subjects=[subject])


def test_a_rule_without_a_safe_remedy_names_those_that_have_one(world):
    with pytest.raises(PlanError, match=f"nrb-unbilled.*{', '.join(REMEDIES)}"):
        world.propose(ONE, rule="nrb-unbilled")


def test_a_rule_without_findings_leaves_nothing_to_plan(world):
    with pytest.raises(PlanError, match=r"^nrb-unexported has no open findings: nothing to plan$"):
        world.propose()
