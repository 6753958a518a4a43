"""One person's signature of one plan.

Not here: whose key it is and what it may allow (approvers, approval).
"""

from dataclasses import asdict, dataclass, fields
from typing import Literal, Self

from auditkit.corrections.identity import is_signed
from auditkit.errors import ApprovalRefused
from auditkit.journal import canonical

__all__ = ["Signature"]

_OPTIONAL = frozenset({"location", "override"})
_PURPOSE = "auditkit: signature of a correction plan, version 1"


@dataclass(frozen=True)
class Signature:
    """One person's signature of one plan. `at` is UTC as text.

    `override` is the reason, where limits are to be lifted; `location` is where an approval counts (`Location.text`).
    """

    role: Literal["prepare", "approve"]
    name: str
    public_key: str
    digest: str
    at: str
    override: str | None = None
    location: str | None = None
    signature: str = ""

    @classmethod
    def of(cls, value: object) -> Self:
        """The signature in a record or file: a mapping with each field as text. `ApprovalRefused` for all else."""
        names = {field.name for field in fields(cls)}
        if not isinstance(value, dict) or value.keys() != names:
            raise ApprovalRefused(f"not a signature: it has other fields than {', '.join(sorted(names))}; sign again")
        if not all(isinstance(text, str) or (text is None and name in _OPTIONAL) for name, text in value.items()):
            raise ApprovalRefused("not a signature: each of its fields is a text; sign again")
        return cls(**value)

    @property
    def text(self) -> str:
        """What is signed: every other field, and the purpose, so that the signature is valid for nothing else."""
        signed = {name: value for name, value in asdict(self).items() if name != "signature"}
        return canonical({**signed, "purpose": _PURPOSE})

    @property
    def is_genuine(self) -> bool:
        """Whether it was made with its own key; whose key that is, approvers.toml says."""
        return is_signed(self.public_key, self.text, self.signature)
