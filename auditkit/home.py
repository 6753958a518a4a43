"""The home of one account: its settings, its files, its newest snapshot, and the vendors that the settings name.

Everything is opened when it is first needed. With no credentials in the settings the vendors are the embedded
sandbox, started once and ended by `close()`.

Not here: what is done with any of it (`audit.py` and the services below it).
"""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any

from pydantic import SecretStr

from auditkit.checks.acceptance import acceptances
from auditkit.checks.lifecycle import ACCEPTANCE_COLUMNS
from auditkit.checks.link_decisions import CONFIRM, FORBID, link_decisions
from auditkit.checks.map_files import read_job_map, read_markups
from auditkit.checks.run import Decisions, Parameters
from auditkit.errors import OtherAccount, SettingsError, StoreError
from auditkit.journal import Journal, canonical
from auditkit.sandbox import demo, server
from auditkit.sandbox.behaviors import Behaviors
from auditkit.settings import DEMO, VENDOR_RATE_PER_SECOND, AccountKey, Settings
from auditkit.sql import read
from auditkit.vendors.aimsio import AimsioClient
from auditkit.vendors.jobnimbus import JobNimbusClient
from auditkit.warehouse.schema import refuse_other_schema
from auditkit.warehouse.snapshots import Draft, Snapshot, Store
from auditkit.warehouse.tables import Table

__all__ = ["Home"]

DEMO_RATE_PER_SECOND = 1000


@dataclass
class Home:
    """What one account has: `settings`, its `store` and `journal`, people's decisions, and both vendors' clients."""

    settings: Settings
    vendor_rate: bool = False
    _sandbox: server.Running | None = field(default=None, repr=False)
    _snapshot: Snapshot | None = field(default=None, repr=False)
    _held: tuple[tuple[int, int], AccountKey | None] | None = field(default=None, repr=False)

    def close(self) -> None:
        """Let go of the snapshot and end the demo's sandbox."""
        self.release()
        if self._sandbox:
            self._sandbox.close()
        self._sandbox = None

    @cached_property
    def store(self) -> Store:
        """The DuckDB files."""
        return Store(self.settings.folder)

    @cached_property
    def journal(self) -> Journal:
        """What people decided and what was written. Every record passes `admit` before anything is written."""
        return Journal(self.settings.folder / "journal.jsonl", clock=self.now, gate=self.admit)

    @property
    def snapshot(self) -> Snapshot:
        """The newest snapshot as of its first use; `release()` moves on to a newer one."""
        if self._snapshot is None:
            opened = self.store.open()
            try:
                refuse_other_schema(opened)
            except StoreError:
                opened.close()
                raise
            self._snapshot = opened
        return self._snapshot

    def release(self) -> None:
        """Close the snapshot; the next question opens the newest one."""
        if self._snapshot:
            self._snapshot.close()
        self._snapshot = None

    @contextlib.contextmanager
    def vendors(self, *, offline: bool = False) -> Iterator[tuple[AimsioClient, JobNimbusClient]]:
        """Both vendors' clients; on the demo its sandbox is started first. `offline` ones have the cache alone."""
        self.store.make_folders()
        settings = self.connected()
        aimsio = AimsioClient.from_settings(settings, offline=offline)
        jobnimbus = JobNimbusClient.from_settings(settings, offline=offline)
        try:
            yield aimsio, jobnimbus
        finally:
            aimsio.close()
            jobnimbus.close()

    def connected(self) -> Settings:
        """The settings; without an account, those of the demo's sandbox, which is started once."""
        if not self.settings.is_demo:
            return self.settings
        if self._sandbox is None:
            state = self.settings.folder / "sandbox.sqlite"
            demo.prepare(state)
            behaviors = Behaviors() if self.vendor_rate else Behaviors(rate_per_second=0, parallel=0)
            self._sandbox = server.start(state, behaviors, fixed_clock=demo.CLOCK)
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
        with self.store.writer(), self.store.draft(keep_previous=keep_previous, is_new=is_new) as draft:
            held = draft.query(read("queries/last_account")) if draft.has_table("sync_run") else None
            self._refuse_other(_account_of(held) if held else None)
            self._refuse_other(self.journal.account)
            yield draft

    @property
    def is_demo(self) -> bool:
        """Whether the snapshot's figures are the sandbox's: then every page says DEMO DATA."""
        return bool(self.snapshot.query(read("queries/about")).records()[0]["environment"] == DEMO)

    def admit(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """The gate of the journal: the body of a record, with its account.

        Raises `OtherAccount` where the home is another account's, and `SettingsError` where no person is named.
        """
        self.refuse_other_account()
        if not str(body.get("who") or "").strip():
            raise SettingsError("the person who decides is not known; set AUDITKIT_IDENTITY")
        return {**body, **self.settings.account_key._asdict()}

    def refuse_other_account(self) -> None:
        """Raise `OtherAccount` where the journal or the snapshot is not of the account in the settings."""
        known = self.journal.account
        self._refuse_other(known)
        try:
            self._refuse_other(self._snapshot_account())
        except OtherAccount:
            raise
        except StoreError:
            if known is None:
                raise  # nothing else says whose home this is

    def _snapshot_account(self) -> AccountKey | None:
        """The account of the newest snapshot; None before the first sync. It is read once for each snapshot."""
        try:
            found = self.store.path.stat()
        except FileNotFoundError:
            return None
        stamp = (found.st_ino, found.st_mtime_ns)
        if self._held is None or self._held[0] != stamp:
            with self.store.open() as snapshot:
                self._held = (stamp, _account_of(snapshot.query(read("queries/last_account"))))
        return self._held[1]

    def _refuse_other(self, held: AccountKey | None) -> None:
        if held not in (None, self.settings.account_key):
            raise OtherAccount(
                f"{self.settings.folder} holds {held}, but the settings say {self.settings.account_key}; choose another"
                " AUDITKIT_HOME"
            )

    def decisions(self) -> Decisions:
        """What people decided, from the journal and job_map.csv. Raises `JournalError` or `SettingsError`."""
        pairs = link_decisions(self.journal)
        return Decisions(
            links=[(row["nrb_guid"], row["line_key"]) for row in pairs if row["decision"] == CONFIRM],
            journal=[(r.seq, r.at, r.kind, canonical(r.body), r.hash) for r in self.journal.records()],
            forbidden=[(r["nrb_guid"], r["jnid"], r["line_key"]) for r in pairs if r["decision"] == FORBID],
            acceptances=[tuple(said[name] for name in ACCEPTANCE_COLUMNS) for said in acceptances(self.journal)],
            jobs=read_job_map(self.settings.folder / "job_map.csv"),
            markups=read_markups(self.settings.folder / "markup.csv"),
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
            void_status_names=self.settings.void_status_names,
            vendor_tax=self.settings.vendor_tax,
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

    def now(self) -> datetime:
        """This instant; on the demo its last."""
        return demo.CLOCK if self.settings.is_demo else datetime.now(UTC)


def _account_of(last_run: Table) -> AccountKey | None:
    """The account of a snapshot's newest sync (`queries/last_account`), if there was one."""
    return AccountKey(*last_run.rows[0]) if last_run.rows else None
