"""Approval: every way around two people, one plan and the limits is refused; and what the journal records."""

import json
import shutil
import string
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from auditkit.corrections import location
from auditkit.corrections import tracking as operations
from auditkit.corrections.approval import (
    Approver,
    Signature,
    approvals,
    approve,
    changes,
    check_approval,
    prepare,
    read_approvers,
)
from auditkit.corrections.identity import Identities, Identity
from auditkit.errors import ApprovalRefused, JournalError, PlanError, SettingsError
from auditkit.journal import Journal, canonical, digest
from auditkit.journal_verify import verify
from auditkit.settings import DEMO, AccountKey

NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)
URLS = "https://aimsio.example + https://jobnimbus.example"
ACCOUNT, DEMO_ACCOUNT = AccountKey(URLS, "account-0123456789ab"), AccountKey(DEMO, DEMO)


@dataclass(frozen=True)
class Plan:
    """The parts of a plan that approval needs; the digest covers all of them."""

    preparer: str = "ann"
    account: AccountKey = ACCOUNT
    expires_at: datetime = NOON + timedelta(days=3)
    objects: int = 10
    money: Decimal = Decimal("5000.00")
    before_image: str = '{"nrbGuid":"1"}'

    @property
    def digest(self) -> str:
        return digest(canonical({each.name: str(getattr(self, each.name)) for each in fields(self)}))


@dataclass
class Office:
    """A home with its journal and list, and the people who work there."""

    home: Path
    people: dict[str, Identity]

    @property
    def journal(self) -> Journal:
        return Journal(self.home / "journal.jsonl", clock=lambda: NOON)

    @property
    def approvers(self) -> tuple[Approver, ...]:
        return read_approvers(self.home / "approvers.toml")

    def entry(self, who: str, **changed: Any) -> Approver:
        limits = {"max_objects": 10, "max_money": Decimal("5000.00")} if who in ("bob", "boss") else {}
        own = {"name": who, "public_key": self.people[who].public_key, "may_override": who == "boss"}
        return Approver(**{**own, **limits, **changed})

    def write_list(self, *entries: Approver) -> None:
        """Write approvers.toml."""
        path = self.home / "approvers.toml"
        path.touch(0o600)
        texts = [
            "[[approver]]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in entry.fields.items())
            for entry in entries
        ]
        path.write_text("".join(texts), encoding="utf-8")

    def relist(self, who: str, **changed: Any) -> None:
        """Change one entry of approvers.toml."""
        self.write_list(*(replace(each, **changed) if each.name == who else each for each in self.approvers))

    def approve(self, plan: Plan, who: str = "bob", **changed: Any) -> tuple[Signature, Signature]:
        """The plan, prepared by Ann and approved by another."""
        prepared = changed.pop("prepared", None) or prepare(plan, self.people["ann"], NOON)
        given = {"identity": self.people[who], "at": NOON, **changed}
        return prepared, approve(plan, prepared, given.pop("identity"), self.approvers, self.journal, **given)

    def check(self, plan: Plan, prepared: Signature | None, approval: Signature | None, **changed: Any) -> Approver:
        here = {"now": NOON, "account": ACCOUNT, "who": "bob", **changed}
        return check_approval(plan, prepared, approval, self.approvers, self.journal, **here)

    def forge(self, plan: Plan, prepared: Signature, approval: Signature) -> None:
        """Write a journal line as `approve` would, with a valid chain: anybody who can write the file can do that."""
        said = {"plan": plan.digest, "prepared": asdict(prepared), "approval": asdict(approval)}
        self.journal.append("approval", {**said, "objects": 1, "money": "0.00", "who": "whoever"})
        assert verify(self.journal.path).is_whole

    def kinds(self) -> list[str]:
        return [record.kind for record in self.journal.records()]


@pytest.fixture(scope="session")
def people(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Identity]:
    identities = Identities(tmp_path_factory.mktemp("keys"), protected=False)
    return {name: identities.new(name, None) for name in ("ann", "bob", "boss", "stranger", "second")}


@pytest.fixture
def office(tmp_path: Path, people: dict[str, Identity]) -> Office:
    made = Office(tmp_path, people)
    made.write_list(*(made.entry(who) for who in ("ann", "bob", "boss")))
    return made


