"""The C API of include/nnrt.h through ctypes. CDLL releases the GIL around every call."""

from __future__ import annotations

import ctypes
import os
from ctypes import POINTER, byref, c_char_p, c_int, c_int64, c_size_t, c_uint32, c_uint64, c_void_p
from pathlib import Path

from ._errors import error_for

MAX_RANK = 8
_API_MAJOR = 0


class ModelOptions(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("memory_limit", c_uint64),
        ("threads", c_uint32),
        ("reserved", c_uint32),
    ]


class SessionOptions(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("threads", c_uint32),
        ("instruction_set", c_int),
        ("memory_limit", c_uint64),
        ("iteration_limit", c_uint64),
    ]


class RawTensorInfo(ctypes.Structure):
    _fields_ = [
        ("name", c_char_p),
        ("dtype", c_int),
        ("rank", c_size_t),
        ("dims", c_int64 * MAX_RANK),
        ("dim_names", c_char_p * MAX_RANK),
    ]


class RawTensor(ctypes.Structure):
    _fields_ = [
        ("dtype", c_int),
        ("rank", c_size_t),
        ("dims", c_int64 * MAX_RANK),
        ("data", c_void_p),
        ("size", c_size_t),
    ]


_FUNCTIONS = {
    "nnrt_version": (c_char_p, []),
    "nnrt_version_number": (c_uint32, []),
    "nnrt_status_name": (c_char_p, [c_int]),
    "nnrt_error_message": (c_char_p, []),
    "nnrt_dtype_name": (c_char_p, [c_int]),
    "nnrt_model_open": (c_int, [c_char_p, POINTER(ModelOptions), POINTER(c_void_p)]),
    "nnrt_model_open_memory": (c_int, [c_void_p, c_size_t, POINTER(ModelOptions), POINTER(c_void_p)]),
    "nnrt_model_close": (None, [c_void_p]),
    "nnrt_model_input_count": (c_size_t, [c_void_p]),
    "nnrt_model_output_count": (c_size_t, [c_void_p]),
    "nnrt_model_input_info": (c_int, [c_void_p, c_size_t, POINTER(RawTensorInfo)]),
    "nnrt_model_input_is_state": (c_int, [c_void_p, c_size_t]),
    "nnrt_session_reset": (c_int, [c_void_p]),
    "nnrt_model_output_info": (c_int, [c_void_p, c_size_t, POINTER(RawTensorInfo)]),
    "nnrt_model_metadata_count": (c_size_t, [c_void_p]),
    "nnrt_model_metadata_key": (c_char_p, [c_void_p, c_size_t]),
    "nnrt_model_metadata_value": (c_char_p, [c_void_p, c_size_t]),
    "nnrt_model_self_test_count": (c_size_t, [c_void_p]),
    "nnrt_model_self_test": (c_int, [c_void_p, POINTER(SessionOptions)]),
    "nnrt_session_create": (c_int, [c_void_p, POINTER(SessionOptions), POINTER(c_void_p)]),
    "nnrt_session_destroy": (None, [c_void_p]),
    "nnrt_session_set_input": (
        c_int,
        [c_void_p, c_size_t, c_int, POINTER(c_int64), c_size_t, c_void_p, c_size_t],
    ),
    "nnrt_session_run": (c_int, [c_void_p]),
    "nnrt_session_output": (c_int, [c_void_p, c_size_t, POINTER(RawTensor)]),
    "nnrt_session_call": (c_int, [c_void_p, POINTER(RawTensor), c_size_t, POINTER(RawTensor), c_size_t]),
}


def library_path() -> str:
    """NNRT_LIBRARY if set, else the library inside this package, else the one this checkout has built."""
    chosen = os.environ.get("NNRT_LIBRARY")
    if chosen:
        return chosen
    here = Path(__file__).resolve().parent
    inside = here / "libnnrt.so.1"
    if inside.exists():
        return str(inside)
    if len(here.parents) > 3:
        built = here.parents[3] / "build" / "lib" / "libnnrt.so.1"
        if built.exists():
            return str(built)
    raise ImportError(
        f"libnnrt.so.1 is neither beside {here} nor in a build folder; "
        "run tools/build and install bindings/python again, or set NNRT_LIBRARY"
    )


def _load() -> ctypes.CDLL:
    path = library_path()
    try:
        library = ctypes.CDLL(path)
    except OSError as error:
        raise ImportError(f"{path} cannot be loaded: {error}") from error
    for name, (result, arguments) in _FUNCTIONS.items():
        try:
            function = getattr(library, name)
        except AttributeError:
            raise ImportError(f"{path} has no {name}: it is not the library this package was made for") from None
        function.restype = result
        function.argtypes = arguments
    if library.nnrt_version_number() // 10000 != _API_MAJOR:
        raise ImportError(f"{path} is version {library.nnrt_version().decode()}; this package is for {_API_MAJOR}.x")
    return library


lib = _load()


def check(status: int) -> None:
    """Raises the exception for a status other than NNRT_OK, with this thread's message."""
    if status != 0:
        message = lib.nnrt_error_message().decode("utf-8", "replace")
        raise error_for(status, lib.nnrt_status_name(status).decode(), message)


def version() -> str:
    """The version of the library that is loaded, such as "0.1.0"."""
    return lib.nnrt_version().decode()


def pointer_to(structure: ctypes.Structure):
    return byref(structure)
