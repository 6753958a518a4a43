"""An account whose vendors send hostile text in every field, synced once, and a browser."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import pytest

import auditkit as ak
from auditkit.sandbox import server
from auditkit.sandbox.behaviors import Behaviors
from auditkit.sandbox.state import State
from tests.browser.conftest import browser, chromium
from tests.hostile.payloads import PAYLOADS, SAMPLE
from tests.served import FAST, point
from tests.world import invoice, line, related, unbilled

__all__ = ["Account", "browser", "charts", "chromium"]

NRB_TEXTS = (
    *("nrbExternalId", "nrbOriginReference", "nrbJobOrderNumber", "nrbWBSSharedIdentifier", "nrbPONumber"),
    *("nrbInvoiceNumber", "nrbName", "nrbTypeName", "nrbVendorCode", "nrbNotes", "nrbCreatedByUserName"),
)
INVOICE_TEXTS = ("external_id", "number", "note", "customer", "created_by", "status_name")


@dataclass
class Account:
    """A home that was synced with hostile vendors, and the payloads that they hold."""

    home: Path
    address: server.Address
    payloads: list[str]
    frames: dict[str, pd.DataFrame] = field(default_factory=dict)


def bodies(payloads: list[str]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    nrbs, invoices = [], []
    for number, text in enumerate(payloads):
        apart = f" {number}" if number % 2 else ""  # no line of an invoice has the same text
        texts = dict.fromkeys(NRB_TEXTS, f"{text}{apart}") | {"nrbNotes": text}
        nrbs.append(unbilled(f"n{number}", f"{number + 10}.10", **texts))
        items = [line(text, "10.00", name=text, jnid=text, uom=text)]
        texts = dict.fromkeys(INVOICE_TEXTS, text)
        invoices.append(invoice(items, f"i{number}", related=[related(text, f"J{number}", text)], **texts))
    return nrbs, invoices


@pytest.fixture(
    scope="module",
    params=[pytest.param(SAMPLE, id="sample"), pytest.param(PAYLOADS, id="all", marks=pytest.mark.campaign)],
)
def account(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    folder = tmp_path_factory.mktemp("hostile")
    payloads = list(dict.fromkeys(request.param))
    nrbs, invoices = bodies(payloads)
    with State(folder / "vendors.sqlite") as state:
        state.fill(nrbs, invoices)
    with (
        server.start(folder / "vendors.sqlite", Behaviors(**FAST)) as running,
        pytest.MonkeyPatch.context() as monkeypatch,
    ):
        point(monkeypatch, running.address, folder / "home", IDENTITY="controller@example.com")
        made = Account(folder / "home", running.address, payloads)
        with ak.open() as audit:
            audit.sync()
            for name in audit.sql.tables()["name"]:
                made.frames[name] = audit.sql(f"select * from {name}")
        yield made


@pytest.fixture
def audit(account: Account, monkeypatch: pytest.MonkeyPatch) -> Iterator[ak.Audit]:
    point(monkeypatch, account.address, account.home, IDENTITY="controller@example.com")
    with ak.open() as opened:
        yield opened


def charts(audit: ak.Audit) -> list[go.Figure]:
    jobs, open_cost = audit.reconcile("job"), audit.unbilled()
    figures = [ak.scatter(jobs), ak.variances(jobs, most=500), ak.aging(open_cost), ak.waterfall(audit.statement())]
    return [*figures, ak.top_vendors(open_cost, most=500), ak.heat_map(open_cost, most=500), ak.trend(audit.accrual())]
