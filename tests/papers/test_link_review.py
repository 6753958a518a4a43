"""The review of undecided costs without a browser: what is chosen, what it refuses, and the table in its place."""

from datetime import date
from decimal import Decimal

import pandas as pd
import pytest

from auditkit.errors import QuestionRefused
from auditkit.papers.link_review import MOST_COSTS, LinkReview
from auditkit.papers.review import review
from auditkit.warehouse.answer import Answer

HOSTILE = "<b>Crane\u202e</b>"


def candidates(*pairs: tuple[str, str | None]) -> pd.DataFrame:
    rows = [
        {
            "cost_id": guid,
            "line_id": f"{guid}:{key}",
            "nrb_guid": guid,
            "vendor": "BIT",
            "vendor_invoice": None,
            "cost_date": date(2026, 9, 10),
            "cost": Decimal("1862.50"),
            "job_number": "J-1",
            "jnid": "i1",
            "position": place,
            "line_key": key,
            "invoice": "INV-1",
            "line_text": HOSTILE,
            "line_amount": Decimal("1055.00"),
            "points": 2,
            "why": "perhaps",
            "decision": None,
        }
        for place, (guid, key) in enumerate(pairs)
    ]
    return Answer([list(row.values()) for row in rows], rows[0], snapshot="849ac77375bc")


TWO = candidates(("n1", "k1"), ("n1", "k2"), ("n2", "k1"))


def reviewed(frame: pd.DataFrame = TWO) -> LinkReview:
    made = review(frame)
    assert isinstance(made, LinkReview)
    return made


def decisions(made: LinkReview) -> list[tuple[str, str, str]]:
    return list(made.chosen[["nrb_guid", "line_key", "decision"]].itertuples(index=False, name=None))


def test_nothing_is_chosen_at_first() -> None:
    made = reviewed()
    assert made.chosen.empty and list(made.chosen.columns) == list(TWO.columns)
    assert made.summary == "0 of 2 costs decided, 0 of them on none of their lines · snapshot 849ac77375bc"


def test_a_line_is_confirmed_and_none_of_these_forbids_them_all() -> None:
    made = reviewed()
    made.choices = {"n1": "k2"}
    assert decisions(made) == [("n1", "k2", "confirm")]
    made.choices = {"n1": "none", "n2": "k1"}
    assert decisions(made) == [("n1", "k1", "forbid"), ("n1", "k2", "forbid"), ("n2", "k1", "confirm")]
    assert made.summary.startswith("2 of 2 costs decided, 1 of them on none of their lines")
    assert list(TWO["decision"]) == [None, None, None]


def test_a_page_may_send_anything() -> None:
    made = reviewed()
    made.set_state({"choices": {"n1": "k9", "n2": "k1", "n3": "none", "n4": 7}, "costs": [], "summary": "all is well"})
    assert made.choices == {"n2": "k1"} and len(made.costs) == 2 and made.summary.startswith("1 of 2")
    made.set_state({"choices": {"n2": "k2"}})  # a line of another cost
    assert made.choices == {}


def test_the_page_gets_text() -> None:
    first, second = reviewed().costs
    assert (first["id"], first["title"]) == ("n1", "BIT · 2026-09-10 · 1,862.50 · J-1")
    assert first["options"][0] == {
        "id": "k1",
        "cells": ["INV-1", "0", "<b>Crane\ufffd</b>", "1,055.00", "2", "perhaps"],
    }
    assert [len(each["options"]) for each in (first, second)] == [2, 1]


def test_a_table_when_non_interactive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDITKIT_QUIET", "1")
    made = reviewed()
    made.choices = {"n1": "k1"}
    shown, _ = made._repr_mimebundle_()
    assert sorted(shown) == ["text/html", "text/plain"] and "confirm</td>" in shown["text/html"]
    assert "&lt;b&gt;" in shown["text/html"] and "<b>" not in shown["text/html"]
    monkeypatch.delenv("AUDITKIT_QUIET")
    assert "application/vnd.jupyter.widget-view+json" in reviewed()._repr_mimebundle_()[0]


def test_a_cost_without_a_candidate_line_is_left_out() -> None:
    assert [each["id"] for each in reviewed(candidates(("n1", "k1"), ("n2", None))).costs] == ["n1"]
    assert reviewed(TWO.iloc[:0]).summary.startswith("0 of 0 costs")


def test_refusals() -> None:
    with pytest.raises(QuestionRefused, match=r"the same candidate occurs twice"):
        review(pd.concat([TWO, TWO]))
    with pytest.raises(QuestionRefused, match=r"501 costs are too many to review at once"):
        review(candidates(*((f"n{place}", "k") for place in range(MOST_COSTS + 1))))
    with pytest.raises(QuestionRefused, match=r"checked: is for findings"):
        review(TWO, checked=True)
    with pytest.raises(QuestionRefused, match=r"not findings"):
        review(TWO.drop(columns="line_key"))
