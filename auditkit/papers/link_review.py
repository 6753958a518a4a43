"""Link review: undecided costs in a notebook, each with its candidate lines, "none of these" and "not decided".

A choice sends nothing and decides nothing: the next cell takes `review.chosen`. The choices are drawn in the browser
by `link_review.js`, which writes text and never HTML. When non-interactive, and on a page without a kernel, the same
rows are a table.

Not here: what is done with the chosen rows (`audit.links.decide`). Importing this needs the extra `notebooks`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import anywidget
import pandas as pd
import traitlets

from auditkit.errors import QuestionRefused
from auditkit.format import for_people
from auditkit.papers.html import html_table
from auditkit.settings import quiet
from auditkit.values import one_line, printable
from auditkit.warehouse.answer import provenance_of, sql_of

__all__ = ["MOST_COSTS", "LinkReview", "are_candidates", "link_review"]

MOST_COSTS = 500
NONE = "none"
_COST = ("vendor", "vendor_invoice", "cost_date", "cost", "job_number")
_LINE = ("invoice", "position", "line_text", "line_amount", "points", "why")
_TITLES = ("invoice", "line", "text", "amount", "points", "why")
_KINDS = {"amount": "money", "points": "money", "text": "prose", "why": "prose"}  # CSS classes
_NEEDED = {*_COST, *_LINE, "nrb_guid", "jnid", "line_key"}


class LinkReview(anywidget.AnyWidget):
    """Costs with a choice each: one of its lines, none of them, or nothing yet."""

    _esm = Path(__file__).with_suffix(".js")
    _css = Path(__file__).with_name("review.css")

    columns = traitlets.List(traitlets.Dict(), read_only=True).tag(sync=True)
    costs = traitlets.List(traitlets.Dict(), read_only=True).tag(sync=True)
    choices = traitlets.Dict().tag(sync=True)
    summary = traitlets.Unicode(read_only=True).tag(sync=True)
    sql = traitlets.Unicode(read_only=True).tag(sync=True)

    def __init__(self, candidates: pd.DataFrame) -> None:
        self._candidates = candidates
        self._lines: dict[str, list[str]] = {}
        for guid, key in candidates[["nrb_guid", "line_key"]].itertuples(index=False, name=None):
            self._lines.setdefault(guid, []).append(key)
        super().__init__()
        self.set_trait("columns", [{"title": title, "kind": _KINDS.get(title, "")} for title in _TITLES])
        groups = candidates.groupby("nrb_guid", sort=False)
        self.set_trait("costs", [_cost(str(guid), group.to_dict("records")) for guid, group in groups])
        self.set_trait("sql", printable(sql_of(candidates)))
        self._sum_up()

    @property
    def chosen(self) -> pd.DataFrame:
        """For `audit.links.decide`: candidates with `decision` confirm, or forbid for "none of these"."""
        frame = self._candidates.copy()
        pairs = frame[["nrb_guid", "line_key"]].itertuples(index=False, name=None)
        frame["decision"] = pd.Series([self._decision(*pair) for pair in pairs], index=frame.index, dtype=object)
        return frame[[each is not None for each in frame["decision"]]]

    def _decision(self, guid: str, key: str) -> str | None:
        choice = self.choices.get(guid)
        return "forbid" if choice == NONE else "confirm" if choice == key else None

    @traitlets.validate("choices")
    def _known(self, proposal: Any) -> dict[str, str]:  # noqa: ANN401  traitlets' own
        """Only a known cost, with one of its own lines or none: a page may send anything."""
        asked = proposal["value"]
        return {guid: asked[guid] for guid, keys in self._lines.items() if asked.get(guid) in (*keys, NONE)}

    @traitlets.observe("choices")
    def _sum_up(self, _: object = None) -> None:
        none = sum(choice == NONE for choice in self.choices.values())
        snapshot = provenance_of(self._candidates).get("snapshot")
        of_what = f" · snapshot {one_line(snapshot)}" if snapshot else ""
        decided = f"{len(self.choices):,} of {len(self._lines):,} costs decided"
        self.set_trait("summary", f"{decided}, {none:,} of them on none of their lines{of_what}")

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """A page may change what is chosen, and nothing else."""
        super().set_state({name: value for name, value in sync_data.items() if name == "choices"})

    def __repr__(self) -> str:
        return self.summary

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:  # noqa: ANN401  anywidget's own
        pairs = self._candidates[["nrb_guid", "line_key"]].itertuples(index=False, name=None)
        table = self._candidates[["nrb_guid", *_COST, *_LINE]].copy()
        table.insert(
            0, "decision", pd.Series([self._decision(*pair) for pair in pairs], index=table.index, dtype=object)
        )
        shown = {"text/plain": printable(f"{self.summary}\n{table}"), "text/html": html_table(table)}
        if quiet():
            return shown, {}
        data, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        return {**shown, **data}, metadata


def are_candidates(frame: pd.DataFrame) -> bool:
    """Whether these are rows of `audit.links.undecided()`, rather than findings."""
    return set(frame.columns) >= _NEEDED


def link_review(candidates: pd.DataFrame) -> LinkReview:
    """Rows of `audit.links.undecided()` as choices, of at most 500 costs. Raises `QuestionRefused`.

    A cost without a candidate line is left out: a line must be named for it.
    """
    with_lines = candidates[candidates["line_key"].notna()]
    chosen = candidates if len(with_lines) == len(candidates) else with_lines
    if not candidates.columns.is_unique or chosen[["nrb_guid", "line_key"]].duplicated().any():
        raise QuestionRefused("the same candidate occurs twice; give rows of audit.links.undecided()")
    count = chosen["nrb_guid"].nunique()
    if count > MOST_COSTS:
        raise QuestionRefused(
            f"{count:,} costs are too many to review at once; choose a job, or {MOST_COSTS:,} of them"
        )
    return LinkReview(chosen)


def _cost(guid: str, rows: Sequence[Mapping[Any, Any]]) -> dict[str, Any]:
    """What the page gets of a cost: text only, also for money, so that none is rounded."""
    first = rows[0]
    title = " · ".join(text for name in _COST if (text := _text(first[name])))
    options = [{"id": row["line_key"], "cells": [_text(row[name]) for name in _LINE]} for row in rows]
    return {"id": guid, "title": title, "options": options}


def _text(value: object) -> str:
    return one_line(for_people(value))
