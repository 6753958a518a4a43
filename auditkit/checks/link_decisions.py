"""`audit.links`: what people decide about a cost (an NRB) and an invoice line.

Each call is one record of the journal, whole or not at all, and counts from the next audit on. A decision rests on the
content of the line (`line_key`): a line that moves keeps it, one with other words or another price does not.

Not here: what a decision does to links (`linking.py`).
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import pandas as pd

from auditkit.errors import QuestionRefused
from auditkit.journal import Journal, Record
from auditkit.sql import read
from auditkit.warehouse.answer import Answer
from auditkit.warehouse.snapshots import Snapshot

__all__ = ["CONFIRM", "FORBID", "RECORD", "UNDO", "LinkDecisions", "Pair", "link_decisions"]

Pair = str | tuple[str, str]
Row = dict[str, Any]

RECORD = "links"  # the kind of a record in the journal
CONFIRM, FORBID, UNDO = "confirm", "forbid", "undo"
_PAIR = ("nrb_guid", "jnid", "line_key")
_SHORTEST_COST, _SHORTEST_LINE = 6, 3


class LinkDecisions:
    """Decide which line carries a cost, many at once. Each decision counts from the next audit on (`audit.run()`).

    A pair is the handle of a candidate as `undecided()` lists it ("6f1c2a:9be"), or a cost and a line:
    `("6f1c2a", "INV-1003/2")`, by guid or its first six characters, and by the invoice's id or number; lines count from
    0. Raises `QuestionRefused` where it is not clear what is meant, and then nothing is decided.
    """

    def __init__(self, journal: Journal, identity: str, newest: Callable[[], Snapshot]) -> None:
        self._journal = journal
        self._identity = identity
        self._newest = newest

    def undecided(self, job: str | None = None, *, look_first: bool = False) -> pd.DataFrame:
        """Each undecided cost with each line that may carry it, largest first; of one `job` or all.

        With `look_first` instead the unbilled costs that an open line of their job equals, too common an amount to say
        more: nothing plans to bill them before that line is forbidden.

        A row is a candidate: `cost_id` and `line_id` are the handles, `points` and `why` what speaks for it, `decision`
        what was decided since the audit. `ak.review` shows the costs to decide in a notebook.
        """
        snapshot = self._newest()
        query, values = read("queries/links/undecided"), {"job": job, "look_first": look_first}
        table = snapshot.query(query, values)
        rows, decided = table.records(), {_key(row): row["decision"] for row in link_decisions(self._journal)}
        shown = [
            [*ids, *row.values(), decided.get(_key(row)) or decided.get((row["nrb_guid"], row["jnid"], None))]
            for ids, row in zip(self._ids(rows), rows, strict=True)
        ]
        columns = ["cost_id", "line_id", *table.columns, "decision"]
        return Answer(shown, columns, sql=query, values=values, snapshot=snapshot.short_id)

    def decided(self) -> pd.DataFrame:
        """The decisions in force: `decision` (confirm or forbid), the cost, the line, `note`, `who` and `at`.

        A NULL `line_key` is the whole invoice.
        """
        return self._shown(link_decisions(self._journal))

    def confirm(self, *pairs: Pair, note: str) -> pd.DataFrame:
        """Decide that each line carries its cost. Returns what was decided."""
        return self._record([{"decision": CONFIRM, **pair} for pair in self._pairs(pairs, whole=False)], note)

    def forbid(self, *pairs: Pair, note: str) -> pd.DataFrame:
        """Decide that a line does not carry its cost; `("6f1c2a", "INV-1003")`: no line of the invoice does."""
        return self._record([{"decision": FORBID, **pair} for pair in self._pairs(pairs, whole=True)], note)

    def none(self, *costs: str, note: str) -> pd.DataFrame:
        """Decide that none of its present candidates carries a cost. A candidate that comes later asks again."""
        candidates = self._candidates()
        chosen: list[Row] = []
        for text in costs:
            guid = self._cost(text)
            found = [row for row in candidates if row["nrb_guid"] == guid and row["line_key"]]
            if not found:
                raise QuestionRefused(
                    f"{text}: has no candidate lines to forbid; `auditkit links` lists those of undecided costs"
                )
            chosen += [{"decision": FORBID, **_named(row)} for row in found]
        return self._record(chosen, note)

    def undo(self, *subjects: Pair, note: str) -> pd.DataFrame:
        """Take back decisions in force: all about a cost, or the one about a pair. The evidence decides again."""
        in_force = link_decisions(self._journal)
        chosen: list[Row] = []
        for subject in subjects:
            found = self._in_force(subject, in_force)
            if not found:
                what = subject if isinstance(subject, str) else " ".join(subject)
                raise QuestionRefused(f"{what}: nothing is decided about it; `auditkit links --decided` lists what is")
            chosen += [{"decision": UNDO, **_named(row)} for row in found]
        return self._record(chosen, note)

    def decide(self, chosen: pd.DataFrame, note: str) -> pd.DataFrame:
        """Decide rows of `undecided()` by their column `decision`: confirm or forbid. `review.chosen` has them."""
        if missing := {*_PAIR, "decision"} - set(chosen.columns):
            raise QuestionRefused(
                f"these are not decisions: column {', '.join(sorted(missing))} is missing; give `review.chosen`"
            )
        present = {_key(row) for row in self._candidates()}
        rows = [{name: row[name] for name in ("decision", *_PAIR)} for row in chosen.to_dict("records")]
        for row in rows:
            if row["decision"] not in (CONFIRM, FORBID):
                raise QuestionRefused(f"decision {row['decision']!r}: write {CONFIRM} or {FORBID}")
            if _key(row) not in present:
                raise QuestionRefused(
                    f"{row['nrb_guid']}: is no candidate any more; ask `audit.links.undecided()` again"
                )
        return self._record(rows, note)

    def _record(self, decisions: Sequence[Row], note: str) -> pd.DataFrame:
        """One record for all of them."""
        if not decisions:
            raise QuestionRefused("nothing was decided: name a cost and a line; `auditkit links` lists them")
        if not note.strip():
            raise QuestionRefused("a note is needed: why is it decided so?")
        unique = list({_key(row): row for row in decisions}.values())
        body = {"decisions": unique, "note": " ".join(note.split()), "who": self._identity}
        record = self._journal.append(RECORD, body)
        return self._shown([{**row, "note": body["note"], "who": body["who"], "at": record.at} for row in unique])

    def _shown(self, decisions: Sequence[Row]) -> pd.DataFrame:
        given = pd.DataFrame(decisions, columns=["decision", *_PAIR, "note", "who", "at"], dtype=object)
        given = given.rename(columns={"at": "decided_at"}).assign(turn=range(len(given)))
        snapshot = self._newest()
        table = snapshot.query(read("queries/links/decided"), None, {"given": given})
        rows = table.records()
        shown = [[*ids, *row.values()] for ids, row in zip(self._ids(rows), rows, strict=True)]
        return Answer(shown, ["cost_id", "line_id", *table.columns], snapshot=snapshot.short_id)

    def _ids(self, rows: Sequence[Row]) -> list[tuple[str, str | None]]:
        """The handles of each row: of its cost, and of its line where it has one."""
        guids = {str(row["nrb_guid"]) for row in rows}
        costs = _starts(guids, self._newest().query(read("queries/links/costs")).column())
        keys: dict[str, list[str]] = defaultdict(list)
        for row in rows:
            keys[row["nrb_guid"]].append(row["line_key"] or "")

        def line_id(guid: str, key: str | None) -> str | None:
            return f"{costs[guid]}:{_short(key, keys[guid], _SHORTEST_LINE)}" if key else None

        return [(costs[row["nrb_guid"]], line_id(row["nrb_guid"], row["line_key"])) for row in rows]

    # ── What is meant ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _candidates(self) -> list[Row]:
        return self._newest().query(read("queries/links/undecided"), {"job": None, "look_first": None}).records()

    def _cost(self, text: str) -> str:
        """The guid of the one cost that is meant."""
        found: list[str] = self._newest().query(read("queries/links/cost"), {"text": text}).column() if text else []
        return _only(text, found, "cost", _SHORTEST_COST)

    def _pairs(self, pairs: Sequence[Pair], *, whole: bool) -> list[Row]:
        """The pairs that are meant, `whole` also of a cost and an invoice."""
        candidates = self._candidates() if any(isinstance(pair, str) for pair in pairs) else []
        return [self._pair(pair, candidates, whole=whole) for pair in pairs]

    def _pair(self, pair: Pair, candidates: Sequence[Row], *, whole: bool) -> Row:
        if isinstance(pair, str):
            cost, _, start = pair.rpartition(":")
            if not cost:
                raise QuestionRefused(
                    f"{pair}: which line? give a candidate as `auditkit links` shows it, or INVOICE/LINE"
                )
            guid = self._cost(cost)
            return _of_handle(pair, start, [row for row in candidates if row["nrb_guid"] == guid])
        guid, line = self._cost(pair[0]), pair[1]
        found = [row for row in self._lines(line) if whole or row["line_key"]]
        if not found:
            form = "INVOICE/LINE, or INVOICE for all its lines" if whole else "INVOICE/LINE"
            raise QuestionRefused(
                f"{line}: no such line; write {form}, by the invoice's id or number; lines count from 0"
            )
        if len(found) > 1:
            several = ", ".join(_spelled(row) for row in found[:3])
            raise QuestionRefused(f"{line}: may be {several}; give the invoice's id instead of its number")
        return {"nrb_guid": guid, "jnid": found[0]["jnid"], "line_key": found[0]["line_key"]}

    def _lines(self, text: str) -> list[Row]:
        return self._newest().query(read("queries/links/line"), {"text": text}).records()

    def _in_force(self, subject: Pair, decisions: Sequence[Row]) -> list[Row]:
        """The decisions that are meant. Costs and lines that have gone since can be named, too."""
        cost = subject[0] if isinstance(subject, tuple) else subject
        start = None
        if isinstance(subject, str) and ":" in subject:
            cost, _, start = subject.rpartition(":")
        guids = sorted({str(row["nrb_guid"]) for row in decisions})
        found = [guid for guid in guids if guid == cost] or [
            guid for guid in guids if guid.lower().startswith(cost.lower())
        ]
        if not found:
            return []
        guid = _only(cost, found, "decided cost", _SHORTEST_COST)
        own = [row for row in decisions if row["nrb_guid"] == guid]
        if start is not None:
            return [_of_handle(str(subject), start, own)]
        if isinstance(subject, tuple):
            keys = {(row["jnid"], row["line_key"]) for row in self._lines(subject[1])}
            return [row for row in own if (row["jnid"], row["line_key"]) in keys]
        return own


class _Decisions:
    """The decisions in force, by pair."""

    def __init__(self) -> None:
        self.in_force: dict[tuple[Any, ...], Row] = {}

    def take(self, record: Record) -> None:
        if record.kind != RECORD:
            return
        for decision in record.body["decisions"]:
            key, kind = _key(decision), decision["decision"]
            if kind == FORBID and decision["line_key"] is None:
                self.in_force = {
                    k: row for k, row in self.in_force.items() if k[:2] != key[:2] or row["decision"] == FORBID
                }
            self.in_force.pop(key, None)
            if kind != UNDO:
                why = {name: record.body.get(name) for name in ("note", "who")}
                self.in_force[key] = {"decision": kind, **_named(decision), **why, "at": record.at}


def link_decisions(journal: Journal) -> list[Row]:
    """The decisions about pairs that are in force, for the checks: confirmed and forbidden pairs, in their order.

    One row per pair (`nrb_guid`, `jnid`, `line_key`; a null line is the whole invoice) with `decision` "confirm" or
    "forbid", `note`, `who` and `at`. The latest decision about a pair counts, and forbidding a whole invoice takes back
    what was confirmed of its lines.
    """
    return list(journal.projection(_Decisions).in_force.values())


def _key(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in _PAIR)


def _named(row: Mapping[str, Any]) -> Row:
    return {name: row[name] for name in _PAIR}


def _spelled(row: Mapping[str, Any]) -> str:
    return str(row["jnid"]) if row["position"] is None else f"{row['jnid']}/{row['position']}"


def _only(text: str, found: Sequence[str], what: str, shortest: int) -> str:
    """The one that is meant by its whole text, or by its beginning."""
    if found and (found[0] == text or (len(found) == 1 and len(text) >= shortest)):
        return found[0]
    if not found:
        raise QuestionRefused(f"{text}: no {what} has this id; `auditkit links` lists those that are undecided")
    if len(text) < shortest:
        raise QuestionRefused(f"{text}: give at least {shortest} characters of the id, from `auditkit links`")
    raise QuestionRefused(f"{text}: is the beginning of several: {', '.join(found[:3])}; give more characters")


def _of_handle(handle: str, start: str, rows: Sequence[Row]) -> Row:
    found = [row for row in rows if row["line_key"] and row["line_key"].startswith(start.lower())]
    if len(found) == 1 and len(start) >= _SHORTEST_LINE:
        return _named(found[0])
    if len(found) > 1 and len(start) >= _SHORTEST_LINE:
        raise QuestionRefused(f"{handle}: is the beginning of several lines; give more characters after the colon")
    raise QuestionRefused(
        f"{handle}: no such candidate; `auditkit links` lists them, and a line that changed has another"
    )


def _starts(wanted: Collection[str], every: Collection[str]) -> dict[str, str]:
    """The shortest beginning of each guid that no other has: six characters or more."""
    ordered = sorted({*wanted, *every}, key=str.lower)
    places = {guid: place for place, guid in enumerate(ordered)}
    beside = {guid: ordered[max(place - 1, 0) : place + 2] for guid, place in places.items() if guid in wanted}
    return {guid: _short(guid, others, _SHORTEST_COST) for guid, others in beside.items()}


def _short(text: str, every: Collection[str], shortest: int) -> str:
    """The shortest beginning of a text that no other of them has, or all of it."""
    for size in range(shortest, len(text)):
        if sum(other.lower().startswith(text[:size].lower()) for other in every) == 1:
            return text[:size]
    return text
