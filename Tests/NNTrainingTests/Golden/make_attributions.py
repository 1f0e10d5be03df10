#!/usr/bin/env python3
"""Writes attributions.json: gradients, integrated gradients and Grad-CAM of a small convolutional network, as PyTorch computes
them.

    python3 -m venv build/venv && build/venv/bin/pip install torch
    build/venv/bin/python Tests/NNTrainingTests/Golden/make_attributions.py

Everything is computed in float64 and depends on the seed below alone. Made with torch 2.15.
"""

import json
import pathlib

import torch
from torch.nn import functional as F

torch.set_default_dtype(torch.float64)
generator = torch.Generator().manual_seed(20261212)


def draw(*shape):
    # Rounded to float32, so that both sides begin with the same numbers.
    return torch.randn(*shape, generator=generator).float().double()


def pack(tensor):
    return {"shape": list(tensor.shape), "values": [round(v, 12) for v in tensor.detach().reshape(-1).tolist()]}


weights = {
    "conv2d_1.weight": draw(3, 2, 3, 3) * 0.5, "conv2d_1.bias": draw(3) * 0.25,
    "conv2d_2.weight": draw(4, 3, 3, 3) * 0.5, "conv2d_2.bias": draw(4) * 0.25,
    "dense_1.weight": draw(64, 5) * 0.5, "dense_1.bias": draw(5) * 0.25,
}


def forward(x):
    """The output, and the result of the second convolution."""
    x = F.relu(F.conv2d(x, weights["conv2d_1.weight"], weights["conv2d_1.bias"], padding=1))
    x = F.max_pool2d(x, 2)
    maps = torch.tanh(F.conv2d(x, weights["conv2d_2.weight"], weights["conv2d_2.bias"], padding=1))
    return maps.flatten(1) @ weights["dense_1.weight"] + weights["dense_1.bias"], maps


samples, baseline, scores, steps = draw(3, 2, 8, 8), draw(2, 8, 8), torch.tensor([4, 0, 2]), 24


def gradient(x, scores):
    x = x.clone().requires_grad_(True)
    output = forward(x)[0]
    return torch.autograd.grad(output.gather(1, scores[:, None]).sum(), x)[0]


total = torch.zeros_like(samples)
for step in range(steps):
    total += gradient(baseline + (step + 0.5) / steps * (samples - baseline), scores)
integrated = (samples - baseline) * total / steps

output, maps = forward(samples.clone().requires_grad_(True))
slope = torch.autograd.grad(output.gather(1, scores[:, None]).sum(), maps)[0]
cam = F.relu((slope.mean((2, 3), keepdim=True) * maps).sum(1, keepdim=True))
cam = F.interpolate(cam, size=(8, 8), mode="bilinear", align_corners=False)[:, 0]

gradients = gradient(samples, scores)
content = {
    "weights": {name: pack(tensor) for name, tensor in weights.items()},
    "samples": pack(samples), "baseline": pack(baseline), "scores": scores.tolist(), "steps": steps,
    "output": pack(output), "maps": pack(maps), "gradients": pack(gradients),
    "saliency": pack(gradients.abs().amax(1)), "integrated": pack(integrated), "cam": pack(cam),
}
(pathlib.Path(__file__).parent / "attributions.json").write_text(json.dumps(content) + "\n")
