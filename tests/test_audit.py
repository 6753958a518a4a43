"""The object that a notebook holds: what each table has in it, and what a decision or a correction changes."""

import fcntl
import json
import re
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

import auditkit as ak
from auditkit.errors import (
    Busy,
    Denied,
    FindingError,
    NoSnapshot,
    PlanError,
    QueryFailed,
    QuestionRefused,
    SettingsError,
)
from auditkit.sandbox.dataset import build
from auditkit.sandbox.wire import loads_stored
from auditkit.sql import read
from tests.commands import Account, account_of, bytes_of
from tests.people import acting_as, listed, signed
from tests.sandbox.truth import drafts_of, truth_of
from tests.served import point

SUMS = "nrb_count nrb_total billable_total billed_total linked_total unbilled_total undecided_total"
COLUMNS = {
    "completeness": "source records listed quarantined vanished total first_on last_on reads ids status",
    "statement": "code label amount gross items is_subtotal",
    "by job": f"job_number {SUMS} invoice_count invoice_total linked_line_total free_line_total other_line_total"
    " variance rounding verdict",
    "by vendor": f"vendor_code {SUMS} charged_total variance",
    "by month": f"month {SUMS} charged_total variance",
    "by type": f"type_name {SUMS} charged_total variance",
    "statement by job": "key code label amount gross items is_subtotal",
    "sensitivity": "tolerance jobs_agree jobs_more jobs_under_billed jobs_over_billed job_variance costs_agree"
    " costs_more costs_under_billed costs_over_billed cost_variance",
    "unbilled": "guid job_number vendor_code type_name accounting_date age_days age_bucket total exported",
    "unexported": "guid job_number vendor_code type_name accounting_date total billed_mark reason",
    "findings": "rule_id severity subject_type subject_id job_number amount_at_risk reason evidence fingerprint state"
    " first_seen change reopened_because",
    "by rule": "rule_id severity findings new reopened accepted cleared amount_at_risk title",
}
TABLES: dict[str, Callable[[ak.Audit], pd.DataFrame]] = {
    "completeness": lambda it: it.completeness(),
    "statement": lambda it: it.statement(),
    "by job": lambda it: it.reconcile(),
    "by vendor": lambda it: it.reconcile("vendor"),
    "by month": lambda it: it.reconcile("month"),
    "by type": lambda it: it.reconcile("type"),
    "statement by job": lambda it: it.statement("job"),
    "sensitivity": lambda it: it.analyze.sensitivity(),
    "unbilled": lambda it: it.unbilled(),
    "unexported": lambda it: it.unexported(),
    "findings": lambda it: it.findings(),
    "by rule": lambda it: it.by_rule(),
}
MONEY = {"amount", "gross", "total", "variance", "amount_at_risk"}


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    faults = {"nrb-unbilled": 2, "nrb-unexported": 2, "nrb-exported-unbilled": 1, "line-amount-difference": 1}
    with account_of(build(seed=15, nrbs=100, faults=faults), tmp_path_factory.mktemp("account")) as synced:
        yield synced


@pytest.fixture
def audit(account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ak.Audit]:
    account.home(monkeypatch, tmp_path, IDENTITY="controller@example.com")
    with ak.open() as opened:
        yield opened


# ── Tables ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", TABLES)
def test_a_table_has_its_columns_and_no_float(name: str, audit: ak.Audit) -> None:
    frame, columns = TABLES[name](audit), COLUMNS[name].split()
    assert list(frame.columns) == columns and len(frame) > 0
    assert frame.attrs["snapshot"] == audit.snapshot_id and audit.snapshot_id in audit.title
    assert {dtype.kind for dtype in frame.dtypes} == {"O"}
    assert not any(isinstance(value, float) for column in columns for value in frame[column])
    for column in [column for column in columns if column in MONEY or column.endswith("_total")]:
        assert all(isinstance(value, Decimal) and value.as_tuple().exponent == -2 for value in frame[column])


