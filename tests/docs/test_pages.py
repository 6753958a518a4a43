"""The pages are right: generated ones are current, links lead somewhere, and examples can be run."""

import ast
import inspect
import re
from pathlib import Path

import duckdb
import pytest
from typer import Context
from typer.main import get_group

import auditkit as ak
from auditkit.cli.app import app
from auditkit.papers.html import html_table
from auditkit.warehouse.answer import Answer
from auditkit.warehouse.schema import Described, outline, schema
from auditkit.warehouse.tables import run_script
from docs.generator import month_end, tables
from docs.generator.markdown import anchor, inline
from docs.generator.pages import pages
from docs.generator.python import SERVICES
from tests.docs.reading import DOCS, PAGES, ROOT, anchors, blocks, commands, links

GENERATED = pages(ROOT)
PROGRAM = get_group(app)
EVERY_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)


@pytest.mark.parametrize("name", GENERATED)
def test_a_generated_page_is_current(name: str) -> None:
    assert (DOCS / name).read_text("utf-8") == GENERATED[name], "run make docs"


@EVERY_PAGE
def test_each_link_leads_somewhere(page: Path) -> None:
    astray = []
    for link in links(page.read_text("utf-8")):
        if link.startswith("https://"):
            continue
        name, _, heading = link.partition("#")
        target = page.parent / name if name else page
        if not target.is_file() or (heading and heading not in anchors(target.read_text("utf-8"))):
            astray.append(link)
    assert astray == []


@EVERY_PAGE
def test_a_page_of_the_site_links_to_no_file_beside_it(page: Path) -> None:
    if page.parent == DOCS:
        outside = [link for link in links(page.read_text("utf-8")) if link.startswith(("..", "/"))]
        assert outside == [], "the site holds docs/ alone"


def understood(arguments: list[str]) -> None:
    """Let the program parse a command line, without running it. Raises its error for a wrong one."""
    command, context = PROGRAM, None
    while hasattr(command, "list_commands"):
        context = Context(command, info_name=command.name, parent=context)
        _, arguments, _ = command.make_parser(context).parse_args(list(arguments))
        _, command, arguments = command.resolve_command(context, arguments)
    command.make_context(command.name, list(arguments), parent=context)


@EVERY_PAGE
def test_each_command_is_valid(page: Path) -> None:
    for arguments in commands(page.read_text("utf-8")):
        understood(arguments)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("auditkit sink", "No such command 'sink'"),
        ("cd x && auditkit sync --offlin | tee y", "No such option"),
        ("A=1 auditkit findings --severity awful", "'awful' is not one of"),
        ('echo "$(date)"; auditkit identity nw', "No such command 'nw'"),
        ("auditkit apply", "Missing"),
        ("auditkit --sqll findings", "No such option"),
    ],
)
def test_a_wrong_command_would_be_found(line: str, complaint: str) -> None:
    (arguments,) = commands(f"```sh\n{line}\n```\n")
    with pytest.raises(Exception, match=complaint):
        understood(arguments)


def test_every_command_of_the_program_has_its_section() -> None:
    text = (DOCS / "commands.md").read_text("utf-8")
    assert set(PROGRAM.commands) == set(re.findall(r"^## auditkit (\w+)", text, re.M))


HOLDERS = {"ak": ak, "ak.sampling": ak.sampling, "ak.digits": ak.digits, "plan": ak.Plan, **SERVICES}


def unknown_names(code: str) -> set[str]:
    """Names that an example takes from `ak`, an audit or a plan but that do not exist, and unknown arguments."""
    unknown = set()
    for node in ast.walk(ast.parse(re.sub(r"^%.*$", "", code, flags=re.M))):
        used = node.func if isinstance(node, ast.Call) else node
        if not isinstance(used, ast.Attribute) or (name := ast.unparse(used.value)) not in HOLDERS:
            continue
        holder = HOLDERS[name]
        fields = getattr(holder, "__dataclass_fields__", {})
        service = HOLDERS.get(f"{name}.{used.attr}")
        if used.attr not in fields and not hasattr(holder, used.attr) and service is None:
            unknown.add(f"{name}.{used.attr}")
        elif isinstance(node, ast.Call):
            called = service.__call__ if service else getattr(holder, used.attr)
            taken = inspect.signature(called).parameters
            open_ended = any(each.kind is each.VAR_KEYWORD for each in taken.values())
            unknown |= {k.arg for k in node.keywords if k.arg and k.arg not in taken and not open_ended}
    return unknown


