"""A snapshot of random NRBs and of invoices with gaps in their numbers."""

import random
from datetime import timedelta

import pytest

from tests.analysis.asking import JOBS, VENDORS
from tests.world import COST_DAY, audited, invoice, ms, nrb


def random_nrbs(count=300):
    dice = random.Random(7)
    for n in range(count):
        total = None if dice.random() < 0.05 else f"{dice.randrange(-50_000, 100_000) * 0.01:.2f}"
        day = None if dice.random() < 0.05 else ms(COST_DAY + timedelta(days=dice.randrange(-150, 40)))
        yield nrb(
            f"n{n}",
            total,
            nrbVendorCode=dice.choice(VENDORS),
            nrbJobOrderNumber=dice.choice(JOBS),
            nrbInvoiceDate=day,
            nrbCreatedAt=None if day is None else ms(COST_DAY + timedelta(days=dice.randrange(-20, 20))),
        )


@pytest.fixture(scope="session")
def snapshot(tmp_path_factory):
    numbers = ["INV-0007", "inv-8", "INV-0012", "INV-12", " INV-13 ", "OTHER", None, "Q-999999999999999999", "Q-1"]
    invoices = [invoice([], f"i{n}", number=number) for n, number in enumerate([*numbers, "20260001", "20260004"])]
    with audited(tmp_path_factory.mktemp("analysis"), list(random_nrbs()), invoices) as opened:
        yield opened


@pytest.fixture(scope="session")
def leaves(snapshot):
    return snapshot.query("select * from nrb_status").frame()
