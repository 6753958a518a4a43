"""Review: findings as rows to tick in a notebook; what a person ticks is what is planned or accepted.

Nothing is decided or sent by a tick: the next cell takes `review.chosen`. The check boxes are drawn in the browser by
`review.js`, which writes text and never HTML. Where nobody watches (`AUDITKIT_QUIET`), and on a page that keeps no
kernel, the same rows stand as a table.

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
from auditkit.papers.html import html_table
from auditkit.settings import quiet
from auditkit.values import one_line, printable
from auditkit.warehouse.tables import sql_of

__all__ = ["MOST_FINDINGS", "Review", "review"]

MOST_FINDINGS = 1000
_SHOWN = ("rule_id", "severity", "job_number", "subject_id", "amount_at_risk", "reason")
_NEEDED = {*_SHOWN, "fingerprint"}
_LABEL = ("rule_id", "job_number", "amount_at_risk")
_KINDS = {"amount_at_risk": "money", "reason": "prose"}  # classes of the style sheet
_DIGITS = 6  # of a fingerprint: as few as the commands take


class Review(anywidget.AnyWidget):
    """Rows with check boxes, each labelled with its rule, job, money and the first digits of its fingerprint."""

    _esm = Path(__file__).with_suffix(".js")
    _css = Path(__file__).with_suffix(".css")

    columns = traitlets.List(traitlets.Dict(), read_only=True).tag(sync=True)
    rows = traitlets.List(traitlets.Dict(), read_only=True).tag(sync=True)
    ticked = traitlets.List(traitlets.Unicode()).tag(sync=True)
    summary = traitlets.Unicode(read_only=True).tag(sync=True)
    sql = traitlets.Unicode(read_only=True).tag(sync=True)

    def __init__(self, findings: pd.DataFrame, ticked: Sequence[str]) -> None:
        self._findings = findings
        super().__init__()
        self.set_trait("columns", [{"title": name.replace("_", " "), "kind": _KINDS.get(name, "")} for name in _SHOWN])
        self.set_trait("rows", [_row(each) for each in findings.to_dict("records")])
        self.set_trait("sql", printable(sql_of(findings)))
        self.ticked = list(ticked)
        self._sum_up()

    @property
    def chosen(self) -> pd.DataFrame:
        """The findings that are ticked, as they were given, in their order: what `audit.corrections.plan` takes."""
        return self._findings[self._findings["fingerprint"].isin(self.ticked)]

    @traitlets.validate("ticked")
    def _known(self, proposal: Any) -> list[str]:  # noqa: ANN401  traitlets' own
        """Those that are there, once, in the order of the rows; a page may send anything."""
        asked = set(proposal["value"])
        return [each for each in self._findings["fingerprint"] if each in asked]

    @traitlets.observe("ticked")
    def _sum_up(self, _: object = None) -> None:
        chosen = self.chosen
        amounts = [amount for amount in chosen["amount_at_risk"] if amount is not None]
        unknown = len(chosen) - len(amounts)
        without = f", {unknown:,} without an amount" if unknown else ""
        snapshot = self._findings.attrs.get("snapshot")
        of_what = f" · snapshot {one_line(snapshot)}" if snapshot else ""
        counts = f"{len(chosen):,} of {len(self._findings):,} findings are ticked"
        self.set_trait("summary", f"{counts}, {sum(amounts, Decimal('0.00')):,.2f} at risk{without}{of_what}")

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """What a page may change is what is ticked, and nothing else."""
        super().set_state({name: value for name, value in sync_data.items() if name == "ticked"})

    def __repr__(self) -> str:
        return self.summary

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:  # noqa: ANN401  anywidget's own
        table = self._findings[list(_SHOWN)].copy()
        table.insert(0, "ticked", self._findings["fingerprint"].isin(self.ticked).astype(object))
        shown = {"text/plain": printable(f"{self.summary}\n{table}"), "text/html": html_table(table)}
        if quiet():
            return shown, {}
        data, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        return {**shown, **data}, metadata


def review(findings: pd.DataFrame, ticked: pd.Series | Sequence[bool] | bool = False) -> Review:
    """Findings to tick: rows of `audit.findings()`, at most 1,000; `chosen` of what it returns are those ticked.

    `ticked` says which are at first: True for all, or one truth for each row, e.g. `findings["job_number"] == job`.
    Raises `QuestionRefused`.
    """
    _refuse_other_frames(findings)
    if len(findings) > MOST_FINDINGS:
        raise QuestionRefused(
            f"{len(findings):,} findings are more than anybody ticks; narrow them to {MOST_FINDINGS:,}, by rule or job"
        )
    marks = _marks(findings, ticked)
    return Review(findings, [row for row, mark in zip(findings["fingerprint"], marks, strict=True) if mark])


def _refuse_other_frames(findings: pd.DataFrame) -> None:
    if missing := sorted(_NEEDED - set(findings.columns)):
        raise QuestionRefused(f"these are no findings: {', '.join(missing)} is missing; give rows of audit.findings()")
    if not findings.columns.is_unique:
        raise QuestionRefused("these are no findings: a column stands here twice; give rows of audit.findings()")
    if not all(isinstance(each, str) for each in findings["fingerprint"]):
        raise QuestionRefused("these are no findings: a fingerprint is no text; give rows of audit.findings()")
    if findings["fingerprint"].duplicated().any():
        raise QuestionRefused("the same finding stands here twice; give each once")
    for amount in findings["amount_at_risk"]:
        if amount is not None and not (isinstance(amount, Decimal) and amount.is_finite()):
            raise QuestionRefused(f"amount_at_risk: {amount!r} is no exact money; give rows of audit.findings()")


def _marks(findings: pd.DataFrame, ticked: pd.Series | Sequence[bool] | bool) -> list[bool]:
    """One truth for each row; a mask of other rows, or in another order, would tick what nobody meant."""
    if isinstance(ticked, (bool, np.bool_)):
        return [bool(ticked)] * len(findings)
    if isinstance(ticked, pd.Series) and not ticked.index.equals(findings.index):
        raise QuestionRefused("ticked: is of other rows, or in another order; make it from the findings that are given")
    marks = list(ticked)
    if not all(isinstance(mark, (bool, np.bool_)) for mark in marks):
        raise QuestionRefused("ticked: expected True or False for each finding, found something else")
    if len(marks) != len(findings):
        raise QuestionRefused(f"ticked: {len(marks)} truths were given for {len(findings)} findings")
    return [bool(mark) for mark in marks]


def _row(finding: dict[Any, Any]) -> dict[str, Any]:
    """What the page gets: text alone, and money as text, so that none is rounded."""
    fingerprint = finding["fingerprint"]
    label = " · ".join([*(said for name in _LABEL if (said := _cell_text(finding[name]))), fingerprint[:_DIGITS]])
    return {"id": fingerprint, "label": label, "cells": [_cell_text(finding[name]) for name in _SHOWN]}


def _cell_text(value: object) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, Decimal) else one_line(str(value))