def refused(call: Callable[..., object], *arguments: Any, **options: Any) -> str:
    """The message of the refusal, which is one line."""
    with pytest.raises(ApprovalRefused) as caught:
        call(*arguments, **options)
    message = str(caught.value)
    assert message.isprintable() and isinstance(caught.value, PlanError)
    return message


def named(identity: Identity, name: str) -> Identity:
    """The same key under another name."""
    return Identity(name, identity._key)


def signed(identity: Identity, **said: Any) -> Signature:
    """Any signature that a key can make."""
    claim = Signature(**{"name": identity.name, "public_key": identity.public_key, "at": NOON.isoformat(), **said})
    return replace(claim, signature=identity.sign(claim.text))


# ── What is in order ────────────────────────────────────────────────────────────────────────────────────────────────


def test_two_listed_persons_within_limits(office: Office) -> None:
    plan = Plan()
    prepared, approval = office.approve(plan)
    assert office.check(plan, prepared, approval) == office.entry("bob")
    assert office.kinds() == ["approvers", "approval"]
    assert approvals(plan.digest, office.journal) == [(prepared, approval)]
    assert Signature.of(json.loads(canonical(asdict(approval)))) == approval


def test_the_record_holds_what_was_approved_by_whom_and_the_limits(office: Office) -> None:
    plan = Plan()
    prepared, approval = office.approve(plan)
    (record,) = office.journal.records("approval")
    assert record.body == {
        "plan": plan.digest,
        "prepared": asdict(prepared),
        "approval": asdict(approval),
        "objects": 10,
        "money": "5000.00",
        **ACCOUNT._asdict(),
        "limits": {**asdict(office.entry("bob")), "max_money": "5000.00"},
        "lifted": [],
        "who": "bob",
    }
    assert (approval.role, approval.at, approval.override) == ("approve", "2026-03-31T12:00:00.000000+00:00", None)


def test_a_person_is_listed_in_any_spelling(office: Office) -> None:
    office.write_list(office.entry("ann", name="ANN"), office.entry("bob", name="BOB"))
    plan = Plan(preparer=" Ann ")
    assert office.check(plan, *office.approve(plan)).name == "BOB"


def test_two_people_may_approve_one_plan_and_either_approval_counts(office: Office) -> None:
    plan = Plan()
    first, second = office.approve(plan), office.approve(plan, "boss")
    assert (office.check(plan, *first).name, office.check(plan, *second).name) == ("bob", "boss")


# ── One person for two ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "name",
    ["ann", "Ann", "ANN", "  ann ", "ａｎｎ", "ann\u00a0"],
    ids=["the same", "title", "capitals", "spaces", "wide", "no-break space"],
)
def test_one_person_cannot_prepare_and_approve_under_the_same_name(name: str, office: Office) -> None:
    plan = Plan()
    twin = named(office.people["second"], name)
    assert "needs a second person" in refused(office.approve, plan, identity=twin)
    prepared = prepare(plan, office.people["ann"], NOON)
    forged = signed(twin, role="approve", digest=plan.digest)
    office.forge(plan, prepared, forged)
    assert "needs a second person" in refused(office.check, plan, prepared, forged)


def test_one_key_cannot_prepare_and_approve_under_two_names(office: Office) -> None:
    plan = Plan()
    assert "needs a second person" in refused(office.approve, plan, identity=named(office.people["ann"], "bob"))
    prepared, _ = office.approve(plan)
    forged = signed(named(office.people["ann"], "bob"), role="approve", digest=plan.digest)
    office.forge(plan, prepared, forged)
    assert "needs a second person" in refused(office.check, plan, prepared, forged)


def test_a_key_made_for_the_purpose_cannot_prepare(office: Office) -> None:
    """The approver plans in Ann's name, with a key made for it."""
    plan = Plan()
    prepared = prepare(plan, named(office.people["second"], "ann"), NOON)
    message = refused(office.approve, plan, prepared=prepared)
    assert "'ann' with the key" in message and "is not listed in approvers.toml" in message


@pytest.mark.parametrize("who", ["stranger", "second"])
def test_an_unlisted_preparer_is_refused(who: str, office: Office) -> None:
    plan = Plan(preparer=who)
    prepared = prepare(plan, office.people[who], NOON)
    assert f"'{who}' with the key" in refused(office.approve, plan, prepared=prepared)


def test_an_unlisted_approver_is_refused(office: Office) -> None:
    assert "'stranger' with the key" in refused(office.approve, Plan(), "stranger")


