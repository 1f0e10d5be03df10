"""A place where a model runs."""

from __future__ import annotations

import ctypes
import operator
import threading
import weakref
from ctypes import addressof, c_char, c_void_p
from typing import TYPE_CHECKING, Any, Mapping, NoReturn, Optional, Sequence, Union

import numpy as np

from ._arguments import limit, thread_count
from ._calls import CLOSED, VIEWED, make_caller
from ._dtypes import BY_CODE, CODE_BY_NAME, convert
from ._errors import ArgumentError, StateError
from ._library import MAX_RANK, RawTensor, SessionOptions, check, lib, pointer_to

if TYPE_CHECKING:
    from ._model import Model, TensorInfo

_INSTRUCTION_SETS = {None: 0, "automatic": 0, "baseline": 1, "v3": 2, "v4": 3}


def make_options(
    threads: int, instruction_set: Optional[str], memory_limit: Optional[int], iteration_limit: Optional[int]
) -> SessionOptions:
    if not isinstance(instruction_set, (str, type(None))) or instruction_set not in _INSTRUCTION_SETS:
        raise ArgumentError(f'instruction_set is {instruction_set!r}; it may be "baseline", "v3" or "v4"')
    return SessionOptions(
        ctypes.sizeof(SessionOptions),
        thread_count(threads),
        _INSTRUCTION_SETS[instruction_set],
        limit("memory_limit", memory_limit),
        limit("iteration_limit", iteration_limit),
    )


class _Input:
    """Tells the library of arrays for one input; what the shape of the one before needs stays."""

    def __init__(self, raw: RawTensor, info: "TensorInfo") -> None:
        self.raw = raw
        self._code = CODE_BY_NAME[info.dtype_name]
        self._dtype = info.dtype
        self._place = f'input "{info.name}"'
        if info.dtype.kind == "u" and not info.dtype_name.startswith("u"):
            self._place += f" (bits of {info.dtype_name}; ml_dtypes has the type)"
        self._shape: Optional[tuple[int, ...]] = None

    def point_to(self, value: Any) -> np.ndarray:
        """Gives the array whose elements the library will read: keep it until then."""
        is_ready = type(value) is np.ndarray and value.dtype is self._dtype and value.flags.c_contiguous
        array = value if is_ready else convert(value, self._dtype, self._place)
        if array.shape != self._shape:
            self._shape = array.shape
            self.raw.dtype, self.raw.rank, self.raw.size = self._code, array.ndim, array.nbytes
            # The library refuses longer ones.
            for axis, extent in enumerate(array.shape[:MAX_RANK]):
                self.raw.dims[axis] = extent
        try:
            self.raw.data = addressof(c_char.from_buffer(array))
        except (TypeError, ValueError):
            # There are no elements, or they are read-only. This takes longer.
            self.raw.data = array.ctypes.data
        return array


    def leave(self) -> None:
        """Has the next call leave the input as it is."""
        self._shape, self.raw.dtype = None, 0


class _Output:
    """Makes arrays of what the library tells of one output; one stays while the answer does."""

    def __init__(self, raw: RawTensor) -> None:
        self.raw = raw
        self._answer = b""

    def copy(self) -> np.ndarray:
        answer = bytes(self.raw)
        if answer != self._answer:
            self._view, self._answer = _array(self.raw), answer
        return self._view.copy()

    def view(self, keeper: np.ndarray, views: set) -> np.ndarray:
        """The session's own memory, read-only, which is in `views` while the array, or one made of it, is alive."""
        memory = _Memory(self.raw, keeper)
        views.add(weakref.ref(memory, views.discard))
        return np.asarray(memory).view(BY_CODE[self.raw.dtype]).reshape(self.raw.dims[: self.raw.rank])


def _array(raw: RawTensor) -> np.ndarray:
    memory = (c_char * raw.size).from_address(raw.data)
    return np.ndarray(raw.dims[: raw.rank], BY_CODE[raw.dtype], memory)


def _keeper(handle: int) -> np.ndarray:
    """What a session and the views of its outputs hold: with the last reference the C session goes.

    An array, because the garbage collector knows nothing of arrays: whatever order it finalizes a cycle in, this goes
    last.
    """
    keeper = np.empty(0)
    weakref.finalize(keeper, lib.nnrt_session_destroy, handle).atexit = False
    return keeper


class _Memory:
    """An output's bytes, for NumPy to read alone: its arrays keep this, and this keeps the session's memory."""

    __slots__ = ("__array_interface__", "__weakref__", "_keeper")

    def __init__(self, raw: RawTensor, keeper: np.ndarray) -> None:
        self.__array_interface__ = {"version": 3, "typestr": "|u1", "shape": (raw.size,), "data": (raw.data, True)}
        self._keeper = keeper


