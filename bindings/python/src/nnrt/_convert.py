"""Models of other frameworks as .nnrt files, through nnpack."""

from __future__ import annotations

import inspect
import logging
import os
import re
import sys
import tempfile
import warnings
from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional, Union

from ._arguments import integer
from ._errors import ArgumentError, ConversionError
from ._model import Model, load
from ._nnpack import nnpack_path, run

if TYPE_CHECKING:
    import torch

StrPath = Union[str, "os.PathLike[str]"]


class ConversionWarning(UserWarning):
    """A model is computed less precisely than it says."""


def convert(
    source: Union[StrPath, bytes, bytearray, memoryview],
    target: StrPath,
    *,
    input_shape: Optional[Mapping[str, int]] = None,
    weights: str = "f32",
    weights_from: Optional[StrPath] = None,
    names: Union[Mapping[str, str], Sequence[str]] = (),
    level: Optional[int] = None,
    self_tests: Optional[int] = None,
    test_shape: Optional[Mapping[str, int]] = None,
    without: Sequence[str] = (),
    check: bool = False,
    tolerance: Optional[float] = None,
    python: Optional[StrPath] = None,
) -> str:
    """Makes a .nnrt file of an ONNX model, or of a .nnrt file and other weights, as `nnpack convert` does.

    Args:
        source: the path of the model, or its bytes.
        target: the file to write. It appears when all has succeeded.
        input_shape: extents for free dimensions, by the names that the model gives them.
        weights: "f16" or "bf16" to round the large weights to the numbers of that type, which makes the file smaller.
        weights_from: a .safetensors, .npz or .nnrt file to take the weights from, as far as they have the names of the model's.
        names: what weights of that file are called in the model: a dict of names, or rules "PATTERN=REPLACEMENT" with regular
            expressions. A name with .T behind it is that of the transposed matrix.
        level: how hard to compress, from 1 to 22; 0 stores the weights raw, to be used where they lie in the file, mapped.
        self_tests: how many self-test vectors the file gets.
        test_shape: extents of free dimensions in the inputs of self-test vectors and checks.
        without: passes over the graph to leave out, by name.
        check: whether to compare every output with ONNX Runtime.
        tolerance: what `check` lets pass, in parts of an output's largest number.
        python: the Python that has ONNX Runtime; this one unless told.

    Returns:
        The summary that nnpack prints.

    Raises:
        ArgumentError: an argument has a wrong type or range.
        ConversionError: there is no nnpack, or it refuses; the message says why, and nothing is written.
    """
    target = _path("target", target)
    with tempfile.TemporaryDirectory(prefix="nnrt-") as folder:
        options = _options(
            folder,
            input_shape=input_shape,
            weights=weights,
            weights_from=weights_from,
            names=names,
            level=level,
            self_tests=self_tests,
            test_shape=test_shape,
            without=without,
            check=check,
            tolerance=tolerance,
            python=python,
        )
        if isinstance(source, (bytes, bytearray, memoryview)):
            is_packed = bytes(source[:4]) == b"NNRT"
            path = os.path.join(folder, "model.nnrt" if is_packed else "model.onnx")
            Path(path).write_bytes(source)
        else:
            path = _path("source", source)
        try:
            output, errors = run(["convert", *options, "--", path, target])
        except ConversionError as error:
            raise ConversionError(_in_terms_of_python(str(error), folder)) from None
    for line in errors.splitlines():
        text = _in_terms_of_python(line.removeprefix("nnpack: warning: "), folder)
        warnings.warn(text, ConversionWarning, stacklevel=2)
    return output


def _options(
    folder: str,
    *,
    input_shape: Any,
    weights: Any,
    weights_from: Any,
    names: Any,
    level: Any,
    self_tests: Any,
    test_shape: Any,
    without: Any,
    check: Any,
    tolerance: Any,
    python: Any,
) -> list[str]:
    """nnpack's options for the arguments of `convert`; a table of names goes into the folder."""
    options = [] if _text("weights", weights) == "f32" else ["--weights", weights]
    for name, extents in (("input_shape", input_shape), ("test_shape", test_shape)):
        if extents:
            options += ["--" + name.replace("_", "-"), _extents(name, extents)]
    if level is not None:
        options.append(f"--level={integer('level', level, 0, 22)}")
    if self_tests is not None:
        options.append(f"--self-tests={integer('self_tests', self_tests, 0)}")
    if tolerance is not None:
        if isinstance(tolerance, (str, bytes)) or not hasattr(tolerance, "__float__"):
            raise ArgumentError(f"tolerance is {tolerance!r}; it is a number")
        options.append(f"--tolerance={float(tolerance)}")
    without = _texts("without", without)
    if without:
        options += ["--without", *without]
    if weights_from is not None:
        options += ["--weights-from", _path("weights_from", weights_from)]
    if check:
        options += ["--check", "--python", _path("python", python or sys.executable)]
    if isinstance(names, Mapping):
        table = os.path.join(folder, "names.tsv")
        lines = (f"{_text('names', name)}\t{_text('names', other)}\n" for name, other in names.items())
        Path(table).write_text("".join(lines), encoding="utf-8")
        names = [table] if names else []
    for rule in _texts("names", names):
        options += ["--map", rule]
    return options


