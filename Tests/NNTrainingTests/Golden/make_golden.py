#!/usr/bin/env python3
"""Writes golden.json: outputs and gradients of layers and losses, and 20 steps of optimisers, as PyTorch computes them.

    python3 -m venv build/venv && build/venv/bin/pip install torch
    build/venv/bin/python Tests/NNTrainingTests/Golden/make_golden.py

Everything is computed in float64 and depends on the seed below alone. Shapes: images (N, C, H, W); dense weights are
written as (in, out), the transpose of PyTorch's. Made with torch 2.15.
"""

import json
import pathlib

import torch
from torch import nn
from torch.nn import functional as F

torch.set_default_dtype(torch.float64)
generator = torch.Generator().manual_seed(20240607)


def draw(*shape):
    return torch.randn(*shape, generator=generator)


def pack(tensor):
    return {"shape": list(tensor.shape), "values": [round(v, 12) for v in tensor.detach().reshape(-1).tolist()]}


def layer_case(name, x, parameters, forward, updated=None):
    """loss = sum(output * upstream); `parameters` are named as the Swift layer names them."""
    x = x.clone().requires_grad_(True)
    leaves = {key: value.clone().requires_grad_(True) for key, value in parameters.items()}
    output = forward(x, leaves)
    upstream = draw(*output.shape)
    (output * upstream).sum().backward()
    case = {
        "name": name,
        "input": pack(x),
        "parameters": {key: pack(value) for key, value in leaves.items()},
        "upstream": pack(upstream),
        "output": pack(output),
        "inputGradient": pack(x.grad),
        "parameterGradients": {key: pack(value.grad) for key, value in leaves.items() if value.grad is not None},
    }
    if updated:
        case["updated"] = {key: pack(value) for key, value in updated.items()}
    return case


def dense(units_in, units_out, activation=lambda z: z):
    parameters = {"dense_1.weight": draw(units_in, units_out), "dense_1.bias": draw(units_out)}
    return parameters, lambda x, p: activation(x @ p["dense_1.weight"] + p["dense_1.bias"])


def conv(filters, per_group, kernel, pad=None, **options):
    parameters = {"conv2d_1.weight": draw(filters, per_group, *kernel), "conv2d_1.bias": draw(filters)}

    def forward(x, p):
        if pad:
            x = F.pad(x, pad)
        return F.conv2d(x, p["conv2d_1.weight"], p["conv2d_1.bias"], **options)

    return parameters, forward


def layers():
    cases = []

    def add(name, x, pair):
        cases.append(layer_case(name, x, *pair))

    add("dense", draw(3, 4), dense(4, 5))
    add("dense of rank 3", draw(2, 3, 4), dense(4, 2))
    for name, function in [
        ("sigmoid", torch.sigmoid),
        ("tanh", torch.tanh),
        ("relu", torch.relu),
        ("leakyRelu", lambda z: F.leaky_relu(z, 0.01)),
        ("elu", F.elu),
        ("gelu", F.gelu),
        ("geluTanh", lambda z: F.gelu(z, approximate="tanh")),
        ("silu", F.silu),
        ("softplus", F.softplus),
    ]:
        add("dense " + name, draw(3, 4), dense(4, 3, function))
    add("conv valid", draw(2, 3, 5, 4), conv(4, 3, (3, 2)))
    add("conv strided", draw(2, 2, 6, 7), conv(3, 2, (3, 3), stride=(2, 3)))
    add("conv same", draw(1, 2, 5, 5), conv(3, 2, (3, 3), padding=1))
    # Keras's "same" with an even reach puts the odd zero to the bottom and right.
    add("conv same even", draw(1, 2, 5, 4), conv(2, 2, (2, 2), pad=(0, 1, 0, 1)))
    add("conv explicit", draw(1, 2, 4, 4), conv(2, 2, (3, 3), padding=(2, 1)))
    add("conv dilated", draw(1, 2, 7, 6), conv(2, 2, (3, 2), dilation=(2, 3)))
    add("conv grouped", draw(2, 4, 4, 4), conv(6, 2, (3, 3), groups=2, padding=1))
    add("conv depthwise", draw(2, 3, 4, 4), conv(3, 1, (2, 2), groups=3))
    add("max pool", draw(2, 2, 4, 6), ({}, lambda x, p: F.max_pool2d(x, 2)))
    add("max pool overlapping", draw(1, 2, 6, 6), ({}, lambda x, p: F.max_pool2d(x, 3, stride=2, padding=1)))
    add("average pool", draw(2, 2, 4, 6), ({}, lambda x, p: F.avg_pool2d(x, 2)))
    add(
        "average pool counting padding",
        draw(1, 2, 5, 5),
        ({}, lambda x, p: F.avg_pool2d(x, 3, stride=2, padding=1, count_include_pad=True)),
    )
    add(
        "average pool without padding",
        draw(1, 2, 5, 5),
        ({}, lambda x, p: F.avg_pool2d(x, 3, stride=2, padding=1, count_include_pad=False)),
    )
    add("global average pool", draw(2, 3, 3, 4), ({}, lambda x, p: x.mean((2, 3))))
    add("flatten", draw(2, 3, 2, 2), ({}, lambda x, p: x.flatten(1)))
    add("softmax", draw(3, 5), ({}, lambda x, p: F.softmax(x, -1)))
    norm = {"layernorm_1.weight": draw(6), "layernorm_1.bias": draw(6)}
    add(
        "layer norm",
        draw(2, 3, 6) * 2 + 1,
        (norm, lambda x, p: F.layer_norm(x, (6,), p["layernorm_1.weight"], p["layernorm_1.bias"], 1e-5)),
    )
    for name, shape in [("batch norm 2d", (3, 2, 4, 3)), ("batch norm 1d", (6, 3))]:
        cases.append(batch_norm(name, shape, training=True))
    cases.append(batch_norm("batch norm frozen", (3, 2, 2, 2), training=False))
    return cases


