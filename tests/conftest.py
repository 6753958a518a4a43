"""No test sees the settings of the person who runs it."""

import os
import re

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AUDITKIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")


# Tests that use HTTP, start processes or audit a world for every case are slow: `make check` leaves them out.
SLOW = (
    "vendors/",
    "analysis/test_changes.py",
    "analysis/test_duplicates.py",
    "analysis/test_explain.py",
    "analysis/test_rollforward.py",
    "analysis/test_sql_log.py",
    "browser/",
    "canaries/",
    "checks/rules/",
    "checks/test_false_alarms.py",
    "checks/test_lifecycle.py",
    "checks/test_linking.py",
    "checks/test_matching.py",
    "checks/test_mutations.py",
    "checks/test_run.py",
    "checks/test_link_decisions.py",
    "checks/test_selftest.py",
    "checks/test_situations.py",
    "checks/test_statement.py",
    "cli/",
    "corrections/",
    "crash/",
    "drift/",
    "faults/",
    "hostile/",
    "notebooks/",
    "protocol/",
    "papers/",
    "sandbox/",
    "warehouse/test_clients.py",
    "warehouse/test_days.py",
    "warehouse/test_reading_notices.py",
    "warehouse/test_snapshots.py",
    "warehouse/test_typing.py",
    "test_audit.py",
    "test_cli_corrections.py",
    "test_end_to_end.py",
    "test_file_modes.py",
    "test_journal_gate.py",
    "test_sync",
)


_MUTANTS_OF_A_RULE = re.compile(r"tests/checks/test_mutations\.py::.*\[(.*)\]")


class ByAccount(LoadFileScheduling):
    """One worker runs one file, and after the file of a rule its mutants: they need the same accounts."""

    def _split_scope(self, nodeid: str) -> str:
        rule = _MUTANTS_OF_A_RULE.fullmatch(nodeid)
        return f"tests/checks/rules/test_{rule[1].replace('-', '_')}.py" if rule else super()._split_scope(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByAccount | None:
    return ByAccount(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "campaign" not in config.option.markexpr:
        items[:] = [item for item in items if not item.get_closest_marker("campaign")]
    for item in items:
        if item.nodeid.removeprefix("tests/").startswith(SLOW):
            item.add_marker("slow")