def test_an_approver_with_an_unlisted_key_is_refused(office: Office) -> None:
    assert "is not listed" in refused(office.approve, Plan(), identity=named(office.people["stranger"], "bob"))


def test_a_listed_key_under_an_unlisted_name_is_refused(office: Office) -> None:
    assert "'stranger' with the key" in refused(
        office.approve, Plan(), identity=named(office.people["bob"], "stranger")
    )


@pytest.mark.parametrize("who", ["ann", "bob"])
def test_a_person_who_was_removed_from_the_list_is_refused(who: str, office: Office) -> None:
    plan = Plan()
    both = office.approve(plan)
    office.write_list(*(each for each in office.approvers if each.name != who))
    assert f"'{who}' with the key" in refused(office.check, plan, *both)


def test_an_approval_with_an_old_key_is_refused(office: Office) -> None:
    plan = Plan()
    both = office.approve(plan)
    office.relist("bob", public_key=office.people["second"].public_key)
    assert "'bob' with the key" in refused(office.check, plan, *both)


def test_only_its_preparer_signs_a_plan_as_prepared(office: Office) -> None:
    assert "was prepared by 'ann'" in refused(prepare, Plan(), office.people["bob"], NOON)
    plan = Plan()
    posing = signed(office.people["bob"], role="prepare", digest=plan.digest)
    assert "was prepared by 'ann', but 'bob' signed" in refused(office.approve, plan, "boss", prepared=posing)


# ── Another plan, or elsewhere ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "edit",
    [
        {"objects": 9},
        {"money": Decimal("4999.99")},
        {"before_image": '{"nrbGuid":"2"}'},
        {"account": ACCOUNT._replace(account="other")},
    ],
    ids=str,
)
def test_an_edited_plan_or_a_changed_object_is_refused(edit: dict[str, Any], office: Office) -> None:
    """`apply` checks before each request that the objects are still those of the digest."""
    both = office.approve(Plan())
    assert "is of another plan" in refused(office.check, replace(Plan(), **edit), *both)


def test_the_approval_of_another_plan_is_refused(office: Office) -> None:
    plan, other = Plan(), Plan(objects=1)
    (prepared, _), (_, approval) = office.approve(plan), office.approve(other)
    office.forge(plan, prepared, approval)
    assert "the signature to approve is of another plan" in refused(office.check, plan, prepared, approval)


def test_another_signature_of_the_preparer_is_refused(office: Office) -> None:
    plan = Plan()
    _, approval = office.approve(plan)
    again = prepare(plan, office.people["ann"], NOON + timedelta(seconds=1))
    assert "is not in the journal" in refused(office.check, plan, again, approval)


@pytest.mark.parametrize(
    ("here", "words"),
    [
        (
            {"account": ACCOUNT._replace(environment="https://sandbox.example")},
            "not for account-0123456789ab at https://sandbox.example",
        ),
        ({"account": ACCOUNT._replace(account="account-of-others")}, f"is for {ACCOUNT}, not for account-of-others"),
        ({"account": DEMO_ACCOUNT}, "not for DEMO DATA"),
    ],
    ids=["environment", "account", "demo"],
)
def test_a_plan_for_another_account_is_refused(here: dict[str, Any], words: str, office: Office) -> None:
    both = office.approve(Plan())
    assert words in refused(office.check, Plan(), *both, **here)


@pytest.mark.parametrize("who", ["ann", "bob"])
def test_an_identity_of_the_demo_is_valid_on_the_demo_only(who: str, office: Office) -> None:
    both = office.approve(Plan())
    office.relist(who, demo=True)
    assert f"{who} is listed for the demo only" in refused(office.approve, Plan(objects=1))
    assert f"{who} is listed for the demo only" in refused(office.check, Plan(), *both)
    demo = Plan(account=DEMO_ACCOUNT)
    assert office.check(demo, *office.approve(demo), account=DEMO_ACCOUNT).name == "bob"


# ── Limits, expiry, overrides ───────────────────────────────────────────────────────────────────────────────────────

EXCEEDING = [
    (Plan(objects=11), "11 objects, limit 10"),
    (Plan(money=Decimal("5000.01")), "moves 5000.01, limit 5000.00"),
    (Plan(expires_at=NOON), "expired at 2026-03-31T12:00 UTC"),
]


