"""The Excel file as a reader sees it: opened again, recomputed, and compared with its audit."""

import hashlib
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import duckdb
import openpyxl
import pytest
from openpyxl import Workbook
from openpyxl.utils import range_boundaries
from openpyxl.worksheet.worksheet import Worksheet

import auditkit as ak
from auditkit.aging_bands import BANDS
from auditkit.errors import AuditkitError
from auditkit.papers.facts import Facts
from auditkit.papers.sheets import MOST_CHARACTERS
from auditkit.papers.workpaper import workpaper
from auditkit.sandbox.dataset import build
from auditkit.sandbox.state import State
from auditkit.sandbox.wire import loads_stored
from auditkit.values import printable
from tests.commands import Account, account_of, auditkit, small_disk
from tests.sandbox.truth import truth_of

ROWS_SHEETS = ["Statement", "By job", "By month", "By vendor", "By type", "Reconciliation"]
ROWS_SHEETS += ["Findings", "Rules", "Aging", "Links"]
SHEETS = ["Cover", *ROWS_SHEETS, "Sign-off"]
TOTAL, SHOWN, MUST_BE, DIFFERENCE, HEADER, FIRST = 3, 4, 5, 6, 7, 8
CENT = Decimal("0.01")
HOSTILE = (
    *("=1+1", "+1", "-1", "@SUM(A1)", "{=1+1}", "=cmd|' /C calc'!A0", '=HYPERLINK("https://evil.example","x")'),
    *("https://evil.example", "mailto:a@evil.example", "internal:Cover!A1", "external:x.xlsx", "00123", "1e5", "TRUE"),
    *("#REF!", "<r><t>x</t></r>", "<r>&</r>", "<r></t><f>1+1</f></r>", "</t></is><f>1+1</f>", "<!--", "&amp;", "]]>"),
    *("\t=1+1", "\x01\x1b[31m\u202e", "' ; drop table nrb", " x ", "two\nlines", "\ufffe\U0001f9fe"),
)
LONG = "=" + "x\U0001f9fe" * 20_000  # 40,001 characters, 60,001 units of UTF-16


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """120 NRBs with faults; for each hostile text, one has it as its vendor."""
    folder = tmp_path_factory.mktemp("account")
    faults = {"nrb-unbilled": 4, "nrb-unexported": 2, "line-amount-difference": 2, "invoice-subtotal": 1}
    world = build(seed=21, nrbs=120, faults=faults)
    spared = {subject for subjects in truth_of(world).values() for subject in subjects}
    with State(folder / "vendors.sqlite") as state:
        state.fill(world.nrbs, world.invoices, world.jobs, world.vendors)
        leaves = (nrb["nrbGuid"] for nrb in world.nrbs if not nrb["nrbChildren"])
        guids = [guid for guid in leaves if guid not in spared]
        for guid, text in zip(guids, (*HOSTILE, LONG), strict=False):
            state.put_nrb({**loads_stored(state.nrb_text(guid) or ""), "nrbVendorCode": text})
    with account_of(world, folder) as synced:
        yield synced


@pytest.fixture
def audit(account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ak.Audit]:
    account.home(monkeypatch, tmp_path, IDENTITY="controller@example.com")
    with ak.open() as opened:
        yield opened


@pytest.fixture
def book(audit: ak.Audit) -> Workbook:
    return openpyxl.load_workbook(audit.workpaper())


def columns(sheet: Worksheet, row: int = HEADER) -> dict[str, int]:
    return {cell.value: cell.column for cell in sheet[row] if cell.value is not None}


def records(sheet: Worksheet, first: int = FIRST) -> list[dict[str, object]]:
    names = columns(sheet, first - 1)
    return [{name: sheet.cell(row, at).value for name, at in names.items()} for row in range(first, sheet.max_row + 1)]


def listed(sheet: Worksheet) -> list[dict[str, object]]:
    """The list of sheets on the cover or the sign-off."""
    top = next(row for row in range(1, 40) if "Difference" in columns(sheet, row))
    return records(sheet, top + 1)[: len(ROWS_SHEETS)]


