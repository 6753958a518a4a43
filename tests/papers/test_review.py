"""The review grid without a browser: which rows are chosen, what it refuses, and what stands where nobody can tick."""

from decimal import Decimal

import pandas as pd
import pytest

from auditkit.errors import QuestionRefused
from auditkit.papers.review import MOST_FINDINGS, review


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
    frame = pd.DataFrame(rows, dtype=object)
    frame.attrs["snapshot"] = "849ac77375bc"
    return frame


TWO = findings(Decimal("1383.01"), None)


def test_nothing_is_ticked_at_first() -> None:
    grid = review(TWO)
    assert grid.chosen.empty
    assert grid.summary == "0 of 2 findings are ticked, 0.00 at risk · snapshot 849ac77375bc"


def test_what_is_ticked_is_chosen_as_it_was_given() -> None:
    grid = review(TWO, ticked=TWO["job_number"] == "J-1")
    pd.testing.assert_frame_equal(grid.chosen, TWO.iloc[[1]])
    worst = TWO.iloc[::-1]
    pd.testing.assert_frame_equal(review(worst, ticked=worst["job_number"] == "J-1").chosen, TWO.iloc[[1]])
    grid.ticked = [TWO["fingerprint"][0]]
    pd.testing.assert_frame_equal(grid.chosen, TWO.iloc[[0]])
    assert grid.summary.startswith("1 of 2 findings are ticked, 1,383.01 at risk ·")
    assert review(TWO, ticked=True).summary.startswith(
        "2 of 2 findings are ticked, 1,383.01 at risk, 1 without an amount ·"
    )


def test_a_page_may_send_anything() -> None:
    grid = review(TWO)
    grid.set_state({"ticked": ["nothing", TWO["fingerprint"][1], TWO["fingerprint"][0], TWO["fingerprint"][0]]})
    assert grid.ticked == list(TWO["fingerprint"])
    before = grid.rows, grid.summary
    grid.set_state({"rows": [], "summary": "nothing is wrong"})
    assert (grid.rows, grid.summary) == before


def test_a_page_gets_text_and_labels_that_name_a_row() -> None:
    first, second = review(TWO).rows
    assert first["label"] == "nrb-unbilled · 1,383.01 · 000000" and second["label"] == "nrb-unbilled · J-1 · 000000"
    assert first["cells"] == ["nrb-unbilled", "high", "", "guid-0", "1,383.01", "<b>on no invoice\ufffd</b>"]


def test_where_nobody_watches_it_is_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDITKIT_QUIET", "1")
    shown, _ = review(TWO, ticked=[True, False])._repr_mimebundle_()
    assert sorted(shown) == ["text/html", "text/plain"]
    assert shown["text/plain"].startswith("1 of 2 findings are ticked, 1,383.01 at risk")
    assert "yes</td>" in shown["text/html"] and "&lt;b&gt;" in shown["text/html"] and "<b>" not in shown["text/html"]
    monkeypatch.delenv("AUDITKIT_QUIET")
    assert "application/vnd.jupyter.widget-view+json" in review(TWO)._repr_mimebundle_()[0]


def test_what_it_cannot_show() -> None:
    with pytest.raises(QuestionRefused, match=r"these are no findings: fingerprint, reason is missing"):
        review(TWO.drop(columns=["reason", "fingerprint"]))
    with pytest.raises(QuestionRefused, match=r"1,001 findings are more than anybody ticks; narrow them to 1,000"):
        review(findings(*[Decimal(1)] * (MOST_FINDINGS + 1)))
    with pytest.raises(QuestionRefused, match=r"ticked: 1 truths were given for 2 findings"):
        review(TWO, ticked=[True])
    with pytest.raises(QuestionRefused, match=r"ticked: is of other rows, or in another order"):
        review(TWO, ticked=TWO.iloc[::-1]["job_number"] == "J-1")
    for marks in (["yes", ""], [1, 0], [float("nan"), True], [None, True], list(TWO["fingerprint"])):
        with pytest.raises(QuestionRefused, match=r"ticked: expected True or False for each finding"):
            review(TWO, ticked=marks)
    for amount in (1.0, 7, Decimal("NaN"), float("nan")):
        with pytest.raises(QuestionRefused, match=r"amount_at_risk: .* is no exact money"):
            review(TWO.assign(amount_at_risk=[amount, None]))
    with pytest.raises(QuestionRefused, match=r"a column stands here twice"):
        review(pd.concat([TWO, TWO[["reason"]]], axis=1))
    with pytest.raises(QuestionRefused, match=r"a fingerprint is no text"):
        review(TWO.assign(fingerprint=[None, 7]))
    with pytest.raises(QuestionRefused, match=r"the same finding stands here twice"):
        review(pd.concat([TWO, TWO]))
    assert review(TWO.iloc[:0]).summary.startswith("0 of 0 findings")
