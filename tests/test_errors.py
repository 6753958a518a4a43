"""The error tree: drawn in the docstring as it is, and each error is also what Python calls it."""

import inspect
import re

import pytest

from auditkit import errors
from auditkit.errors import AuditkitError

CLASSES = {name: value for name, value in vars(errors).items() if inspect.isclass(value)}


def drawn():
    """name → (parent, builtin) as the docstring draws them."""
    tree, above = {}, {}
    for line in errors.__doc__.splitlines():
        match = re.fullmatch(r" {4}([│├└─ ]*)(\w+)(?: \((\w+)\))?(?: {2,}.*)?", line)
        if match:
            depth = len(match[1]) // 4
            above[depth] = match[2]
            tree[match[2]] = (above.get(depth - 1, "Exception"), match[3])
    return tree


def test_the_drawing_is_the_tree():
    found = {}
    for name, error in CLASSES.items():
        bases = [base.__name__ for base in error.__bases__]
        found[name] = (bases[0], bases[1] if len(bases) > 1 else None)
    assert drawn() == found


def test_every_error_is_public_sorted_and_said_what_it_is():
    assert sorted(CLASSES) == errors.__all__ == sorted(errors.__all__)
    assert all(error.__doc__ for error in CLASSES.values())


@pytest.mark.parametrize("name", errors.__all__)
def test_the_root_catches_it(name):
    assert issubclass(CLASSES[name], AuditkitError)


@pytest.mark.parametrize(
    ("ours", "builtin"),
    [
        ("SettingsError", ValueError),
        ("ValueRefused", ValueError),
        ("Unreachable", ConnectionError),
        ("TimedOut", TimeoutError),
        ("Denied", PermissionError),
        ("NotThere", LookupError),
        ("BadAnswer", ValueError),
        ("NoSnapshot", FileNotFoundError),
        ("RuleError", ValueError),
        ("PlanError", ValueError),
    ],
)
def test_who_catches_the_builtin_catches_ours(ours, builtin):
    with pytest.raises(builtin, match=r"^what happened$"):
        raise CLASSES[ours]("what happened")


def test_a_failed_query_holds_its_sql():
    error = errors.QueryFailed("it failed", "select 1")
    assert (str(error), error.sql) == ("it failed", "select 1")
