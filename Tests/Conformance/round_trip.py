"""What becomes of models that go to a .nnrt file and back to ONNX: onnx's checker, and what ONNX Runtime computes from them.

Nothing is computed here. Element types that NumPy and ONNX Runtime's Python package do not exchange are cast by ONNX Runtime itself, by
nodes put before the inputs and behind the outputs after the checker has seen the model.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

#: Types that only stay within ONNX Runtime, and those they are exchanged as.
EXCHANGED = {
    TensorProto.BFLOAT16: TensorProto.FLOAT, TensorProto.FLOAT8E4M3FN: TensorProto.FLOAT, TensorProto.FLOAT8E4M3FNUZ: TensorProto.FLOAT,
    TensorProto.FLOAT8E5M2: TensorProto.FLOAT, TensorProto.FLOAT8E5M2FNUZ: TensorProto.FLOAT, TensorProto.FLOAT8E8M0: TensorProto.FLOAT,
    TensorProto.FLOAT4E2M1: TensorProto.FLOAT, TensorProto.INT4: TensorProto.INT8, TensorProto.UINT4: TensorProto.UINT8,
    TensorProto.INT2: TensorProto.INT8, TensorProto.UINT2: TensorProto.UINT8,
}


def export_all(pairs: list[tuple[str, Path, Path]], nnpack: str, listing: Path) -> dict[str, str]:
    """Writes ONNX models of .nnrt files; gives the reason for each name that has none now."""
    for _, _, target in pairs:
        target.unlink(missing_ok=True)
    listing.write_text("".join(f"{source}\t{target}\n" for _, source, target in pairs))
    done = subprocess.run(
        [nnpack, "convert", "--batch", str(listing)], capture_output=True, text=True, errors="replace",
        env={**os.environ, "SWIFT_BACKTRACE": "enable=no"},
    )
    reasons = {}
    names = {str(source): name for name, source, _ in pairs}
    for message in re.split(r"^nnpack: ", done.stderr, flags=re.M):
        path, _, text = message.partition(": ")
        if path in names:
            reasons[names[path]] = " ".join(text.split())
    for name, _, target in pairs:
        if not target.exists():
            reasons.setdefault(name, f"nnpack gave neither a file nor a reason; status {done.returncode}")
    return reasons


def check(path: Path) -> onnx.ModelProto:
    """The model, which onnx's checker accepts with its shapes inferred."""
    onnx.checker.check_model(str(path), full_check=True)
    return onnx.load(path)


def exchangeable(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with casts where its inputs and outputs are of types that cannot be exchanged."""
    before, after = [], []
    renamed: dict[str, str] = {}
    for value in model.graph.input:
        inner = value.type.tensor_type.elem_type
        if inner in EXCHANGED:
            renamed[value.name] = value.name + " (cast)"
            before.append(helper.make_node("Cast", [value.name], [renamed[value.name]], to=inner))
            value.type.tensor_type.elem_type = EXCHANGED[inner]
    for value in model.graph.output:
        inner = value.type.tensor_type.elem_type
        if inner in EXCHANGED:
            renamed[value.name] = value.name + " (to cast)"
            after.append(helper.make_node("Cast", [renamed[value.name]], [value.name], to=EXCHANGED[inner]))
            value.type.tensor_type.elem_type = EXCHANGED[inner]
    if not renamed:
        return model
    rename(model.graph, renamed)
    nodes = [*before, *model.graph.node, *after]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


def rename(graph: onnx.GraphProto, names: dict[str, str]) -> None:
    for node in graph.node:
        for field in (node.input, node.output):
            for index, name in enumerate(field):
                field[index] = names.get(name, name)
        for attribute in node.attribute:
            if attribute.HasField("g"):
                rename(attribute.g, names)
    for initializer in graph.initializer:
        initializer.name = names.get(initializer.name, initializer.name)


class Runtime:
    """An exported model in ONNX Runtime, which the checker has accepted."""

    def __init__(self, path: Path):
        import onnxruntime

        onnxruntime.set_default_logger_severity(4)
        model = check(path)
        states = {p.key.removeprefix("state."): p.value for p in model.metadata_props if p.key.startswith("state.")}
        self.states = {name: states[name] for name in (value.name for value in model.graph.input) if name in states}
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.intra_op_num_threads = 1
        narrow = any(v.type.tensor_type.elem_type in EXCHANGED for v in [*model.graph.input, *model.graph.output])
        given = exchangeable(model).SerializeToString() if narrow else str(path)
        self.session = onnxruntime.InferenceSession(given, options, providers=["CPUExecutionProvider"])

    def __call__(self, inputs: dict[str, np.ndarray]) -> list:
        given = {}
        for value in self.session.get_inputs():
            array = np.asarray(inputs[value.name])
            plain = {"tensor(float)": np.float32, "tensor(int8)": np.int8, "tensor(uint8)": np.uint8}.get(value.type)
            given[value.name] = array.astype(plain) if plain is not None and array.dtype != plain else array
        return self.session.run(None, given)
