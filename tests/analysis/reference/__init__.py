"""Published tables, cell by cell; each file names its source in `_source`."""

import json
from pathlib import Path
from typing import Any

__all__ = ["reference"]


def reference(name: str) -> dict[str, Any]:
    """A table by the name of its file."""
    return json.loads(Path(__file__).with_name(f"{name}.json").read_text("utf-8"))
