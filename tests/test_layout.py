"""House rules that no linter knows: sizes, public names, where SQL is, what is sent, and the words we use."""

import ast
import importlib
import json
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
    """`__all__` is sorted and complete: every public class and function of the module is in it."""
    imported = importlib.import_module(name_of(module))
    assert imported.__all__ == sorted(imported.__all__, key=lambda n: (not n.isupper(), not n[0].isupper(), n))
    assert all(hasattr(imported, name) for name in imported.__all__)
    tree = ast.parse(module.read_text("utf-8"))
    defined = {node.name for node in tree.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
    hidden = {name for name in defined if not name.startswith("_")} - set(imported.__all__)
    assert not hidden or module.parent.name == "cli"  # its commands are reached by name, not imported


def test_the_public_names_of_the_package() -> None:
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


def test_only_the_warehouse_opens_duckdb() -> None:
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


def test_the_readme_of_the_package_is_its_tree() -> None:
    text = (ROOT / "auditkit" / "README.md").read_text("utf-8")
    folders = {path.parent.name for path in (ROOT / "auditkit").glob("*/__init__.py")}
    modules = {path.stem for path in (ROOT / "auditkit").glob("*.py")} - {"__init__"}
    assert set(re.findall(r"^\| `(\w+)/` \|", text, re.M)) == folders
    assert set(re.findall(r"`(\w+)`", text.partition("Modules beside the folders:")[2])) == modules
    assert len(text.splitlines()) <= 40


def test_the_shipped_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 230


QUERY = re.compile(r"\b(select|insert into|delete from|create)\b.+\b(from|values|as)\b", re.S)


@pytest.mark.parametrize("folder", ["analysis", "cli", "papers"])
def test_sql_is_in_files(folder: str) -> None:
    """A query takes several lines; one-line examples in help and messages are not meant."""
    texts = [
        f"{name_of(module)}:{node.lineno}"
        for module in MODULES
        if module.relative_to(ROOT / "auditkit").parts[0] == folder
        for node in without_docstrings(ast.parse(module.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if "\n" in node.value.strip() and QUERY.search(node.value)
    ]
    assert texts == []


def without_docstrings(tree: ast.Module) -> list[ast.AST]:
    nodes = list(ast.walk(tree))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {id(node.body[0].value) for node in nodes if isinstance(node, documented) and ast.get_docstring(node)}
    return [node for node in nodes if id(node) not in docstrings]


# Words that we do not use → those we do: American spelling, and the standard word of the field or of Python.
OLD_WORDS = {
    "mark-ups?": "markup",
    "labour": "labor",
    "colours?": "color",
    "neighbours?": "neighbor",
    "honoured": "honored",
    "behaviours?": "behavior",
    "catalogues?": "catalog",
    "cancelled": "canceled",
    "ageing": "aging",
    "practis(?:e|es|ed|ing)": "practice",
    "sanitis(?:e|es|ed|er|ing)": "sanitize",
    "misspelt": "misspelled",
    "rungs?": "match step",
    "vouch(?:es|ed)?": "save_proof",
    "quirks?": "behaviors",
    "truths": "booleans",
    "slips?": "typo",
    "anew": "again",
    "polite": "rate-limited",
    "may stand": "is accepted",
    "stands? (?:twice|there|in|on|under)": "occurs twice, is in, is on",
    "(?:is|are|was|were|be|been) told": "is reported",
    "(?:no|some)body watches": "non-interactive",
    "who waits": "progress",
    "harms nobody": "read-only commands continue",
    "ticked": "checked",
}
OLD_WORD = re.compile(rf"(?<![\w-])(?:{'|'.join(OLD_WORDS)})(?![\w-])", re.I)
TEXTS = {".py", ".sql", ".md", ".ipynb", ".js", ".css", ".toml", ".cfg", ".yml", ".sh", ""}
# Spelled so in data: names of statuses and item types, words on invoice lines.
DATA = re.compile(r"\bCancelled\b|\bcancelled(?=[\"']|, deleted)|'labour'|\bLabour\b|Discount on labour")


def prose(path: Path) -> str:
    """The text of a file; of a notebook its cells without their outputs, which show data."""
    text = path.read_text("utf-8", errors="ignore")
    if path.suffix == ".ipynb":
        text = "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"])
    return DATA.sub("", text)


def test_no_old_word_is_used() -> None:
    texts = [path for path in tracked() if path.suffix in TEXTS and path.name != Path(__file__).name]
    words = {str(path.relative_to(ROOT)): set(OLD_WORD.findall(prose(path))) for path in texts}
    assert {name: each for name, each in words.items() if each} == {}