@pytest.mark.parametrize(
    "name",
    [pytest.param(name) for name in TABLES],
)
def test_the_sql_of_a_table_gives_it_again(name: str, audit: ak.Audit) -> None:
    frame = TABLES[name](audit)
    pd.testing.assert_frame_equal(audit.sql(frame.attrs["sql"], **frame.attrs["values"]), frame)


@pytest.mark.parametrize("by", ["job", "vendor", "month", "type"])
def test_each_reconciliation_adds_up_to_the_statement(by: str, audit: ak.Audit) -> None:
    amount = dict(zip(audit.statement()["code"], audit.statement()["amount"], strict=True))
    rows = audit.reconcile(by)
    assert sum(rows["nrb_total"]) == amount["cost_booked"] == audit.completeness()["total"][0]
    assert sum(rows["billable_total"]) == amount["billable_cost"]
    assert -sum(rows["unbilled_total"]) == amount["unbilled"] < 0
    assert -sum(audit.unbilled()["total"]) == amount["never_invoiced"] + amount["look_first"] < 0
    assert sum(rows["nrb_count"]) == audit.sql("select count(*) as n from nrb where is_leaf")["n"][0]
    assert sum(rows["variance"]) == sum(audit.reconcile()["variance"])
    if by == "job":
        assert sum(rows["invoice_total"]) == amount["invoice_total"]
    assert amount["difference"] == 0


def test_a_reconciliation_by_something_else(audit: ak.Audit) -> None:
    with pytest.raises(ValueError, match="job, vendor, month, type"):
        audit.reconcile("week")


ANALYSES: dict[str, Callable[[ak.Audit], pd.DataFrame]] = {
    "duplicates": lambda it: it.analyze.duplicates(
        "vendor_code", near="vendor_invoice_number", days=30, date="created_on"
    ),
    "stratify": lambda it: it.analyze.stratify(bands=["0", "100", "1000"]),
    "age": lambda it: it.analyze.age(),
    "gaps": lambda it: it.analyze.gaps(),
    "summarize": lambda it: it.analyze.summarize("vendor_code"),
    "crosstab": lambda it: it.analyze.crosstab("type_name", "month", "total"),
    "cutoff": lambda it: it.analyze.cutoff("2026-03-31"),
}


@pytest.mark.parametrize("name", ANALYSES)
def test_an_analysis_names_its_snapshot_and_is_a_query_to_look_at(name: str, audit: ak.Audit) -> None:
    frame = ANALYSES[name](audit)
    assert frame.attrs["snapshot"] == audit.snapshot_id
    pd.testing.assert_frame_equal(audit.sql(frame.attrs["sql"], **frame.attrs["values"]), frame)
    if name in ("stratify", "age", "summarize"):
        total = next(column for column in frame.columns if column in ("total", "sum_total"))
        assert frame[total].iloc[-1] == frame[total].iloc[:-1].sum() == audit.statement()["amount"][0]


def test_an_analysis_of_what_is_not_there(audit: ak.Audit) -> None:
    with pytest.raises(QuestionRefused, match="no column 'totl'; did you mean total"):
        audit.analyze.stratify("totl")
    for wrong in (
        lambda: audit.analyze.summarize("vendor_code", table="nrbs"),
        lambda: audit.analyze.stratify(bands=10**6),
        lambda: audit.analyze.stratify(bands=3.5),
        lambda: audit.analyze.cutoff(20260930),
        lambda: audit.analyze.duplicates("vendor_code", days="3", date="created_on"),
        lambda: audit.statement("job", "no such job"),
        lambda: audit.sql.describe("nrbs"),
    ):
        with pytest.raises(QuestionRefused):
            wrong()


def test_a_statement_of_a_part(audit: ak.Audit) -> None:
    job = audit.reconcile()["job_number"][0]
    one, whole = audit.statement("job", job), audit.statement("job")
    assert one["code"].iloc[-1] == "difference" and one["amount"].iloc[-1] == 0
    assert list(whole[whole["key"] == job]["amount"]) == list(one["amount"])
    for wrong in ({"by": "week"}, {"key": "x"}):
        with pytest.raises(ValueError, match=r"one of|has no key"):
            audit.statement(**wrong)
    assert list(audit.statement("job", f" {job.lower()} ")["amount"]) == list(one["amount"])


