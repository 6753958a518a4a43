"""What a notebook stores: objects shown, and verbose tracebacks of what fails."""

from pathlib import Path

from tests.canaries.campaign import Campaign, show_in_a_notebook
from tests.canaries.vendor import running_account


def test_nothing_leaks_in_a_notebook(tmp_path: Path) -> None:
    campaign = Campaign()
    with running_account() as vendor:
        show_in_a_notebook(["401", "500 with a page of HTML"], vendor, tmp_path / "o", campaign)
    campaign.assert_clean()
    assert campaign.cells >= {("notebook", "401"), ("notebook", "500 with a page of HTML")}
