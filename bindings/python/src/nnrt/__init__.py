"""Runs neural networks from .nnrt files.

    import numpy as np
    import nnrt

    model = nnrt.load("digits.nnrt")
    probabilities = model(np.zeros((1, 64), np.float32))
"""

from ._convert import ConversionWarning, convert, from_torch
from ._errors import (
    ArgumentError,
    ConversionError,
    DTypeError,
    FileError,
    GraphError,
    IndexRangeError,
    LimitError,
    MemoryLimitError,
    NnrtError,
    SelfTestError,
    ShapeError,
    StateError,
)
from ._library import version
from ._model import Model, TensorInfo, load
from ._session import Session

__version__ = version()

__all__ = [
    "ArgumentError",
    "ConversionError",
    "ConversionWarning",
    "DTypeError",
    "FileError",
    "GraphError",
    "IndexRangeError",
    "LimitError",
    "MemoryLimitError",
    "Model",
    "NnrtError",
    "SelfTestError",
    "Session",
    "ShapeError",
    "StateError",
    "TensorInfo",
    "convert",
    "from_torch",
    "load",
    "version",
]
