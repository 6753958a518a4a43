"""A new account and home for each test of a correction."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.corrections.conftest import ONE, invoice, nrb
from tests.crash.writing import World, served


@pytest.fixture
def world(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Iterator[World]:
    caplog.set_level(logging.CRITICAL, "uvicorn.error")  # which reports each connection that we break
    with served(tmp_path, [nrb(ONE)], [invoice()]) as made:
        yield made
