"""`make faults` tries every fault at every read and at each step of a write, and prints the totals in one line.

Without the marker `campaign` one case a row is tried: enough to check the fixtures in each run of the tests.
"""

import pytest
import requests.adapters

from auditkit.vendors import rate_limit, transport
from tests.faults.certificates import Certificates

LONGEST_PAUSE = 0.15


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if "campaign" not in config.option.markexpr:
        return
    reports = [
        report
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, [])
        if report.when == "call"
    ]
    noted = [name_and_value for report in reports for name_and_value in report.user_properties]

    def values(name: str) -> list[float]:
        return [value for noted_name, value in noted if noted_name == name] or [0]

    terminalreporter.write_line(
        f"faults: {len(reports):,} cases, {sum(report.passed for report in reports):,} passed,"
        f" {sum(values('requests')):,} requests, {sum(values('writes')):,} writes,"
        f" worst overrun of a deadline {max(values('overrun')):.2f} s,"
        f" worst growth of memory: bomb {max(values('bomb')):.0f} MiB, flood {max(values('flood')):.0f} MiB,"
        f" list of a million NRBs {max(values('list')):.0f} MiB"
    )


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(autouse=True)
def no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "_LONGEST_WAIT_SECONDS", 0.001)
    monkeypatch.setattr(rate_limit, "MAX_PAUSE_SECONDS", LONGEST_PAUSE)


@pytest.fixture
def our_authority(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> Certificates:
    """The certificates, whose authority is trusted as those of the public ones are."""
    monkeypatch.setattr(requests.adapters, "DEFAULT_CA_BUNDLE_PATH", str(certificates.authority))
    return certificates
