"""Who may sign plans, and with which key: `identity new`, `identity list`."""

import sys
from typing import Annotated, Any

import pandas as pd
import typer
from pydantic import SecretStr

from auditkit.cli.common import Json
from auditkit.corrections.approvers import APPROVERS_FILE, Approver, read_approvers
from auditkit.corrections.identity import Identities, Identity, folded
from auditkit.papers.terminal import fail, print_json, records, say, show
from auditkit.settings import Settings

__all__ = ["app", "identities", "passphrase"]

app = typer.Typer(help="Who may sign plans, and with which key.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Who may sign plans, and with which key."""


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="The person's name, e.g. controller.")],
    keyring: Annotated[bool, typer.Option("--keyring", help="Keep the private key in the system's keyring.")] = False,
) -> None:
    """Make a person's key, under a passphrase.

    Prints the lines that list this person in approvers.toml; until they are there, the key's signatures do not count.
    """
    settings = Settings.load()
    made = identities(settings)
    made.refuse_taken(name)
    identity = made.new(name, passphrase(settings, twice=True), in_keyring=keyring)
    where = "the system's keyring" if keyring else "a file of its own, readable by you alone"
    say(f"{identity.name} now has a key, under the passphrase, in {where}.")
    say(f"\nPeople listed in {settings.folder / APPROVERS_FILE} may sign plans. Have these lines added there:\n")
    say(_block(identity, is_demo=settings.is_demo))
    say(
        "\nWith limits of 0 a person prepares plans; to approve those of others, a person needs limits above 0. The two"
    )
    say("names on a plan must be two people: auditkit cannot see whether one person holds both keys.")


@app.command(name="list")
def list_(as_json: Json = False) -> None:
    """List the identities of this home, and how approvers.toml lists each."""
    settings = Settings.load()
    kept, path = identities(settings), settings.folder / APPROVERS_FILE
    approvers = read_approvers(path) if path.exists() else ()
    rows = [_row(kept, name, approvers) for name in kept.names()]
    frame = pd.DataFrame(rows, dtype=object)
    if as_json:
        print_json(records(frame))
    elif rows:
        show(frame, f"Identities in {kept.folder}")
    else:
        say(f"There are no identities in {kept.folder}; make one with: auditkit identity new NAME")


def identities(settings: Settings) -> Identities:
    """The identities of this home. A key that a person makes has a passphrase, on the demo too."""
    return Identities(settings.folder / "identities")


def passphrase(settings: Settings, *, twice: bool = False) -> SecretStr:
    """The passphrase: the setting, else typed without echo, `twice` where it is new. Fails without a terminal."""
    if settings.passphrase:
        return settings.passphrase
    if not sys.stdin.isatty():
        fail("there is no terminal to ask for the passphrase at; set AUDITKIT_PASSPHRASE")
    try:
        return SecretStr(typer.prompt("Passphrase", hide_input=True, confirmation_prompt=twice))
    except typer.Abort:
        fail("no passphrase was given, so nothing was done")


def _block(identity: Identity, *, is_demo: bool) -> str:
    lines = [
        "[[approver]]",
        f'name = "{identity.name}"',  # a plain name has neither quotes nor backslashes
        f'public_key = "{identity.public_key}"',
        "max_objects = 0",
        'max_money = "0.00"',
        "may_override = false",
    ]
    return "\n".join(lines + ["demo = true"] * is_demo)


def _row(kept: Identities, name: str, approvers: tuple[Approver, ...]) -> dict[str, Any]:
    """One identity. `listed`: with this key, with another one, or not."""
    key = kept.public_key(name)
    entry = next((each for each in approvers if folded(each.name) == name), None)
    is_listed = entry is not None and entry.public_key == key
    row: dict[str, Any] = {
        "name": name,
        "public_key": key,
        "private_key": "keyring" if kept.is_in_keyring(name) else "file",
        "listed": "yes" if is_listed else "with another key" if entry else "no",
    }
    limits = ("max_objects", "max_money", "may_override")
    return {**row, **{limit: getattr(entry, limit) if is_listed else None for limit in limits}}
