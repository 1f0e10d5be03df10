#!/usr/bin/env python3
"""Writes images.json: images in other sizes, turned and with other colours, as NumPy, PyTorch and torchvision compute them.

    python3 -m venv build/venv && build/venv/bin/pip install torch torchvision
    build/venv/bin/python Tests/NNTrainingTests/Golden/make_images.py

Means over areas are taken after repeating each pixel as often as it takes to cut whole ones. Everything is computed in float64
and depends on the seed below alone.
"""

import json
import pathlib

import numpy as np
import torch
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as F

generator = torch.Generator().manual_seed(20261130)


def draw(*shape):
    return torch.rand(*shape, generator=generator, dtype=torch.float64)


def pack(tensor):
    return {"shape": list(tensor.shape), "values": [round(v, 9) for v in tensor.reshape(-1).tolist()]}


def area(image, height, width):
    """An axis that shrinks takes means; one that grows is interpolated."""
    channels, h, w = image.shape
    result = image.numpy()
    if height < h:
        result = np.repeat(result, height, axis=1).reshape(channels, height, h, -1).mean(axis=2)
    if width < w:
        result = np.repeat(result, width, axis=2).reshape(channels, result.shape[1], width, w).mean(axis=3)
    return bilinear(torch.from_numpy(result), height, width)


def bilinear(image, height, width):
    return torch.nn.functional.interpolate(image[None], (height, width), mode="bilinear", align_corners=False)[0]


resized = []
for channels, h, w, height, width in [(1, 7, 10, 3, 4), (3, 8, 8, 4, 2), (1, 5, 9, 9, 4), (2, 3, 2, 5, 7), (1, 6, 6, 1, 1)]:
    image = draw(channels, h, w) * 255
    resized.append({"input": pack(image), "area": pack(area(image, height, width)),
                    "bilinear": pack(bilinear(image, height, width))})

rotated = []
for degrees, fill in [(30, 0), (-75.5, 0), (90, 0), (180, 0), (17, 0.5)]:
    image = draw(2, 6, 9 if degrees != 90 else 6)
    # With a fill of its own, torchvision takes what lies outside into account twice.
    turned = F.rotate(image - fill, degrees, InterpolationMode.BILINEAR) + fill
    rotated.append({"input": pack(image), "degrees": degrees, "fill": fill, "output": pack(turned)})

colours = []
for name, function, channels, factor in [
        ("brightness", F.adjust_brightness, 3, 1.4), ("brightness", F.adjust_brightness, 1, 0.3),
        ("contrast", F.adjust_contrast, 3, 1.7), ("contrast", F.adjust_contrast, 1, 0.5),
        ("saturation", F.adjust_saturation, 3, 1.8), ("saturation", F.adjust_saturation, 3, 0.2)]:
    image = draw(channels, 3, 4)
    colours.append({"name": name, "factor": factor, "input": pack(image), "output": pack(function(image, factor))})

path = pathlib.Path(__file__).with_name("images.json")
path.write_text(json.dumps({"resized": resized, "rotated": rotated, "colours": colours}))
print(f"{path}: {path.stat().st_size} bytes")