def untied(sheet: Worksheet) -> dict[object, object]:
    return {row["Sheet"]: row["Difference"] for row in listed(sheet)}


def cents(value: float | Decimal | None) -> Decimal:
    return Decimal(repr(value) if isinstance(value, float) else value or 0).quantize(CENT)


def summed(book: Workbook, sheet: Worksheet, formula: str) -> Decimal:
    """SUM or SUBTOTAL of ranges on this sheet or others, added from the cells in Decimal."""
    (inside,) = re.fullmatch(r"=(?:SUM\(|SUBTOTAL\(109,)(.*)\)", formula).groups()
    total = Decimal(0)
    for part in inside.split(","):
        name, _, reach = part.rpartition("!")
        left, top, right, bottom = range_boundaries(reach)
        chosen = book[name.strip("'")] if name else sheet
        for row in chosen.iter_rows(top, bottom, left, right):
            total += sum((cents(cell.value) for cell in row), Decimal(0))
    return total


def expected_totals(audit: ak.Audit) -> dict[str, dict[str, Decimal]]:
    """Sheet → column → what its rows must add up to, from the audit."""
    statement = audit.statement()
    amount = dict(zip(statement["code"], statement["amount"], strict=True))
    jobs, ages = audit.reconcile(), audit.analyze.age(table="select * from nrb_status where unbilled")
    bands = dict(zip(ages["band"], ages["total"], strict=True))
    reconciled = {name: jobs[name].sum() for name in jobs.columns if name not in ("job_number", "verdict")}
    difference = amount["invoice_total"] - amount["cost_booked"]
    by_rule = audit.by_rule()
    carried = ("billed_by_name", "billed_by_mark", "billed_by_amount", "free_billed")
    differing = ("under_billed", "over_billed", "charged_twice", "rounding")
    never_invoiced = amount["never_invoiced"] + amount["look_first"]
    by_label = dict(zip(statement["label"], statement["amount"], strict=True))
    return {
        **{f"By {scope}": by_label for scope in ("job", "month", "vendor", "type")},
        "Reconciliation": {**reconciled, "difference": difference},
        "Findings": {"amount_at_risk": by_rule["amount_at_risk"].sum()},
        "Rules": {name: by_rule[name].sum() for name in ("findings", "accepted", "amount_at_risk")},
        "Aging": {"total": -never_invoiced, **{band: bands[band] for band in BANDS}},
        "Links": {
            "on_issued": sum(amount[code] for code in carried),
            "difference": sum(amount[code] for code in differing),
        },
    }


# ── Contents ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_sheets_and_how_they_are_set_up(book: Workbook, audit: ak.Audit) -> None:
    assert book.sheetnames == [*SHEETS, "Long texts"]
    for name in ROWS_SHEETS:
        sheet = book[name]
        assert sheet.freeze_panes == "B8" and sheet.print_title_rows == "$7:$7", name
        assert sheet.auto_filter.ref == f"A7:{sheet.cell(sheet.max_row, sheet.max_column).coordinate}", name
    for sheet in book:
        assert sheet.page_setup.orientation == "landscape" and sheet.page_setup.fitToHeight == 0, sheet.title
        assert sheet.sheet_properties.pageSetUpPr.fitToPage and audit.snapshot_id in sheet.oddFooter.left.text
        assert audit.snapshot_id in sheet["A1"].value and sheet.freeze_panes, sheet.title
    assert {book["Cover"].cell(row, 1).value for row in range(1, 20)} >= {"Snapshot", "Rule set", "Period", "Verdict"}


def test_an_account_is_not_called_a_demo(book: Workbook, audit: ak.Audit) -> None:
    texts = {cell.value for sheet in book for row in sheet.iter_rows() for cell in row if isinstance(cell.value, str)}
    assert not any("DEMO" in text for text in texts)
    assert any(audit.settings.account in text for text in texts)
    assert {*audit.proof()[0].splitlines(), audit.journal_head} <= texts


