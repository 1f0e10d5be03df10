#!/usr/bin/env python3
"""Writes networks of PyTorch with what they compute: *.safetensors as the package of that name saves a state_dict, weights.json
with inputs and outputs; types.safetensors with one tensor of each type; data.npz.

    python3 -m venv build/venv && build/venv/bin/pip install torch safetensors numpy
    build/venv/bin/python Tests/NNTrainingTests/Golden/make_weights.py

Made with torch 2.15 and safetensors 0.8; everything depends on the seed below alone.
"""

import json
import pathlib

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

torch.manual_seed(20261201)
folder = pathlib.Path(__file__).parent
cases = {}


def pack(tensor):
    return {"shape": list(tensor.shape), "values": [float(v) for v in tensor.detach().reshape(-1)]}


def case(name, network, x, function=None):
    network.eval()
    save_file(network.state_dict(), folder / f"{name}.safetensors")
    cases[name] = {"input": pack(x), "output": pack((function or network)(x))}


images = nn.Sequential(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(16, 5), nn.Tanh(), nn.Linear(5, 5))
for _ in range(3):
    images(torch.randn(8, 2, 4, 4))
with torch.no_grad():
    images[1].weight.uniform_(0.5, 1.5)
    images[1].bias.normal_()
case("images", images, torch.randn(3, 2, 4, 4))

kernels = nn.ModuleDict({"line": nn.Conv1d(2, 3, 2), "volume": nn.Conv3d(2, 3, (2, 1, 2))})
case("line", nn.ModuleDict({"line": kernels["line"]}), torch.randn(2, 2, 5), kernels["line"])
case("volume", nn.ModuleDict({"volume": kernels["volume"]}), torch.randn(2, 2, 3, 2, 3), kernels["volume"])

lstm = nn.LSTM(3, 4, batch_first=True)
with torch.no_grad():
    lstm.bias_hh_l0.zero_()
case("lstm", lstm, torch.randn(2, 5, 3), lambda x: lstm(x)[0][:, -1])

embedding = nn.Embedding(3, 3)
save_file(embedding.state_dict(), folder / "embedding.safetensors")
cases["embedding"] = {"input": {"shape": [1, 3], "values": [2.0, 0.0, 1.0]}, "output": pack(embedding(torch.tensor([[2, 0, 1]])))}

numbers = torch.tensor([[0.0, -0.0, 1.0, -2.5], [65504.0, 2**-24, 2**-15, float("inf")]])
save_file({"f32": numbers, "f16": numbers.half(), "bf16": numbers.bfloat16(), "f64": numbers.double() / 3,
           "i64": torch.tensor(7), "u8": torch.tensor([0, 255], dtype=torch.uint8), "bool": torch.tensor([True, False]),
           "empty": torch.zeros(0, 2)}, folder / "types.safetensors", metadata={"made by": "make_weights.py"})
cases["types"] = {"input": pack(numbers[:0]), "output": pack((numbers.double() / 3).float()[:, :3])}

(folder / "weights.json").write_text(json.dumps(cases))
np.savez_compressed(folder / "data.npz", x=np.arange(12, dtype=np.uint8).reshape(3, 2, 2), y=np.array([1, 0, 2], dtype=np.int32),
                    values=np.array([0.5, 1.5, 2.5]), masks=np.array([[1, -1], [0, 0], [1, 1]], dtype=np.int8),
                    words=np.array([[5, 6], [7, 8], [9, 10]], dtype=np.int64), other=np.zeros(2, dtype=np.float32))
