"""The page of Python, from the public names: what each takes and returns, and its docstring.

Signatures are read from the source, so that they are as written (`pd.DataFrame`, with defaults).

Not here: what a name does (its docstring).
"""

import ast
import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import is_dataclass
from functools import cached_property
from types import ModuleType
from typing import cast

import auditkit
from auditkit import errors
from auditkit.analysis.analyze import Analyze
from auditkit.analysis.ask import Ask
from auditkit.checks.link_decisions import LinkDecisions
from auditkit.corrections.service import Corrections, Effect
from auditkit.settings import PREFIX, Settings
from docs.generator.markdown import fenced, inline, made_from, table

__all__ = ["SERVICES", "page"]

_START = """\
# In Python

```python
import auditkit as ak

with ak.open() as audit:
    audit.sync()
    print(audit.statement())
```

Every answer is a pandas DataFrame whose money is `Decimal`; `frame.attrs["sql"]` is its query and
`frame.attrs["snapshot"]` its snapshot. What pandas derives from an answer (a filter, a sum …) is a plain DataFrame
without them. Everything public is on this page.
"""
_CELLS = """\
%load_ext auditkit

%%sql open_jobs
select * from job_reconciliation where variance <> 0
"""
SERVICES = {
    "audit": auditkit.Audit,
    "audit.sql": Ask,
    "audit.analyze": Analyze,
    "audit.corrections": Corrections,
    "audit.links": LinkDecisions,
}
_HEADING = re.compile(r"^ *# ── (.+?) ─+$")  # how classes group their methods
_WIDEST = 100
_HELD = {"property", "cached_property"}


def page() -> str:
    """Markdown: opening an audit, its methods by subject, plans, charts, settings and errors."""
    public = {name: getattr(auditkit, name) for name in auditkit.__all__}
    charts = [name for name, it in public.items() if inspect.isfunction(it) and it.__module__.endswith(".charts")]
    lines = [_START, made_from("the docstrings of the public names"), "", "## Opening", ""]
    lines += _function("ak.open", auditkit.open)
    for holder, cls in SERVICES.items():
        lines += _methods(holder, cls)
    lines += ["", "## Plans", "", _doc(auditkit.Plan), *_members("plan", auditkit.Plan)]
    lines += ["", "`audit.corrections.preview(plan)` returns an `Effect`. " + _doc(Effect)]
    lines += ["", "## Charts", "", "Each is a plotly figure of the DataFrame of the method it is named after."]
    for name in charts:
        lines += ["", *_function(f"ak.{name}", getattr(auditkit, name))]
    for title, module in (("Sampling", auditkit.sampling), ("Digits", auditkit.digits)):
        lines += ["", f"## {title}", "", *_module(module)]
    lines += ["", "## In a notebook", "", *_function("ak.load_ipython_extension", auditkit.load_ipython_extension)]
    lines += [
        "",
        fenced(_CELLS, "text"),
        "",
        *_function("ak.table", auditkit.table),
        "",
        *_function("ak.review", auditkit.review),
    ]
    lines += ["", "## Settings", "", *_settings()]
    lines += ["", "## Errors", "", *_errors()]
    return "\n".join(lines) + "\n"


def _module(module: ModuleType) -> Iterator[str]:
    """A public module: its purpose, its functions, and the records that they return."""
    name = f"ak.{module.__name__.rpartition('.')[2]}"
    yield _doc(module)
    public = [getattr(module, each) for each in module.__all__]
    for function in filter(inspect.isfunction, public):
        yield from ("", *_function(f"{name}.{function.__name__}", function))
    for record in filter(is_dataclass, public):
        kind = cast("type", record)
        held = ", ".join(f"`{each}`" for each in [*kind.__annotations__, *_properties(kind)])
        yield from ("", f"### {name}.{kind.__name__}", "", _doc(kind), "", f"Holds {held}.")
        yield from _calls(f"{name}.{kind.__name__}", kind)


def _calls(holder: str, cls: type) -> Iterator[str]:
    """The methods of a record; its fields are listed."""
    for node in (each for _, nodes in _divided(cls) for each in nodes):
        if not {ast.unparse(each) for each in node.decorator_list} & _HELD:
            yield from ("", *_described(f"{holder}.{node.name}", node))


def _properties(cls: type) -> Iterator[str]:
    return (each for each, held in vars(cls).items() if isinstance(held, (property, cached_property)))


def _methods(holder: str, cls: type) -> Iterator[str]:
    """The public members of a class, under the headings and in the order of its source."""
    if holder != "audit":
        yield from ("", f"## `{holder}`", "", _doc(cls))
    for heading, nodes in _divided(cls):
        if nodes and holder == "audit":
            yield from ("", f"## {heading}")
        for node in nodes:
            yield from ("", *_described(f"{holder}.{node.name}".removesuffix(".__call__"), node))