def test_the_demo_says_so_on_every_sheet(audit: ak.Audit, tmp_path: Path) -> None:
    facts = Facts(f"DEMO DATA · {audit.title}", audit.proof(), ["look at this first"], "none", is_demo=True)
    demo = openpyxl.load_workbook(workpaper(audit.snapshot, tmp_path / "demo.xlsx", facts))
    for sheet in demo:
        assert "DEMO DATA" in sheet["A1"].value and sheet["A1"].font.color.rgb == "FFC00000"
        assert "DEMO DATA" in sheet.oddFooter.left.text
    assert "look at this first" in {cell.value for cell in demo["Cover"]["B"]}


def test_types_and_formats(book: Workbook, audit: ak.Audit) -> None:
    money, count = "#,##0.00_);[Red](#,##0.00)", "#,##0_);[Red](#,##0)"
    for sheet, column, kind, number_format in (
        ("Statement", "amount", "n", money),
        ("Statement", "items", "n", count),
        ("By job", "Unbilled", "n", money),
        ("Reconciliation", "nrb_count", "n", count),
        ("Aging", "accounting_date", "d", "yyyy-mm-dd"),
        ("Aging", "age_days", "n", count),
        ("Aging", "exported", "b", "General"),
        ("Findings", "first_seen", "d", "yyyy-mm-dd"),
        ("Findings", "evidence", "s", "General"),
    ):
        cell = book[sheet].cell(FIRST, columns(book[sheet])[column])
        assert (cell.data_type, cell.number_format) == (kind, number_format), (sheet, column)
    found = audit.findings()
    shown = records(book["Findings"])
    assert sorted(row["fingerprint"] for row in shown) == sorted(found["fingerprint"])
    assert {row["rule_id"]: row["why"] for row in shown}.keys() == set(found["rule_id"]) and all(
        r["why"] for r in shown
    )
    assert {row["fingerprint"]: row["evidence"] for row in shown} == dict(
        zip(found["fingerprint"], found["evidence"], strict=True)
    )


# ── Totals ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_sum_equals_the_audit(book: Workbook, audit: ak.Audit) -> None:
    checked = 0
    for name, totals in expected_totals(audit).items():
        sheet = book[name]
        for column, total in totals.items():
            at = columns(sheet).get(column)
            if at is None:
                assert name in ("By vendor", "By type"), column  # which end at the billed cost
                continue
            for row in (TOTAL, SHOWN):
                assert summed(book, sheet, sheet.cell(row, at).value) == total, (name, column)
            checked += 1
    assert checked > 90


def test_stored_values_equal_the_formulas(audit: ak.Audit, book: Workbook) -> None:
    stored = openpyxl.load_workbook(audit.workpaper(), data_only=True)
    for name, totals in expected_totals(audit).items():
        at = {column: place for column, place in columns(stored[name]).items() if column in totals}
        for row in (TOTAL, SHOWN):
            assert {c: cents(stored[name].cell(row, place).value) for c, place in at.items()} == {
                column: totals[column] for column in at
            }
    for sheet in (stored[name] for name in ROWS_SHEETS):
        differences = {cell.value for cell in sheet[DIFFERENCE][1:] if cell.value is not None}
        assert differences == {0}, sheet.title
    for name in ("Cover", "Sign-off"):
        assert untied(stored[name]) == dict.fromkeys(ROWS_SHEETS, 0)


def test_the_statement_is_recomputed_from_its_rows(book: Workbook, audit: ak.Audit) -> None:
    sheet, statement = book["Statement"], audit.statement()
    names = ["code", "label", "amount", "gross", "items", "is_subtotal"]
    shown = [{**row, "amount": cents(row["amount"]), "gross": cents(row["gross"])} for row in records(sheet)]
    assert [[row[name] for name in names] for row in shown] == statement[names].to_numpy().tolist()
    amount = dict(zip(statement["code"], statement["amount"], strict=True))
    assert summed(book, sheet, sheet.cell(TOTAL, 2).value) == amount["invoice_total"]
    assert summed(book, sheet, sheet.cell(SHOWN, 2).value) == amount["billed_cost"]
    assert cents(sheet.cell(MUST_BE, 2).value) == amount["cost_booked"]
    bold = {row[columns(sheet)["code"] - 1].value for row in sheet.iter_rows(FIRST) if row[0].font.b}
    assert bold == {"billable_cost", "unbilled", "billed_cost"}


