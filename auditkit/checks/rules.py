"""Read rule files and steps, check their headers and their SQL, and make the text that is run.

A rule is a file: a header of `-- key: value` lines and one SELECT. A step (linking, reconciliation) is the same with
`-- out:` alone. The file stays plain SQL; what is executed casts its columns to the declared types and puts the
parameters in as typed literals, so that it can be kept as evidence and run again without us.

A file of the user is parsed and held against the subset of SQL that rules may use (`portable.py`). The shipped files
were: the tests do that, because it would take longer than a small audit.

Not here: running them (`run.py`).
"""

import functools
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Any

from sqlglot import TokenType, exp

from auditkit.checks import portable
from auditkit.checks.link_thresholds import SQL_PARAMETERS
from auditkit.errors import RuleError
from auditkit.values import did_you_mean
from auditkit.warehouse.snapshots import Snapshot

__all__ = [
    "GLOBAL_PARAMETERS",
    "Parameter",
    "Rule",
    "Step",
    "load_rules",
    "load_steps",
    "read_rule",
    "read_step",
    "refuse_unknown_rule",
]

GLOBAL_PARAMETERS = {"as_of": "date", "labor_in_amount": "text", "tolerance": "money", "vendor_tax": "text"}
STEP_PARAMETERS = frozenset({*SQL_PARAMETERS, "by_mark", "grace_days"})
ASSERTIONS = ("existence", "completeness", "accuracy", "cutoff", "classification", "valuation")
SEVERITIES = ("high", "medium", "low")
_NO_KEYS = ("subject_id", "amount_at_risk")  # the one is its identity; of the other, growth counts
REQUIRED_COLUMNS = {"subject_id": "text", "job_number": "text", "amount_at_risk": "money", "reason": "text"}
_KEYS = ("id", "title", "assertion", "severity", "subject", "param", "out", "key", "why", "remedy", "note")
_OPTIONAL = ("param", "key", "note")
_HEADER = re.compile(r"--\s*([a-z_]+):\s*(.*)")
_PARAMETER = re.compile(r"([a-z][a-z0-9_]*)\s+([a-z]+)\s*=\s*(.+)")

Value = str | int | Decimal | date | bool


@dataclass(frozen=True)
class Parameter:
    """A threshold of a rule: its declared type (see `portable.TYPES`) and default."""

    name: str
    type: str
    default: Value


@dataclass(frozen=True)
class Step:
    """One SELECT with declared output: `columns` are (name, type) in order, `text` is the file as it is."""

    name: str
    path: str
    text: str
    columns: tuple[tuple[str, str], ...]

    @property
    def digest(self) -> str:
        """SHA-256 of the file."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def sql_columns(self) -> tuple[tuple[str, str], ...]:
        """(name, SQL type) of the declared output."""
        return tuple((name, portable.TYPES[kind]) for name, kind in self.columns)

    def executed(self, values: Mapping[str, Value]) -> str:
        """The statement that is run: parameters as typed literals, columns cast to their declared types."""
        columns = ",\n    ".join(f"cast({name} as {kind}) as {name}" for name, kind in self.sql_columns)
        pieces = _pieces(self.text)
        body = "".join(_literal(values[piece]) if place % 2 else piece for place, piece in enumerate(pieces))
        return f"select\n    {columns}\nfrom (\n{body}\n) as result"


@dataclass(frozen=True)
class Rule(Step):
    """A step that returns what is wrong, one row per subject, with the words of its header.

    `key` are the columns that an acceptance rests on: when one changes (of an amount, its sign), the finding is open
    again.
    """

    title: str
    assertion: str
    severity: str
    subject: str
    why: str
    remedy: str
    note: str
    key: tuple[str, ...]
    parameters: tuple[Parameter, ...]

    def values(self, common: Mapping[str, Value], thresholds: Mapping[str, Any]) -> dict[str, Value]:
        """Every parameter's value: the global ones, the defaults, then the thresholds from the settings."""
        declared = {parameter.name: parameter for parameter in self.parameters}
        for name in thresholds:
            if name not in declared:
                known = ", ".join(declared) or "none"
                raise RuleError(f"auditkit.toml: rule {self.name} has no parameter {name!r} (it has: {known})")
        chosen = {
            name: _typed(parameter.type, str(thresholds[name]), f"auditkit.toml: rule {self.name}, {name}")
            if name in thresholds
            else parameter.default
            for name, parameter in declared.items()
        }
        return {**common, **chosen}


def read_step(name: str, text: str, path: str) -> Step:
    """A step from its text. Raises `RuleError` with file and line."""
    step = _step(name, text, path)
    _check_select(step, {*GLOBAL_PARAMETERS, *STEP_PARAMETERS})
    return step


