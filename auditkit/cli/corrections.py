"""Correct what an audit found: `plan`, `approve`, `apply`, `recover` and `undo`."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer
from pydantic import SecretStr

from auditkit.audit import Audit
from auditkit.cli.common import CLEAN, UNKNOWN, Json, opened, titled
from auditkit.cli.identity import passphrase
from auditkit.corrections.apply import UNSENT
from auditkit.corrections.operations.registry import OPERATIONS
from auditkit.corrections.plan import Plan
from auditkit.corrections.remedies import REMEDIES
from auditkit.corrections.service import Effect
from auditkit.papers.terminal import COULD_NOT_LOOK, fail, print_json, records, say, show, warn

__all__ = ["app"]

app = typer.Typer()

_DONE = frozenset({"VERIFIED", "ALREADY", "SETTLED"})
_NEXT = {
    "NOT_APPLIED": "not applied: sync, then plan again",
    UNSENT: f"{UNSENT}: apply the plan again",
    "NOT_BEGUN": "not begun: apply the plan again",
    "CONFLICT": "in conflict: look at it, sync, then plan again",
    "REFUSED": "not readable, so nothing was sent: see why, then plan again",
    "SIDE_EFFECT": "applied, but other fields changed too: look at it, then sync",
    "UNKNOWN": "sent, and its outcome is unknown: run auditkit recover",
}
_PlanFile = Annotated[Path, typer.Argument(metavar="PLAN", help="A file that `auditkit plan` wrote.")]
_Preview = Annotated[bool, typer.Option(help="Run the audit again on a corrected copy.")]
_Yes = Annotated[bool, typer.Option("--yes", help="Do not ask before sending.")]


@app.command()
def plan(
    what: Annotated[
        str, typer.Argument(help=f"A rule: {', '.join(REMEDIES)}; or an operation: {', '.join(OPERATIONS)}.")
    ],
    values: Annotated[
        list[str] | None,
        typer.Argument(metavar="[OBJECT] [FIELD=VALUE]...", help="For an operation: its object and values."),
    ] = None,
    only: Annotated[list[str] | None, typer.Option(help="For a rule: only this finding, by fingerprint.")] = None,
    reason: Annotated[str, typer.Option(help="For an operation: why it is changed.")] = "",
    preview: _Preview = True,
    as_json: Json = False,
) -> None:
    """Plan a rule's usual remedy, or one operation. Nothing is sent.

    Examples: auditkit plan nrb-unexported; auditkit plan edit-nrb GUID nrbNotes="seen" --reason "asked by the client".
    """
    with opened() as it:
        if what in OPERATIONS:
            if only is not None:
                fail(f"{what}: an operation takes no --only; give the object's id: auditkit plan {what} --help")
            creates = OPERATIONS[what].creates
            object_id, texts = ("", values or []) if creates else ((values or [""])[0], (values or [])[1:])
            if not creates and not object_id:
                fail(f"{what}: which object? give its id: auditkit plan {what} ID FIELD=VALUE --reason …")
            planned = it.corrections.change(what, object_id, reason=reason, values=texts)
        elif values:
            fail(f"{what}: a rule takes no values; to choose findings use --only FINGERPRINT")
        else:
            planned = it.corrections.propose(what, only)
        _offer(it, planned, preview=preview, as_json=as_json)


@app.command()
def undo(
    what: Annotated[
        str,
        typer.Argument(
            metavar="PLAN", help="A plan that was applied: its file, or the first 6 digits of its name or more."
        ),
    ],
    preview: _Preview = True,
    as_json: Json = False,
) -> None:
    """Plan the opposite of what a plan did. Nothing is sent.

    Sync first, so that what was applied is in the snapshot.
    """
    with opened() as it:
        # Too few digits are reported as such, not as a missing file.
        is_digits = re.fullmatch("[0-9a-f]{1,64}", what) and not Path(what).exists()
        _offer(it, it.corrections.undo(what if is_digits else Plan.load(Path(what))), preview=preview, as_json=as_json)


@app.command()
def approve(
    path: _PlanFile,
    override: Annotated[
        str | None, typer.Option(metavar="REASON", help="Lift limits and expiry, with this reason.")
    ] = None,
    preview: _Preview = True,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before signing.")] = False,
    as_json: Json = False,
) -> None:
    """Approve a plan as a second person: check it, then sign it."""
    loaded = Plan.load(path)
    if as_json and not yes:
        fail("nothing was approved: --json cannot ask; add --yes")
    with opened() as it:
        it.corrections.refuse_unapprovable(loaded, override)
        title = f"{_objects(loaded)} to change · {loaded.account}"
        effect = _look(it, loaded, title, preview=preview, as_json=as_json)
        for line in it.corrections.approver_changes():
            warn(f"approvers.toml: {line}")
        if it.is_demo and not as_json:
            say("DEMO: signed by an identity of the demo, so that one person can try both sides.")
        if not yes and not _confirmed(f"Approve the change of {_objects(loaded)}?"):
            fail("nothing was approved")
        signed = it.corrections.approve(loaded, override=override, passphrase=_passphrase(it), into=path)
        approval = signed.signature("approve")
        name = approval.name if approval else "?"
        if as_json:
            print_json({**_as_json(it, signed, effect, path), "approved_by": name})
        else:
            say(f"Approved by {name}. To send it: auditkit apply {path}")


@app.command()
def apply(path: _PlanFile, yes: _Yes = False, as_json: Json = False) -> None:
    """Send an approved plan, one object at a time.

    Each step is journalled before, and each object is verified after. Exit code 3: an outcome is unknown.
    """
    loaded = Plan.load(path)
    if as_json and not yes:
        fail("nothing was sent: --json cannot ask; add --yes")
    with opened() as it:
        it.corrections.refuse_unready(loaded)
        if not as_json:
            _show(it, loaded, f"{_objects(loaded)} to change · {loaded.account}")
        if not yes and not _confirmed("Send these changes?"):
            fail("nothing was sent")
        verdicts = _verdicts(it.corrections.apply(loaded), f"Verdicts · {loaded.account}", as_json=as_json)
        raise typer.Exit(UNKNOWN if "UNKNOWN" in verdicts else CLEAN if _DONE.issuperset(verdicts) else COULD_NOT_LOOK)


@app.command()
def recover(
    settle: Annotated[
        str | None,
        typer.Option(metavar="CORRECTION", help="One whose outcome stays unknown and that you have looked up."),
    ] = None,
    note: Annotated[str, typer.Option(help="With --settle: what you saw in the vendor's own screens.")] = "",
    as_json: Json = False,
) -> None:
    """Find out how interrupted corrections ended. Nothing is sent.

    Exit code 0 if every outcome is known now, whatever it is; 3 if one is not.
    """
    if note and settle is None:
        fail("--note records how one correction ended; give --settle CORRECTION with it")
    with opened() as it:
        if settle:
            it.corrections.settle(settle, note)
            say(f"{settle}: settled; your note is in the journal.")
            return
        found = it.corrections.recover()
        if found.empty and not as_json:
            say("No correction is open.")
            return
        raise typer.Exit(UNKNOWN if "UNKNOWN" in _verdicts(found, "Verdicts", as_json=as_json) else CLEAN)


def _offer(it: Audit, planned: Plan, *, preview: bool, as_json: bool) -> None:
    for line in it.corrections.missing_prerequisites():
        warn(line)
    effect = _look(it, planned, titled(it, f"{_objects(planned)} would change"), preview=preview, as_json=as_json)
    it.corrections.refuse_keyless()
    path = it.corrections.save(planned, _passphrase(it))
    if as_json:
        print_json(_as_json(it, planned, effect, path))
    else:
        say(f"\nNothing was sent. A second person approves it: auditkit approve {path}")


def _look(it: Audit, planned: Plan, title: str, *, preview: bool, as_json: bool) -> Effect | None:
    """Show what must be checked before a signature: what changes and why, and the audit and statement after it."""
    if not as_json:
        _show(it, planned, title)
    effect = it.corrections.preview(planned) if preview else None
    if effect and not as_json:
        findings = effect.findings.drop(columns="fingerprint")
        _show_if_any(findings, "The audit after it: findings it closes, opens and leaves")
        _show_if_any(effect.states, "Costs whose state or charge would change")
        changed = effect.statement[effect.statement["change"] != 0]
        _show_if_any(changed, "The statement after it: what would change", ["label", "before", "after", "change"])
    return effect


def _as_json(it: Audit, planned: Plan, effect: Effect | None, path: Path) -> dict[str, Any]:
    frames = ("findings", "states", "statement")
    foreseen = {name: records(getattr(effect, name)) for name in frames} if effect else {}
    return {
        "plan": str(path),
        "digest": planned.digest,
        "objects": planned.objects,
        "money": planned.money,
        "expires_at": planned.expires_at,
        "conditions": planned.conditions,
        "fields": it.corrections.fields(planned),
        "left_out": [asdict(each) for each in planned.left_out],
        **foreseen,
    }


def _show(it: Audit, planned: Plan, title: str) -> None:
    say(f"\n{title}")
    fields = it.corrections.fields(planned)
    objects = groupby(fields, key=lambda row: (row["operation"], row["object"], row["known_as"]))
    for place, ((operation, object_id, known_as), group) in enumerate(objects, start=1):
        rows = list(group)
        frame = pd.DataFrame(rows, columns=["field", "before", "after"], dtype=object)
        why = " · ".join(str(rows[0][name]) for name in ("reason", "findings") if rows[0][name])
        show(frame, f"{place}. {operation} {known_as} · {object_id}", most=None, note=why)
    if planned.left_out:
        show(pd.DataFrame(planned.left_out, dtype=object), "Left out", most=None)
    say(
        f"\nPlan {planned.digest[:12]} by {planned.preparer}: it moves {planned.money:,.2f}, and is valid until"
        f" {planned.expires_at:%Y-%m-%d %H:%M} UTC."
    )
    for condition in planned.conditions:
        say(f"\nBefore it is sent, check each object: {condition}.")


def _show_if_any(frame: pd.DataFrame, title: str, columns: Sequence[str] | None = None) -> None:
    if frame.empty:
        say(f"\n{title}: nothing")
    else:
        show(frame, title, most=None, columns=columns)


def _objects(planned: Plan) -> str:
    return f"{planned.objects:,} object{'s' * (planned.objects != 1)}"


def _verdicts(outcomes: pd.DataFrame, title: str, *, as_json: bool) -> list[str]:
    """Show the verdicts, and the next step for each; return them."""
    verdicts = list(map(str, outcomes["verdict"]))
    if as_json:
        print_json(records(outcomes))
        return verdicts
    show(outcomes, title, most=None)
    pairs = zip(verdicts, outcomes["detail"], strict=True)
    ended = Counter(UNSENT if detail == UNSENT else verdict for verdict, detail in pairs)
    for verdict, count in ended.items():
        if verdict in _NEXT:
            say(f"{count} of {len(verdicts)} {'was' if count == 1 else 'were'} {_NEXT[verdict]}.")
    if "VERIFIED" in verdicts:
        say("The next sync shows which findings this cleared.")
    return verdicts


def _passphrase(it: Audit) -> SecretStr | None:
    return None if it.is_demo else passphrase(it.settings)


def _confirmed(question: str) -> bool:
    try:
        return typer.confirm(question)
    except typer.Abort:
        return False
