"""The few pieces of Markdown that the pages are made of. They look the same on a code host and in the site.

Not here: their content.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

__all__ = ["anchor", "fenced", "inline", "literal", "made_from", "table"]

_MEANT = re.compile(r"(`[^`]*`|(?<!\w)\*\w[^*]*\w\*(?!\w))")
_MARKS = re.compile(r"[\\`*<\[\]]|(?<!\w)_|_(?!\w)")  # within a word, _ is no mark


def made_from(source: str) -> str:
    """A comment that says where to change a page."""
    return f"<!-- Made by `make docs` from {source}: change that. -->"


def anchor(heading: str) -> str:
    """The anchor of a heading: lower case, hyphens for spaces, no punctuation but - and _."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def literal(text: str) -> str:
    """Any text as Markdown that shows it unchanged."""
    return _MARKS.sub(r"\\\g<0>", text)


def inline(text: str) -> str:
    """Our own prose as Markdown: like `literal`, but backticks and *emphasis* keep their meaning."""
    parts = _MEANT.split(text)  # every second part is Markdown
    return "".join(part if place % 2 else literal(part) for place, part in enumerate(parts))


def table(header: Sequence[str], rows: Iterable[Sequence[str]], numbers: frozenset[int] = frozenset()) -> Iterator[str]:
    """The lines of a table. The cells are Markdown; the columns at `numbers` are aligned right."""
    yield _row(header)
    yield f"|{'|'.join('--:' if place in numbers else '---' for place in range(len(header)))}|"
    for row in rows:
        yield _row(row)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def fenced(text: str, language: str) -> str:
    """A block of code."""
    return f"```{language}\n{text.rstrip()}\n```"
