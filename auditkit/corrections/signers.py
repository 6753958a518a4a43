"""The people of one account who prepare and approve plans: their names, keys, and the list of approvers.

The demo has two identities without a passphrase instead, so that one person can try both sides.

Not here: what a key or a signature is (`identity.py`, `signatures.py`), and who may approve what (`approval.py`).
"""

from dataclasses import dataclass
from typing import Literal

from pydantic import SecretStr

from auditkit.corrections.approvers import APPROVERS_FILE, Approver, read_approvers
from auditkit.corrections.identity import Identities, Identity, folded
from auditkit.errors import SettingsError
from auditkit.files import write_whole
from auditkit.settings import Settings

__all__ = ["DEMO_SIGNERS", "Signers"]

Role = Literal["prepare", "approve"]

DEMO_SIGNERS: dict[Role, str] = {"prepare": "demo-preparer", "approve": "demo-approver"}
_DEMO_ENTRY = """[[approver]]
name = "{}"
public_key = "{}"
max_objects = 1000
max_money = "1000000.00"
may_override = true
demo = true
"""


@dataclass(frozen=True)
class Signers:
    """The people who sign for one account. Raises `SettingsError` where no identity is set or it has no key."""

    settings: Settings

    def approvers(self) -> tuple[Approver, ...]:
        """Everybody listed in approvers.toml; `SettingsError` for a file that is missing or malformed."""
        if self.settings.is_demo:
            self._make_demo_signers()
        return read_approvers(self.settings.folder / APPROVERS_FILE)

    def name(self, role: Role) -> str:
        """Who signs in a role: the identity in the settings; on the demo one of its two."""
        if self.settings.is_demo:
            return DEMO_SIGNERS[role]
        if not self.settings.identity:
            raise SettingsError("the person who signs is not known; set AUDITKIT_IDENTITY to a name with a key")
        return self.settings.identity

    def public_key(self, role: Role) -> str:
        """The public key of the person who signs in a role."""
        if self.settings.is_demo:
            self._make_demo_signers()
        return self._identities.public_key(self.name(role))

    def missing_prerequisites(self) -> list[str]:
        """What the preparer still needs before a plan can be approved: a key, or a place in approvers.toml."""
        if self.settings.is_demo:
            return []
        name, path = self.name("prepare"), self.settings.folder / APPROVERS_FILE
        if folded(name) not in self._identities.names():
            return [f"{name} has no key; before a plan can be saved and approved: auditkit identity new {name}"]
        key = self.public_key("prepare")
        listed = read_approvers(path) if path.exists() else ()
        if any((folded(each.name), each.public_key) == (folded(name), key) for each in listed):
            return []
        return [f"{name} is not listed with this key; before a plan can be approved: list {name} in {path}"]

    def identity(self, role: Role, passphrase: SecretStr | str | None = None) -> Identity:
        """The key of the person who signs in a role. `passphrase` opens it; without one, that of the settings."""
        if self.settings.is_demo:
            self._make_demo_signers()
        given = SecretStr(passphrase) if isinstance(passphrase, str) else passphrase
        return self._identities.open(self.name(role), given or self.settings.passphrase)

    @property
    def _identities(self) -> Identities:
        return Identities(self.settings.folder / "identities", protected=not self.settings.is_demo)

    def _make_demo_signers(self) -> None:
        names = self._identities.names()
        for name in DEMO_SIGNERS.values():
            if name not in names:
                self._identities.new(name, None)
        path = self.settings.folder / APPROVERS_FILE
        if not path.exists():
            entries = (_DEMO_ENTRY.format(name, self._identities.public_key(name)) for name in DEMO_SIGNERS.values())
            write_whole(path, "\n".join(entries))
