"""One exception for each group of statuses of the C API."""

from __future__ import annotations

import errno
import os
from typing import Optional


class NnrtError(Exception):
    """A failure of the library.

    Attributes:
        status: the number of the C API's status.
        status_name: its name in nnrt.h, such as "NNRT_CORRUPT_FILE".
    """

    status = 1
    status_name = "NNRT_INVALID_ARGUMENT"

    def __init__(self, message: str, status: Optional[int] = None, status_name: str = "") -> None:
        super().__init__(message)
        if status is not None:
            self.status, self.status_name = status, status_name

    def __str__(self) -> str:
        return str(self.args[0])


class ArgumentError(NnrtError, ValueError):
    """An argument is not acceptable."""


class StateError(NnrtError, RuntimeError):
    """The call does not fit the state of the object, as reading an output before the first run."""

    status = 2
    status_name = "NNRT_INVALID_STATE"


class ShapeError(NnrtError, ValueError):
    """A shape is not the one the model takes."""


class DTypeError(NnrtError, TypeError):
    """An element type is not the one the model takes, and converting could change values."""

    status = 4
    status_name = "NNRT_DTYPE_MISMATCH"


class IndexRangeError(NnrtError, IndexError):
    """An index held in an input lies outside the axis it selects from."""


class FileError(NnrtError, OSError):
    """The file cannot be read, or is not a valid .nnrt file.

    Where the file is missing, not permitted or a directory, it is also the FileNotFoundError, PermissionError or
    IsADirectoryError that `open` raises, with `errno`. `filename` is the path, if there is one.
    """


class MissingFileError(FileError, FileNotFoundError):
    """There is no such file."""


class FilePermissionError(FileError, PermissionError):
    """The file may not be read."""


class DirectoryError(FileError, IsADirectoryError):
    """The path is that of a directory."""


class MemoryLimitError(NnrtError, MemoryError):
    """Memory could not be had."""


class LimitError(NnrtError):
    """A limit set by the caller or by the library would be exceeded."""


class GraphError(NnrtError):
    """The graph in the file is not well formed, or asks for something this library does not have."""


class SelfTestError(NnrtError):
    """The model gives other bits here than its file records."""


class ConversionError(NnrtError):
    """A model of another framework cannot be made into a .nnrt file, or what is needed for that is missing."""


_BY_STATUS = {
    1: ArgumentError,
    2: StateError,
    3: ShapeError,
    4: DTypeError,
    5: IndexRangeError,
    40: MemoryLimitError,
    41: LimitError,
    80: SelfTestError,
}


def error_for(status: int, name: str, message: str) -> NnrtError:
    """The exception for a status; one of a later library falls back to its group's."""
    kind = _BY_STATUS.get(status)
    if kind is None:
        kind = FileError if 20 <= status < 40 else GraphError if 60 <= status < 80 else NnrtError
    return kind(message, status, name)


_BY_ERRNO = {
    errno.ENOENT: MissingFileError,
    errno.EACCES: FilePermissionError,
    errno.EPERM: FilePermissionError,
    errno.EISDIR: DirectoryError,
}


def file_error(error: FileError, path: str) -> FileError:
    """The error that opening a path gave, with what the system says of that path."""
    number = None
    if error.status_name == "NNRT_FILE_ACCESS":
        try:
            os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
            number = errno.EISDIR if os.path.isdir(path) else None
        except OSError as reason:
            number = reason.errno
    found = _BY_ERRNO.get(number, FileError)(str(error), error.status, error.status_name)
    found.errno, found.strerror = number, os.strerror(number) if number else None
    found.filename = path
    return found
