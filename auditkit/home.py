"""The home of one account: its settings, the files below its folder, and the vendors that they point at.

Everything is opened when it is needed. With no credentials in the settings the vendors are the embedded sandbox,
started once and ended by `close()`.

Not here: what is done with any of it, which is `audit.py`'s to hand on.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Literal

from pydantic import SecretStr

from auditkit.apis.aimsio import AimsioClient
from auditkit.apis.jobnimbus import JobNimbusClient
from auditkit.checks import views
from auditkit.checks.acceptance import acceptances
from auditkit.checks.lifecycle import ACCEPTANCE_COLUMNS
from auditkit.checks.run import Decisions, Parameters, read_job_map
from auditkit.config import DEMO, VENDOR_RATE_PER_SECOND, Settings
from auditkit.corrections.approvers import APPROVERS_FILE, Approver, read_approvers
from auditkit.corrections.identity import Identities, Identity, folded
from auditkit.errors import OtherAccount, SettingsError
from auditkit.journal import Journal, canonical, links
from auditkit.sandbox import demo, server
from auditkit.sandbox.quirks import Quirks
from auditkit.store.snapshots import Draft, Store
from auditkit.store.tables import Table

__all__ = ["DEMO_PEOPLE", "Home"]

DEMO_RATE_PER_SECOND = 1000
DEMO_PEOPLE = {"prepare": "demo-preparer", "approve": "demo-approver"}
_DEMO_ENTRY = """[[approver]]
name = "{}"
public_key = "{}"
max_objects = 1000
max_money = "1000000.00"
may_override = true
demo = true
"""


@dataclass
class Home:
    """What one account has: `settings`, its `store` and `journal`, people's decisions, and both vendors' clients."""

    settings: Settings
    vendor_rate: bool = False
    _sandbox: server.Running | None = field(default=None, repr=False)

    def close(self) -> None:
        """End the demo's sandbox."""
        if self._sandbox:
            self._sandbox.close()
        self._sandbox = None

    @property
    def store(self) -> Store:
        """The DuckDB files."""
        return Store(self.settings.folder)

    @property
    def journal(self) -> Journal:
        """What people decided and what was written."""
        return Journal(self.settings.folder / "journal.jsonl")

    @contextlib.contextmanager
    def vendors(self, *, offline: bool = False) -> Iterator[tuple[AimsioClient, JobNimbusClient]]:
        """Both vendors' clients; on the demo its sandbox is started first. `offline` ones have the cache alone."""
        self.store.make_folders()
        settings = self.pointed()
        aimsio = AimsioClient.from_settings(settings, offline=offline)
        jobnimbus = JobNimbusClient.from_settings(settings, offline=offline)
        try:
            yield aimsio, jobnimbus
        finally:
            aimsio.close()
            jobnimbus.close()

    def pointed(self) -> Settings:
        """The settings, pointed at the demo's sandbox when there is no account; the sandbox is started once."""
        if not self.settings.is_demo:
            return self.settings
        if self._sandbox is None:
            state = self.settings.folder / "sandbox.sqlite"
            demo.prepare(state)
            quirks = Quirks() if self.vendor_rate else Quirks(rate_per_second=0, parallel=0)
            self._sandbox = server.start(state, quirks, fixed_clock=demo.CLOCK)
        address, chosen = self._sandbox.address, self.settings.model_fields_set
        pace = VENDOR_RATE_PER_SECOND if self.vendor_rate else DEMO_RATE_PER_SECOND
        return self.settings.at_sandbox(
            aimsio_url=address.aimsio_url,
            aimsio_username=SecretStr(address.credentials.username),
            aimsio_password=SecretStr(address.credentials.password),
            jobnimbus_url=address.jobnimbus_url,
            jobnimbus_token=SecretStr(address.credentials.token),
            rate_per_second=self.settings.rate_per_second if "rate_per_second" in chosen else pace,
        )

    @contextlib.contextmanager
    def draft(self, *, keep_previous: bool, is_new: bool = False) -> Iterator[Draft]:
        """As `Store.draft`, by the one writer; refused where the home holds another account."""
        store = self.store
        with store.writer(), store.draft(keep_previous=keep_previous, is_new=is_new) as draft:
            if draft.has_table("sync_run"):
                self.refuse_other_account(draft.query(views.LAST_RUN))
            yield draft

    def refuse_other_account(self, last_run: Table) -> None:
        """Raise `OtherAccount` if the newest sync (`views.LAST_RUN`) was not of the account in the settings."""
        for environment, account in last_run.rows:
            if (environment, account) != (self.settings.environment, self.settings.account):
                raise OtherAccount(
                    f"{self.settings.folder} holds {account} at {environment}, but the settings say"
                    f" {self.settings.account} at {self.settings.environment}; choose another AUDITKIT_HOME"
                )

    def decisions(self) -> Decisions:
        """What people decided, from the journal and job_map.csv. Raises `JournalError` or `SettingsError`."""
        journal = self.journal
        standing = links(journal)
        return Decisions(
            links=[(row["nrb_guid"], row["line_key"]) for row in standing if row["kind"] == "link"],
            journal=[(r.seq, r.at, r.kind, canonical(r.body), r.hash) for r in journal.records()],
            forbidden=[(r["nrb_guid"], r["jnid"], r["line_key"]) for r in standing if r["kind"] == "forbid"],
            acceptances=[tuple(said[name] for name in ACCEPTANCE_COLUMNS) for said in acceptances(journal)],
            jobs=read_job_map(self.settings.folder / "job_map.csv"),
        )

    def parameters(self) -> Parameters:
        """What an audit is run with, beside the data."""
        return Parameters(
            as_of=self.settings.as_of or self.today,
            time_zone=self.settings.zone.key,
            environment=self.settings.environment,
            account=self.settings.account,
            tolerance=self.settings.tolerance,
            draft_status_names=self.settings.draft_status_names,
            labor_in_amount=self.settings.labor_in_amount,
            surge=self.settings.surge,
            thresholds=self.settings.rules,
            own_rules=self.settings.folder / "rules",
        )

    @property
    def today(self) -> date:
        """The calendar day in the account's time zone; on the demo its last day."""
        return self.now().astimezone(self.settings.zone).date()

    @property
    def identity(self) -> str:
        """Who decides: the setting; empty where none is set."""
        return self.settings.identity or (DEMO if self.settings.is_demo else "")

    def approvers(self) -> tuple[Approver, ...]:
        """Who may sign plans, as approvers.toml lists them; `SettingsError` for a file that is missing or malformed."""
        if self.settings.is_demo:
            self._make_demo_people()
        return read_approvers(self.settings.folder / APPROVERS_FILE)

    def signer_name(self, role: Literal["prepare", "approve"]) -> str:
        """Who signs in a role: the identity of the settings; on the demo one of its two. `SettingsError` for nobody."""
        if self.settings.is_demo:
            return DEMO_PEOPLE[role]
        if not self.settings.identity:
            raise SettingsError("who prepares and approves is not known; set AUDITKIT_IDENTITY to a name with a key")
        return self.settings.identity

    def public_key(self, role: Literal["prepare", "approve"]) -> str:
        """The public key of who signs in a role; `SettingsError` for nobody, and for one who has no key."""
        if self.settings.is_demo:
            self._make_demo_people()
        return self._identities.public_key(self.signer_name(role))

    def lacking(self) -> list[str]:
        """What who prepares lacks before a plan can be approved, in words; `SettingsError` for nobody."""
        if self.settings.is_demo:
            return []
        name, path = self.signer_name("prepare"), self.settings.folder / APPROVERS_FILE
        if folded(name) not in self._identities.names():
            return [f"{name} has no key; before a plan can be saved and approved: auditkit identity new {name}"]
        key = self.public_key("prepare")
        listed = read_approvers(path) if path.exists() else ()
        if any((folded(each.name), each.public_key) == (folded(name), key) for each in listed):
            return []
        return [f"{name} is not listed with this key; before a plan can be approved: list {name} in {path}"]

    def signer(self, role: Literal["prepare", "approve"], passphrase: SecretStr | str | None = None) -> Identity:
        """The key of who signs in a role. `passphrase` opens it; without one, that of the settings."""
        if self.settings.is_demo:
            self._make_demo_people()
        given = SecretStr(passphrase) if isinstance(passphrase, str) else passphrase
        return self._identities.open(self.signer_name(role), given or self.settings.passphrase)

    @property
    def _identities(self) -> Identities:
        return Identities(self.settings.folder / "identities", protected=not self.settings.is_demo)

    def _make_demo_people(self) -> None:
        """Two identities without a passphrase, so that one person can try the walk; valid on the demo alone."""
        names = self._identities.names()
        for name in DEMO_PEOPLE.values():
            if name not in names:
                self._identities.new(name, None)
        path = self.settings.folder / APPROVERS_FILE
        if not path.exists():
            entries = (_DEMO_ENTRY.format(name, self._identities.public_key(name)) for name in DEMO_PEOPLE.values())
            path.touch(0o600)
            path.write_text("\n".join(entries), "utf-8")

    def now(self) -> datetime:
        """This instant; on the demo its last."""
        return demo.CLOCK if self.settings.is_demo else datetime.now(UTC)
