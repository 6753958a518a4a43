"""Where an approval counts: in one home, on one machine, in one folder.

A home may be copied after an approval, and both copies applied at once. So an approval names where it was given, and
counts there alone; anywhere else a person approves again.

Not here: who approves (approval).
"""

import hashlib
import socket
import uuid
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Self

from auditkit.journal import Journal

__all__ = ["Location"]

_DIGITS = 12
_MADE_UP = 1 << 40  # in what `uuid.getnode` invents where it finds no card
_MACHINE_IDS = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))
_PARTS = {"home": "in another home", "machine": "on another machine", "folder": "in another folder"}


@dataclass(frozen=True)
class Location:
    """Three digests: of the first record of the home's journal, of the machine's id and name, and of the folder."""

    home: str
    machine: str
    folder: str

    @classmethod
    def of(cls, journal: Journal) -> Self:
        """Where a journal is now."""
        first = journal.records()[:1]
        home = first[0].hash[:_DIGITS] if first else ""
        return cls(home, _digest(_machine()), _digest(str(journal.path.parent.resolve())))

    @property
    def text(self) -> str:
        """As a signature holds it."""
        return " ".join(astuple(self))

    def difference(self, text: str | None) -> str:
        """Where another location is, in words: `on another machine`; empty where it is this one."""
        parts = (text or "").split(" ")
        if len(parts) != len(_PARTS):
            return "at an unknown place"
        others = zip(_PARTS.values(), astuple(self), parts, strict=True)
        return ", ".join(words for words, here, there in others if here != there)


def _machine() -> str:
    """The machine's id and name, because containers of one image share the id; else its network card's number."""
    for path in _MACHINE_IDS:
        try:
            return f"{path.read_text('ascii').strip()} {socket.gethostname()}"
        except (OSError, ValueError):
            continue
    card = uuid.getnode()
    return socket.gethostname() if card & _MADE_UP else str(card)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]