@pytest.mark.parametrize(("plan", "words"), EXCEEDING, ids=["objects", "money", "expiry"])
def test_a_plan_over_a_limit_is_refused(plan: Plan, words: str, office: Office) -> None:
    said = f"bob may not approve it: {words}; plan again, or ask another"
    assert refused(office.approve, plan).endswith(said)
    assert "approval" not in office.kinds()
    prepared = prepare(plan, office.people["ann"], NOON)
    forged = signed(office.people["bob"], role="approve", digest=plan.digest)
    office.forge(plan, prepared, forged)
    assert f"bob may not approve it: {words}" in refused(office.check, plan, prepared, forged)


@pytest.mark.parametrize(("plan", "words"), EXCEEDING, ids=["objects", "money", "expiry"])
def test_an_override_lifts_limits_with_its_reason(plan: Plan, words: str, office: Office) -> None:
    both = office.approve(plan, "boss", override="  month end,\n the client waits ")
    assert office.check(plan, *both).name == "boss"
    (record,) = office.journal.records("approval")
    assert (record.body["plan"], record.body["who"], record.body["lifted"]) == (plan.digest, "boss", [words])
    assert record.body["approval"]["override"] == "month end, the client waits"


def test_a_person_with_limits_of_zero_approves_nothing(office: Office) -> None:
    office.write_list(office.entry("ann"), office.entry("bob", max_objects=0, max_money=Decimal(0)))
    message = refused(office.approve, Plan(objects=1, money=Decimal("0.01")))
    assert "1 objects, limit 0; moves 0.01, limit 0" in message


def test_an_approval_expires_with_its_plan(office: Office) -> None:
    plan = Plan()
    both = office.approve(plan)
    last = plan.expires_at - timedelta(microseconds=1)
    assert office.check(plan, *both, now=last).name == "bob"
    assert "expired at 2026-04-03T12:00 UTC" in refused(office.check, plan, *both, now=plan.expires_at)


def test_a_limit_that_was_lowered_since_counts(office: Office) -> None:
    both = office.approve(Plan())
    office.relist("bob", max_objects=9)
    assert "10 objects, limit 9" in refused(office.check, Plan(), *both)


@pytest.mark.parametrize("reason", ["", "   ", "\n\t"], ids=["none", "spaces", "lines"])
def test_an_override_needs_a_reason(reason: str, office: Office) -> None:
    plan = Plan(objects=11)
    assert "an override needs a reason" in refused(office.approve, plan, "boss", override=reason)
    prepared = prepare(plan, office.people["ann"], NOON)
    forged = signed(office.people["boss"], role="approve", digest=plan.digest, override=reason)
    office.forge(plan, prepared, forged)
    assert "an override needs a reason" in refused(office.check, plan, prepared, forged)


def test_the_reason_of_an_override_is_one_printable_line(office: Office) -> None:
    assert "in one line" in refused(office.approve, Plan(), "boss", override="why\u202etcarp")


@pytest.mark.parametrize("plan", [Plan(), Plan(objects=11)], ids=["within limits", "over a limit"])
def test_an_override_by_a_person_who_may_not_is_refused(plan: Plan, office: Office) -> None:
    assert "bob may not override" in refused(office.approve, plan, override="I say so")


def test_a_person_who_may_override_reads_how(office: Office) -> None:
    said = "11 objects, limit 10; approve it with --override REASON, or plan again"
    assert refused(office.approve, Plan(objects=11), "boss").endswith(said)


def test_an_override_by_a_person_who_may_no_longer_is_refused(office: Office) -> None:
    both = office.approve(Plan(objects=11), "boss", override="month end")
    office.relist("boss", may_override=False)
    assert "boss may not override" in refused(office.check, Plan(objects=11), *both)


