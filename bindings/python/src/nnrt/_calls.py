"""The two calls that are made over and over, with arguments that stay where they are."""

from __future__ import annotations

from ctypes import Array, addressof, c_size_t, c_void_p, cast
from functools import partial
from typing import Any

from ._library import lib

try:
    from ._caller import Caller as CompiledCaller
except ImportError:
    CompiledCaller = None

# Functions that take their arguments ready-made: converting them each time would show beside the smallest models.
_run, _call = lib["nnrt_session_run"], lib["nnrt_session_call"]

# The status of a session that is closed, and of one whose outputs are being viewed; none of the library's.
CLOSED, VIEWED = -1, -2


class Caller:
    """Runs one session, with its lock held, or calls it, with its lock held by who calls. `caller.c` does the same, compiled."""

    def __init__(self, lock: Any, session: c_void_p, inputs: Array, outputs: Array, views: set) -> None:
        self._lock = lock
        self._views = views
        self._run = partial(_run, session)
        self._call = partial(_call, session, inputs, c_size_t(len(inputs)), outputs, c_size_t(len(outputs)))

    def run(self) -> int:
        # Quicker than `with`, by what shows beside the smallest models.
        self._lock.acquire()
        try:
            return VIEWED if self._views else self._run()
        finally:
            self._lock.release()

    def call(self) -> int:
        return VIEWED if self._views else self._call()

    def close(self) -> None:
        self._run = self._call = lambda: CLOSED
        self._views = ()


def make_caller(lock: Any, session: c_void_p, inputs: Array, outputs: Array, views: set) -> Any:
    """A `Caller` for a session with its tensors, which have to stay where they are, and the set of outputs' views."""
    if CompiledCaller is None:
        return Caller(lock, session, inputs, outputs, views)
    run, call = (cast(function, c_void_p).value for function in (_run, _call))
    places = (addressof(inputs), len(inputs), addressof(outputs), len(outputs))
    return CompiledCaller(lock.acquire, lock.release, run, call, session.value, *places, views)
