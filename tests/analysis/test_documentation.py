"""The worked example of docs/sampling.md gives the figures that it prints."""

import re

import auditkit as ak
from tests.docs.reading import DOCS, blocks

LINES = "\n".join(blocks((DOCS / "sampling.md").read_text("utf-8"), "python")).splitlines()


def test_the_worked_example_is_right() -> None:
    names: dict[str, object] = {}
    shown = 0
    for line in LINES:
        code, _, printed = line.partition("  # ")
        exec(code, names)
        if printed:
            value = re.sub(r"^\w+ = ", "", code)
            assert str(eval(value, names)) == printed, line
            shown += 1
    assert shown > 12


def test_the_bands_of_the_page_are_those_of_the_code() -> None:
    text = (DOCS / "sampling.md").read_text("utf-8")
    printed = re.findall(r"^\| (\w[\w ]+ conformity) \| (.+) \|$", text, re.M)
    rows = {name: [float(cell) for cell in cells.split(" | ")] for name, cells in printed}
    made = {digits: ak.digits.benford([1], digits).mad_bands for digits in ("1", "2", "12", "123")}
    assert list(rows.values()) == [list(each) for each in zip(*made.values(), strict=True)]
