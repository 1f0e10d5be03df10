"""A model from a .nnrt file."""

from __future__ import annotations

import ctypes
import os
import threading
from ctypes import c_void_p
from dataclasses import dataclass
from functools import partial
from typing import Any, Optional, Union

import numpy as np

from ._arguments import limit, thread_count
from ._dtypes import BY_CODE
from ._errors import ArgumentError, FileError, StateError, file_error
from ._library import ModelOptions, RawTensorInfo, check, lib, pointer_to
from ._session import Session, make_options


@dataclass(frozen=True)
class TensorInfo:
    """Name, type and shape of an input or output.

    Attributes:
        name: the name.
        dtype: the NumPy type, or that of the package ml_dtypes where NumPy has none and it is installed, else that of
            unsigned integers with the bits.
        shape: an int for each known extent, a name such as "N" for a free one, None for a free one without a name.
        dtype_name: the type's name in nnrt, such as "f32".
        is_state: whether it is an input that a session carries from run to run by itself, see `Session.reset`.
    """

    name: str
    dtype: np.dtype
    shape: tuple[Union[int, str, None], ...]
    dtype_name: str
    is_state: bool = False


def load(
    source: Union[str, os.PathLike, bytes, bytearray, memoryview],
    *,
    memory_limit: Optional[int] = None,
    threads: int = 1,
) -> "Model":
    """Opens a model from the path or the bytes of a .nnrt file.

    Args:
        memory_limit: the most bytes that opening may take; None stands for 4 GiB.
        threads: how many threads may decode the weights, 1 to 256; those of a run are an option of its session.

    Raises:
        FileError: the file cannot be read, or is not a valid .nnrt file.
        GraphError: the file's graph is not well formed, or needs something this library does not have.
        LimitError: it would take more memory than allowed.
    """
    return Model(source, memory_limit=memory_limit, threads=threads)


