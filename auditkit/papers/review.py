"""Review: findings as rows with check boxes in a notebook; what a person checks is what is planned or accepted.

A check mark decides and sends nothing: the next cell takes `review.chosen`. The boxes are drawn in the browser by
`review.js`, which writes text and never HTML. When non-interactive (`AUDITKIT_QUIET`), and on a page without a kernel,
the same rows are a table.

Not here: what is done with the chosen rows (`audit.corrections.plan`, `audit.accept`). Importing this needs the extra
`notebooks`.
"""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import pandas as pd
import traitlets

from auditkit.errors import QuestionRefused
from auditkit.format import for_people, money
from auditkit.papers.html import html_table
from auditkit.papers.link_review import LinkReview, are_candidates, link_review
from auditkit.settings import quiet
from auditkit.values import one_line, printable
from auditkit.warehouse.answer import provenance_of, sql_of

__all__ = ["MOST_FINDINGS", "Review", "review"]

MOST_FINDINGS = 1000
_SHOWN = ("rule_id", "severity", "job_number", "subject_id", "amount_at_risk", "reason")
_NEEDED = {*_SHOWN, "fingerprint"}
_LABEL = ("rule_id", "job_number", "amount_at_risk")
_KINDS = {"amount_at_risk": "money", "reason": "prose"}  # CSS classes
_DIGITS = 6  # of a fingerprint: the fewest that the commands accept


class Review(anywidget.AnyWidget):
    """Rows with check boxes, each labeled with its rule, job, money and the first digits of its fingerprint."""

    _esm = Path(__file__).with_suffix(".js")
    _css = Path(__file__).with_suffix(".css")

    columns = traitlets.List(traitlets.Dict(), read_only=True).tag(sync=True)
    rows = traitlets.List(traitlets.Dict(), read_only=True).tag(sync=True)
    checked = traitlets.List(traitlets.Unicode()).tag(sync=True)
    summary = traitlets.Unicode(read_only=True).tag(sync=True)
    sql = traitlets.Unicode(read_only=True).tag(sync=True)

    def __init__(self, findings: pd.DataFrame, checked: Sequence[str]) -> None:
        self._findings = findings
        super().__init__()
        self.set_trait("columns", [{"title": name.replace("_", " "), "kind": _KINDS.get(name, "")} for name in _SHOWN])
        self.set_trait("rows", [_row(each) for each in findings.to_dict("records")])
        self.set_trait("sql", printable(sql_of(findings)))
        self.checked = list(checked)
        self._sum_up()

    @property
    def chosen(self) -> pd.DataFrame:
        """The checked findings, unchanged and in their order: what `audit.corrections.plan` takes."""
        return self._findings[self._findings["fingerprint"].isin(self.checked)]

    @traitlets.validate("checked")
    def _known(self, proposal: Any) -> list[str]:  # noqa: ANN401  traitlets' own
        """Only known fingerprints, each once, in the order of the rows: a page may send anything."""
        asked = set(proposal["value"])
        return [each for each in self._findings["fingerprint"] if each in asked]

    @traitlets.observe("checked")
    def _sum_up(self, _: object = None) -> None:
        chosen = self.chosen
        amounts = [amount for amount in chosen["amount_at_risk"] if amount is not None]
        unknown = len(chosen) - len(amounts)
        without = f", {unknown:,} without an amount" if unknown else ""
        snapshot = provenance_of(self._findings).get("snapshot")
        of_what = f" · snapshot {one_line(snapshot)}" if snapshot else ""
        counts = f"{len(chosen):,} of {len(self._findings):,} exceptions checked"
        self.set_trait("summary", f"{counts}, {money(sum(amounts, Decimal(0)))} at risk{without}{of_what}")

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """A page may change which rows are checked, and nothing else."""
        super().set_state({name: value for name, value in sync_data.items() if name == "checked"})

    def __repr__(self) -> str:
        return self.summary

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:  # noqa: ANN401  anywidget's own
        table = self._findings[list(_SHOWN)].copy()
        table.insert(0, "checked", self._findings["fingerprint"].isin(self.checked).astype(object))
        shown = {"text/plain": printable(f"{self.summary}\n{table}"), "text/html": html_table(table)}
        if quiet():
            return shown, {}
        data, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        return {**shown, **data}, metadata


def review(findings: pd.DataFrame, checked: pd.Series | Sequence[bool] | bool = False) -> Review | LinkReview:
    """Findings with check boxes: rows of `audit.findings()`, at most 1,000. Its `chosen` are those checked.

    `checked` is the state at first: True for all, or one boolean for each row, e.g. `findings["job_number"] == job`.
    Rows of `audit.links.undecided()` are undecided costs instead, each with a choice: one of its lines, none of these,
    or nothing; its `chosen` are what `audit.links.decide` takes. Raises `QuestionRefused`.
    """
    if are_candidates(findings):
        if checked is not False:
            raise QuestionRefused("checked: is for findings; which line carries a cost is for a person to choose")
        return link_review(findings)
    _refuse_other_frames(findings)
    if len(findings) > MOST_FINDINGS:
        raise QuestionRefused(
            f"{len(findings):,} findings are too many to review at once; filter to {MOST_FINDINGS:,}, by rule or job"
        )
    marks = _marks(findings, checked)
    return Review(findings, [row for row, mark in zip(findings["fingerprint"], marks, strict=True) if mark])


def _refuse_other_frames(findings: pd.DataFrame) -> None:
    if missing := sorted(_NEEDED - set(findings.columns)):
        raise QuestionRefused(f"not findings: {', '.join(missing)} is missing; give rows of audit.findings()")
    if not findings.columns.is_unique:
        raise QuestionRefused("not findings: a column occurs twice; give rows of audit.findings()")
    if not all(isinstance(each, str) for each in findings["fingerprint"]):
        raise QuestionRefused("not findings: a fingerprint is not text; give rows of audit.findings()")
    if findings["fingerprint"].duplicated().any():
        raise QuestionRefused("the same finding occurs twice; give each once")
    for amount in findings["amount_at_risk"]:
        if amount is not None and not (isinstance(amount, Decimal) and amount.is_finite()):
            raise QuestionRefused(f"amount_at_risk: {amount!r} is not exact money; give rows of audit.findings()")


def _marks(findings: pd.DataFrame, checked: pd.Series | Sequence[bool] | bool) -> list[bool]:
    """One boolean for each row. A mask of other rows, or in another order, would check the wrong ones."""
    if isinstance(checked, (bool, np.bool_)):
        return [bool(checked)] * len(findings)
    if isinstance(checked, pd.Series) and not checked.index.equals(findings.index):
        raise QuestionRefused("checked: a mask of other rows, or in another order; make it from the same findings")
    marks = list(checked)
    if not all(isinstance(mark, (bool, np.bool_)) for mark in marks):
        raise QuestionRefused("checked: expected True or False for each finding, found something else")
    if len(marks) != len(findings):
        raise QuestionRefused(f"checked: got {len(marks)} booleans for {len(findings)} findings")
    return [bool(mark) for mark in marks]


def _row(finding: dict[Any, Any]) -> dict[str, Any]:
    """What the page gets: text only, also for money, so that none is rounded."""
    fingerprint = finding["fingerprint"]
    label = " · ".join([*(text for name in _LABEL if (text := _cell_text(finding[name]))), fingerprint[:_DIGITS]])
    return {"id": fingerprint, "label": label, "cells": [_cell_text(finding[name]) for name in _SHOWN]}


def _cell_text(value: object) -> str:
    return one_line(for_people(value))
