"""Runs outcomes one after the other, searches everything they left behind, and sums it up in one line."""

import contextlib
import dataclasses
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.canaries.outcomes import VENDOR, Outcome
from tests.canaries.scanner import Scan
from tests.canaries.stage import Stage, shorten_waits
from tests.canaries.vendor import CARRIERS, Account, running_account

ENTERING = (*CARRIERS, "URL userinfo")
LEAVING = ("log", "traceback", "repr", "pickle", "notebook", "cache file", "snapshot, journal, plan and report")
CELL = """
import auditkit as ak
from auditkit.vendors import transport
transport.ATTEMPTS, transport._LONGEST_WAIT_SECONDS = 2, 0.001
%xmode Verbose
"""
SHOWN = """
audit = ak.open()
display(audit, audit.settings, vars(audit.settings), audit.settings.model_dump())
audit.settings
"""
SYNC = """
with audit.sources() as sources:
    display(*sources, *map(vars, sources), *(vars(source.client) for source in sources))
display(audit.sync())
"""


@dataclasses.dataclass
class Campaign:
    """What was run so far. A cell is a carrier in an outcome that did carry something."""

    scan: Scan = dataclasses.field(default_factory=Scan)
    outcomes: set[str] = dataclasses.field(default_factory=set)
    cells: set[tuple[str, str]] = dataclasses.field(default_factory=set)
    hits: dict[str, dict[str, set[str]]] = dataclasses.field(default_factory=dict)
    open_to_others: dict[str, list[str]] = dataclasses.field(default_factory=dict)

    def judge(self, outcome: str, stage: Stage) -> None:
        """Search everything that an outcome left behind."""
        self.outcomes.add(outcome)
        self.scan.found.clear()
        for carrier, texts in stage.carried.items():
            self.cells.add((carrier, outcome))
            for text in texts:
                self.scan.data(f"{outcome}: {carrier}", text)
        self.cells |= {(carrier, outcome) for carrier in stage.vendor.carried}
        self.cells |= {("cache file", outcome)} if list(stage.home.glob("cache/*.sqlite")) else set()
        self.cells |= {(LEAVING[-1], outcome)} if list(stage.home.glob("*.*")) else set()
        self.scan.folder(stage.folder)
        if self.scan.found:
            self.hits.setdefault(outcome, {}).update({place: set(each) for place, each in self.scan.found.items()})
        if found := open_to_others(stage.home):
            self.open_to_others[outcome] = found

    def assert_clean(self) -> None:
        assert (self.hits, self.open_to_others) == ({}, {})

    def summary(self) -> str:
        carriers = {carrier for carrier, _ in self.cells}
        found = sum(len(places) for places in self.hits.values())
        return (
            f"canaries: {len(carriers)} carriers × {len(self.outcomes)} outcomes ({len(self.cells)} cells carried"
            f" something), {self.scan.files:,} files, {self.scan.bytes:,} bytes scanned, {found} hits"
        )


def open_to_others(home: Path) -> list[str]:
    """Files whose mode is not 0600, and folders whose mode is not 0700."""
    found = [home, *home.rglob("*")] if home.is_dir() else []
    return [
        f"{path.relative_to(home.parent)} {stat.S_IMODE(path.stat().st_mode):o}"
        for path in found
        if stat.S_IMODE(path.stat().st_mode) != (0o700 if path.is_dir() else 0o600)
    ]


@contextlib.contextmanager
def any_umask() -> Iterator[None]:
    """A umask under which everybody may read and write new files."""
    before = os.umask(0o000)
    try:
        yield
    finally:
        os.umask(before)


@dataclasses.dataclass(frozen=True)
class PreparedHome:
    """A vendor, and a home that was synced with it once."""

    vendor: Account
    synced: Path

    def play(
        self, outcome: Outcome, folder: Path, campaign: Campaign, carriers: tuple[str, ...] = CARRIERS, **how: bool
    ) -> None:
        """One outcome in folders of its own."""
        with pytest.MonkeyPatch.context() as patch:
            shorten_waits(patch)
            self.vendor.begin_anew()
            self.vendor.carriers, self.vendor.fault = carriers, outcome.fault or self.vendor.fault
            stage = Stage(folder, self.vendor, patch, self.synced if self.synced.exists() else None, **how)
            stage.set(**dict(outcome.settings))
            with any_umask(), stage.watched(), stage.caught():
                outcome.act(stage)
            campaign.judge(outcome.name, stage)


@contextlib.contextmanager
def prepared_home(folder: Path, campaign: Campaign) -> Iterator[PreparedHome]:
    """The first sync is an outcome too."""
    with running_account() as vendor:
        prepared = PreparedHome(vendor, folder / "first" / "home")
        prepared.play(Outcome("the first sync", lambda stage: stage.sync()), folder / "first", campaign, is_whole=True)
        assert (prepared.synced / "audit.duckdb").exists()
        yield prepared


def show_in_a_notebook(names: list[str], vendor: Account, folder: Path, campaign: Campaign) -> None:
    """The same faults in a notebook, with IPython's verbose tracebacks."""
    with pytest.MonkeyPatch.context() as patch:
        vendor.begin_anew()
        stage = Stage(folder, vendor, patch, is_whole=True)
        cells = [CELL, *(source for _ in names for source in (SHOWN, SYNC))]
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])

        def arm(cell_index: int, **_: object) -> None:
            if cell_index:
                vendor.fault = VENDOR[names[(cell_index - 1) // 2]]

        client = NotebookClient(
            notebook,
            timeout=120,
            kernel_name="python3",
            allow_errors=True,
            extra_arguments=["--log-level=ERROR"],
            resources={"metadata": {"path": str(stage.cwd)}},
            on_cell_execute=arm,
        )
        client.execute(env=dict(os.environ))
        nbformat.write(notebook, stage.cwd / "shown.ipynb")
        for name, shown, sync in zip(names, notebook.cells[1::2], notebook.cells[2::2], strict=True):
            stage.carried = {}
            assert shown.outputs and sync.outputs
            stage.carry("notebook", *(nbformat.v4.writes(nbformat.v4.new_notebook(cells=[c])) for c in (shown, sync)))
            campaign.judge(name, stage)
        failed = [any(output.output_type == "error" for output in cell.outputs) for cell in notebook.cells[2::2]]
        assert any(failed)
