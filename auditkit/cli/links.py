"""Decide which invoice line carries a cost: `links`, and `link confirm`, `forbid`, `none` and `undo`.

Not here: what is undecided, and what a decision is (`checks/link_decisions.py`).
"""

from collections.abc import Hashable, Mapping, Sequence
from typing import Annotated, Any

import pandas as pd
import typer

from auditkit.audit import Audit
from auditkit.cli.common import Json, opened, titled
from auditkit.papers.terminal import fail, plain, print_json, records, say, show
from auditkit.values import one_line

__all__ = ["app"]

app = typer.Typer()
_group = typer.Typer(help="Decide which invoice line carries a cost.", no_args_is_help=True)
app.add_typer(_group, name="link")

_MOST = 50
_HOW = """
To decide, for one or many (--note says why):
  auditkit link confirm LINE_ID …   the line carries the cost
  auditkit link forbid LINE_ID …    it does not
  auditkit link none COST_ID …      none of its lines does: the cost is unbilled
Any other line: auditkit link confirm COST_ID INVOICE/LINE, lines count from 0."""
_Pairs = Annotated[
    list[str],
    typer.Argument(metavar="LINE_ID | COST INVOICE/LINE …", help="As `auditkit links` shows them; lines count from 0."),
]
_Note = Annotated[str, typer.Option(help="Why it is decided so.")]


@app.command()
def links(
    job: Annotated[str | None, typer.Option(help="Only this job, by its number.")] = None,
    look_first: Annotated[
        bool, typer.Option("--look-first", help="Unbilled costs that an open line of their job equals, instead.")
    ] = False,
    decided: Annotated[bool, typer.Option("--decided", help="The decisions in force instead.")] = False,
    as_json: Json = False,
) -> None:
    """List undecided costs, each with its candidate lines.

    From 3 points on a line is surely the cost's; fewer only ask. `auditkit explain` shows them term by term.
    """
    with opened() as audit:
        frame = audit.links.decided() if decided else audit.links.undecided(job, look_first=look_first)
        if decided and job is not None:
            frame = frame[frame["job_number"] == job]
        if job is not None and frame.empty:
            audit.statement("job", job)  # refuses an unknown job
        if as_json:
            print_json(records(frame))
        elif decided:
            show(_decisions(frame), titled(audit, f"{len(frame):,} decision{_s(len(frame))} in force"), answer=frame)
        else:
            _show_costs(audit, frame, "cost to look for first" if look_first else "undecided cost")


def _show_costs(audit: Audit, frame: pd.DataFrame, what: str) -> None:
    costs = [group for _, group in frame.groupby("nrb_guid", sort=False)]
    say(plain(titled(audit, f"{len(costs):,} {what.replace('cost', f'cost{_s(len(costs))}')}")))
    shown = costs[:_MOST]
    for place, group in enumerate(shown, start=1):
        show(_candidates(group), _cost(group), most=None, answer=frame if place == len(shown) else None)
    if len(costs) > len(shown):
        say(f"\n… and {len(costs) - len(shown):,} more costs: choose a --job, or use --json to see all")
    if costs:
        say(_HOW)


@_group.command()
def confirm(pairs: _Pairs, note: _Note) -> None:
    """Decide that a line carries a cost; many at once.

    Examples: auditkit link confirm 6f1c2a:9be --note "same crane"; auditkit link confirm 6f1c2a INV-1003/2 --note seen.
    """
    with opened() as audit:
        _tell(audit.links.confirm(*_paired(pairs), note=note))


@_group.command()
def forbid(pairs: _Pairs, note: _Note) -> None:
    """Decide that a line does not carry a cost; many at once.

    An INVOICE without a line is all its lines.

    Examples: auditkit link forbid 6f1c2a:9be --note "another crane"; auditkit link forbid 6f1c2a INV-1003 --note seen.
    """
    with opened() as audit:
        _tell(audit.links.forbid(*_paired(pairs), note=note))