def test_a_reason_added_to_an_approval_is_refused(office: Office) -> None:
    plan = Plan()
    prepared, approval = office.approve(plan, "boss")
    office.forge(plan, prepared, replace(approval, override="month end"))
    assert "is not signed by boss" in refused(office.check, plan, prepared, replace(approval, override="month end"))


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"plan": Plan(preparer="boss")}, "was prepared by 'boss', but 'ann' signed"),
        ({"identity": "ann"}, "needs a second person"),
        ({"identity": "stranger"}, "is not listed"),
        ({"here": {"account": ACCOUNT._replace(environment="elsewhere")}}, "not for"),
        ({"here": {"account": "other"}}, "not for other"),
        ({"edited": Plan(objects=12)}, "is of another plan"),
    ],
    ids=["preparer", "same person", "unlisted", "environment", "account", "edited plan"],
)
def test_an_override_lifts_nothing_else(said: dict[str, Any], words: str, office: Office) -> None:
    plan = said.get("plan", Plan(objects=11))
    prepared = signed(office.people["ann"], role="prepare", digest=plan.digest)
    who = office.people[said.get("identity", "boss")]
    forged = signed(who, role="approve", digest=plan.digest, override="month end")
    office.forge(plan, prepared, forged)
    assert words in refused(office.check, said.get("edited", plan), prepared, forged, **said.get("here", {}))


# ── Time and place ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_clock_that_was_set_back_revives_no_plan(office: Office) -> None:
    plan, other = Plan(), Plan(objects=1)
    both = office.approve(plan)
    later = Journal(office.journal.path, clock=lambda: NOON + timedelta(days=3))
    later.append("note", {"text": "the clock was right then"})
    assert "expired at 2026-04-03T12:00 UTC" in refused(office.check, plan, *both)
    assert "expired at 2026-04-03T12:00 UTC" in refused(office.approve, other)
    _, approval = office.approve(other, "boss", override="month end")
    assert approval.at == "2026-04-03T12:00:00.000000+00:00"
    *_, record = office.journal.records("approval")
    assert record.body["lifted"] == ["expired at 2026-04-03T12:00 UTC"]


def test_an_approval_counts_in_the_folder_where_it_was_given(office: Office, tmp_path: Path) -> None:
    both = office.approve(Plan())
    copied = Office(Path(shutil.copytree(office.home, tmp_path / "copied")), office.people)
    assert office.check(Plan(), *both).name == "bob"
    message = refused(copied.check, Plan(), *both)
    assert "was approved in another folder, and an approval counts only where it was given; approve it here" in message
    again = copied.approve(Plan())
    assert copied.check(Plan(), *again).name == "bob"
    assert "is not in the journal" in refused(office.check, Plan(), *again)