@pytest.mark.parametrize("code", ["billable_cost", "unbilled", "billed_cost", "not_billable", "tax"])
def test_a_cent_in_a_row_of_the_statement_shows(code: str, audit: ak.Audit, tmp_path: Path) -> None:
    """Also in a subtotal, which no other row needs."""
    with duckdb.connect(str(audit.settings.folder / "audit.duckdb")) as tampered:
        tampered.execute("update statement set amount = amount + 0.01 where scope = 'all' and code = ?", [code])
    stored = openpyxl.load_workbook(audit.workpaper(tmp_path / "off.xlsx"), data_only=True)
    assert untied(stored["Cover"])["Statement"] >= 0.01


def test_a_difference_is_shown(audit: ak.Audit, tmp_path: Path) -> None:
    """A snapshot in which a cent of one job was lost."""
    with duckdb.connect(str(audit.settings.folder / "audit.duckdb")) as tampered:
        tampered.execute("update job_reconciliation set nrb_total = nrb_total + 0.01 where rowid = 0")
    stored = openpyxl.load_workbook(audit.workpaper(tmp_path / "off.xlsx"), data_only=True)
    sheet = stored["Reconciliation"]
    off = {name: sheet.cell(DIFFERENCE, at).value for name, at in columns(sheet).items()}
    assert off["nrb_total"] == 0.01 and off["difference"] == -0.01 and off["invoice_total"] == 0
    for name in ("Cover", "Sign-off"):
        assert untied(stored[name]) == {**dict.fromkeys(ROWS_SHEETS, 0), "Reconciliation": 0.02}


def test_rows_beyond_a_sheet_continue_on_the_next(audit: ak.Audit, tmp_path: Path) -> None:
    facts = Facts(audit.title, audit.proof(), (), audit.journal_head, is_demo=False)
    split = openpyxl.load_workbook(workpaper(audit.snapshot, tmp_path / "split.xlsx", facts, most_rows=40))
    whole = openpyxl.load_workbook(audit.workpaper(tmp_path / "whole.xlsx"))
    parts = [name for name in split.sheetnames if re.fullmatch(r"Links( \d+)?", name)]
    assert len(parts) > 2 and all("Continued from" in split[name]["A2"].value for name in parts[1:])
    assert [row for name in parts for row in records(split[name])] == records(whole["Links"])
    for name, totals in expected_totals(audit).items():
        at = {column: place for column, place in columns(split[name]).items() if column in totals}
        for column, place in at.items():
            assert summed(split, split[name], split[name].cell(TOTAL, place).value) == totals[column], (name, column)


# ── Hostile and oversized text ──────────────────────────────────────────────────────────────────────────────────────


def test_hostile_text_is_written_as_text(book: Workbook, audit: ak.Audit) -> None:
    vendors = {cell.value: cell.data_type for (cell,) in book["By vendor"].iter_rows(FIRST, max_col=1)}
    assert {text: vendors.get(printable(text)) for text in HOSTILE} == dict.fromkeys(HOSTILE, "s")
    links = [cell.hyperlink for sheet in book for row in sheet.iter_rows() for cell in row if cell.hyperlink]
    assert len(links) > 10 and all(link.target is None and link.location for link in links)
    with zipfile.ZipFile(audit.workpaper()) as parts:
        texts = {name: parts.read(name).decode() for name in parts.namelist()}
    assert not [name for name in texts if "external" in name.lower() or "vba" in name.lower()]
    formulas = {formula for text in texts.values() for formula in re.findall(r"<f>(.*?)</f>", text)}
    known = "|".join(
        ("SUM", "SUBTOTAL", "ROUND", "ABS", "COUNTA", "'By [a-z]+'!", *(f"{name}!" for name in ROWS_SHEETS))
    )
    ours = re.compile(rf"({known}|\$?[A-Z]{{1,2}}\$?[0-9]+|[0-9.]+|[-+(),:])+")
    assert formulas and [formula for formula in formulas if not ours.fullmatch(formula)] == []


