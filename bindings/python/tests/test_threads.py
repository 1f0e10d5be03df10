"""Calls from many threads, and the proof that the GIL is free while a model runs."""

import ctypes
import threading
import time

import numpy as np
import pytest

import nnrt
from nnrt import _library

pytestmark = pytest.mark.usefixtures("calls")


def test_eight_threads_share_a_model(models):
    model = nnrt.load(models / "mlp.nnrt")
    inputs = [np.random.default_rng(seed).uniform(-1, 1, (seed + 1, 16)).astype(np.float32) for seed in range(8)]
    expected = [model(x).tobytes() for x in inputs]
    wrong = []

    def work(index):
        for _ in range(200):
            if model(inputs[index]).tobytes() != expected[index]:
                wrong.append(index)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_threads_that_share_a_session_wait_for_each_other(models):
    session = nnrt.load(models / "mlp.nnrt").session()
    inputs = [np.full((index + 1, 16), index, np.float32) for index in range(4)]
    expected = [session(x).tobytes() for x in inputs]
    wrong = []

    def work(index):
        for _ in range(100):
            if session(inputs[index]).tobytes() != expected[index]:
                wrong.append(index)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def ticks_during(run):
    """How often this thread gets to run Python while `run` is inside the library on another."""
    bounds = {}

    def work():
        bounds["start"] = time.perf_counter()
        run()
        bounds["end"] = time.perf_counter()

    moments = []
    thread = threading.Thread(target=work)
    thread.start()
    while thread.is_alive():
        moments.append(time.perf_counter())
        time.sleep(0.001)
    thread.join()
    length = bounds["end"] - bounds["start"]
    # The edges do not count: there the other thread is still, or again, in Python.
    start, end = bounds["start"] + length / 4, bounds["end"] - length / 4
    return sum(start < moment < end for moment in moments), length


def test_gil_is_free_while_the_model_runs(models):
    session = nnrt.load(models / "wide.nnrt").session()
    # Rows are added until one run takes a good while on this machine.
    rows = 512
    while True:
        session.set_input(0, np.full((rows, 512), 0.1, np.float32))
        start = time.perf_counter()
        session.run()
        if time.perf_counter() - start > 0.2 or rows >= 65536:
            break
        rows *= 2

    free, length = ticks_during(session.run)
    assert free >= 5, f"{free} ticks in {length} s"

    # The same call through a loader that keeps the GIL shows that the count would notice.
    holding = ctypes.PyDLL(_library.library_path())
    holding.nnrt_session_run.argtypes = [ctypes.c_void_p]
    held, _ = ticks_during(lambda: holding.nnrt_session_run(session._open_handle()))
    assert held <= 1