def test_an_approval_counts_on_the_machine_where_it_was_given(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    both = office.approve(Plan())
    monkeypatch.setattr(location, "_machine", lambda: "another")
    assert "was approved on another machine, and" in refused(office.check, Plan(), *both)


def test_an_approval_counts_in_the_home_where_it_was_given(office: Office) -> None:
    """Another journal in the same folder, into which somebody copied the approval."""
    prepared, approval = office.approve(Plan())
    for path in (office.journal.path, office.journal.anchor_path):
        path.unlink()
    office.journal.append("note", {"text": "another home begins"})
    office.forge(Plan(), prepared, approval)
    assert "was approved in another home, and" in refused(office.check, Plan(), prepared, approval)


def test_an_approval_without_a_location(office: Office) -> None:
    prepared = prepare(Plan(), office.people["ann"], NOON)
    forged = signed(office.people["bob"], role="approve", digest=Plan().digest)
    office.forge(Plan(), prepared, forged)
    assert "was approved at an unknown place, and" in refused(office.check, Plan(), prepared, forged)


# ── Used twice ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("override", [None, "month end"])
def test_one_person_approves_a_plan_once(override: str | None, office: Office) -> None:
    office.approve(Plan(), "boss")
    assert "was already approved by boss" in refused(office.approve, Plan(), "boss", override=override)
    assert office.kinds() == ["approvers", "approval"]


def test_a_forged_approval_does_not_stop_the_real_person(office: Office) -> None:
    plan = Plan()
    prepared = prepare(plan, office.people["ann"], NOON)
    forged = signed(named(office.people["stranger"], "bob"), role="approve", digest=plan.digest)
    office.forge(plan, prepared, replace(forged, public_key=office.people["bob"].public_key))
    assert office.check(plan, *office.approve(plan)).name == "bob"


def test_a_plan_whose_application_has_begun_is_not_approved(office: Office) -> None:
    """`apply` itself refuses a second application; it may continue an interrupted one."""
    plan = Plan()
    both = office.approve(plan)
    office.journal.append(operations.RECORD_KIND, {"step": "INTENT", "plan": plan.digest})
    assert "its application has begun" in refused(office.approve, plan, "boss")
    assert office.check(plan, *both).name == "bob"


# ── Signatures that are none ────────────────────────────────────────────────────────────────────────────────────────


def test_a_preparers_signature_is_not_an_approval(office: Office) -> None:
    plan = Plan()
    prepared, approval = office.approve(plan)
    bobs = signed(office.people["bob"], role="prepare", digest=plan.digest)
    office.forge(plan, prepared, bobs)
    assert "a signature to 'prepare' is not one to approve" in refused(office.check, plan, prepared, bobs)
    relabelled = replace(bobs, role="approve")
    office.forge(plan, prepared, relabelled)
    assert "is not signed by bob" in refused(office.check, plan, prepared, relabelled)
    assert "a signature to 'approve' is not one to prepare" in refused(office.check, plan, approval, approval)


def test_a_signature_for_another_purpose_is_refused(office: Office) -> None:
    plan = Plan()
    prepared, approval = office.approve(plan)
    bare = canonical({name: value for name, value in asdict(approval).items() if name != "signature"})
    forged = replace(approval, signature=office.people["bob"].sign(bare))
    office.forge(plan, prepared, forged)
    assert "is not signed by bob" in refused(office.check, plan, prepared, forged)


def test_the_purpose_is_signed_too(office: Office) -> None:
    _, approval = office.approve(Plan())
    assert '"purpose":"auditkit: signature of a correction plan, version 1"' in approval.text


def test_a_forged_preparers_signature_is_refused(office: Office) -> None:
    plan = Plan()
    forged = replace(prepare(plan, office.people["ann"], NOON), signature=office.people["bob"].sign("anything"))
    assert "is not signed by ann" in refused(office.approve, plan, prepared=forged)
    approval = signed(office.people["bob"], role="approve", digest=plan.digest)
    office.forge(plan, forged, approval)
    assert "is not signed by ann" in refused(office.check, plan, forged, approval)


def test_a_preparer_overrides_nothing(office: Office) -> None:
    plan = Plan()
    prepared = signed(office.people["ann"], role="prepare", digest=plan.digest, override="me")
    assert "is not signed by ann" in refused(office.approve, plan, prepared=prepared)


def test_an_unsigned_plan_is_refused(office: Office) -> None:
    plan = Plan()
    prepared, approval = office.approve(plan)
    said = f"plan {plan.digest[:12]}: "
    assert refused(office.check, plan, None, approval) == (
        said + "is not signed by its preparer; plan again, with a key"
    )
    assert refused(office.check, plan, prepared, None) == (
        said + "is not approved; a second person checks it and runs `auditkit approve`"
    )
    assert "is not signed by its preparer" in refused(
        approve, plan, None, office.people["bob"], office.approvers, office.journal, at=NOON
    )


def test_a_forged_journal_line_with_a_valid_chain_is_refused(office: Office) -> None:
    plan = Plan()
    prepared = prepare(plan, office.people["ann"], NOON)
    by_ann = named(office.people["ann"], "bob").sign
    claim = Signature("approve", "bob", office.people["bob"].public_key, plan.digest, NOON.isoformat())
    forged = replace(claim, signature=by_ann(claim.text))
    office.forge(plan, prepared, forged)
    assert "is not signed by bob" in refused(office.check, plan, prepared, forged)


def test_an_approval_that_is_not_in_the_journal_is_refused(office: Office) -> None:
    plan = Plan()
    prepared = prepare(plan, office.people["ann"], NOON)
    unrecorded = signed(office.people["bob"], role="approve", digest=plan.digest)
    assert "is not in the journal" in refused(office.check, plan, prepared, unrecorded)


def test_an_approval_whose_line_was_changed_is_damage(office: Office) -> None:
    both = office.approve(Plan())
    path = office.journal.path
    path.write_bytes(path.read_bytes().replace(b'"objects":10', b'"objects":99'))
    with pytest.raises(JournalError):
        office.check(Plan(), *both)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"prepared": {}, "approval": {}},
        {"prepared": None, "approval": 1},
        {"prepared": {each.name: 1 for each in fields(Signature)}},
        {"prepared": {each.name: None for each in fields(Signature)}},
        {"prepared": {each.name: "x" for each in fields(Signature)} | {"more": "x"}},
    ],
    ids=range(6),
)
def test_a_malformed_approval_in_the_journal_is_refused(body: dict[str, Any], office: Office) -> None:
    plan = Plan()
    both = office.approve(plan)
    office.journal.append("approval", {**body, "plan": plan.digest})
    for call in (
        lambda: office.check(plan, *both),
        lambda: office.approve(plan, "boss"),
    ):
        assert "journal line 3: not a signature" in refused(call)


