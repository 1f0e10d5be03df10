"""Checks of arguments: what is wrong with one is an ArgumentError that names it."""

from __future__ import annotations

import operator
from typing import Any, Optional

from ._errors import ArgumentError


def integer(name: str, value: Any, low: int, high: Optional[int] = None) -> int:
    """An int, or what counts as one, such as NumPy's."""
    try:
        number = operator.index(value)
    except TypeError:
        raise ArgumentError(f"{name} is {value!r}; it is an integer") from None
    if number < low or (high is not None and number > high):
        raise ArgumentError(f"{name} is {number}; it may be {low} " + ("or more" if high is None else f"to {high}"))
    return number


def thread_count(value: Any) -> int:
    return integer("threads", value, 1, 256)


def limit(name: str, value: Any) -> int:
    """A limit as the C API takes it: 64 bits, and 0 for none."""
    return 0 if value is None else min(integer(name, value, 1), 2**64 - 1)
