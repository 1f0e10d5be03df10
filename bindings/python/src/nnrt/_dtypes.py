"""Element types, and the conversions that cannot change a value."""

from __future__ import annotations

import numpy as np

from ._errors import ArgumentError, DTypeError

# NumPy has no bfloat16: its bits travel as uint16.
BY_CODE: dict[int, np.dtype] = {
    1: np.dtype(np.float32),
    2: np.dtype(np.float64),
    3: np.dtype(np.float16),
    4: np.dtype(np.uint16),
    16: np.dtype(np.int8),
    17: np.dtype(np.int16),
    18: np.dtype(np.int32),
    19: np.dtype(np.int64),
    24: np.dtype(np.uint8),
    32: np.dtype(np.bool_),
}


def convert(value: object, wanted: np.dtype, place: str) -> np.ndarray:
    """`value` as a dense row-major array of the wanted type.

    Arrays are converted only if NumPy calls it safe. Python numbers and lists have no type of their own: they take the
    wanted one, as long as they keep their values (floats are rounded to it).
    """
    if isinstance(value, (np.ndarray, np.generic)):
        array = np.asarray(value)
        if array.dtype != wanted and not np.can_cast(array.dtype, wanted, "safe"):
            raise DTypeError(
                f"{place} takes {wanted.name}; {array.dtype.name} could change values on the way: "
                f"convert it yourself, as with .astype(np.{wanted.name})",
                4,
                "NNRT_DTYPE_MISMATCH",
            )
        return np.ascontiguousarray(array, dtype=wanted).reshape(array.shape)
    try:
        given = np.asarray(value)
    except ValueError as error:
        raise ArgumentError(f"{place}: {error}") from error
    if given.dtype == object or not np.can_cast(given.dtype, wanted, "same_kind"):
        raise DTypeError(f"{place} takes {wanted.name}, not {given.dtype.name}", 4, "NNRT_DTYPE_MISMATCH")
    array = np.ascontiguousarray(given.astype(wanted)).reshape(given.shape)
    if wanted.kind in "iub" and not np.array_equal(array, given):
        raise DTypeError(f"{place} takes {wanted.name}, which cannot hold all the values", 4, "NNRT_DTYPE_MISMATCH")
    return array
