"""The review grid without a browser: which rows are chosen, what it refuses, and the table in its place."""

from decimal import Decimal

import pandas as pd
import pytest

from auditkit.errors import QuestionRefused
from auditkit.papers.review import MOST_FINDINGS, review
from auditkit.warehouse.answer import Answer

COLUMNS = ["rule_id", "severity", "subject_type", "job_number", "subject_id", "amount_at_risk", "reason", "fingerprint"]


def findings(*amounts: Decimal | None) -> pd.DataFrame:
    rows = [
        {
            "rule_id": "nrb-unbilled",
            "severity": "high",
            "subject_type": "nrb",
            "job_number": f"J-{number}" if number else None,
            "subject_id": f"guid-{number}",
            "amount_at_risk": amount,
            "reason": "<b>on no invoice\u202e</b>",
            "fingerprint": f"{number:064x}",
        }
        for number, amount in enumerate(amounts)
    ]
    return Answer([list(row.values()) for row in rows], COLUMNS, snapshot="849ac77375bc")


TWO = findings(Decimal("1383.01"), None)


def test_nothing_is_checked_at_first() -> None:
    grid = review(TWO)
    assert grid.chosen.empty
    assert grid.summary == "0 of 2 exceptions checked, 0.00 at risk · snapshot 849ac77375bc"


def test_checked_rows_are_chosen_unchanged() -> None:
    grid = review(TWO, checked=TWO["job_number"] == "J-1")
    pd.testing.assert_frame_equal(grid.chosen, TWO.iloc[[1]])
    worst = TWO.iloc[::-1]
    pd.testing.assert_frame_equal(review(worst, checked=worst["job_number"] == "J-1").chosen, TWO.iloc[[1]])
    grid.checked = [TWO["fingerprint"][0]]
    pd.testing.assert_frame_equal(grid.chosen, TWO.iloc[[0]])
    assert grid.summary.startswith("1 of 2 exceptions checked, 1,383.01 at risk ·")
    assert review(TWO, checked=True).summary.startswith(
        "2 of 2 exceptions checked, 1,383.01 at risk, 1 without an amount ·"
    )


def test_a_page_may_send_anything() -> None:
    grid = review(TWO)
    grid.set_state({"checked": ["nothing", TWO["fingerprint"][1], TWO["fingerprint"][0], TWO["fingerprint"][0]]})
    assert grid.checked == list(TWO["fingerprint"])
    before = grid.rows, grid.summary
    grid.set_state({"rows": [], "summary": "nothing is wrong"})
    assert (grid.rows, grid.summary) == before


def test_the_page_gets_text_and_labels_that_identify_a_row() -> None:
    first, second = review(TWO).rows
    assert first["label"] == "nrb-unbilled · 1,383.01 · 000000" and second["label"] == "nrb-unbilled · J-1 · 000000"
    assert first["cells"] == ["nrb-unbilled", "high", "", "guid-0", "1,383.01", "<b>on no invoice\ufffd</b>"]


def test_a_table_when_non_interactive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDITKIT_QUIET", "1")
    shown, _ = review(TWO, checked=[True, False])._repr_mimebundle_()
    assert sorted(shown) == ["text/html", "text/plain"]
    assert shown["text/plain"].startswith("1 of 2 exceptions checked, 1,383.01 at risk")
    assert "yes</td>" in shown["text/html"] and "&lt;b&gt;" in shown["text/html"] and "<b>" not in shown["text/html"]
    monkeypatch.delenv("AUDITKIT_QUIET")
    assert "application/vnd.jupyter.widget-view+json" in review(TWO)._repr_mimebundle_()[0]


def test_refusals() -> None:
    with pytest.raises(QuestionRefused, match=r"not findings: fingerprint, reason is missing"):
        review(TWO.drop(columns=["reason", "fingerprint"]))
    with pytest.raises(QuestionRefused, match=r"1,001 findings are too many to review at once; filter to 1,000"):
        review(findings(*[Decimal(1)] * (MOST_FINDINGS + 1)))
    with pytest.raises(QuestionRefused, match=r"checked: got 1 booleans for 2 findings"):
        review(TWO, checked=[True])
    with pytest.raises(QuestionRefused, match=r"checked: a mask of other rows, or in another order"):
        review(TWO, checked=TWO.iloc[::-1]["job_number"] == "J-1")
    for marks in (["yes", ""], [1, 0], [float("nan"), True], [None, True], list(TWO["fingerprint"])):
        with pytest.raises(QuestionRefused, match=r"checked: expected True or False for each finding"):
            review(TWO, checked=marks)
    for amount in (1.0, 7, Decimal("NaN"), float("nan")):
        with pytest.raises(QuestionRefused, match=r"amount_at_risk: .* is not exact money"):
            review(TWO.assign(amount_at_risk=[amount, None]))
    with pytest.raises(QuestionRefused, match=r"a column occurs twice"):
        review(pd.concat([TWO, TWO[["reason"]]], axis=1))
    with pytest.raises(QuestionRefused, match=r"a fingerprint is not text"):
        review(TWO.assign(fingerprint=[None, 7]))
    with pytest.raises(QuestionRefused, match=r"the same finding occurs twice"):
        review(pd.concat([TWO, TWO]))
    assert review(TWO.iloc[:0]).summary.startswith("0 of 0 exceptions")
