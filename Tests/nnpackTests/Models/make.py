"""Makes the models beside this file with the onnx package: build/conformance-venv/bin/python Tests/nnpackTests/Models/make.py

Their weights are random numbers of a fixed seed. The folder of `pictures` also has a set of inputs and outputs as ONNX's model zoo
lays them out, computed by the package's reference.
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

HERE = Path(__file__).parent
random = np.random.default_rng(1)


def save(name: str, nodes, inputs, outputs, constants) -> onnx.ModelProto:
    graph = helper.make_graph(nodes, name, inputs, outputs, [numpy_helper.from_array(v, k) for k, v in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="nnrt")
    model.ir_version = 8
    onnx.checker.check_model(model, full_check=True)
    (HERE / name).mkdir(exist_ok=True)
    (HERE / name / "model.onnx").write_bytes(model.SerializeToString())
    return model


def value(name: str, *shape, dtype=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, dtype, shape)


def normal(*shape, scale=1.0):
    return (random.standard_normal(shape) * scale).astype(np.float32)


# Pictures to scores, with a normalisation to fold, activations to move and to recognise, and transposes that undo each other.
pictures = save(
    "pictures",
    [
        helper.make_node("Conv", ["x", "conv.weight"], ["c"], name="conv", pads=[1, 1, 1, 1]),
        helper.make_node("BatchNormalization", ["c", "norm.weight", "norm.bias", "norm.mean", "norm.variance"], ["n"]),
        helper.make_node("Relu", ["n"], ["r"]),
        helper.make_node("Transpose", ["r"], ["last"], perm=[0, 2, 3, 1]),
        helper.make_node("Tanh", ["last"], ["t"]),
        helper.make_node("Transpose", ["t"], ["first"], perm=[0, 3, 1, 2]),
        helper.make_node("GlobalAveragePool", ["first"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("Gemm", ["flat", "hidden.weight", "hidden.bias"], ["h"], name="hidden", transB=1),
        helper.make_node("Sigmoid", ["h"], ["s"]),
        helper.make_node("Mul", ["h", "s"], ["silu"]),
        helper.make_node("MatMul", ["silu", "head.weight"], ["y"], name="head"),
    ],
    [value("x", "N", 3, "H", "W")],
    [value("y", "N", 12)],
    {
        "conv.weight": normal(16, 3, 3, 3, scale=0.3),
        "norm.weight": 1 + normal(16, scale=0.1), "norm.bias": normal(16, scale=0.1),
        "norm.mean": normal(16, scale=0.1), "norm.variance": 1 + random.random(16).astype(np.float32),
        "hidden.weight": normal(96, 16, scale=0.2), "hidden.bias": normal(96, scale=0.1),
        "head.weight": normal(96, 12, scale=0.1),
    },
)
folder = HERE / "pictures" / "test_data_set_0"
folder.mkdir(exist_ok=True)
x = normal(2, 3, 8, 8)
(y,) = ReferenceEvaluator(pictures).run(None, {"x": x})
(folder / "input_0.pb").write_bytes(numpy_helper.from_array(x, "x").SerializeToString())
(folder / "output_0.pb").write_bytes(numpy_helper.from_array(y, "y").SerializeToString())

# Texts to scores: numbers of words select from a table.
save(
    "words",
    [
        helper.make_node("Gather", ["embedding.weight", "words"], ["rows"]),
        helper.make_node("ReduceMean", ["rows"], ["mean"], axes=[1], keepdims=0),
        helper.make_node("MatMul", ["mean", "head.weight"], ["y"], name="head"),
    ],
    [value("words", "N", "T", dtype=TensorProto.INT64)],
    [value("y", "N", 8)],
    {"embedding.weight": normal(50, 32), "head.weight": normal(32, 8, scale=0.2)},
)

# A model that no random input fits: 7 rows of something are asked for, in the end.
save(
    "seven",
    [
        helper.make_node("MatMul", ["x", "a"], ["wide"]),
        helper.make_node("MatMul", ["wide", "b"], ["narrow"]),
        helper.make_node("Reshape", ["narrow", "shape"], ["y"], name="rows"),
    ],
    [value("x", "N", 16)],
    [value("y", 7, 8)],
    {"a": normal(16, 256), "b": normal(256, 8), "shape": np.array([7, 8], np.int64)},
)

# Numbers of 64 bits at places that are computed in 32.
save(
    "places",
    [helper.make_node("GridSample", ["x", "grid"], ["y"], name="sample")],
    [value("x", 1, 1, 4, 4, dtype=TensorProto.DOUBLE), value("grid", 1, 2, 2, 2, dtype=TensorProto.DOUBLE)],
    [value("y", 1, 1, 2, 2, dtype=TensorProto.DOUBLE)],
    {},
)
