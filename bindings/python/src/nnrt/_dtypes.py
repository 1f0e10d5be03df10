"""Element types, and the conversions that cannot change a value."""

from __future__ import annotations

import numpy as np

from ._errors import ArgumentError, DTypeError

try:
    import ml_dtypes
except ImportError:
    ml_dtypes = None

# The types that NumPy lacks. The package ml_dtypes has them, an element a byte (bfloat16: two); without it their bits travel as
# unsigned integers.
_EXTENDED = {
    4: "bfloat16",
    8: "float8_e4m3fn",
    9: "float8_e4m3fnuz",
    10: "float8_e5m2",
    11: "float8_e5m2fnuz",
    12: "float8_e8m0fnu",
    13: "float4_e2m1fn",
    20: "int4",
    21: "int2",
    28: "uint4",
    29: "uint2",
}


def _extended(code: int) -> np.dtype:
    found = getattr(ml_dtypes, _EXTENDED[code], None)
    return np.dtype(found or (np.uint16 if code == 4 else np.uint8))


BY_CODE: dict[int, np.dtype] = {
    1: np.dtype(np.float32),
    2: np.dtype(np.float64),
    3: np.dtype(np.float16),
    16: np.dtype(np.int8),
    17: np.dtype(np.int16),
    18: np.dtype(np.int32),
    19: np.dtype(np.int64),
    24: np.dtype(np.uint8),
    25: np.dtype(np.uint16),
    26: np.dtype(np.uint32),
    27: np.dtype(np.uint64),
    32: np.dtype(np.bool_),
    **{code: _extended(code) for code in _EXTENDED},
}


def _is_extended(dtype: np.dtype) -> bool:
    return ml_dtypes is not None and dtype.name in _EXTENDED.values()


def convert(value: object, wanted: np.dtype, place: str) -> np.ndarray:
    """`value` as a dense row-major array of the wanted type.

    Arrays are converted only if NumPy calls it safe. Python numbers and lists have no type of their own: they take the
    wanted one, as long as they keep their values (floats are rounded to it). A type that NumPy lacks is also taken as its
    bits, in an array of unsigned integers as wide.
    """
    if isinstance(value, (np.ndarray, np.generic)):
        array = np.asarray(value)
        if _is_extended(wanted) and array.dtype.kind == "u" and array.dtype.itemsize == wanted.itemsize:
            return np.ascontiguousarray(array).view(wanted).reshape(array.shape)
        if array.dtype != wanted and not np.can_cast(array.dtype, wanted, "safe"):
            raise DTypeError(
                f"{place} takes {wanted.name}; {array.dtype.name} could change values on the way: "
                f"convert it yourself, as with .astype({'ml_dtypes' if _is_extended(wanted) else 'np'}.{wanted.name})"
            )
        return np.ascontiguousarray(array, dtype=wanted).reshape(array.shape)
    try:
        given = np.asarray(value)
    except ValueError as error:
        raise ArgumentError(f"{place}: {error}") from error
    if given.dtype == object or not np.can_cast(given.dtype, wanted, "same_kind"):
        raise DTypeError(f"{place} takes {wanted.name}, not {given.dtype.name}")
    array = np.ascontiguousarray(given.astype(wanted)).reshape(given.shape)
    is_integer = wanted.kind in "iub" or (_is_extended(wanted) and "int" in wanted.name)
    if is_integer and not np.array_equal(array.astype(given.dtype), given):
        raise DTypeError(f"{place} takes {wanted.name}, which cannot hold all the values")
    return array