@EVERY_PAGE
def test_each_python_example_uses_existing_names(page: Path) -> None:
    for code in blocks(page.read_text("utf-8"), "python"):
        if page.name == "python.md" and "->" in code:
            continue  # a signature, which is made from the source
        assert unknown_names(code.replace("…", "...")) == set()


def test_a_wrong_example_would_be_found() -> None:
    code = "audit.statment()\naudit.statement(per='job')\nak.open(demo=True).sql('')\nplan.digest\n"
    assert unknown_names(code) == {"audit.statment", "demo", "per"}


def test_every_public_name_is_on_the_page() -> None:
    text = GENERATED["python.md"]
    for holder, cls in SERVICES.items():
        methods = {name for name in dir(cls) if not name.startswith("_")}
        assert {name for name in methods if f"### {holder}.{name}\n" not in text} == set()
    assert {name for name in ak.__all__ if name not in text} == set()


def test_each_sql_example_fits_the_schema() -> None:
    texts = [page.read_text("utf-8") for page in PAGES]
    asked = [query for text in texts for query in blocks(text, "sql")]
    asked += [words[-1] for text in texts for words in commands(text) if words[0] == "sql" and " " in words[-1]]
    assert len(asked) > len(tables.GROUPS)
    with duckdb.connect(":memory:") as empty:
        run_script(empty, schema(), {})
        for query in asked:
            empty.execute(query)


def test_every_table_and_column_has_a_meaning() -> None:
    described = outline()
    assert [name for name, table in described.items() if not table.holds] == []
    assert [(name, c) for name, table in described.items() for c, _, meaning in table.columns if not meaning] == []
    assert all(f"### {name}\n" in GENERATED["tables.md"] for name in described)


def test_a_table_without_a_group_is_an_error() -> None:
    with pytest.raises(KeyError, match="newcomer"):
        tables.page({**outline(), "newcomer": Described("One row.", ())})


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("count(*) of a_b in [x]", r"count(\*) of a_b in \[x\]"),
        ("an *outcome* of `a_*<b>`", "an *outcome* of `a_*<b>`"),
        ("<b>_new_</b> \\", r"\<b>\_new\_\</b> \\"),
    ],
)
def test_text_is_shown_unchanged(text: str, markdown: str) -> None:
    assert inline(text) == markdown


def test_anchors_are_those_of_a_code_host() -> None:
    assert [anchor(each) for each in ("raw.nrb_body", "What is no longer listed")] == [
        "rawnrb_body",
        "what-is-no-longer-listed",
    ]


def test_a_notebook_as_a_page() -> None:
    rows, sql = [("a|b", 1200), ("<i>*x*</i>", 3)], "select 1 < 2\n\nas yes"
    frame = Answer(rows, ["name", "total"], snapshot="849ac7", sql=sql)
    chart = {"application/vnd.plotly.v1+json": {"layout": {"title": {"text": "1 &lt; 2"}}}}
    outputs = [
        {"output_type": "stream", "text": ["tied\n"]},
        {"output_type": "execute_result", "data": {"text/html": [html_table(frame)]}},
        {"output_type": "display_data", "data": chart},
    ]
    cells = [
        {"cell_type": "markdown", "source": ["# Title\n", "\n", "Prose."]},
        {"cell_type": "code", "source": ["frame"], "outputs": outputs},
    ]
    assert month_end.page({"cells": cells}).endswith("""
Prose.

```python
frame
```

```text
tied
```

| name | total |
|---|--:|
| a\\|b | 1,200 |
| \\<i>\\*x\\*\\</i> | 3 |

2 rows · snapshot 849ac7

<details><summary>SQL</summary>

```text
select 1 < 2

as yes
```

</details>

*Chart: 1 \\< 2*
""")
