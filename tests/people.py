"""The persons whom a correction of an account takes: their keys, the list of who may sign, and acting as one of them.

listed(home)                      # "ann" and "bob" have keys, and approvers.toml lists both
acting_as(monkeypatch, "ann")     # for whatever is opened from now on
plan_file = signed(monkeypatch, plan)   # saved by ann, approved by bob
carried_out(monkeypatch, plan)    # … and applied by bob: one verdict an object
"""

from pathlib import Path

import pandas as pd
import pytest
from pydantic import SecretStr

import auditkit as ak
from auditkit.corrections.approvers import APPROVERS_FILE
from auditkit.corrections.identity import Identities
from auditkit.corrections.plan import Plan

PEOPLE = ("ann", "bob")
PASSPHRASE = "twelve letters or more"


def listed(home: Path, *names: str, passphrase: str = PASSPHRASE, **limits: object) -> None:
    """Make a key for each name, under the passphrase, and list all of them, with the same limits.

    `limits` are keys of an entry beside name and public_key: max_objects, max_money, may_override, demo.
    """
    identities = Identities(home / "identities")
    said = {"max_objects": 1000, "max_money": "10000000.00", "may_override": True, **limits}
    entries = []
    for name in names or PEOPLE:
        key = identities.new(name, SecretStr(passphrase)).public_key
        values = {"name": name, "public_key": key, **said}
        entries.append("\n".join(["[[approver]]", *(f"{word} = {_toml(value)}" for word, value in values.items())]))
    path = home / APPROVERS_FILE
    path.touch(0o600)
    path.write_text("\n\n".join(entries) + "\n", "utf-8")


def _toml(value: object) -> str:
    return str(value).lower() if isinstance(value, (bool, int)) else f'"{value}"'


def acting_as(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Whatever reads the settings from now on is this person's doing."""
    monkeypatch.setenv("AUDITKIT_IDENTITY", name)
    monkeypatch.setenv("AUDITKIT_PASSPHRASE", PASSPHRASE)


def signed(monkeypatch: pytest.MonkeyPatch, plan: Plan) -> Path:
    """The file of a plan, saved by its preparer and approved by the other of `PEOPLE`."""
    acting_as(monkeypatch, plan.preparer)
    with ak.open() as audit:
        path = audit.corrections.save(plan)
    acting_as(monkeypatch, next(name for name in PEOPLE if name != plan.preparer))
    with ak.open() as audit:
        audit.corrections.approve(path)
    return path


def carried_out(monkeypatch: pytest.MonkeyPatch, plan: Plan) -> pd.DataFrame:
    """Save, approve and apply a plan, as two persons do; one verdict an object. Afterwards the preparer acts again."""
    path = signed(monkeypatch, plan)
    with ak.open() as audit:
        outcomes = audit.corrections.apply(path)
    acting_as(monkeypatch, plan.preparer)
    return outcomes