def test_the_roll_forward_between_two_syncs(audit: ak.Audit) -> None:
    with pytest.raises(NoSnapshot, match="two snapshots are needed"):
        audit.roll_forward()
    audit.sync()
    rolled = audit.roll_forward()
    assert set(rolled["unexplained"]) == {Decimal("0.00")} and list(rolled["before"]) == list(rolled["now"])
    assert audit.roll_forward(1, 2, items=True).empty and rolled.attrs["snapshot"] == audit.snapshot_id
    with pytest.raises(NoSnapshot, match="no snapshot of sync 9"):
        audit.roll_forward(9)


def test_values_of_a_query(audit: ak.Audit) -> None:
    guid = audit.unbilled()["guid"][0]
    assert audit.sql("select guid from nrb where guid = ?", guid)["guid"].to_list() == [guid]
    assert audit.sql("select guid from nrb where guid = $guid", guid=guid)["guid"].to_list() == [guid]
    row = audit.sql("select $money::decimal(18, 2) as m, $day::date as d", money=Decimal("0.10"), day=date(2026, 9, 30))
    assert row.iloc[0].to_list() == [Decimal("0.10"), date(2026, 9, 30)]
    hostile = "'; drop table nrb; --"
    assert audit.sql("select ? as text", hostile)["text"].to_list() == [hostile]
    with pytest.raises(QueryFailed) as failure:
        audit.sql("select guid from nrb where guid = $guid", guild=guid)
    assert failure.value.sql == "select guid from nrb where guid = $guid"


def test_findings_of_one_rule(audit: ak.Audit, account: Account) -> None:
    truth = {**truth_of(account.world), **drafts_of(account.world)}
    assert sorted(audit.findings("nrb-unbilled")["subject_id"]) == truth["nrb-unbilled"]
    counts = dict(zip(audit.by_rule()["rule_id"], audit.by_rule()["findings"], strict=True))
    assert counts == {rule: len(truth.get(rule, [])) for rule in counts}
    assert len(audit.findings()) == sum(counts.values())
    order = ["high", "medium", "low"]
    ranks = [order.index(severity) for severity in audit.findings()["severity"]]
    assert ranks == sorted(ranks)


def test_findings_by_severity_job_and_news(audit: ak.Audit) -> None:
    every = audit.findings()
    assert len(audit.findings(severity="high")) == sum(every["severity"] == "high") > 0
    job = every["job_number"][0]
    assert len(audit.findings(job=f" {job.lower()} ")) == sum(every["job_number"] == job) > 0
    assert len(audit.findings(new=True)) == len(every) and audit.findings(state="cleared").empty
    assert audit.findings("nrb-unbilled", severity="low").empty
    for wrong in ({"severity": "worst"}, {"state": "done"}):
        with pytest.raises(FindingError, match=r"invalid .*; choose "):
            audit.findings(**wrong)


# ── Acceptance, and why ─────────────────────────────────────────────────────────────────────────────────────────────