def _members(holder: str, cls: type) -> Iterator[str]:
    for _, nodes in _divided(cls):
        for node in nodes:
            of_class = any(ast.unparse(each) == "classmethod" for each in node.decorator_list)
            yield from ("", *_described(f"{f'ak.{cls.__name__}' if of_class else holder}.{node.name}", node))


def _divided(cls: type) -> Iterator[tuple[str, list[ast.FunctionDef]]]:
    """(heading, public methods below it), from the source of a class; the ones above any heading close it."""
    text = inspect.getsource(cls)
    marks = [(1, "Closing")]
    marks += [(number, found[1]) for number, line in enumerate(text.splitlines(), 1) if (found := _HEADING.match(line))]
    ends = [number for number, _ in marks[1:]] + [len(text)]
    body = next(node.body for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ClassDef))
    functions = [node for node in body if isinstance(node, ast.FunctionDef)]
    public = [node for node in functions if node.name == "__call__" or not node.name.startswith("_")]
    for (begin, heading), end in zip(marks, ends, strict=True):
        yield heading, [node for node in public if begin <= node.lineno < end]


def _function(name: str, function: Callable[..., object]) -> Iterator[str]:
    tree = ast.parse(inspect.getsource(function))
    return _described(name, next(node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)))


def _described(name: str, node: ast.FunctionDef) -> Iterator[str]:
    decorators = {ast.unparse(each) for each in node.decorator_list}
    gives = ast.unparse(node.returns) if node.returns else "None"
    is_property = bool(decorators & _HELD)
    shown = f"{name}: {gives}" if is_property else f"{_call(name, list(_parameters(node.args)))} -> {gives}"
    yield from (f"### {name}", "", fenced(shown, "python"), "", _prose(ast.get_docstring(node) or ""))


def _call(name: str, parameters: list[str]) -> str:
    """On one line if it fits, else one line for each parameter."""
    whole = f"{name}({', '.join(parameters)})"
    return whole if len(whole) <= _WIDEST else "\n".join([f"{name}(", *(f"    {each}," for each in parameters), ")"])


def _parameters(given: ast.arguments) -> Iterator[str]:
    """Each parameter as written, without the object itself."""
    missing: list[ast.expr | None] = [None] * (len(given.args) - len(given.defaults))
    for one, default in zip(given.args, missing + list(given.defaults), strict=True):
        if one.arg not in ("self", "cls"):
            yield _parameter(one, default)
    if given.vararg:
        yield f"*{ast.unparse(given.vararg)}"
    elif given.kwonlyargs:
        yield "*"
    for one, default in zip(given.kwonlyargs, given.kw_defaults, strict=True):
        yield _parameter(one, default)
    if given.kwarg:
        yield f"**{ast.unparse(given.kwarg)}"


def _parameter(one: ast.arg, default: ast.expr | None) -> str:
    return ast.unparse(one) + (f" = {ast.unparse(default)}" if default else "")


def _doc(named: object) -> str:
    return _prose(inspect.getdoc(named) or "")


def _prose(docstring: str) -> str:
    """A docstring as Markdown: a line for each paragraph and for each item of a list, without examples."""
    paragraphs = [each for each in docstring.split("\n\n") if not each.startswith(">>>")]
    return "\n\n".join("\n".join(_lines(each)) for each in paragraphs)


def _lines(paragraph: str) -> Iterator[str]:
    for number, item in enumerate(re.split(r"^- ", paragraph, flags=re.M)):
        if item.strip():
            yield ("- " if number else "") + inline(" ".join(item.split()))


def _settings() -> Iterator[str]:
    yield (
        f"`audit.settings`, made by `Settings.load()`. In the environment, each is `{PREFIX}` and its name in capitals;"
        " [connect your accounts](accounts.md) says which belong together."
    )
    yield ""
    fields = Settings.model_fields.items()
    rows = ((f"`{name}`", f"`{field.default}`", inline(field.description or "")) for name, field in fields)
    yield from table(("setting", "default", "meaning"), rows)


def _errors() -> Iterator[str]:
    yield "Each is an `AuditkitError`; its message says what happened, where, and what to do next, in one line."
    yield ""
    rows = []
    for name in errors.__all__:
        kind = getattr(errors, name)
        parents = ", ".join(f"`{parent.__name__}`" for parent in kind.__bases__)
        rows.append((f"`{name}`", parents, inline(" ".join((inspect.getdoc(kind) or "").split()))))
    yield from table(("error", "is a", "means"), rows)
