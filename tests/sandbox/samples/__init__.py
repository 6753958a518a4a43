"""The samples of both vendors' API pages, letter for letter: requests to send, and answers to compare with."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

__all__ = ["body", "text"]


def text(name: str) -> bytes:
    """One sample as it is on the page."""
    return (Path(__file__).parent / f"{name}.json").read_bytes()


def body(name: str) -> dict[str, Any]:
    """One sample as a value; numbers keep their digits."""
    return json.loads(text(name), parse_float=Decimal)
