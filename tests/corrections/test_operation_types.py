"""Operations as objects: one file and one registry line each, and no other module knows their names."""

import ast
from pathlib import Path

import pytest

from auditkit.corrections.operations import base, registry
from auditkit.corrections.operations.registry import OPERATIONS, operation_named
from auditkit.errors import PlanError

FOLDER = Path(base.__file__).parent
SHARED = {"__init__", "base", "invoice", "nrb", "registry"}
# The remedies choose operations, and the preview imitates what a vendor adds to a new object.
MAY_NAME_OPERATIONS = {"remedies.py"}
MAY_ASK_FOR_THE_VENDOR = {"preview.py"}


def literals(module: Path) -> set[str]:
    tree = ast.parse(module.read_text("utf-8"))
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def compares_the_system(module: Path) -> bool:
    nodes = [node for node in ast.walk(ast.parse(module.read_text("utf-8"))) if isinstance(node, ast.Compare)]
    return any(isinstance(node.left, ast.Attribute) and node.left.attr == "system" for node in nodes)


def modules_outside() -> list[Path]:
    return [*FOLDER.parent.glob("*.py"), FOLDER.parents[1] / "cli" / "corrections.py"]


def test_each_operation_has_a_file_of_its_own_and_is_registered() -> None:
    files = {path.stem.replace("_", "-") for path in FOLDER.glob("*.py") if path.stem not in SHARED}
    assert files == set(OPERATIONS) == {operation.name for operation in registry.OPERATIONS.values()}


def test_no_other_module_knows_an_operation_by_name_or_asks_which_vendor_it_is_for() -> None:
    for module in modules_outside():
        if module.name not in MAY_NAME_OPERATIONS:
            assert not literals(module) & set(OPERATIONS), module.name
        assert not compares_the_system(module) or module.name in MAY_ASK_FOR_THE_VENDOR, module.name


def test_an_unknown_operation_is_refused_with_the_nearest_name() -> None:
    assert operation_named("add-line").name == "add-line"
    with pytest.raises(PlanError, match="there is no operation 'addline'; did you mean add-line"):
        operation_named("addline")
