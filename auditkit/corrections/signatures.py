"""One person's word on one plan, signed.

Not here: whose key it is and what it may allow (approvers, approval).
"""

from dataclasses import asdict, dataclass, fields
from typing import Literal, Self

from auditkit.corrections.identity import is_signed
from auditkit.errors import ApprovalRefused
from auditkit.journal import canonical

__all__ = ["Signature"]

_PURPOSE = "auditkit: signature of a correction plan, version 1"


@dataclass(frozen=True)
class Signature:
    """One person's word on one plan. `at` is UTC as text; `override` the reason, where limits are to be lifted."""

    role: Literal["prepare", "approve"]
    name: str
    public_key: str
    digest: str
    at: str
    override: str | None = None
    signature: str = ""

    @classmethod
    def of(cls, value: object) -> Self:
        """The signature in a record or file: a mapping with each field as text. `ApprovalRefused` for all else."""
        names = {field.name for field in fields(cls)}
        if not isinstance(value, dict) or value.keys() != names:
            raise ApprovalRefused(f"not a signature: it has other fields than {', '.join(sorted(names))}; sign again")
        if not all(isinstance(said, str) or (said is None and name == "override") for name, said in value.items()):
            raise ApprovalRefused("not a signature: each of its fields is a text; sign again")
        return cls(**value)

    @property
    def text(self) -> str:
        """What is signed: every other field, and what the signature is for, so that it passes for nothing else."""
        said = {name: value for name, value in asdict(self).items() if name != "signature"}
        return canonical({**said, "purpose": _PURPOSE})

    @property
    def is_genuine(self) -> bool:
        """Whether it is that of its own key; whose key that is, the list tells."""
        return is_signed(self.public_key, self.text, self.signature)
