"""Element types, and the conversions that cannot change a value."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from ._errors import ArgumentError, DTypeError
from ._library import lib

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
CODE_BY_NAME = {lib.nnrt_dtype_name(code).decode(): code for code in BY_CODE}


def _is_extended(dtype: np.dtype) -> bool:
    return ml_dtypes is not None and dtype.name in _EXTENDED.values()


def convert(value: object, wanted: np.dtype, place: str) -> np.ndarray:
    """`value` as a dense row-major array of the wanted type.

    Arrays, and what NumPy makes arrays of, are converted only if NumPy calls it safe; a type that NumPy lacks is also
    taken as its bits, in an array of unsigned integers as wide. Python's own numbers and lists of them take the wanted
    type, as long as they keep their values (floats are rounded to it).
    """
    if isinstance(value, (np.ndarray, np.generic)):
        return _convert_array(np.asarray(value), wanted, place)
    try:
        types = _types_in(value)
        array = np.asarray(value) if types <= _NUMBERS else _as_array(value)
    except Exception as error:  # what other libraries' arrays raise is of many kinds
        raise ArgumentError(f"{place}: {error}") from error
    if types <= _NUMBERS:
        return _convert_numbers(value, array, types, wanted, place)
    return _convert_array(array, wanted, place)


def _convert_array(array: np.ndarray, wanted: np.dtype, place: str) -> np.ndarray:
    if _is_extended(wanted) and array.dtype.kind == "u" and array.dtype.itemsize == wanted.itemsize:
        return np.ascontiguousarray(array, array.dtype.newbyteorder("=")).view(wanted).reshape(array.shape)
    if array.dtype.kind not in "biufcV":
        raise DTypeError(f"{place} takes {wanted.name}, not {array.dtype.name}")
    if array.dtype != wanted and not np.can_cast(array.dtype, wanted, "safe"):
        # NumPy before 2.0 has no np.bool.
        name = "bool_" if wanted == np.bool_ else wanted.name
        raise DTypeError(
            f"{place} takes {wanted.name}; {array.dtype.name} could change values on the way: "
            f"convert it yourself, as with .astype({'ml_dtypes' if _is_extended(wanted) else 'np'}.{name})"
        )
    return np.ascontiguousarray(array, dtype=wanted).reshape(array.shape)


def _as_array(value: Any) -> np.ndarray:
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        value = value.detach()
        if value.dtype == torch.bfloat16:
            # NumPy does not know it. Every bfloat16 is a float32, and comes back from there.
            array = value.float().numpy()
            return array if ml_dtypes is None else array.astype(ml_dtypes.bfloat16)
    if hasattr(value, "__dlpack__") and not hasattr(value, "__array__"):
        return np.from_dlpack(value)
    return np.asarray(value)


_NUMBERS = {bool, int, float}


def _types_in(value: object) -> set[type]:
    """The types of the elements of nested lists."""
    if not isinstance(value, (list, tuple, range)):
        return {type(value)}
    types = set(map(type, value))
    return types if types <= _NUMBERS else set().union(*map(_types_in, value))


def _convert_numbers(value: object, given: np.ndarray, types: set[type], wanted: np.dtype, place: str) -> np.ndarray:
    """`given` is what NumPy makes of `value`: the shape is right, large integers may not be."""
    if given.size == 0:
        return np.empty(given.shape, wanted)
    is_float = _is_float(wanted)
    if float in types and not is_float:
        raise DTypeError(f"{place} takes {wanted.name}, not float")
    exact = given if types == {float} or given.dtype.kind in "bi" else np.array(value, dtype=object)
    try:
        with np.errstate(all="ignore"):
            array = (exact.astype(np.float64, copy=False) if is_float else exact).astype(wanted)
    except (OverflowError, ValueError):  # before NumPy 1.24, lists of several lengths come here as well
        array = None
    if array is None or not _holds(array, exact, types):
        raise DTypeError(f"{place} takes {wanted.name}, which cannot hold all the values")
    return np.ascontiguousarray(array).reshape(given.shape)


def _is_float(dtype: np.dtype) -> bool:
    return dtype.kind == "f" or (dtype.kind == "V" and "float" in dtype.name)


def _holds(array: np.ndarray, exact: np.ndarray, types: set[type]) -> bool:
    """Whether an array has kept the integers it was made of, and which floats are infinite or NaN."""
    if float not in types:
        # As Python compares: exactly, whatever the types.
        return (array.astype(np.float64) if _is_float(array.dtype) else array).tolist() == exact.tolist()
    if types == {float} and array.dtype.kind == "f" and np.isfinite(array).all():
        return True
    floats, kept = exact.astype(np.float64), array.astype(np.float64)
    if not (np.isfinite(floats) == np.isfinite(kept)).all() or not (np.isnan(floats) == np.isnan(kept)).all():
        return False
    if array.dtype.name == "float4_e2m1fn" and (np.abs(floats) >= 7).any():  # ml_dtypes makes 6 of what is larger
        return False
    pairs = zip(exact.ravel().tolist(), kept.ravel().tolist())
    return all(type(number) is float or number == rounded for number, rounded in pairs)