def test_accepted_findings_may_stand_until_they_are_taken_back(audit: ak.Audit) -> None:
    chosen = audit.findings("nrb-unbilled").head(2)
    first, second = chosen["fingerprint"]
    accepted = audit.accept([first[:8], second.upper()], "agreed with the client", until="2026-12-31", who="controller")
    assert sorted(accepted["fingerprint"]) == sorted([first, second]) and set(accepted["state"]) == {"accepted"}
    kept = audit.sql("select note, who, until, amount_at_risk, evidence, snapshot_id from acceptance order by all")
    assert set(kept["note"]) == {"agreed with the client"} and set(kept["until"]) == {date(2026, 12, 31)}
    assert sorted(kept["amount_at_risk"]) == sorted(chosen["amount_at_risk"])
    assert all(json.loads(each)["age_days"] is not None for each in kept["evidence"])
    assert dict(zip(audit.by_rule()["rule_id"], audit.by_rule()["accepted"], strict=True))["nrb-unbilled"] == 2
    with ak.open(as_of="2027-01-01") as later:
        later.run()
        reopened = later.findings("nrb-unbilled")["reopened_because"].value_counts()
        assert dict(reopened) == {"accepted until 2026-12-31": 2}
    audit.run()
    audit.unaccept(first, "not agreed after all")
    assert list(audit.findings("nrb-unbilled", state="accepted")["fingerprint"]) == [second]
    assert first in list(audit.findings("nrb-unbilled", state="open")["fingerprint"])
    lock = (audit.settings.folder / "writer.lock").open("a")
    fcntl.flock(lock, fcntl.LOCK_EX)
    before = len(list(audit.journal.records()))
    with lock, pytest.raises(Busy):
        audit.accept(first, "while another writes")
    assert len(list(audit.journal.records())) == before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fingerprints": "0" * 64}, "no finding has the fingerprint"),
        ({"fingerprints": "abc"}, "is not a fingerprint"),
        ({"fingerprints": "%_%_%_%_"}, "is not a fingerprint"),
        ({"fingerprints": []}, "no finding was given"),
        ({"note": "  "}, "a note is needed"),
        ({"who": ""}, "the person who decides is not known"),
        ({"until": "2026-09-29"}, "has passed"),
        ({"until": "31.12.2026"}, "is not a day"),
        ({"until": 20261231}, "is not a day"),
        ({"note": None}, "a note is needed"),
    ],
)
def test_an_acceptance_that_is_not_whole_is_refused_and_not_journalled(
    audit: ak.Audit, changes: dict[str, object], message: str
) -> None:
    given = {"fingerprints": audit.findings()["fingerprint"][0], "note": "n", "who": "w", "until": None, **changes}
    with pytest.raises(FindingError, match=message):
        audit.accept(**given)
    assert list(audit.journal.records()) == []
    with pytest.raises(FindingError, match=r"no accepted finding|is needed"):
        audit.unaccept(audit.findings()["fingerprint"][0], "never was")


def test_a_finding_is_explained_down_to_what_the_vendor_sent(audit: ak.Audit, account: Account) -> None:
    (found,) = audit.findings("line-amount-difference").to_dict("records")
    why = audit.explain(found["fingerprint"][:10])
    assert why.finding["subject_id"] == found["subject_id"] and why.rule["rule_id"] == "line-amount-difference"
    assert why.row["amount_at_risk"][0] == found["amount_at_risk"] and why.snapshot_id.startswith(audit.snapshot_id)
    guid, jnid = why.parts["Links"]["nrb_guid"][0], found["subject_id"].partition("/")[0]
    assert why.parts["Links"]["how"].notna().all() and set(why.parts["Links"]["jnid"]) == {jnid}
    assert list(why.raw["subject_id"]) == [guid, jnid] and all(why.raw["digest_holds"])
    assert loads_stored(why.raw["body"][0])["nrbGuid"] == guid
    for text in (str(why), why._repr_html_()):
        assert all(part in text for part in (found["reason"][:20], guid, jnid, why.raw["digest"][0], "cast(subject_id"))


def test_every_finding_can_be_explained(audit: ak.Audit) -> None:
    for fingerprint in audit.findings()["fingerprint"]:
        why = audit.explain(fingerprint)
        assert len(why.row) == 1 and len(why.parts["History"]) == 1
        assert "<script" not in why._repr_html_()


# ── Parameters ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_day_to_look_from(audit: ak.Audit) -> None:
    ages = dict(zip(audit.unbilled()["guid"], audit.unbilled()["age_days"], strict=True))
    first = audit.snapshot_id
    with ak.open(as_of="2026-10-30") as later:
        later.run()
        assert later.about["as_of"] == date(2026, 10, 30) and "as of 2026-10-30" in later.title
        assert dict(zip(later.unbilled()["guid"], later.unbilled()["age_days"], strict=True)) == {
            guid: age + 30 for guid, age in ages.items()
        }
        assert later.snapshot_id != first
    assert audit.snapshot_id == first  # opened before, and keeps what it opened


