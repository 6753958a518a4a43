"""The rate limit, in real time."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from .bodies import NRB
from .conftest import LIST


def burst(sandbox, count):
    """`count` calls at once: when each was answered, and with which status."""

    def call(_):
        with requests.Session() as session:
            session.trust_env = False
            url = f"{sandbox.address.aimsio_url}{LIST}/{NRB}"
            status = session.get(url, auth=("demo", "demo-password"), timeout=20).status_code
        return time.monotonic() - begun, status

    begun = time.monotonic()
    with ThreadPoolExecutor(count) as pool:
        return sorted(pool.map(call, range(count)))


def seen(sandbox, vendor="aimsio"):
    return sandbox.session.get(f"{sandbox.address.root}/limits").json()[vendor]


@pytest.mark.slow
def test_ten_calls_pass_in_a_second_and_the_eleventh_waits(make_sandbox):
    sandbox = make_sandbox(rate_per_second=10, parallel=10)
    answered = burst(sandbox, 25)
    assert [status for _, status in answered] == [200] * 25
    assert answered[10][0] >= 1
    assert 2 <= answered[20][0] < 3.5
    counts = seen(sandbox)
    assert (counts["calls"], counts["refused"]) == (25, 0)
    assert counts["waited"] >= 15
    assert counts["most_in_a_second"] > 10, "the client sent them at once"


def test_a_call_that_waits_too_long_times_out_and_does_nothing(make_sandbox):
    sandbox = make_sandbox(rate_per_second=2, parallel=10, queue_seconds=0.3)
    answered = burst(sandbox, 5)
    assert sorted(status for _, status in answered) == [200, 200, 504, 504, 504]
    assert all(moment >= 0.3 for moment, status in answered if status == 504)
    assert seen(sandbox)["refused"] == 3
    assert sorted(call.status for call in sandbox.state.calls()) == [200, 200, 504, 504, 504]


def test_calls_in_flight_are_limited_independently_of_the_rate(make_sandbox):
    sandbox = make_sandbox(rate_per_second=3, parallel=1, queue_seconds=0.2)
    statuses = [status for _, status in burst(sandbox, 6)]
    assert statuses.count(200) == 3, "three pass one by one; the fourth holds the only slot until it times out"
    assert seen(sandbox)["most_in_flight"] > 1


def test_each_vendor_has_its_own_limit_and_a_steady_client_never_waits(make_sandbox):
    sandbox = make_sandbox(rate_per_second=5, parallel=1)
    for _ in range(5):
        assert sandbox.aimsio("GET", f"{LIST}/{NRB}").status_code == 200
        assert sandbox.jobnimbus("GET").status_code == 200
    clean = {"calls": 5, "waited": 0, "refused": 0, "most_in_a_second": 5, "most_in_flight": 1}
    assert (seen(sandbox), seen(sandbox, "jobnimbus")) == (clean, clean)


def test_a_slot_is_free_again_before_the_client_has_its_answer(make_sandbox):
    sandbox = make_sandbox(parallel=1)
    for _ in range(300):
        sandbox.aimsio("GET", LIST)
    assert seen(sandbox) | {"most_in_a_second": 0} == {
        "calls": 300,
        "waited": 0,
        "refused": 0,
        "most_in_a_second": 0,
        "most_in_flight": 1,
    }


def test_unlimited_is_unlimited(sandbox):
    assert [status for _, status in burst(sandbox, 40)] == [200] * 40
    assert seen(sandbox)["waited"] == 0
