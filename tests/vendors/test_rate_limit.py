import fcntl
import multiprocessing
import os
import random
import resource
import signal
import struct
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from auditkit.errors import StoreError
from auditkit.vendors.rate_limit import MAX_PAUSE_SECONDS, RateLimit

PROCESSES = multiprocessing.get_context("spawn")
START_SECONDS = 120  # a fresh interpreter on a busy machine


def work(folder, rate, parallel, calls, seconds, together, answers):
    """Make calls from 10 threads; report when each began and ended, by the clock that all processes share."""
    rate_limit = RateLimit(folder, rate, parallel)
    together.wait(START_SECONDS)

    def call(_):
        with rate_limit.slot():
            began = time.monotonic()
            time.sleep(seconds)
            return began, time.monotonic()

    with ThreadPoolExecutor(10) as threads:
        answers.put(list(threads.map(call, range(calls))))


def two_processes(folder, rate, parallel, calls, seconds):
    together, answers = PROCESSES.Barrier(2), PROCESSES.Queue()
    given = (folder, rate, parallel, calls, seconds, together, answers)
    processes = [PROCESSES.Process(target=work, args=given) for _ in range(2)]
    for process in processes:
        process.start()
    spans = [span for _ in processes for span in answers.get(timeout=START_SECONDS)]
    for process in processes:
        process.join()
    return sorted(spans)


@pytest.mark.slow
def test_ten_a_second_over_two_processes(tmp_path):
    began = [start for start, _ in two_processes(tmp_path, 10, 10, 13, 0.0)]
    assert len(began) == 26
    assert min(eleventh - first for first, eleventh in zip(began, began[10:], strict=False)) >= 1.0
    assert began[-1] - began[0] < 5  # 25 gaps of 105 ms are 2.6 s: within the limit, not idle


def test_late_calls_do_not_exceed_the_rate_together_with_later_ones(tmp_path):
    rate_limit = RateLimit(tmp_path, 50, 10)
    late = random.Random(1)

    def call(_):
        with rate_limit.slot():
            time.sleep(late.uniform(0, 0.15))  # on its way
            return time.monotonic()

    with rate_limit.slot():
        pass  # how quick a call can be
    with ThreadPoolExecutor(10) as threads:
        arrived = sorted(threads.map(call, range(60)))
    assert min(eleventh - first for first, eleventh in zip(arrived, arrived[10:], strict=False)) >= 10 / 50


def test_at_most_so_many_in_flight_over_two_processes(tmp_path):
    spans = two_processes(tmp_path, 5000, 3, 20, 0.02)
    in_flight = [sum(begin <= moment < end for begin, end in spans) for moment, _ in spans]
    assert max(in_flight) == 3


def test_only_one_caller_at_a_time_takes_the_next_moment(tmp_path):
    rate_limit = RateLimit(tmp_path, 5000, 10)
    with (tmp_path / "pace").open() as pace, ThreadPoolExecutor(1) as threads:
        fcntl.flock(pace, fcntl.LOCK_EX)  # as another process does while it reads and writes
        waiting = threads.submit(paced, rate_limit, 1)
        time.sleep(0.1)
        assert not waiting.done()
        fcntl.flock(pace, fcntl.LOCK_UN)
        assert waiting.result(timeout=5) >= 0.09


def test_a_high_rate_is_reached(tmp_path):
    rate_limit = RateLimit(tmp_path, 2000, 10)

    def call(_):
        with rate_limit.slot():
            pass

    started = time.monotonic()
    with ThreadPoolExecutor(10) as threads:
        list(threads.map(call, range(400)))
    assert time.monotonic() - started < 2.0  # 200 a second on a busy machine; 1,900 on an idle one


def hold(folder, ready):
    with RateLimit(folder, 5000, 1).slot():
        ready.set()
        time.sleep(60)


def test_a_killed_process_frees_its_slot(tmp_path):
    ready = PROCESSES.Event()
    process = PROCESSES.Process(target=hold, args=(tmp_path, ready))
    process.start()
    assert ready.wait(START_SECONDS)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    started = time.monotonic()
    with RateLimit(tmp_path, 5000, 1).slot():
        assert time.monotonic() - started < 5


def test_an_error_inside_the_block_frees_the_slot(tmp_path):
    rate_limit = RateLimit(tmp_path, 5000, 1)
    for error in (BlockingIOError, KeyError):
        with pytest.raises(error), rate_limit.slot():
            raise error
    with rate_limit.slot():
        pass


def paced(rate_limit, calls):
    started = time.monotonic()
    for _ in range(calls):
        with rate_limit.slot():
            pass
    return time.monotonic() - started


def test_overload_halves_the_rate_once_even_if_reported_often(tmp_path):
    rate_limit = RateLimit(tmp_path, 100, 10)
    for _ in range(10):
        rate_limit.slow_down()
    assert 0.19 <= paced(rate_limit, 11) < 2  # ten gaps of 21 ms instead of 10.5


def test_a_pause_applies_to_all_users_of_the_folder(tmp_path):
    RateLimit(tmp_path, 5000, 10).slow_down(0.3)
    assert 0.29 <= paced(RateLimit(tmp_path, 5000, 10), 1) < 5


def test_an_absurd_pause_is_capped(tmp_path, monkeypatch):
    slept = []
    monkeypatch.setattr(time, "sleep", slept.append)
    rate_limit = RateLimit(tmp_path, 5000, 10)
    rate_limit.slow_down(10**9)
    with rate_limit.slot():
        assert MAX_PAUSE_SECONDS - 1 < max(slept) <= MAX_PAUSE_SECONDS


def test_a_restarted_clock_does_not_delay_calls(tmp_path):
    rate_limit = RateLimit(tmp_path, 5000, 10)
    ahead = time.monotonic() + 10**6  # what a machine that ran long had written before it was restarted
    (tmp_path / "pace").write_bytes(struct.pack("<dd", ahead, ahead))
    assert paced(rate_limit, 1) < 5


def test_a_read_only_folder_is_named_in_the_error(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StoreError, match="make the home writable"):
        RateLimit(tmp_path / "file", 10, 10)


@pytest.mark.parametrize("name", ["pace", "in-flight-0"])
def test_an_unusable_file_raises_before_each_call(tmp_path, name):
    rate_limit = RateLimit(tmp_path, 5000, 1)
    (tmp_path / name).unlink()
    (tmp_path / name).mkdir()
    for _ in range(3):  # the only slot is freed each time
        with pytest.raises(StoreError, match=f"{tmp_path}: cannot be written .*make the"), rate_limit.slot():
            raise AssertionError("the call was made")
    (tmp_path / name).rmdir()
    (tmp_path / name).write_bytes(bytes(16))
    assert paced(rate_limit, 1) < 5


def test_a_rate_that_cannot_be_lowered_raises(tmp_path):
    rate_limit = RateLimit(tmp_path, 5000, 1)
    (tmp_path / "pace").unlink()
    (tmp_path / "pace").mkdir()
    with pytest.raises(StoreError, match="make the home writable"):
        rate_limit.slow_down()


def test_a_full_disk_stops_a_call_before_it_begins_never_after(tmp_path):
    rate_limit = RateLimit(tmp_path, 5000, 1)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        with rate_limit.slot():
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
        with pytest.raises(StoreError, match="File too large"), rate_limit.slot():
            raise AssertionError("the call was made")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_an_error_of_the_call_is_not_reported_as_one_of_our_files(tmp_path):
    with pytest.raises(TimeoutError, match="no answer"), RateLimit(tmp_path, 5000, 1).slot():
        raise TimeoutError("no answer")