def batch_norm(name, shape, training):
    channels = shape[1]
    mean, variance = draw(channels), draw(channels).abs() + 0.5
    running_mean, running_variance = mean.clone(), variance.clone()
    parameters = {"batchnorm_1.weight": draw(channels), "batchnorm_1.bias": draw(channels)}

    def forward(x, p):
        return F.batch_norm(
            x, running_mean, running_variance, p["batchnorm_1.weight"], p["batchnorm_1.bias"], training, 0.1, 1e-5
        )

    case = layer_case(
        name,
        draw(*shape) * 2 + 1,
        parameters,
        forward,
        {"batchnorm_1.running_mean": running_mean, "batchnorm_1.running_variance": running_variance},
    )
    case["parameters"]["batchnorm_1.running_mean"] = pack(mean)
    case["parameters"]["batchnorm_1.running_variance"] = pack(variance)
    return case


def losses():
    cases = []

    def add(name, prediction, target, function):
        prediction = prediction.requires_grad_(True)
        loss = function(prediction, target)
        loss.backward()
        cases.append(
            {
                "name": name,
                "prediction": pack(prediction),
                "target": pack(target),
                "loss": loss.item(),
                "gradient": pack(prediction.grad),
            }
        )

    add("mean squared error", draw(4, 3), draw(4, 3), F.mse_loss)
    add(
        "binary cross-entropy",
        draw(5, 2) * 4,
        (draw(5, 2) > 0).double(),
        F.binary_cross_entropy_with_logits,
    )
    add(
        "softmax cross-entropy",
        draw(5, 4) * 3,
        torch.tensor([0, 3, 2, 2, 1]),
        F.cross_entropy,
    )
    return cases


def optimizers():
    start, gradients = draw(6), [draw(6) for _ in range(20)]
    cases = []
    for name, make in [
        ("SGD", lambda p: torch.optim.SGD(p, lr=0.1)),
        ("SGD momentum", lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9)),
        ("SGD Nesterov", lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True)),
        ("SGD L2", lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.8, weight_decay=0.1)),
        ("Adam", lambda p: torch.optim.Adam(p, lr=0.02)),
        ("Adam L2", lambda p: torch.optim.Adam(p, lr=0.02, betas=(0.8, 0.99), weight_decay=0.1)),
        ("AdamW", lambda p: torch.optim.AdamW(p, lr=0.02, weight_decay=0.1)),
    ]:
        parameter = nn.Parameter(start.clone())
        optimizer = make([parameter])
        steps = []
        for gradient in gradients:
            parameter.grad = gradient.clone()
            optimizer.step()
            steps.append(pack(parameter))
        cases.append({"name": name, "steps": steps})
    return {"start": pack(start), "gradients": [pack(g) for g in gradients], "cases": cases}


def clipping():
    cases = []
    gradients = [draw(2, 3), draw(4)]
    for name, bound in [("norm", 1.0), ("norm", 100.0), ("value", 0.5)]:
        parameters = [nn.Parameter(torch.zeros_like(g)) for g in gradients]
        for parameter, gradient in zip(parameters, gradients):
            parameter.grad = gradient.clone()
        if name == "norm":
            nn.utils.clip_grad_norm_(parameters, bound)
        else:
            nn.utils.clip_grad_value_(parameters, bound)
        cases.append({"name": name, "bound": bound, "clipped": [pack(p.grad) for p in parameters]})
    return {"gradients": [pack(g) for g in gradients], "cases": cases}


if __name__ == "__main__":
    golden = {"layers": layers(), "losses": losses(), "optimizers": optimizers(), "clipping": clipping()}
    path = pathlib.Path(__file__).with_name("golden.json")
    path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
    print(path, path.stat().st_size, "bytes")
