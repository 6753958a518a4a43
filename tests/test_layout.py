"""The house rules that no linter knows: sizes, public names, and who may open, send or say what."""

import ast
import importlib
import re
import subprocess
from pathlib import Path

import pytest

import auditkit

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "auditkit").rglob("*.py"))
WRITES = {"save_nrb", "create_invoice", "update_invoice"}


def name_of(module: Path) -> str:
    return ".".join(module.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_sizes(module: Path) -> None:
    text = module.read_text("utf-8")
    assert len(text.splitlines()) <= 500
    long = {
        node.name: node.end_lineno - node.lineno + 1
        for node in ast.walk(ast.parse(text))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.end_lineno - node.lineno + 1 > 70
    }
    assert long == {}


@pytest.mark.parametrize("module", [m for m in MODULES if m.name not in ("__init__.py", "__main__.py")], ids=name_of)
def test_public_names(module: Path) -> None:
    """`__all__` is sorted, true and whole: every public class and function of the module is in it."""
    imported = importlib.import_module(name_of(module))
    assert imported.__all__ == sorted(imported.__all__, key=lambda n: (not n.isupper(), not n[0].isupper(), n))
    assert all(hasattr(imported, name) for name in imported.__all__)
    tree = ast.parse(module.read_text("utf-8"))
    defined = {node.name for node in tree.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
    hidden = {name for name in defined if not name.startswith("_")} - set(imported.__all__)
    assert not hidden or module.parent.name == "cli"  # its commands are reached by name, not imported


def test_the_door() -> None:
    assert sorted(auditkit.__all__) == auditkit.__all__ == dir(auditkit)
    assert all(getattr(auditkit, name).__doc__ for name in auditkit.__all__)
    assert {name for names in auditkit._MODULES.values() for name in names} == set(auditkit.__all__)
    with pytest.raises(AttributeError, match="it has Audit"):
        auditkit.nothing  # noqa: B018


def importers_of(package: str) -> set[str]:
    found = set()
    for module in MODULES:
        for node in ast.walk(ast.parse(module.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            if any(name == package or name.startswith(f"{package}.") for name in names):
                found.add(name_of(module))
    return found


def test_only_the_store_opens_duckdb() -> None:
    assert all(
        name.startswith("auditkit.warehouse.") or name == "auditkit.checks.engine" for name in importers_of("duckdb")
    )


def test_only_apply_calls_a_write_method() -> None:
    callers = {
        name_of(module)
        for module in MODULES
        if "sandbox" not in module.parts
        for node in ast.walk(ast.parse(module.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in WRITES
    }
    assert callers - {"auditkit.vendors.jobnimbus"} == {"auditkit.corrections.apply"}


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


def test_no_file_names_a_package_index_or_a_place_of_one_machine() -> None:
    banned = re.compile(r"--(extra-)?index-url|pypi\.org|files\.pythonhosted|/(root|home)/[a-z]|\"resolved\": \"http")
    here = Path(__file__).name
    texts = {path: path.read_text("utf-8", errors="ignore") for path in tracked() if path.name != here}
    assert [str(path) for path, text in texts.items() if banned.search(text)] == []
