"""docs/rules.md has everything in the headers of the rules, and nothing else."""

from pathlib import Path

from auditkit.checks.rules import load_rules, read_rule
from docs.generator.rules import page

PAGE = Path(__file__).parents[2] / "docs" / "rules.md"


def test_the_page_is_current():
    assert PAGE.read_text("utf-8") == page(load_rules()), "run make docs"


def test_the_whole_header_is_on_the_page():
    text = """\
-- id: own-rule
-- title: Left | right
-- assertion: accuracy
-- severity: low
-- subject: nrb
-- param: min_amount money = 10.00
-- out: subject_id text, job_number text, amount_at_risk money, reason text, vendor_code text
-- why: It matters here.
-- remedy: Look at it.
-- note: NULL is silent.
select guid as subject_id, job_number, total as amount_at_risk, 'r' as reason, vendor_code
from nrb_status
where total > $min_amount
"""
    made = page([read_rule("own-rule", text, "own-rule.sql")])
    assert made.endswith(r"""
| [own-rule](#own-rule) | low | Left \| right |

## own-rule

**Left | right.** Low; about accuracy; one finding for each NRB.

It matters here. *Look at it.*

NULL is silent.

| parameter | type | default |
|---|---|---|
| `min_amount` | money | 10.00 |

Evidence: `vendor_code`.
""")


def test_high_priority_comes_first_in_the_table():
    rows = [line for line in page(load_rules()).splitlines() if line.startswith("| [")]
    severities = [row.split(" | ")[1] for row in rows]
    assert severities == sorted(severities, key=("high", "medium", "low").index)