@_group.command()
def none(
    costs: Annotated[list[str], typer.Argument(metavar="COST_ID …", help="As `auditkit links` shows them.")],
    note: _Note,
) -> None:
    """Decide that a cost is on none of its candidate lines.

    It is unbilled from the next audit on, unless a candidate comes that was not there today: then it asks again.
    """
    with opened() as audit:
        _tell(audit.links.none(*costs, note=note))


@_group.command()
def undo(
    pairs: Annotated[
        list[str],
        typer.Argument(metavar="COST_ID | LINE_ID …", help="As `auditkit links --decided` shows them."),
    ],
    note: _Note,
) -> None:
    """Take back what was decided: all about a cost, or about one line.

    The evidence decides again, from the next audit on.
    """
    with opened() as audit:
        _tell(audit.links.undo(*pairs, note=note))


def _paired(tokens: Sequence[str]) -> list[str | tuple[str, str]]:
    """LINE_ID is a pair by itself, as it holds a colon; a COST takes the line behind it."""
    pairs: list[str | tuple[str, str]] = []
    rest = iter(tokens)
    for token in rest:
        if ":" in token:
            pairs.append(token)
        elif (line := next(rest, None)) is None:
            fail(f"{token}: which line? give INVOICE/LINE behind it, or a LINE_ID from `auditkit links`")
        else:
            pairs.append((token, line))
    return pairs


def _tell(decided: pd.DataFrame) -> None:
    show(_decisions(decided), f"{len(decided):,} decision{_s(len(decided))} in the journal", most=None)
    say("\nThey count from the next audit on. To audit now: auditkit audit")


def _cost(group: pd.DataFrame) -> str:
    """A cost in words: its handle, vendor, vendor's invoice, date, money and job."""
    row = group.iloc[0]
    amount = "amount unknown" if row["cost"] is None else f"{row['cost']:,.2f}"
    invoice = f"invoice {row['vendor_invoice']}" if row["vendor_invoice"] else "no invoice number"
    job = f"job {row['job_number']}" if row["job_number"] else "no job"
    said = (row["cost_id"], amount, row["vendor"] or "no vendor", invoice, str(row["cost_date"] or "no date"), job)
    return " · ".join(one_line(each) for each in said)


def _candidates(group: pd.DataFrame) -> pd.DataFrame:
    """The columns that fit a screen, in words."""
    shown = pd.DataFrame(
        {
            "line_id": group["line_id"],
            "invoice line": [_line(row) for row in group.to_dict("records")],
            "text": group["line_text"],
            "amount": group["line_amount"],
            "points": group["points"],
            "why": group["why"],
        },
        dtype=object,
    )
    if any(each is not None for each in group["decision"]):
        shown.insert(1, "decided", group["decision"])
    return shown


def _decisions(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "decision": frame["decision"],
            "cost_id": frame["cost_id"],
            "line_id": frame["line_id"],
            "vendor invoice": frame["vendor_invoice"],
            "cost amount": frame["cost"],
            "invoice line": [_line(row) for row in frame.to_dict("records")],
            "text": frame["line_text"],
            "line amount": frame["line_amount"],
            "note": frame["note"],
            "who": frame["who"],
            "at": frame["decided_at"],
        },
        dtype=object,
    )


def _line(row: Mapping[Hashable, Any]) -> str:
    """As a command takes it: INVOICE/LINE, or INVOICE alone."""
    if row["jnid"] is None:
        return ""
    invoice = row["invoice"] or row["jnid"]
    state = f" ({row['invoice_state']})" if row.get("invoice_state") not in (None, "issued") else ""
    if row["line_key"] is None:
        return f"{invoice}, all lines"
    return (
        f"{invoice}/{row['position']}{state}" if row["position"] is not None else f"{invoice}, a line that has changed"
    )


def _s(count: int) -> str:
    return "s" * (count != 1)
