"""Makes the models beside this file with the onnx package: build/conformance-venv/bin/python Tests/NNOnnxTests/Models/make.py"""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = Path(__file__).parent


def save(name: str, nodes, inputs, outputs, constants, functions=(), opset=17) -> None:
    graph = helper.make_graph(nodes, name, inputs, outputs, [numpy_helper.from_array(v, k) for k, v in constants.items()])
    imports = [helper.make_opsetid("", opset)] + [helper.make_opsetid(f.domain, 1) for f in functions]
    model = helper.make_model(graph, opset_imports=imports, functions=functions, producer_name="nnrt")
    model.ir_version = 8
    onnx.checker.check_model(model, full_check=True)
    (HERE / f"{name}.onnx").write_bytes(model.SerializeToString())


def value(name: str, *shape, dtype=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, dtype, shape)


# Two layers over a free batch, flattened by arithmetic with shapes as exporters write it.
save(
    "mlp",
    [
        helper.make_node("Shape", ["x"], ["shape"]),
        helper.make_node("Gather", ["shape", "zero"], ["batch"]),
        helper.make_node("Unsqueeze", ["batch", "first"], ["rows"]),
        helper.make_node("Concat", ["rows", "rest"], ["target"], axis=0),
        helper.make_node("Reshape", ["x", "target"], ["flat"]),
        helper.make_node("Gemm", ["flat", "w1", "b1"], ["a"], transB=1),
        helper.make_node("Relu", ["a"], ["h"]),
        helper.make_node("MatMul", ["h", "w2"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["y"]),
    ],
    [value("x", "N", 2, 3)],
    [value("y", "N", 2)],
    {
        "zero": np.array(0, np.int64),
        "first": np.array([0], np.int64),
        "rest": np.array([-1], np.int64),
        "w1": np.arange(24, dtype=np.float32).reshape(4, 6) / 12 - 1,
        "b1": np.array([0.5, -0.5, 0.25, 0], np.float32),
        "w2": np.array([[1, -1], [0.5, 0.25], [-2, 2], [0, 1]], np.float32),
    },
)

# A function with an attribute, called twice.
scaled = helper.make_function(
    "local", "Scaled", ["a"], ["b"],
    [
        helper.make_node("Constant", [], ["factor"]),
        helper.make_node("Mul", ["a", "factor"], ["b"]),
    ],
    [helper.make_opsetid("", 17)], ["factor"],
)
scaled.node[0].attribute.add(name="value_float", ref_attr_name="factor", type=onnx.AttributeProto.FLOAT)
save(
    "function",
    [
        helper.make_node("Scaled", ["x"], ["twice"], domain="local", factor=2.0),
        helper.make_node("Scaled", ["twice"], ["y"], domain="local", factor=-3.0),
    ],
    [value("x", 2)], [value("y", 2)], {}, [scaled],
)

# A branch that is only known when the model runs, reading a value from outside.
save(
    "branch",
    [
        helper.make_node("ReduceSum", ["x"], ["sum"], keepdims=0),
        helper.make_node("Greater", ["sum", "zero"], ["positive"]),
        helper.make_node(
            "If", ["positive"], ["y"],
            then_branch=helper.make_graph([helper.make_node("Add", ["x", "x"], ["double"])], "then", [], [value("double", 3)]),
            else_branch=helper.make_graph([helper.make_node("Neg", ["x"], ["negative"])], "else", [], [value("negative", 3)]),
        ),
    ],
    [value("x", 3)], [value("y", 3)], {"zero": np.array(0, np.float32)},
)
