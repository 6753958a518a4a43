"""A tidy company with every ordinary habit and no fault: nothing of medium or higher severity fires."""

from pathlib import Path

import pytest

from auditkit.sandbox.dataset import build
from auditkit.sandbox.world import to_json
from tests.world import audited

FOUND = """
select f.rule_id, count(*) as findings, min(f.subject_id) as example, min(f.reason) as reason
from finding as f join rule as r on r.rule_id = f.rule_id
where r.severity in ('high', 'medium') group by f.rule_id order by f.rule_id
"""
NOT_BILLED = """
select state, count(*) from nrb_status
where state not in ('billed_full', 'internal', 'not_billable', 'nothing_to_bill', 'reversed') group by state
"""


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_quiet_company_is_quiet(seed: int, tmp_path: Path) -> None:
    world = build(seed, 300, {}, habits=True)
    bodies = [[to_json(body) for body in records] for records in (world.nrbs, world.invoices)]
    with audited(tmp_path, *bodies) as snapshot:
        assert snapshot.query(FOUND).rows == []
        assert snapshot.query(NOT_BILLED).rows == []
        assert snapshot.query("select amount from statement where code = 'difference' and amount <> 0").rows == []
