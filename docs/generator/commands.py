"""The page of commands, from the help of each: what it does, its arguments and options, and its examples.

Not here: the help itself (`auditkit/cli/`).
"""

import re
from collections.abc import Iterator
from typing import Any

import typer
from typer.main import get_group

from docs.generator.markdown import anchor, fenced, inline, made_from, table

__all__ = ["page"]

_START = """\
# The commands

`auditkit COMMAND --help` shows the same. Each works on the account in the settings, or on the demo if there is none
([connect your accounts](accounts.md)). Tables are for people; `--json` prints the same for programs, money as text.
`auditkit --sql COMMAND` shows the SQL behind each table below it, with its values.

Exit codes: 0 looked, and nothing that was asked to fail; 1 exceptions at or above `--fail-on`, or a rule that failed
its self-test; 2 could not look, or not at everything; 3 the outcome of a write is unknown. What to do for each:
[scheduling](scheduling.md#exit-codes). An error is one line on standard error.
"""
_EXAMPLES = re.compile(r" ?(?:For example|Examples): (auditkit .+?)(?:\.(?= |$)|$)")
_NO_REWRAP = "\b"  # click keeps the lines below as they are


def page(app: typer.Typer) -> str:
    """Markdown: a table of all commands, then a section for each, in the order of `auditkit --help`."""
    group = get_group(app)
    commands = list(_commands(group, typer.Context(group, info_name="auditkit")))
    lines = [_START, made_from("the help of each command (`auditkit/cli/`)"), ""]
    rows = ((f"[{c.command_path}](#{anchor(c.command_path)})", inline(_paragraphs(c)[0])) for c in commands)
    lines += table(("command", "what it does"), rows)
    for context in commands:
        lines += _section(context)
    return "\n".join(lines) + "\n"


def _commands(group: Any, context: typer.Context) -> Iterator[typer.Context]:  # noqa: ANN401  typer names no type for it
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        inner = typer.Context(command, info_name=name, parent=context)
        if hasattr(command, "list_commands"):
            yield from _commands(command, inner)
        else:
            yield inner


def _paragraphs(context: typer.Context) -> list[str]:
    """The help, a line for each paragraph."""
    return [" ".join(each.split()) for each in (context.command.help or "").split("\n\n")]


def _section(context: typer.Context) -> Iterator[str]:
    command = context.command
    yield from ("", f"## {context.command_path}")
    examples: list[str] = []
    for paragraph in _paragraphs(context):
        for found in _EXAMPLES.findall(paragraph):
            examples += found.split("; ")
        if text := _EXAMPLES.sub("", paragraph).strip():
            yield from ("", inline(text))
    yield from ("", fenced(" ".join(command.get_usage(context).removeprefix("Usage: ").split()), "text"))
    if examples:
        yield from ("", fenced("\n".join(examples), "sh"))
    records = (param.get_help_record(context) for param in command.get_params(context) if param.name != "help")
    rows = [(f"`{names}`", inline(" ".join(text.split()))) for names, text in filter(None, records)]
    if rows:
        yield ""
        yield from table(("argument or option", "meaning"), rows)
    if command.epilog:
        yield from ("", fenced(command.epilog.removeprefix(_NO_REWRAP).strip("\n"), "text"))