def test_a_text_too_long_for_a_cell_is_whole_elsewhere(book: Workbook) -> None:
    shown = [row["vendor"] for row in records(book["By vendor"]) if str(row["vendor"]).startswith("=x")]
    (mark,) = {text[-70:] for text in shown}
    assert "40,001 characters are on the sheet Long texts]" in mark
    long = records(book["Long texts"], 4)
    by_vendor = [row for row in long if row["sheet"] == "By vendor"]
    assert "".join(row["text"] for row in by_vendor) == LONG and [row["part"] for row in by_vendor] == [1, 2, 3]
    assert book["By vendor"][by_vendor[0]["cell"]].value == shown[0]
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                assert len(str(cell.value).encode("utf-16-le")) // 2 <= MOST_CHARACTERS


def test_amounts_beyond_a_double(account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exact as text; a total with such an amount is a value, not a formula, and still ties."""
    huge = Decimal("123456789012345.67")
    account.home(monkeypatch, tmp_path)
    guid = account.world.nrbs[-1]["nrbGuid"]
    before = loads_stored(account.state.nrb_text(guid) or "")
    account.state.put_nrb({**before, "nrbTotalAfterMarkup": str(huge), "nrbUpdatedAt": before["nrbUpdatedAt"] + 1})
    try:
        with ak.open() as audit:
            audit.sync()
            stored = openpyxl.load_workbook(audit.workpaper())
            total = dict(zip(audit.statement()["code"], audit.statement()["amount"], strict=True))
    finally:
        account.state.put_nrb({**before, "nrbUpdatedAt": before["nrbUpdatedAt"] + 2})
    sheet = stored["Reconciliation"]
    at = columns(sheet)["nrb_total"]
    assert Decimal(sheet.cell(TOTAL, at).value.replace(",", "")) == total["cost_booked"] > huge
    assert sheet.cell(SHOWN, at).data_type == "s" and sheet.cell(DIFFERENCE, at).value == 0
    assert any(Decimal(str(row["nrb_total"]).replace(",", "")) >= huge for row in records(sheet))
    assert str(sheet.cell(TOTAL, columns(sheet)["nrb_count"]).value).startswith("=SUM(")


# ── The file ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_same_bytes_twice(audit: ak.Audit, tmp_path: Path) -> None:
    first = audit.workpaper()
    assert first.parent == audit.settings.folder / "reports" and audit.snapshot_id in first.name
    assert first.read_bytes() == audit.workpaper(tmp_path / "again.xlsx").read_bytes()
    assert audit.workpaper() == first
    assert first.stat().st_mode & 0o777 == 0o600 and [path.name for path in first.parent.iterdir()] == [first.name]


def test_digests_are_those_of_the_command(book: Workbook, audit: ak.Audit) -> None:
    """Each query on the cover, run again with the command."""
    cover, sign_off = book["Cover"], book["Sign-off"]
    top = next(row for row in range(1, 90) if str(cover.cell(row, 1).value).startswith("The query behind"))
    questions = {cover.cell(row, 1).value: cover.cell(row, 2).value for row in range(top + 1, cover.max_row + 1)}
    signed = {row["Sheet"]: list(row.values())[-1] for row in listed(sign_off)}
    assert list(questions) == list(signed) == ROWS_SHEETS
    for name, sql in questions.items():
        printed = auditkit("sql", "--json", sql)
        assert printed.code == 0 and hashlib.sha256(printed.out.encode()).hexdigest() == signed[name], name


def test_a_file_that_differs_is_not_replaced(audit: ak.Audit, tmp_path: Path) -> None:
    path = audit.workpaper(tmp_path / "signed.xlsx")
    signed = openpyxl.load_workbook(path)
    signed["Sign-off"]["B4"] = "a name"
    signed.save(path)
    kept = path.read_bytes()
    with pytest.raises(AuditkitError, match=r"signed.xlsx: exists and differs .* was signed; move it away, or choose"):
        audit.workpaper(path)
    assert path.read_bytes() == kept and [each.name for each in tmp_path.glob("*")] == ["home", "signed.xlsx"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("paper.pdf", "paper.pdf: must be an Excel file; give a name that ends in .xlsx"),
        ("file/paper.xlsx", "/file: File exists; nothing was written"),
        ("folder.xlsx", "folder.xlsx: Is a directory; nothing was written"),
        (f"{'x' * 300}.xlsx", "File name too long; nothing was written"),
    ],
    ids=["another kind", "below a file", "a folder", "a long name"],
)
def test_a_path_that_cannot_be_written(name: str, words: str, audit: ak.Audit, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder.xlsx").mkdir()
    with pytest.raises(AuditkitError, match=re.escape(words)):
        audit.workpaper(tmp_path / name)
    assert not list(tmp_path.rglob(".workpaper*"))


def test_a_full_disk(audit: ak.Audit, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 64) as disk:
        with pytest.raises(AuditkitError, match="No space left on device; nothing was written"):
            audit.workpaper(disk / "paper.xlsx")
        assert not list(disk.iterdir())


# ── Another program ─────────────────────────────────────────────────────────────────────────────────────────────────

RECALCULATE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load">
<prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop></item></oor:items>
"""


def recalculated(path: Path, folder: Path) -> Workbook:
    """The values that LibreOffice computes, with recalculation on; the stored ones are changed first."""
    if not shutil.which("soffice"):
        pytest.skip("soffice is missing; apt-get install libreoffice-calc-nogui")
    spoilt, profile = folder / "spoilt.xlsx", folder / "profile"
    with zipfile.ZipFile(path) as parts, zipfile.ZipFile(spoilt, "w") as others:
        for name in parts.namelist():
            text = parts.read(name)
            others.writestr(name, re.sub(rb"</f><v>[^<]*</v>", b"</f><v>987654.32</v>", text))
    (profile / "user").mkdir(parents=True)
    (profile / "user" / "registrymodifications.xcu").write_text(RECALCULATE)
    command = ["soffice", "--headless", f"-env:UserInstallation={profile.as_uri()}", "--convert-to", "xlsx"]
    subprocess.run(
        [*command, "--outdir", str(folder / "out"), str(spoilt)], check=True, capture_output=True, timeout=300
    )
    return openpyxl.load_workbook(folder / "out" / "spoilt.xlsx", data_only=True)


@pytest.mark.parametrize("most_rows", [1_000_000, 40], ids=["whole", "split"])
def test_libreoffice_computes_the_same(most_rows: int, audit: ak.Audit, tmp_path: Path) -> None:
    facts = Facts(audit.title, audit.proof(), (), audit.journal_head, is_demo=False)
    path = workpaper(audit.snapshot, tmp_path / "paper.xlsx", facts, most_rows=most_rows)
    computed = recalculated(path, tmp_path)
    for name, totals in expected_totals(audit).items():
        sheet = computed[name]
        for column, at in columns(sheet).items():
            if column in totals:
                for row in (TOTAL, SHOWN):
                    assert cents(sheet.cell(row, at).value) == totals[column], (name, column)
    stored = openpyxl.load_workbook(path, data_only=True)
    formulas = openpyxl.load_workbook(path)
    compared = 0
    for sheet in formulas:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type == "f":
                    ours, theirs = (book[sheet.title][cell.coordinate].value for book in (stored, computed))
                    assert cents(ours) == cents(theirs), (sheet.title, cell.coordinate, cell.value)
                    compared += 1
    assert compared > 300
