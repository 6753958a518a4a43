"""The page of rules, from the headers of their files.

Not here: what a rule finds and why (its header).
"""

from collections.abc import Iterable, Iterator

from auditkit.checks.rules import REQUIRED_COLUMNS, SEVERITIES, Rule
from docs.generator.markdown import made_from

__all__ = ["page"]

_START = f"""\
# The rules

Each rule is one SQL file under `auditkit/sql/rules/`, and each row that it returns is an exception. Your own files in
`data/rules/` work in the same way. Set a threshold in `auditkit.toml`:

```toml
[rules.nrb-unbilled]
min_amount = 5.00
```

`$as_of` (the as-of date), `$tolerance` (money that may differ) and `$labor_in_amount` are settings of the whole audit.
A *leaf* is an NRB without children; an *issued* invoice is one that is neither void nor a draft.

{made_from("the headers of the files")}

| rule | priority | finds |
|---|---|---|
"""
_SUBJECTS = {"nrb": "NRB", "invoice_item": "invoice line", "any": "record"}


def page(rules: Iterable[Rule]) -> str:
    """Markdown: a table of all rules, high priority first, then a section for each, by id."""
    every = sorted(rules, key=lambda rule: rule.name)
    ranked = sorted(every, key=lambda rule: SEVERITIES.index(rule.severity))
    table = "".join(f"| [{rule.name}](#{rule.name}) | {rule.severity} | {_cell(rule.title)} |\n" for rule in ranked)
    return _START + table + "".join("\n" + "\n".join(_section(rule)) + "\n" for rule in every)


def _section(rule: Rule) -> Iterator[str]:
    yield f"## {rule.name}"
    yield ""
    subject = _SUBJECTS.get(rule.subject, rule.subject)
    yield f"**{rule.title}.** {rule.severity.capitalize()}; about {rule.assertion}; one finding for each {subject}."
    yield ""
    yield f"{rule.why} *{rule.remedy}*"
    if rule.note:
        yield ""
        yield rule.note
    if rule.parameters:
        yield ""
        yield "| parameter | type | default |"
        yield "|---|---|---|"
        for parameter in rule.parameters:
            yield f"| `{parameter.name}` | {parameter.type} | {parameter.default} |"
    evidence = [name for name, _ in rule.columns if name not in REQUIRED_COLUMNS]
    if evidence:
        yield ""
        yield f"Evidence: {', '.join(f'`{name}`' for name in evidence)}."
    if rule.key:
        yield ""
        yield f"An acceptance ends when {' or '.join(f'`{name}`' for name in rule.key)} changes."


def _cell(text: str) -> str:
    return text.replace("|", r"\|")