class Session:
    """Inputs, outputs and the memory in between. Made by `Model.session`.

    Calls from several threads wait for each other; for runs side by side give each thread a session.
    """

    def __init__(
        self,
        model: "Model",
        threads: int = 1,
        instruction_set: Optional[str] = None,
        memory_limit: Optional[int] = None,
        iteration_limit: Optional[int] = None,
    ) -> None:
        self._handle: Optional[int] = None
        self._lock = threading.RLock()
        self._inputs = model.inputs
        self._outputs = model.outputs
        options = make_options(threads, instruction_set, memory_limit, iteration_limit)
        handle = c_void_p()
        check(lib.nnrt_session_create(model._open_handle(), pointer_to(options), pointer_to(handle)))
        self._handle, self._keeper = handle.value, _keeper(handle.value)
        # Weak references to what the views of outputs keep alive. Their memory may move or go with new inputs or a run.
        self._views: set = set()
        given, results = (RawTensor * len(self._inputs))(), (RawTensor * len(self._outputs))()
        self._takes = [_Input(raw, info) for raw, info in zip(given, self._inputs)]
        self._gives = [_Output(raw) for raw in results]
        self._tensors = given, results
        self._caller = make_caller(self._lock, handle, given, results, self._views)
        self._run = self._caller.run

    def set_input(self, input: Union[int, str], value: Any) -> None:
        """Copies an array into an input, named by index or name. It stays set for later runs.

        Raises:
            DTypeError: converting the elements could change values.
            ShapeError: the model takes another shape.
            StateError: a view of an output is alive.
        """
        index = _position(self._inputs, input, "input")
        with self._lock:
            place = self._takes[index]
            array = place.point_to(value)
            handle, raw = self._open_handle(), place.raw
            if self._views:
                _check_call(VIEWED)
            check(lib.nnrt_session_set_input(handle, index, raw.dtype, raw.dims, raw.rank, raw.data, raw.size))

    def reset(self) -> None:
        """Begins a new sequence: carried states become what they are in a new session, zeros.

        A state is an input whose `TensorInfo` says so. Each run takes what the run before has made of it, unless it is set.
        One with a free extent has no zeros, and is to be set before the next run.

        Raises:
            StateError: a view of an output is alive.
        """
        with self._lock:
            handle = self._open_handle()
            if self._views:
                _check_call(VIEWED)
            check(lib.nnrt_session_reset(handle))

    def run(self) -> None:
        """Computes the outputs, with the GIL released.

        Raises:
            StateError: an input was never set, or a view of an output is alive.
            ShapeError: the inputs' shapes do not fit together.
            IndexRangeError: an index among the inputs is out of range.
        """
        status = self._run()
        if status:
            _check_call(status)

    def output(self, output: Union[int, str] = 0, copy: bool = True) -> np.ndarray:
        """An output of the last run, named by index or name.

        Args:
            copy: False gives a read-only view of the session's own memory. While it, or an array made of it, is alive,
                the session takes no inputs and does not run; it can be closed.
        """
        index = _position(self._outputs, output, "output")
        with self._lock:
            place = self._gives[index]
            check(lib.nnrt_session_output(self._open_handle(), index, pointer_to(place.raw)))
            return place.copy() if copy else place.view(self._keeper, self._views)

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """Sets the inputs, runs, and copies the outputs; see `Model.__call__`. Carried states go on where they are left out."""
        values = bind(self._inputs, args, kwargs)
        with self._lock:
            arrays = [
                place.leave() if value is _CARRIED else place.point_to(value) for place, value in zip(self._takes, values)
            ]
            status = self._caller.call()
            if status:
                _check_call(status)
            results = [place.copy() for place in self._gives]
        return results[0] if len(results) == 1 else tuple(results)

    def close(self) -> None:
        """Gives the memory back, when the last view of an output has gone."""
        with self._lock:
            self._caller.close()
            self._handle = self._keeper = None

    def _open_handle(self) -> int:
        if self._handle is None:
            _check_call(CLOSED)
        return self._handle

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> NoReturn:
        raise StateError("a session cannot be copied or pickled: make another with model.session()")

    def __repr__(self) -> str:
        return f"<nnrt.Session{' (closed)' if self._handle is None else ''}>"


def _check_call(status: int) -> None:
    if status == CLOSED:
        raise StateError("the session is closed")
    if status == VIEWED:
        raise StateError("a view of an output is alive: delete it, or take a copy of the output instead")
    check(status)


def _position(infos: Sequence["TensorInfo"], key: Union[int, str], kind: str) -> int:
    if isinstance(key, str):
        for index, info in enumerate(infos):
            if info.name == key:
                return index
        names = ", ".join(f'"{info.name}"' for info in infos)
        raise ArgumentError(f'the model has no {kind} named "{key}"; it has {names}')
    try:
        index = operator.index(key)
    except TypeError:
        raise ArgumentError(f"{kind} is {key!r}; it is an index or a name") from None
    if not 0 <= index < len(infos):
        raise ArgumentError(f"there is no {kind} {index}: the model has {len(infos)}")
    return index


# What stands for a carried state that is left out.
_CARRIED = object()


def bind(infos: Sequence["TensorInfo"], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Sequence[Any]:
    """One value for each input, from positional arguments, names, or one dict of names.

    Carried states may be left out; positional arguments are the other inputs then.
    """
    if not kwargs and len(args) == len(infos) and args and type(args[0]) is np.ndarray:
        return args
    named = list(kwargs.items())
    if len(args) == 1 and isinstance(args[0], Mapping):
        named += args[0].items()
        args = ()
    places = [index for index, info in enumerate(infos) if not info.is_state]
    if len(args) == 1 and not named and len(places) > 1 and isinstance(args[0], (list, tuple)):
        args = args[0]
    if len(args) > len(infos):
        raise ArgumentError(f"{len(args)} inputs given; the model takes {len(infos)}")
    values: dict[int, Any] = dict(zip(places if len(args) <= len(places) else range(len(infos)), args))
    for name, value in named:
        index = _position(infos, name, "input")
        if index in values:
            raise ArgumentError(f'input "{infos[index].name}" is given twice')
        values[index] = value
    missing = ", ".join(f'"{infos[index].name}"' for index in places if index not in values)
    if missing:
        raise ArgumentError(f"missing input {missing}")
    return [values.get(index, _CARRIED) for index in range(len(infos))]