FIELDS = "digest, location, name, override, public_key, role, signature, at"
OTHER_FIELDS = f"not a signature: it has other fields than {', '.join(sorted(FIELDS.split(', ')))}; sign again"
NO_TEXT = "not a signature: each of its fields is a text; sign again"
TEXTS = dict.fromkeys(FIELDS.split(", "), "x")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, OTHER_FIELDS),
        ([*TEXTS], OTHER_FIELDS),
        ({}, OTHER_FIELDS),
        ({**TEXTS, "more": "x"}, OTHER_FIELDS),
        ({**TEXTS, "override": 1}, NO_TEXT),
        ({**TEXTS, "name": None}, NO_TEXT),
        ({**TEXTS, "at": 1}, NO_TEXT),
    ],
    ids=["null", "array", "empty", "one more", "a number for a reason", "no name", "a number for a time"],
)
def test_a_malformed_signature_is_refused(value: object, message: str) -> None:
    assert refused(Signature.of, value) == message
    assert Signature.of(TEXTS) == Signature(**TEXTS)
    assert Signature.of({**TEXTS, "override": None}) == Signature(**{**TEXTS, "override": None})


def test_long_names_and_keys_are_shown_in_part(office: Office) -> None:
    plan = Plan()
    who = f"plan {plan.digest[:12]}"
    long = signed(office.people["ann"], role="prepare", digest=plan.digest, name="n" * 99, public_key="k" * 99)
    assert refused(office.approve, plan, prepared=long) == (
        f"{who} was prepared by 'ann', but {'n' * 80!r} signed for it"
    )
    assert refused(office.approve, Plan(preparer="n" * 99), prepared=replace(long, digest=Plan("n" * 99).digest)) == (
        f"plan {Plan('n' * 99).digest[:12]}: {'n' * 80!r} with the key {'k' * 44!r} is not listed in approvers.toml;"
        " the preparer and the approver must both be"
    )