@functools.cache
def read_rule(name: str, text: str, path: str) -> Rule:
    """A rule from its text; `name` is the file's name without ending. Raises `RuleError` with file and line."""
    rule = _rule(name, text, path)
    own = {parameter.name for parameter in rule.parameters}
    _check_select(rule, {*GLOBAL_PARAMETERS, *own})
    unused = own - set(_pieces(text)[1::2])
    _expect(not unused, path, 1, f"parameter {', '.join(sorted(unused))} is declared, but not used")
    return rule


@functools.cache
def _step(name: str, text: str, path: str) -> Step:
    return Step(name, path, text, _columns(*_header(text, path, ("out",))["out"][0], path))


@functools.cache
def _rule(name: str, text: str, path: str) -> Rule:
    header = _header(text, path, _KEYS)
    for key in _KEYS:
        if key not in header and key not in _OPTIONAL:
            raise RuleError(f"{path}:1: the header has no '-- {key}:' line")
    single = {key: entries[0][1] for key, entries in header.items() if key != "param"}
    _expect(single["id"] == name, path, header["id"][0][0], f"id is {single['id']!r}, but the file is {name}.sql")
    for key, allowed in (("assertion", ASSERTIONS), ("severity", SEVERITIES)):
        _expect(single[key] in allowed, path, header[key][0][0], f"{key} must be one of {', '.join(allowed)}")
    columns = _columns(*header["out"][0], path)
    for column, kind in REQUIRED_COLUMNS.items():
        _expect((column, kind) in columns, path, header["out"][0][0], f"out must declare '{column} {kind}'")
    evidence = tuple(name.strip() for name in single.get("key", "").split(",") if name.strip())
    unknown = [name for name in evidence if name not in dict(columns) or name in _NO_KEYS]
    _expect(not unknown, path, 1, f"key names {', '.join(unknown)}, which is no column of evidence that out declares")
    parameters = tuple(_parameter(line, value, path) for line, value in header.get("param", []))
    names = [parameter.name for parameter in parameters]
    _expect(len(names) == len(set(names)), path, 1, "a parameter is declared twice")
    words = {key: single[key] for key in ("title", "assertion", "severity", "subject", "why", "remedy")}
    return Rule(name, path, text, columns, note=single.get("note", ""), key=evidence, parameters=parameters, **words)


def load_steps(folder: str) -> list[Step]:
    """The steps of one folder of `auditkit/sql`, ordered by file name; a step's name drops the leading number."""
    files = resources.files("auditkit").joinpath("sql", folder).iterdir()
    paths = sorted((file for file in files if file.name.endswith(".sql")), key=lambda file: file.name)
    return [
        _step(re.sub(r"^\d+_", "", file.name)[:-4], file.read_text("utf-8"), f"{folder}/{file.name}") for file in paths
    ]


def load_rules(own_folder: Path | None = None) -> list[Rule]:
    """The shipped rules and the user's own (`*.sql` in `own_folder`), equals, sorted by id. Raises `RuleError`."""
    rules = {}
    shipped = resources.files("auditkit").joinpath("sql", "rules")
    for file in [*shipped.iterdir(), *sorted(own_folder.glob("*.sql") if own_folder else ())]:
        name = file.name.removesuffix(".sql")
        is_own = isinstance(file, Path) and file.parent == own_folder
        path = str(file) if is_own else f"rules/{file.name}"
        if not file.name.endswith(".sql"):
            continue
        if name in rules:
            raise RuleError(f"{path}:1: rule {name} is there already; give yours another id")
        try:
            text = file.read_text("utf-8")
        except (UnicodeDecodeError, OSError) as error:
            raise RuleError(f"{path}:1: cannot be read as UTF-8 text ({error})") from None
        rules[name] = read_rule(name, text, path) if is_own else _rule(name, text, path)
    return [rules[name] for name in sorted(rules)]


def refuse_unknown_rule(
    snapshot: Snapshot, name: str, what: str = "rule", also_known: Sequence[str] | None = None
) -> None:
    """Raise `RuleError` for a rule that the snapshot's audit did not run; `also_known` are the names to suggest."""
    known = snapshot.query("select rule_id from rule order by rule_id").column()
    if name not in known:
        raise RuleError(f"no {what} is called {name!r}; {did_you_mean(name, also_known or known, most=100)}")