def test_the_tolerance(audit: ak.Audit) -> None:
    """A cost that is off by no more than the tolerance is billed; the rest of the statement is the same."""
    off = audit.findings("line-amount-difference")
    assert len(off) >= 1
    with ak.open(tolerance="99999.99") as tolerant:
        tolerant.run()
        assert len(tolerant.findings("line-amount-difference")) == 0
        parameters = json.loads(tolerant.sql("select parameters from audit_run")["parameters"][0])
        assert parameters["tolerance"] == "99999.99"
        statements = (audit.statement(), tolerant.statement())
        before, after = (dict(zip(each["code"], each["amount"], strict=True)) for each in statements)
    differences = ("under_billed", "over_billed", "rounding")
    assert [after[code] for code in differences] == [0, 0, sum(before[code] for code in differences)] != [0, 0, 0]
    moved = {code for code in before if before[code] != after[code]} - set(differences)
    assert moved == ({"unbilled"} if before["under_billed"] else set())


@pytest.mark.parametrize(
    "wrong",
    [{"as_of": "yesterday"}, {"tolerance": "much"}, {"tolerance": "-1"}, {"tolerance": "0.001"}],
    ids=str,
)
def test_wrong_parameters_are_settings_errors(wrong: dict[str, str], audit: ak.Audit) -> None:
    with pytest.raises(SettingsError):
        ak.open(**wrong)


