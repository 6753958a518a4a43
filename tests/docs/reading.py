"""What tests read in a page of Markdown: its headings, its links, its blocks of code, and the commands in them."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
_CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.M | re.S)
_LINK = re.compile(r"\]\(([^()\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.M)
_SET = re.compile(r"\w+=.*")


def blocks(text: str, language: str) -> list[str]:
    return [code for found, code in _BLOCK.findall(text) if found == language]


def links(text: str) -> list[str]:
    return _LINK.findall(_CODE.sub("", text))


def anchors(text: str) -> set[str]:
    """The anchors that a code host makes of headings outside of code."""
    headings = _HEADING.findall(re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S))
    return {re.sub(r"[^\w\- ]", "", heading.replace("\\", "").lower()).replace(" ", "-") for heading in headings}


def commands(text: str) -> Iterator[list[str]]:
    """The arguments of each `auditkit` in the blocks of shell, by itself or within a longer line."""
    # A line ends a command, unless it ends in a backslash or within quotes.
    joined = "".join(blocks(text, "sh")).replace("\\\n", " ")
    for line in re.findall(r"(?:'[^']*'|\"[^\"]*\"|#.*|[^\n'\"#])+", joined):
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.wordchars += "…$%,:+@"
        words = [*lexer, ";"]
        while words:
            end = next(place for place, word in enumerate(words) if set(word) <= set("();<>|&"))
            begun = [word for place, word in enumerate(words[:end]) if not _SET.fullmatch(word) or place]
            if begun[:1] == ["auditkit"]:
                yield begun[1:]
            words = words[end + 1 :]