def _extents(name: str, extents: Any) -> str:
    if not isinstance(extents, Mapping):
        raise ArgumentError(f"{name} is {extents!r}; it is a dict of dimensions' names and extents")
    return ",".join(f"{_text(name, key)}={integer(f'{name}[{key!r}]', value, 0)}" for key, value in extents.items())


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ArgumentError(f"{name}: {value!r} is no text")
    return value


def _texts(name: str, values: Any) -> list[str]:
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise ArgumentError(f"{name} is {values!r}; it is a list of texts")
    return [_text(name, value) for value in values]


def _path(name: str, value: Any) -> str:
    try:
        path = os.fsdecode(value)
    except (TypeError, UnicodeError):
        raise ArgumentError(f"{name} is {value!r:.100}; it is a path") from None
    if "\0" in path:
        raise ArgumentError(f"{name} has a NUL in it")
    return path


def _in_terms_of_python(message: str, folder: str) -> str:
    """What nnpack says, with the names of arguments for its options, and without usage and the temporary folder."""

    def argument(found: "re.Match[str]") -> str:
        name = (found[1] or found[2]).replace("-", "_")
        return "names" if name == "map" else name if name in inspect.signature(convert).parameters else found[0]

    message = re.split("\n(?:Help|Usage): ", message)[0].replace(folder + os.sep, "")
    return re.sub(r"'--([a-z-]+) <[^>]*>'|(?<![\w-])--([a-z-]+)", argument, message)


def from_torch(
    module: "torch.nn.Module",
    example_inputs: Any,
    path: Optional[StrPath] = None,
    *,
    input_names: Optional[Sequence[str]] = None,
    output_names: Optional[Sequence[str]] = None,
    dynamic_axes: Optional[Mapping[str, Any]] = None,
    dynamic_shapes: Any = None,
    opset_version: Optional[int] = None,
    **options: Any,
) -> Model:
    """Exports a PyTorch module to ONNX, converts that, and opens what comes of it.

    The module is exported as it is in evaluation, and stays in the mode it was in, with all modules inside. What
    `convert` would return is logged, as information of the logger "nnrt".

    Args:
        module: the module.
        example_inputs: a tensor, or a tuple of what the module is called with.
        path: where to keep the .nnrt file; nowhere unless told.
        input_names, output_names: names for the model's inputs and outputs.
        dynamic_axes: free dimensions as `torch.onnx.export` takes them for its older exporter: `{"x": {0: "batch"}}`.
        dynamic_shapes: free dimensions as it takes them for its newer one, which needs the package onnxscript.
        opset_version: the ONNX operator set to export with.
        options: as for `convert`; with `check=True` there is no model unless it agrees with ONNX Runtime.

    Raises:
        ArgumentError: an argument is not acceptable.
        ConversionError: PyTorch is not there, or its export or the conversion fails.
    """
    try:
        import torch
        import torch.onnx
    except ImportError as error:
        raise ConversionError(f"from_torch needs PyTorch, which cannot be imported ({error}): pip install torch") from error
    if not isinstance(module, torch.nn.Module):
        raise ArgumentError(f"module is {module!r:.100}; it is a torch.nn.Module")
    if dynamic_axes is not None and dynamic_shapes is not None:
        raise ArgumentError("dynamic_axes is for PyTorch's older exporter, dynamic_shapes for the newer one: give one")
    arguments: dict[str, Any] = {"input_names": input_names, "output_names": output_names}
    arguments |= {"dynamic_axes": dynamic_axes, "dynamic_shapes": dynamic_shapes, "opset_version": opset_version}
    arguments = {name: value for name, value in arguments.items() if value is not None}
    if "dynamo" in inspect.signature(torch.onnx.export).parameters:
        arguments["dynamo"] = dynamic_shapes is not None or (dynamic_axes is None and find_spec("onnxscript") is not None)
    elif dynamic_shapes is not None:
        raise ConversionError("dynamic_shapes needs a PyTorch whose torch.onnx.export takes them; dynamic_axes may do")
    inputs = example_inputs if isinstance(example_inputs, tuple) else (example_inputs,)
    with tempfile.TemporaryDirectory(prefix="nnrt-") as folder:
        # Exporting takes long: what would fail afterwards should fail now.
        nnpack_path()
        known = inspect.signature(convert).bind("", "", **options)
        known.apply_defaults()
        _options(folder, **known.kwargs)
        target = os.path.join(folder, "model.nnrt") if path is None else _path("path", path)
        onnx_path = os.path.join(folder, "model.onnx")
        modes = [(part, part.training) for part in module.modules()]
        module.eval()
        try:
            with torch.no_grad():
                torch.onnx.export(module, inputs, onnx_path, **arguments)
        except Exception as error:  # what the exporter raises is of many kinds
            raise ConversionError(f"PyTorch does not export the module: {error}") from error
        finally:
            # A module may do more than note its mode; those inside it need not be in the same.
            module.train(modes[0][1])
            for part, mode in modes:
                part.training = mode
        logging.getLogger("nnrt").info("%s", convert(onnx_path, target, **options))
        model = load(target)
    if path is None:
        model._forget_path(f"of PyTorch's {type(module).__name__}")
    return model
