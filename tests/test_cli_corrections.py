"""From a finding to its undo, as two people type it, and every way in which a command may refuse."""

import io
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

import auditkit as ak
from auditkit.corrections.identity import Identities
from auditkit.corrections.operations.invoice import TAX_STAYS
from auditkit.corrections.operations.nrb import NrbOperation
from auditkit.corrections.plan import LeftOut, Plan
from auditkit.journal import Journal
from auditkit.sandbox.dataset import build
from auditkit.sandbox.wire import loads_stored
from auditkit.settings import Settings
from tests.commands import Account, account_of, assert_refused, auditkit
from tests.crash.killing import kill_at
from tests.people import PASSPHRASE, acting_as, listed
from tests.sandbox.truth import truth_of

CONDITION = "Before it is sent, check each object: mark exported only what was booked in the ledger by hand"


WORLD = build(seed=6, nrbs=60, faults={"nrb-unexported": 2, "nrb-unbilled": 1, "nrb-class-contradiction": 1})


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An account that no test may change."""
    with account_of(WORLD, tmp_path_factory.mktemp("account")) as synced:
        yield synced


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Account]:
    """An account that a test may change."""
    (tmp_path / "own").mkdir()
    with account_of(WORLD, tmp_path / "own") as synced:
        yield synced


@pytest.fixture
def home(served: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    return home_of(served, monkeypatch, tmp_path)


def home_of(account: Account, monkeypatch: pytest.MonkeyPatch, folder: Path) -> Path:
    """A synced home with two people, of whom ann acts."""
    made = account.home(monkeypatch, folder)
    listed(made, max_objects=20, max_money="50000.00")
    acting_as(monkeypatch, "ann")
    return made


def writes(account: Account) -> int:
    return sum(call.method != "GET" for call in account.state.calls())


def planned(home: Path, *arguments: str) -> Path:
    before = set((home / "plans").glob("*.json"))
    ran = auditkit("plan", *arguments, "--no-preview")
    assert ran.code == 0, ran.err
    (path,) = set((home / "plans").glob("*.json")) - before
    return path


def approve(path: Path | str) -> None:
    ran = auditkit("approve", str(path), "--yes", "--no-preview")
    assert ran.code == 0, ran.err


def some_guid(account: Account, rule: str) -> str:
    return sorted(truth_of(account.world)[rule])[0]


# ── The walk ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_two_people_plan_approve_apply_and_undo(own: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = home_of(own, monkeypatch, tmp_path)
    guid = some_guid(own, "nrb-unexported")
    fingerprint = next(
        row["fingerprint"]
        for row in json.loads(auditkit("findings", "--rule", "nrb-unexported", "--json").out)
        if row["subject_id"] == guid
    )
    before = writes(own)
    nrb = loads_stored(own.state.nrb_text(guid) or "")
    shown = auditkit("plan", "nrb-unexported", "--only", fingerprint)
    (path,) = (home / "plans").glob("*.json")
    assert shown.code == 0 and CONDITION in shown.out and "closes" in shown.out
    assert (
        " by ann: it moves " in shown.out and "is valid until" in shown.out and "never marked as exported" in shown.out
    )
    assert f"A second person approves it: auditkit approve {path}" in shown.out
    assert_refused(auditkit("apply", str(path), "--yes"), "auditkit approve")
    refused = auditkit("approve", str(path), "--yes")
    assert refused.code == 2 and "its preparer cannot approve it" in refused.err

    acting_as(monkeypatch, "bob")
    approved = auditkit("approve", str(path), "--yes")
    assert approved.code == 0 and "Approved by bob" in approved.out
    for seen in (shown.out, approved.out):
        assert f"vendor {nrb['nrbVendorCode']}" in seen and f"job {nrb['nrbJobOrderNumber']} · {guid}\n" in seen
        assert f"at risk · nrb-unexported {fingerprint[:12]}\n" in seen
        assert "closes" in seen and "what would change: nothing" in seen
    assert "approvers.toml: ann: newly listed" in approved.err
    assert_refused(auditkit("approve", str(path), "--yes"), "was already approved by bob")
    assert writes(own) == before

    applied = auditkit("apply", str(path), "--yes")
    assert applied.code == 0 and "VERIFIED" in applied.out
    assert loads_stored(own.state.nrb_text(guid) or "")["nrbIsExported"] is True
    assert writes(own) == before + 1
    assert_refused(auditkit("apply", str(path), "--yes"), "was already applied")
    assert auditkit("sync").code == 0
    assert_refused(auditkit("plan", "nrb-unexported", "--only", fingerprint), "has no open finding")
    steps = "select body ->> 'step' as step from journal where kind = 'correction' order by seq"
    assert [row["step"] for row in json.loads(auditkit("sql", steps, "--json").out)] == [
        *("INTENT", "SENDING", "RESPONDED", "VERIFIED"),
    ]

    assert auditkit("undo", path.stem).code == 0
    (back,) = set((home / "plans").glob("*.json")) - {path}
    acting_as(monkeypatch, "ann")
    approve(back)
    assert auditkit("apply", str(back), "--yes").code == 0
    assert not loads_stored(own.state.nrb_text(guid) or "")["nrbIsExported"]
    assert auditkit("journal", "verify").code == 0
    assert auditkit("sync").code == 0
    assert_refused(auditkit("undo", str(path)), f"was undone already, by plan {back.stem}")


def test_an_operation_that_a_person_chose(served: Account, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    guid = some_guid(served, "nrb-unbilled")
    path = planned(home, "edit-nrb", guid, "nrbNotes=seen = by us", "nrbInvoiceDate=2026-05-01", "--reason", "asked")
    (change,) = Plan.load(path).changes
    assert change.after == {"nrbNotes": "seen = by us", "nrbInvoiceDate": 1777647600000} and change.reason == "asked"


def test_lines_of_an_invoice_with_tax(served: Account, home: Path) -> None:
    usable = [each for each in served.world.invoices if each["is_active"] and each["items"]]
    by_tax = {bool(each["tax"]): each["jnid"] for each in usable}
    line = 'items=[{"name": "Fuel", "description": "REF X", "quantity": 2, "price": "10.125"}]'
    for has_tax in (True, False):
        ran = auditkit("plan", "add-line", by_tax[has_tax], line, "--reason", "asked", "--no-preview")
        assert ran.code == 0, ran.err
        assert (TAX_STAYS in ran.out) is has_tax and "Fuel · REF X: 2 × 10.125 = 20.25" in ran.out


def test_a_new_invoice_fills_its_constants_by_itself(home: Path) -> None:
    given = (
        "status=1",
        'related=[{"id": "job-1", "type": "job"}]',
        'items=[{"name": "Fuel", "quantity": 1, "price": 1}]',
    )
    (change,) = Plan.load(planned(home, "create-invoice", *given, "--reason", "asked")).changes
    assert (change.body["type"], change.body["is_active"]) == ("invoice", True)
    shown = {row["field"]: row["after"] for row in change.preview()}
    assert (shown["type"], shown["is_active"]) == ("invoice", True)  # approved like every other field


def test_left_out_objects_are_listed_with_the_reason(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ak.open() as audit:
        path = audit.corrections.save(
            replace(audit.corrections.propose("nrb-unexported"), left_out=(LeftOut("GUID", "look into Aimsio"),))
        )
    acting_as(monkeypatch, "bob")
    lines = auditkit("approve", str(path), "--yes", "--no-preview").out.splitlines()
    assert [cell.strip() for cell in lines[lines.index("Left out") + 3].split("│")] == ["GUID", "look into Aimsio"]


def test_an_interrupted_correction_is_reported_at_every_start(
    own: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = home_of(own, monkeypatch, tmp_path)
    path = planned(home, "edit-nrb", some_guid(own, "nrb-unbilled"), "nrbNotes=interrupted", "--reason", "asked")
    acting_as(monkeypatch, "bob")
    approve(path)
    assert kill_at("sent", 1, "apply", str(path), "--yes")
    told = auditkit("findings")
    assert told.code == 0 and "its outcome is not known (interrupted); run `auditkit recover`" in told.err
    monkeypatch.setattr(NrbOperation, "quiet", 0.0)
    found = auditkit("recover")
    assert found.code == 0 and "VERIFIED" in found.out
    assert "is not known" not in auditkit("findings").err
    assert auditkit("recover").out == "No correction is open.\n"


def test_recovery_of_a_send_that_never_arrived(own: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`recover` closes a send that never arrived; the plan continues with the rest and does not send it again."""
    home = home_of(own, monkeypatch, tmp_path)
    path = planned(home, "nrb-unexported")
    acting_as(monkeypatch, "bob")
    approve(path)
    assert kill_at("unsent", 1, "apply", str(path), "--yes")  # its record is on disk, and nothing was sent
    monkeypatch.setattr(NrbOperation, "quiet", 0.0)
    found = auditkit("recover")
    assert found.code == 0 and "\n1 of 1 was not applied: sync, then plan again.\n" in found.out
    assert "next sync" not in found.out
    rest = auditkit("apply", str(path), "--yes")
    assert rest.code == 2 and "\n1 of 3 was not applied: sync, then plan again.\n" in rest.out
    assert rest.out.endswith("The next sync shows which findings this cleared.\n") and writes(own) == 2
    assert_refused(auditkit("apply", str(path), "--yes"), "was already applied; plan again")


