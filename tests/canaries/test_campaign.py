"""12 carriers × every outcome: every file and every byte that comes of it is searched, and nothing is found."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.canaries.campaign import ENTERING, LEAVING, Campaign, PreparedHome, prepared_home, show_in_a_notebook
from tests.canaries.outcomes import OUTCOMES, VENDOR, Outcome
from tests.canaries.vendor import CARRIERS

QUICK = [outcome for outcome in OUTCOMES if outcome.is_quick]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PreparedHome]:
    campaign = Campaign()
    with prepared_home(tmp_path_factory.mktemp("prepared"), campaign) as made:
        campaign.assert_clean()
        yield made


@pytest.mark.parametrize("outcome", QUICK, ids=lambda outcome: outcome.name)
def test_nothing_leaks(outcome: Outcome, prepared: PreparedHome, tmp_path: Path) -> None:
    campaign = Campaign()
    prepared.play(outcome, tmp_path / "o", campaign, is_whole=False)
    campaign.assert_clean()
    assert campaign.scan.bytes > 1000


@pytest.mark.campaign
def test_the_whole_campaign(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    campaign = Campaign()
    with prepared_home(tmp_path, campaign) as prepared:
        for number, outcome in enumerate(OUTCOMES):
            prepared.play(outcome, tmp_path / f"{number}", campaign, is_whole=True)
            for alone in CARRIERS if outcome.fault else ():
                prepared.play(outcome, tmp_path / f"{number} {alone}", campaign, (alone,), is_whole=False)
        in_time = [name for name in VENDOR if name not in ("a time-out", "a drip")]
        show_in_a_notebook(in_time, prepared.vendor, tmp_path / "notebook", campaign)
    with capsys.disabled():
        print(f"\n{campaign.summary()}")
    campaign.assert_clean()
    assert {carrier for carrier, _ in campaign.cells} == {*ENTERING, *LEAVING}
    assert len(campaign.outcomes) >= 30
