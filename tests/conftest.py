"""No test sees the settings of the person who runs it."""

import os

import pytest


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AUDITKIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")


# Tests that use HTTP, start processes or audit a world for every case are slow: `make check` leaves them out.
SLOW = (
    "vendors/",
    "analysis/test_changes.py",
    "analysis/test_rollforward.py",
    "analysis/test_sql_log.py",
    "browser/",
    "canaries/",
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
    "warehouse/test_snapshots.py",
    "test_audit.py",
    "test_cli_corrections.py",
    "test_end_to_end.py",
    "test_sync",
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "campaign" not in config.option.markexpr:
        items[:] = [item for item in items if not item.get_closest_marker("campaign")]
    for item in items:
        if item.nodeid.removeprefix("tests/").startswith(SLOW):
            item.add_marker("slow")