def test_a_vendors_refusal_keeps_its_class(audit: ak.Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDITKIT_AIMSIO_PASSWORD", "wrong")
    with ak.open() as denied, pytest.raises(Denied):
        denied.sync()


# ── Snapshots ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_two_audits_in_one_process(audit: ak.Audit, account: Account) -> None:
    """The one that was open keeps its data; a new one, and the one that synced, see the new."""
    guid = truth_of(account.world)["nrb-unbilled"][0]
    before, findings = audit.snapshot_id, audit.findings()
    original = loads_stored(account.state.nrb_text(guid) or "")
    try:
        changed = {**original, "nrbUpdatedAt": original["nrbUpdatedAt"] + 1000, "nrbIsBillable": False}
        account.state.put_nrb({**changed, "nrbAccountType": "Not Billable"})
        with ak.open() as other:
            other.sync()
            assert audit.snapshot_id == before != other.snapshot_id
            pd.testing.assert_frame_equal(audit.findings(), findings)
            assert guid not in set(other.findings("nrb-unbilled")["subject_id"])
            with ak.open() as third:
                assert third.snapshot_id == other.snapshot_id
    finally:
        account.state.put_nrb(original)
    audit.close()
    assert audit.snapshot_id != before  # opened again, it is the newest


def test_nothing_synced(account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    point(monkeypatch, account.address, tmp_path / "home")
    with ak.open() as empty, pytest.raises(NoSnapshot, match="auditkit sync"):
        empty.statement()


@pytest.mark.slow
def test_the_demo_needs_no_settings_and_says_what_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its home is a folder of its own in the project, and no file is written anywhere else."""
    project, user = tmp_path / "project", tmp_path / "user"
    (project / "notebooks").mkdir(parents=True)
    user.mkdir()
    (project / "auditkit.toml").touch()
    monkeypatch.setenv("HOME", str(user))
    monkeypatch.setenv("AUDITKIT_QUIET", "1")
    monkeypatch.chdir(project / "notebooks")
    with ak.open() as demo:
        demo.sync()
        assert demo.is_demo and demo.title.startswith("DEMO DATA · as of 2026-09-30 · snapshot ")
        assert demo.about["time_zone"] == "America/Edmonton" and demo.about["verdict"] == "findings"
        assert len(demo.findings()) > 40
        first = demo.snapshot_id
        demo.sync()
        assert demo.snapshot_id == first
    assert {path.name for path in project.iterdir()} == {"auditkit.toml", "notebooks", "data"}
    assert [path.name for path in (project / "data").iterdir()] == ["demo"]
    assert not list(user.iterdir()) and not list((project / "notebooks").iterdir())


def test_who_waits_is_told_how_far_it_is(
    audit: ak.Audit, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("auditkit.progress._LINE_EVERY_SECONDS", 0)
    monkeypatch.setenv("AUDITKIT_QUIET", "0")
    audit.run()
    audit.workpaper()
    told = capsys.readouterr().err.splitlines()
    for task in ("Auditing", "Workpaper"):
        done, whole = re.findall(rf"{task}: (\d+) of (\d+) ", "\n".join(told))[-1]
        assert done == whole and int(whole) > 1


def test_a_report_on_a_month_in_which_nothing_is_dated(audit: ak.Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    """February, where the last day is the 31st of January: less than a month later, and still another month."""
    first, last = date(2025, 11, 3), date(2026, 1, 31)
    sql = f"select date '{first}' as nrb_first, date '{last}' as nrb_last, null as invoice_first, null as invoice_last"
    monkeypatch.setattr("auditkit.audit.read", lambda name: sql if name == "queries/workpaper/period" else read(name))
    for month in ("2025-10", "2026-02", "2031-01"):
        with pytest.raises(QuestionRefused, match=f"^nothing is dated in {month}; there is 2025-11 to 2026-01$"):
            audit.report(period=month)


def test_a_practice_home_goes_with_its_audit(account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever account is set: practice is on a demo of its own, and leaves nothing."""
    home = account.home(monkeypatch, tmp_path, IDENTITY="controller@example.com")
    before = bytes_of(home)
    with ak.open(practice=True) as practice:
        folder = practice.settings.folder
        practice.prepare()
        assert practice.is_demo and practice.title.startswith("DEMO DATA")
        assert folder != home and (folder / "audit.duckdb").is_file() and folder.stat().st_mode & 0o077 == 0
    assert not folder.exists() and bytes_of(home) == before


def test_preparing_reads_only_where_nothing_was_read(
    account: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    point(monkeypatch, account.address, tmp_path / "new", AS_OF="2026-08-31")

    def syncs(audit: ak.Audit) -> int:
        return int(audit.sql("select max(sync_id) as n from sync_run")["n"][0])

    with ak.open() as audit:
        audit.prepare()
        assert syncs(audit) == 1 and audit.about["as_of"] == date(2026, 8, 31)
        first = audit.snapshot_id
        audit.prepare()
        assert (syncs(audit), audit.snapshot_id) == (1, first)
        audit.prepare(refresh=True)
        assert syncs(audit) == 2
    with ak.open(as_of="2026-09-30", tolerance="1.00") as audit:
        audit.prepare()
        assert syncs(audit) == 2 and audit.about["as_of"] == date(2026, 9, 30)
        assert audit.sql("select parameters ->> 'tolerance' as t from audit_run")["t"][0] == "1.00"


# ── Decisions and corrections ───────────────────────────────────────────────────────────────────────────────────────


def test_a_link_counts_from_the_next_run_on(audit: ak.Audit, account: Account) -> None:
    guid = truth_of(account.world)["nrb-unbilled"][0]
    job = audit.unbilled().set_index("guid")["job_number"][guid]
    line = audit.sql(
        "select i.jnid, t.position from invoice_status as i join invoice_item as t on t.jnid = i.jnid"
        " where i.job_number = ? and i.state = 'issued' order by all limit 1",
        job,
    ).iloc[0]
    pair = (guid, f"{line['jnid']}/{line['position']}")
    audit.links.confirm(pair, note="seen on the paper invoice")
    assert guid in set(audit.unbilled()["guid"])
    audit.run()
    assert guid not in set(audit.unbilled()["guid"])
    linked = audit.sql("select jnid, position, method from link where nrb_guid = ? and position is not null", guid)
    assert linked.values.tolist() == [[line["jnid"], line["position"], "manual"]]
    assert list(audit.statement().iloc[-1][["code", "amount", "gross"]]) == ["difference", 0, 0]
    (record,) = audit.journal.records("links")
    assert record.body["who"] == "controller@example.com" and record.body["note"] == "seen on the paper invoice"
    audit.links.undo(pair, note="another invoice")
    audit.run()
    assert guid in set(audit.unbilled()["guid"])


def test_a_forbidden_link_counts_from_the_next_run_on(audit: ak.Audit) -> None:
    link = audit.sql(
        "select k.nrb_guid, k.jnid, k.position from link as k join invoice_status as i on i.jnid = k.jnid"
        " where k.method = 'name' and i.state = 'issued' order by all limit 1"
    ).iloc[0]
    pair = (link["nrb_guid"], f"{link['jnid']}/{link['position']}")
    audit.links.forbid(pair, note="another delivery")
    audit.run()
    still = audit.sql(
        "select count(*) as n from link where nrb_guid = ? and jnid = ? and position = ?", *link.to_list()
    )
    assert still["n"][0] == 0
    assert link["nrb_guid"] in set(audit.findings("nrb-line-not-found")["subject_id"])
    assert list(audit.statement().iloc[-1][["code", "amount", "gross"]]) == ["difference", 0, 0]
    audit.links.undo(pair, note="the same delivery after all")
    audit.run()
    again = audit.sql(
        "select count(*) as n from link where nrb_guid = ? and jnid = ? and position = ?", *link.to_list()
    )
    assert again["n"][0] == 1


def test_a_decision_about_nothing(audit: ak.Audit) -> None:
    guid, jnid = audit.unbilled()["guid"][0], audit.sql("select min(jnid) as jnid from invoice")["jnid"][0]
    for decide, words in (
        (lambda: audit.links.confirm(("none", f"{jnid}/0"), note="note"), "no cost has this id"),
        (lambda: audit.links.confirm((guid, "none/0"), note="note"), "no such line"),
        (lambda: audit.links.confirm((guid, f"{jnid}/999"), note="note"), "no such line"),
        (lambda: audit.links.forbid((guid, "none"), note="note"), "no such line"),
    ):
        with pytest.raises(QuestionRefused, match=words):
            decide()
    assert list(audit.journal.records()) == []


def test_from_a_finding_to_its_clearance(account: Account, audit: ak.Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planned, saved, approved, looked at, applied; the next sync shows it cleared. Only `apply` sends anything."""
    listed(audit.settings.folder)
    acting_as(monkeypatch, "ann")
    with ak.open() as preparing:
        planned = preparing.corrections.propose("nrb-unexported")
    subjects = sorted(audit.findings("nrb-unexported")["subject_id"])
    path = signed(monkeypatch, planned)
    loaded = ak.Plan.load(path)
    assert loaded.digest == planned.digest and path.parent == audit.settings.folder / "plans"
    assert [(row["object"], row["field"], row["after"]) for row in loaded.preview()] == [
        (guid, "nrbIsExported", True) for guid in subjects
    ]
    assert {call.method for call in account.state.calls()} == {"GET"}

    with ak.open() as applying:
        outcomes = applying.corrections.apply(loaded)

    assert outcomes["object_id"].to_list() == subjects and set(map(str, outcomes["verdict"])) == {"VERIFIED"}
    assert sum(call.method != "GET" for call in account.state.calls()) == len(subjects)
    assert len(audit.findings("nrb-unexported")) == len(subjects)  # the snapshot is what it was
    audit.sync()
    assert len(audit.findings("nrb-unexported")) == 0
    history = audit.sql(
        "select subject_id, state, sync_id from finding_history where rule_id = 'nrb-unexported' order by all"
    )
    assert history.values.tolist() == [row for guid in subjects for row in ([guid, "cleared", 2], [guid, "open", 1])]
    with pytest.raises(PlanError):
        audit.corrections.apply(loaded)