@pytest.mark.parametrize("zone", ["UTC", "America/Edmonton", "Asia/Tokyo"])
def test_times_are_signed_and_shown_in_utc_in_any_time_zone(
    zone: str, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        prepared, approval = office.approve(Plan())
        assert (prepared.at, approval.at) == ("2026-03-31T12:00:00.000000+00:00",) * 2
        expired = refused(office.check, Plan(), prepared, approval, now=NOON + timedelta(days=3))
        assert "expired at 2026-04-03T12:00 UTC" in expired
    finally:
        monkeypatch.undo()
        time.tzset()


ANY_CHARACTER = st.sampled_from(string.printable) | st.characters()


@given(data=st.data(), which=st.sampled_from(["prepared", "approval"]))
@settings(deadline=None, max_examples=150)
def test_changing_any_character_of_a_signature_is_refused(
    people: dict[str, Identity], data: st.DataObject, which: str
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        office = Office(Path(folder), people)
        office.write_list(*(office.entry(who) for who in ("ann", "bob", "boss")))
        plan = Plan(objects=11)
        prepared, approval = office.approve(plan, "boss", override="month end")
        genuine = prepared if which == "prepared" else approval
        field = data.draw(st.sampled_from([name for name, value in asdict(genuine).items() if value]))
        value = getattr(genuine, field)
        at = data.draw(st.integers(0, len(value) - 1))
        other = data.draw(ANY_CHARACTER.filter(lambda character: character != value[at]))
        changed = replace(genuine, **{field: value[:at] + other + value[at + 1 :]})
        both = (changed, approval) if which == "prepared" else (prepared, changed)
        office.forge(plan, *both)  # so that only the signature can reveal it
        refused(office.check, plan, *both)


def test_every_character_of_a_signature_is_covered(people: dict[str, Identity]) -> None:
    genuine = signed(people["bob"], role="approve", digest=Plan().digest, override="month end", location="a b c")
    assert genuine.is_genuine
    for field, value in asdict(genuine).items():
        for at, character in enumerate(value):
            for other in {chr(ord(character) ^ 1), character.swapcase(), ""} - {character}:
                assert not replace(genuine, **{field: value[:at] + other + value[at + 1 :]}).is_genuine, (field, at)


# ── The list ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_change_of_the_list_is_journalled_and_shown_before_the_approval(office: Office) -> None:
    assert [line.partition(" with ")[0] for line in changes(office.approvers, office.journal)] == [
        "ann: newly listed",
        "bob: newly listed",
        "boss: newly listed",
    ]
    office.approve(Plan())
    assert changes(office.approvers, office.journal) == []
    office.relist("bob", max_objects=99, max_money=Decimal("7500.5"), may_override=True)
    office.write_list(*reversed(office.approvers))  # the order does not matter
    said = ["bob: max_objects 10 → 99, max_money 5000.00 → 7500.50, may_override False → True"]
    assert changes(office.approvers, office.journal) == said
    plan = Plan(objects=99)
    office.approve(plan)
    assert office.kinds() == ["approvers", "approval", "approvers", "approval"]
    *_, record = office.journal.records("approvers")
    assert record.body["approvers"] == [each.fields for each in office.approvers]
    assert (record.body["changes"], record.body["occasion"], record.body["plan"]) == (said, "approve", plan.digest)


def test_a_limit_raised_between_approval_and_apply_is_journalled(office: Office) -> None:
    both = office.approve(Plan())
    office.relist("bob", max_objects=1000)
    said = ["bob: max_objects 10 → 1000"]
    assert changes(office.approvers, office.journal) == said
    for _ in range(2):  # journalled once
        assert office.check(Plan(), *both).max_objects == 1000
    *_, record = office.journal.records()
    assert office.kinds() == ["approvers", "approval", "approvers"]
    assert (record.body["changes"], record.body["occasion"], record.body["plan"]) == (said, "apply", Plan().digest)
    assert changes(office.approvers, office.journal) == said  # shown to the next approver, too


def test_a_refused_attempt_hides_no_change_from_the_next_approver(office: Office) -> None:
    office.approve(Plan())
    office.relist("boss", max_objects=1000)
    refused(office.approve, Plan(objects=11))
    assert office.kinds() == ["approvers", "approval", "approvers"]
    assert changes(office.approvers, office.journal) == ["boss: max_objects 10 → 1000"]


def test_a_limit_that_was_raised_for_one_approval_stays_in_the_journal(office: Office) -> None:
    office.approve(Plan())
    before = office.approvers
    office.relist("bob", max_objects=1000)
    both = office.approve(Plan(objects=1000))
    office.write_list(*before)
    assert "1000 objects, limit 10" in refused(office.check, Plan(objects=1000), *both)
    told = [record.body["changes"] for record in office.journal.records("approvers")]
    assert told[1:] == [["bob: max_objects 10 → 1000"], ["bob: max_objects 1000 → 10"]]


def test_people_added_to_and_removed_from_the_list_are_shown(office: Office) -> None:
    office.approve(Plan())
    office.write_list(office.entry("ann"), office.entry("bob"), office.entry("stranger"))
    key = office.people["stranger"].public_key
    assert changes(office.approvers, office.journal) == [
        "boss: no longer listed",
        f"stranger: newly listed with public_key {key}, max_objects 0, max_money 0.00, may_override False, demo False",
    ]


@pytest.mark.parametrize("body", [{}, {"approvers": 1}, {"approvers": [1]}, {"approvers": [{"name": "x"}]}], ids=str)
def test_a_malformed_list_in_the_journal_is_refused(body: dict[str, Any], office: Office) -> None:
    office.journal.append("approvers", body)
    with pytest.raises((ApprovalRefused, SettingsError), match=r"^journal line 1: "):
        office.approve(Plan())


def test_nothing_is_signed_when_the_journal_cannot_be_written(office: Office) -> None:
    office.journal.path.mkdir()
    with pytest.raises(JournalError):
        office.approve(Plan())


def test_a_key_with_a_passphrase_signs_like_any_other(office: Office) -> None:
    cas = Identities(office.home / "identities").new("cas", SecretStr("correct horse battery"))
    office.people = {**office.people, "cas": cas}
    office.write_list(*office.approvers, office.entry("cas", max_objects=10, max_money=Decimal(5000)))
    assert office.check(Plan(), *office.approve(Plan(), "cas")).name == "cas"