class Model:
    """A model: immutable, and to be called from any number of threads.

    A copy is the model itself. One that was loaded from a path can be pickled: its path is, and the file opened again.
    """

    def __init__(
        self,
        source: Union[str, os.PathLike, bytes, bytearray, memoryview],
        *,
        memory_limit: Optional[int] = None,
        threads: int = 1,
    ) -> None:
        self._handle: Optional[int] = None
        self._path: Optional[str] = None
        self._sessions = threading.local()
        self._options = {"memory_limit": memory_limit, "threads": threads}
        limits = limit("memory_limit", memory_limit), thread_count(threads)
        options = ModelOptions(ctypes.sizeof(ModelOptions), *limits)
        handle = c_void_p()
        if isinstance(source, (bytes, bytearray, memoryview)):
            try:
                data = np.frombuffer(source, dtype=np.uint8)
            except (ValueError, BufferError) as error:
                raise ArgumentError(f"source: {error}") from error
            self._source = f"{data.nbytes} bytes"
            check(
                lib.nnrt_model_open_memory(data.ctypes.data, data.nbytes, pointer_to(options), pointer_to(handle))
            )
        else:
            try:
                path = os.fsencode(source)
            except (TypeError, UnicodeError):
                raise ArgumentError(f"source is {source!r:.100}; it is a path, or the bytes of a file") from None
            if b"\0" in path:
                raise ArgumentError("the path has a NUL in it")
            name = os.fsdecode(path)
            self._source = repr(name)
            try:
                check(lib.nnrt_model_open(path, pointer_to(options), pointer_to(handle)))
            except FileError as error:
                raise file_error(error, name) from None
            self._path = os.path.abspath(name)
        self._handle = handle.value
        inputs = lib.nnrt_model_input_count(handle)
        outputs = lib.nnrt_model_output_count(handle)
        self._inputs = tuple(
            _describe(lib.nnrt_model_input_info, handle, index, lib.nnrt_model_input_is_state(handle, index) == 1)
            for index in range(inputs)
        )
        self._outputs = tuple(_describe(lib.nnrt_model_output_info, handle, index) for index in range(outputs))
        self._has_states = any(info.is_state for info in self._inputs)
        self._metadata = {
            lib.nnrt_model_metadata_key(handle, index).decode(): lib.nnrt_model_metadata_value(handle, index).decode()
            for index in range(lib.nnrt_model_metadata_count(handle))
        }

    @property
    def inputs(self) -> tuple[TensorInfo, ...]:
        """What the model takes, in order."""
        return self._inputs

    @property
    def outputs(self) -> tuple[TensorInfo, ...]:
        """What the model gives, in order."""
        return self._outputs

    @property
    def metadata(self) -> dict[str, str]:
        """A copy of the file's metadata: name, description, authors, licence and others."""
        return dict(self._metadata)

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the classes, in the order of the scores; empty if the file names none."""
        text = self._metadata.get("labels", "")
        return tuple(text.split("\n")) if text else ()

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """Runs the model.

        Inputs are given by position (`model(a, b)`, or `model([a, b])` alone if there are several), by name
        (`model(pixels=a)`), or as one dict of names. Any number of threads may call at once: each has its own session,
        of one thread. Carried states are left out, and begin anew with each call: a session of your own carries them on.

        Returns:
            A NumPy array if the model has one output, else a tuple of arrays in the order of `outputs`.

        Raises:
            ArgumentError: an input is missing, unknown, or given twice.
            DTypeError: converting the elements could change values.
            ShapeError: the model takes other shapes.
            IndexRangeError: an index among the inputs is out of range.
        """
        self._open_handle()
        session = getattr(self._sessions, "session", None)
        if session is None:
            session = self._sessions.session = self.session()
        if self._has_states:
            session.reset()
        return session(*args, **kwargs)

    def session(
        self,
        threads: int = 1,
        instruction_set: Optional[str] = None,
        memory_limit: Optional[int] = None,
        iteration_limit: Optional[int] = None,
    ) -> Session:
        """A session of its own.

        Args:
            threads: how many threads one run may use. It changes no bit of the result.
            instruction_set: "baseline", "v3" or "v4" instead of the best this machine has. It changes no bit either.
            memory_limit: the most bytes that the intermediate values of one set of shapes may take.
            iteration_limit: the most iterations of one loop inside the model.
        """
        return Session(self, threads, instruction_set, memory_limit, iteration_limit)

    @property
    def selftest_count(self) -> int:
        """How many self-test vectors the file has."""
        return lib.nnrt_model_self_test_count(self._open_handle())

    def selftest(self, threads: int = 1, instruction_set: Optional[str] = None) -> None:
        """Runs the file's self-test vectors.

        Raises:
            SelfTestError: the model gives other bits here than its file records.
            StateError: the file has no vectors.
        """
        options = make_options(threads, instruction_set, None, None)
        check(lib.nnrt_model_self_test(self._open_handle(), pointer_to(options)))

    def close(self) -> None:
        """Gives the model back. Sessions of its own go on working. No other thread may be using the model."""
        handle, self._handle = self._handle, None
        self._sessions = threading.local()
        if handle is not None:
            lib.nnrt_model_close(handle)

    def _open_handle(self) -> int:
        if self._handle is None:
            raise StateError("the model is closed")
        return self._handle

    def __enter__(self) -> "Model":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_handle", None) is not None:
            self.close()

    def _forget_path(self, source: str) -> None:
        self._path, self._source = None, source

    def __copy__(self) -> "Model":
        return self

    def __deepcopy__(self, _: object) -> "Model":
        return self

    def __reduce__(self) -> Any:
        self._open_handle()
        if self._path is None:
            raise StateError(
                "a model that was not loaded from a path cannot be pickled: "
                "load it from a file (to nnrt.from_torch, give a path)"
            )
        return partial(type(self), **self._options), (self._path,)

    def __repr__(self) -> str:
        takes = ", ".join(_signature(info) for info in self._inputs)
        gives = ", ".join(_signature(info) for info in self._outputs)
        state = " (closed)" if self._handle is None else ""
        return f"<nnrt.Model {self._source}{state}: {takes} -> {gives}>"


def _describe(function: Any, handle: c_void_p, index: int, is_state: bool = False) -> TensorInfo:
    raw = RawTensorInfo()
    check(function(handle, index, pointer_to(raw)))
    shape: list[Union[int, str, None]] = []
    for axis in range(raw.rank):
        name = raw.dim_names[axis]
        shape.append(raw.dims[axis] if raw.dims[axis] >= 0 else name.decode() if name else None)
    name, dtype_name = raw.name.decode(), lib.nnrt_dtype_name(raw.dtype).decode()
    return TensorInfo(name, BY_CODE[raw.dtype], tuple(shape), dtype_name, is_state)


def _signature(info: TensorInfo) -> str:
    shape = ", ".join("?" if extent is None else str(extent) for extent in info.shape)
    return f"{info.name} {info.dtype_name} ({shape})"