def test_recovery_before_anything_was_sent(own: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = home_of(own, monkeypatch, tmp_path)
    path = planned(home, "edit-nrb", some_guid(own, "nrb-unbilled"), "nrbNotes=interrupted", "--reason", "asked")
    acting_as(monkeypatch, "bob")
    approve(path)
    assert kill_at("INTENT written", 1, "apply", str(path), "--yes")
    found = auditkit("recover")
    assert found.code == 0 and found.out.endswith(
        "\n1 of 1 was interrupted before anything was sent: apply the plan again.\n"
    )
    assert auditkit("apply", str(path), "--yes").code == 0


# ── What is refused ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("command", ["approve", "apply"])
def test_files_that_are_not_plans_are_refused(command: str, served: Account, home: Path) -> None:
    plan, before = planned(home, "nrb-unexported"), writes(served)
    edited, junk = home / "edited.json", home / "junk.json"
    edited.write_text(plan.read_text().replace('"after":true', '"after":false', 1))
    junk.write_bytes(b"\0\xff")
    assert_refused(auditkit(command, str(edited), "--yes"), str(edited), "plan again")
    assert_refused(auditkit(command, str(junk), "--yes"), str(junk), "not a plan")
    assert_refused(auditkit(command, "none.json", "--yes"), "none.json", "cannot be read", "plans/")
    assert_refused(auditkit(command, str(home), "--yes"), str(home), "cannot be read")
    assert writes(served) == before


@pytest.mark.parametrize("command", ["approve", "apply"])
def test_nothing_is_done_without_confirmation(
    command: str, served: Account, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, before = planned(home, "nrb-unexported"), writes(served)
    acting_as(monkeypatch, "bob")
    if command == "apply":
        approve(path)
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    asked = auditkit(command, str(path))
    assert asked.code == 2 and asked.err.endswith(
        "nothing was " + ("sent" if command == "apply" else "approved") + "\n"
    )
    assert CONDITION in asked.out and "DEMO" not in asked.out and writes(served) == before


def test_commands_refuse_a_plan_for_another_account(
    served: Account, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = planned(home, "nrb-unexported")
    acting_as(monkeypatch, "bob")
    approve(path)
    monkeypatch.setenv("AUDITKIT_AIMSIO_USERNAME", "other")
    made = Plan.load(path)
    why = f"plan {made.digest[:12]} is for {made.account}, not for {Settings.load().account_key}"
    for command in ("approve", "apply"):
        refused = auditkit(command, str(path), "--yes")
        assert_refused(refused, why)
        assert not refused.out
    monkeypatch.setenv("AUDITKIT_HOME", str(home.parent / "empty"))
    for command in ("approve", "apply"):
        assert_refused(auditkit(command, str(path), "--yes"), why)
    monkeypatch.setenv("AUDITKIT_HOME", str(home))
    (home / "audit.duckdb").unlink()  # stale too, but the account is the reason that is given
    assert_refused(auditkit("apply", str(path), "--yes"), why)


def test_refusals_come_before_the_plan_is_shown(served: Account, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = planned(home, "nrb-unexported")
    for command, why in (("approve", "its preparer cannot approve it"), ("apply", "is not approved")):
        refused = auditkit(command, str(path), "--yes")
        assert_refused(refused, why)
        assert not refused.out
    listed(home, "carol")  # nobody else is listed any more
    acting_as(monkeypatch, "carol")
    refused = auditkit("approve", str(path), "--yes")
    assert_refused(refused, "'ann' with the key", "is not listed")
    assert not refused.out


def test_missing_prerequisites_of_the_preparer_are_shown_at_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    monkeypatch.setenv("AUDITKIT_IDENTITY", "carol")
    monkeypatch.delenv("AUDITKIT_PASSPHRASE")
    refused = auditkit("plan", "nrb-unexported", "--no-preview")
    first, last = refused.err.splitlines()
    assert refused.code == 2 and "carol has no key; before a plan can be saved" in first
    assert "auditkit identity new" in first and "no such identity" in last  # and no passphrase is asked for
    Identities(home / "identities").new("carol", SecretStr(PASSPHRASE))
    acting_as(monkeypatch, "carol")
    told = auditkit("plan", "nrb-unexported", "--no-preview")
    assert told.code == 0 and told.err.splitlines() == [
        "auditkit: carol is not listed with this key; before a plan can be approved: list carol in"
        f" {home / 'approvers.toml'}"
    ]


@pytest.mark.parametrize(
    ("limits", "override", "words"),
    [
        ({"max_objects": 1}, None, ("3 objects, limit 1; approve it with --override REASON",)),
        ({"max_money": "0.01"}, None, ("moves ", "limit 0.01; approve it with --override REASON")),
        ({"max_money": "0.01", "may_override": False}, None, ("limit 0.01; plan again, or ask another",)),
        ({"max_money": "0.01", "may_override": False}, "it cannot wait", ("bob may not override",)),
        ({"max_money": "0.01"}, " ", ("needs a reason",)),
    ],
)
def test_limits_of_the_approver(
    limits: dict[str, object],
    override: str | None,
    words: tuple[str, ...],
    served: Account,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home = served.home(monkeypatch, tmp_path)
    listed(home, **limits)
    acting_as(monkeypatch, "ann")
    path = planned(home, "nrb-unexported")
    acting_as(monkeypatch, "bob")
    refused = auditkit("approve", str(path), "--yes", *([] if override is None else ["--override", override]))
    assert refused.code == 2 and all(word in refused.err for word in words), refused.err
    if "may_override" not in limits:
        assert auditkit("approve", str(path), "--yes", "--override", "it cannot wait").code == 0
        assert auditkit("audit").code == 0
        assert "bob overrode the limits of plan" in auditkit("findings").err.splitlines()[0]


def test_a_person_without_key_or_name_is_refused(served: Account, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDITKIT_IDENTITY", "carol")
    refused = auditkit("plan", "nrb-unexported", "--no-preview")
    assert refused.code == 2 and "carol" in refused.err and "auditkit identity new" in refused.err
    monkeypatch.setenv("AUDITKIT_IDENTITY", "ann")
    monkeypatch.setenv("AUDITKIT_PASSPHRASE", "another passphrase")
    refused = auditkit("plan", "nrb-unexported", "--no-preview")
    assert refused.code == 2 and "passphrase is wrong" in refused.err and "another passphrase" not in refused.err
    monkeypatch.delenv("AUDITKIT_IDENTITY")
    assert_refused(auditkit("plan", "nrb-unexported", "--no-preview"), "AUDITKIT_IDENTITY")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["edit-nrb"], ("which object", "edit-nrb ID FIELD=VALUE")),
        (["edit-nrb", "GUID", "nrbNotes=x"], ("give a reason",)),
        (["edit-nrb", "GUID", "nrbNote=x", "--reason", "r"], ("nrbNote=x", "expected field=value", "nrbNotes")),
        (["edit-nrb", "GUID", "nrbNotes", "--reason", "r"], ("nrbNotes: expected field=value",)),
        (["edit-nrb", "GUID", "nrbIsExported=yes", "--reason", "r"], ("expected true, false or null",)),
        (["edit-nrb", "GUID", "nrbInvoiceDate=soon", "--reason", "r"], ("a day such as",)),
        (["edit-nrb", "GUID", "nrbRate=1,000", "--reason", "r"], ("nrbRate", "digits")),
        (["edit-nrb", "none", "nrbNotes=x", "--reason", "r"], ("none: no such id; give the NRB's GUID",)),
        (["edit-nrb", "EXTERNAL", "nrbNotes=x", "--reason", "r"], ("no such id", "not its number: {GUID}\n")),
        (["edit-invoice", "NUMBER", "note=x", "--reason", "r"], ("no such id", "not its number: {JNID}\n")),
        (["edit-nrb", "GUID", "--reason", "r"], ("nothing to change: give field=value",)),
        (["edit-nrb", "GUID", "nrbNotes=x", "--only", "zzzz", "--reason", "r"], ("takes no --only",)),
        (
            ["edit-nrb", "GUID", "nrbTotalAfterMarkup=1", "--reason", "r"],
            ("vendor computes nrbTotal",),
        ),
        (["add-line", "JNID", 'items=[{"amount": 1}]', "--reason", "r"], ("does not set amount; it sets", "price")),
        (["nope"], ("no rule or operation is called 'nope'; there are edit-nrb", "deactivate-invoice, nrb-unexported")),
        (["edit-nr"], ("did you mean edit-nrb?",)),
        (["edit-nrb", "../x", "nrbNotes=x", "--reason", "r"], ("x",)),
        (["edit-invoice", "JNID", "items={", "--reason", "r"], ("items", "JSON")),
        (["edit-invoice", "JNID", "total=1", "--reason", "r"], ("vendor computes total, from items",)),
        (["add-line", "JNID", "items=[]", "--reason", "r"], ("items must be the new lines",)),
        (["create-nrb", "nrbRate=1", "--reason", "r"], ("a new NRB needs", "nrbVendorCode")),
        (["create-invoice", "status=1", "--reason", "r"], ("items",)),
        (["nrb-unexported", "GUID"], ("a rule takes no values", "--only")),
        (["nrb-unexported", "--only", "zzzz"], ("has no open finding zzzz",)),
        (["nrb-billed-on-void"], ("no remedy that is safe", "nrb-unbilled")),
        (["nrb-unexport"], ("did you mean nrb-unexported?",)),
    ],
    ids=lambda value: " ".join(value)[:40],
)
def test_mistakes_in_plan_are_refused_in_one_line(
    arguments: list[str], words: tuple[str, ...], served: Account, home: Path
) -> None:
    invoice = served.world.invoices[0]
    guid = some_guid(served, "nrb-unbilled")
    external = loads_stored(served.state.nrb_text(guid) or "")["nrbExternalId"]
    ids = {"GUID": guid, "EXTERNAL": external, "JNID": invoice["jnid"], "NUMBER": invoice["number"]}
    refused = auditkit("plan", *(ids.get(each, each) for each in arguments))
    assert_refused(refused, *(word.format(**ids) for word in words))
    assert not list(home.glob("plans/*"))


def test_plan_and_verdicts_for_programs(own: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home_of(own, monkeypatch, tmp_path)
    ran = auditkit("plan", "nrb-unexported", "--json")
    assert ran.code == 0, ran.err
    planned = json.loads(ran.out)
    guid = some_guid(own, "nrb-unexported")
    assert {row["effect"] for row in planned["findings"] if row["subject_id"] == guid} >= {"closes"}
    assert planned["objects"] == 3 and {row["code"] for row in planned["statement"]} >= {"unbilled", "difference"}
    assert_refused(auditkit("apply", planned["plan"], "--json"), "add --yes")
    assert {row["known_as"].split(" · ")[1] for row in planned["fields"]} and planned["left_out"] == []
    acting_as(monkeypatch, "bob")
    assert_refused(auditkit("approve", planned["plan"], "--json"), "add --yes")
    approved = json.loads(auditkit("approve", planned["plan"], "--yes", "--json").out)
    assert approved == {**planned, "approved_by": "bob"}
    verdicts = json.loads(auditkit("apply", planned["plan"], "--yes", "--json").out)
    assert {row["verdict"] for row in verdicts} == {"VERIFIED"} and guid in {row["object_id"] for row in verdicts}
    assert json.loads(auditkit("recover", "--json").out) == []


def test_the_approved_plan_is_the_one_that_was_shown(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replacing the file between preview and signature changes nothing."""
    path, other = planned(home, "nrb-unexported"), planned(home, "nrb-class-contradiction")
    shown = Plan.load(path).digest
    acting_as(monkeypatch, "bob")

    def swapped(_: str) -> bool:
        path.write_bytes(other.read_bytes())
        return True

    monkeypatch.setattr("auditkit.cli.corrections._confirmed", swapped)
    assert auditkit("approve", str(path)).code == 0
    assert Plan.load(path).digest == shown


def test_a_plan_file_outside_the_home_can_be_approved(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, mailed = planned(home, "nrb-unexported"), tmp_path / "mail.json"
    path.rename(mailed)
    acting_as(monkeypatch, "bob")
    approve(mailed)
    assert Plan.load(mailed).signature("approve")


def test_a_plan_is_approved_and_applied_in_the_approvers_home(
    own: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two logins cannot share a home: the file is copied, and the approval is in the journal of one home only."""
    home = home_of(own, monkeypatch, tmp_path)
    path = planned(home, "nrb-unexported")
    other = tmp_path / "other"
    shutil.copytree(home, other, ignore=shutil.ignore_patterns("plans", "identities", "journal.*"))
    (other / "identities").mkdir(0o700)
    (home / "identities" / "bob.pem").rename(other / "identities" / "bob.pem")
    copied = str(shutil.copy(path, other / "plan.json"))
    monkeypatch.setenv("AUDITKIT_HOME", str(other))
    acting_as(monkeypatch, "bob")
    approve(copied)
    monkeypatch.setenv("AUDITKIT_HOME", str(home))
    assert_refused(auditkit("apply", copied, "--yes"), "this approval is not in the journal")
    monkeypatch.setenv("AUDITKIT_HOME", str(other))
    assert auditkit("apply", copied, "--yes").code == 0


def test_a_home_that_is_copied_after_an_approval_needs_another_one(
    own: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise both copies could apply the plan at once."""
    home = home_of(own, monkeypatch, tmp_path)
    path = planned(home, "nrb-class-contradiction")
    acting_as(monkeypatch, "bob")
    approve(path)
    copied = Path(shutil.copytree(home, tmp_path / "copied"))
    monkeypatch.setenv("AUDITKIT_HOME", str(copied))
    there = str(copied / "plans" / path.name)
    assert_refused(auditkit("apply", there, "--yes"), "was approved in another folder", "approve it here")
    approve(there)
    assert auditkit("apply", there, "--yes").code == 0


def test_a_plan_is_not_made_before_the_last_record_of_the_journal(home: Path) -> None:
    later = datetime.now(UTC) + timedelta(days=30)
    Journal(home / "journal.jsonl", clock=lambda: later).append("note", {"text": "by a clock that was ahead"})
    assert Plan.load(planned(home, "nrb-unexported")).created_at == later


def test_a_damaged_journal_makes_the_tool_read_only(home: Path) -> None:
    path = planned(home, "nrb-unexported")
    (home / "journal.jsonl").write_text("{}\n")
    for command in ("findings", "statement"):
        assert auditkit(command).code == 0
    for refused in (["sync"], ["approve", str(path), "--yes"], ["apply", str(path), "--yes"], ["recover"]):
        ran = auditkit(*refused)
        assert ran.code == 2 and "journal.jsonl" in ran.err, refused


def test_an_approval_missing_from_the_plan_file_is_written_again(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = planned(home, "nrb-unexported")
    unsigned = path.read_bytes()
    acting_as(monkeypatch, "bob")
    approve(path)
    signed = path.read_bytes()
    path.write_bytes(unsigned)
    approve(path)
    assert path.read_bytes() == signed


def test_settling_a_correction_that_is_not_open_is_refused(home: Path) -> None:
    assert_refused(auditkit("recover", "--settle", "none", "--note", "seen"), "none", "outcome is unknown")
    assert_refused(auditkit("recover", "--settle", "none"), "a note is needed")
    assert_refused(auditkit("recover", "--note", "seen"), "give --settle CORRECTION with it")


def test_undoing_a_plan_that_was_never_applied_is_refused(home: Path) -> None:
    path = planned(home, "nrb-unexported")
    for plan in (str(path), path.stem, path.stem[:6]):
        assert_refused(auditkit("undo", plan), f"{path.stem[: len(plan)]}", "was never applied: nothing to undo")
    assert_refused(auditkit("undo", "000000"), "the journal knows no plan of that name")
    assert_refused(auditkit("undo", "none"), "none: cannot be read", "name a file under plans/")


@pytest.mark.slow
def test_the_demo_has_both_people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDITKIT_HOME", str(tmp_path / "home"))
    assert auditkit("sync").code == 0
    path = planned(tmp_path / "home", "nrb-class-contradiction")
    ran = auditkit("approve", str(path), "--yes", "--no-preview")
    assert ran.code == 0 and "DEMO: signed by an identity of the demo" in ran.out
    assert "DEMO DATA" in auditkit("apply", str(path), "--yes").out
    assert (
        auditkit("sync").code == 0 and auditkit("findings", "--rule", "nrb-class-contradiction", "--json").out == "[]\n"
    )
