"""Every generated page of the manual, as text, and its source.

Not here: how a page is made, and writing it (`__main__.py`).
"""

import json
from pathlib import Path

from auditkit.checks.rules import load_rules
from auditkit.cli.app import app
from auditkit.warehouse.schema import outline
from docs.generator import commands, month_end, python, rules, tables

__all__ = ["MONTH_END", "pages"]

MONTH_END = Path("notebooks") / "01_month_end.ipynb"


def pages(root: Path) -> dict[str, str]:
    """File name below `docs/` → Markdown. `root` is the checkout, for sources outside of the package."""
    return {
        "commands.md": commands.page(app),
        "month-end.md": month_end.page(json.loads((root / MONTH_END).read_text("utf-8"))),
        "python.md": python.page(),
        "rules.md": rules.page(load_rules()),
        "tables.md": tables.page(outline()),
    }