def _header(text: str, path: str, known: tuple[str, ...]) -> dict[str, list[tuple[int, str]]]:
    """key → [(line, value)], from the comment lines before the SQL; an indented line continues the one above."""
    entries: dict[str, list[tuple[int, str]]] = {}
    last = None
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.startswith("--"):
            if line.strip():
                break
            continue
        if line.startswith("--   ") and last:
            start, value = entries[last][-1]
            entries[last][-1] = (start, f"{value} {line[5:].strip()}")
            continue
        match = _HEADER.fullmatch(line.rstrip())
        if not match or (match[1] not in known and known == ("out",)):
            last = None
            _expect(known == ("out",), path, number, "expected '-- key: value'")
            continue
        key = match[1]
        _expect(key in known, path, number, f"unknown key {key!r}; known are {', '.join(known)}")
        _expect(key not in entries or key == "param", path, number, f"key {key!r} occurs twice")
        _expect(bool(match[2].strip()), path, number, f"key {key!r} is empty")
        entries.setdefault(key, []).append((number, match[2].strip()))
        last = key
    _expect("out" in entries, path, 1, "the header has no '-- out:' line")
    return entries


def _columns(line: int, value: str, path: str) -> tuple[tuple[str, str], ...]:
    columns = []
    for part in value.split(","):
        words = part.split()
        _expect(
            len(words) == 2 and words[1] in portable.TYPES,
            path,
            line,
            f"out: expected 'name type', found {part.strip()!r}",
        )
        columns.append((words[0], words[1]))
    _expect(len({name for name, _ in columns}) == len(columns), path, line, "out: a column is declared twice")
    return tuple(columns)


def _parameter(line: int, value: str, path: str) -> Parameter:
    match = _PARAMETER.fullmatch(value)
    if not match or match[2] not in portable.TYPES:
        raise RuleError(f"{path}:{line}: expected '-- param: name type = default', found {value!r}")
    return Parameter(match[1], match[2], _typed(match[2], match[3].strip(), f"{path}:{line}: {match[1]}"))


def _check_select(step: Step, parameters: set[str]) -> None:
    """Raise `RuleError` for a select that is not portable, or that does not fit its header."""
    text, path, columns = step.text, step.path, step.columns
    try:
        tree = portable.parse(text)
    except ValueError as error:
        raise RuleError(f"{path}:{error}") from None
    for line, reason in portable.refusals(tree, text):
        raise RuleError(f"{path}:{line}: {reason}")
    for node in tree.find_all(exp.Parameter, exp.Placeholder):
        name = str(node.name or node.this.name)
        _expect(name in parameters, path, 1, f"parameter ${name} is used, but not declared")
        _expect(name in _pieces(text)[1::2], path, 1, f"write ${name} where the parameter is used")
    selected = tree.named_selects
    missing = [name for name, _ in columns if name not in selected] if "*" not in selected else []
    _expect(not missing, path, 1, f"out declares {', '.join(missing)}, which the select does not give")
    undeclared = [name for name in selected if name not in dict(columns) and name != "*"]
    _expect(not undeclared, path, 1, f"the select gives {', '.join(undeclared)}, which out does not declare")


def _expect(holds: bool, path: str, line: int, otherwise: str) -> None:
    if not holds:
        raise RuleError(f"{path}:{line}: {otherwise}")


def _typed(kind: str, text: str, where: str) -> Value:
    try:
        if kind in ("money", "qty", "decimal"):
            value = Decimal(text)
            if not value.is_finite():
                raise InvalidOperation
            return value
        if kind == "int":
            return int(text)
        if kind == "date":
            return date.fromisoformat(text)
    except (ValueError, InvalidOperation):
        raise RuleError(f"{where}: expected {kind}, found {text!r}") from None
    if kind == "flag" and text.lower() not in ("true", "false"):
        raise RuleError(f"{where}: expected true or false, found {text!r}")
    return text.lower() == "true" if kind == "flag" else text


def _literal(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if value >= 0 else f"({value})"
    if isinstance(value, date):
        return f"cast('{value.isoformat()}' as date)"
    if isinstance(value, Decimal):
        return f"cast('{value:f}' as decimal(24, 6))"
    return "'" + value.replace("'", "''") + "'"


@functools.cache
def _pieces(text: str) -> tuple[str, ...]:
    """The select without its header, cut at its parameters: SQL, then a parameter's name, then SQL, and so on."""
    tokens = [token for token in portable.tokens(text) if token.token_type is not TokenType.SEMICOLON]
    pieces: list[str] = []
    start = tokens[0].start
    for sign, name in pairwise(tokens):
        if sign.token_type is TokenType.PARAMETER and sign.text == "$":
            pieces += [text[start : sign.start], name.text]
            start = name.end + 1
    return (*pieces, text[start : tokens[-1].end + 1])
