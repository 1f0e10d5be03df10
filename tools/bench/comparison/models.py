"""The models that engines are compared on, in PyTorch with fixed seeds, and their files for each engine.

usage: models.py export NAME BATCH FOLDER [onnx] [pnnx]    models.py tflite NAME BATCH FOLDER    models.py free NAME BATCH FOLDER

`export` writes model.onnx, input.npy, expected.npy (computed in float64) and flops.txt, and for ncnn model.ncnn.*.
`tflite` writes model.tflite; it runs where litert-torch is installed. `free` writes model-free.onnx, whose batch is free, and whose tokens are.
"""

from __future__ import annotations

import pathlib
import subprocess
import sys

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


def dense(*widths: int, last: nn.Module | None = None) -> nn.Sequential:
    layers: list[nn.Module] = []
    for a, b in zip(widths, widths[1:]):
        layers += [nn.Linear(a, b), nn.ReLU()]
    return nn.Sequential(*layers[:-1], *([last] if last else []))


def cnn() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(64 * 7 * 7, 10),
    )


def dcgan() -> nn.Module:
    def up(a: int, b: int) -> list[nn.Module]:
        return [nn.ConvTranspose2d(a, b, 4, 2, 1, bias=False), nn.BatchNorm2d(b), nn.ReLU()]

    return nn.Sequential(
        nn.ConvTranspose2d(64, 128, 4, 1, 0, bias=False), nn.BatchNorm2d(128), nn.ReLU(), *up(128, 64), *up(64, 32),
        nn.ConvTranspose2d(32, 1, 4, 2, 1), nn.Tanh(),
    )


class Recurrent(nn.Module):
    def __init__(self, kind: type[nn.Module]) -> None:
        super().__init__()
        self.cells, self.head = kind(64, 128, 2, batch_first=True), nn.Linear(128, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.cells(x)[0][:, -1])


class EncoderLayer(nn.Module):
    """As BERT's: attention, then two dense layers with GELU, each with a residual and layer norm after it."""

    def __init__(self, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.heads = heads
        self.q, self.k, self.v, self.o = (nn.Linear(width, width) for _ in range(4))
        self.up, self.down = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=1e-12), nn.LayerNorm(width, eps=1e-12)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        n, t, d = x.shape
        q, k, v = (p(x).view(n, t, self.heads, d // self.heads).transpose(1, 2) for p in (self.q, self.k, self.v))
        scores = torch.softmax(q @ k.transpose(2, 3) / (d // self.heads) ** 0.5, -1)
        x = self.norm1(x + self.o((scores @ v).transpose(1, 2).reshape(n, t, d)))
        return self.norm2(x + self.down(F.gelu(self.up(x))))


class MiniLM(nn.Module):
    """The sentence encoder MiniLM-L6: 6 layers of width 384, 12 heads, hidden 1536."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.places = nn.Embedding(30522, 384), nn.Parameter(torch.randn(1, 512, 384) * 0.02)
        self.norm = nn.LayerNorm(384, eps=1e-12)
        self.layers = nn.Sequential(*[EncoderLayer(384, 12, 1536) for _ in range(6)])

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.layers(self.norm(self.words(ids) + self.places[:, : ids.shape[1]]))


def torchvision_model(name: str) -> nn.Module:
    import torchvision

    return getattr(torchvision.models, name)(weights=None)


#: name: (what it is, how it is made, the shape of one sample's input)
MODELS = {
    "mlp": ("MLP 784-512-256-10", lambda: dense(784, 512, 256, 10), (784,)),
    "autoencoder": ("autoencoder 784-128-32-128-784", lambda: dense(784, 128, 32, 128, 784, last=nn.Sigmoid()), (784,)),
    "cnn": ("CNN 28×28, 32 and 64 channels", cnn, (1, 28, 28)),
    "dcgan": ("DCGAN generator, 32×32", dcgan, (64, 1, 1)),
    "lstm": ("LSTM 64→128 ×2, 100 steps", lambda: Recurrent(nn.LSTM), (100, 64)),
    "gru": ("GRU 64→128 ×2, 100 steps", lambda: Recurrent(nn.GRU), (100, 64)),
    "transformer": ("transformer (MiniLM-L6), 128 tokens", MiniLM, (128,)),
    "mobilenet": ("MobileNetV2 224", lambda: torchvision_model("mobilenet_v2"), (3, 224, 224)),
    "resnet18": ("ResNet-18 224", lambda: torchvision_model("resnet18"), (3, 224, 224)),
    "resnet50": ("ResNet-50 224", lambda: torchvision_model("resnet50"), (3, 224, 224)),
}


def made(name: str, batch: int) -> tuple[nn.Module, torch.Tensor]:
    torch.manual_seed(1)
    _, make, shape = MODELS[name]
    net = make()
    # Running statistics as training leaves them, so that folding a batch norm changes numbers.
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.8, 1.2)
    net.eval().requires_grad_(False)
    if name == "transformer":
        return net, torch.randint(0, 30522, (batch, *shape))
    return net, torch.randn(batch, *shape)


def flops(net: nn.Module, x: torch.Tensor) -> int:
    """Two for each multiplication of a product, a convolution or a recurrence."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        net(x)
    total = counter.get_total_flops()
    for module in net.modules():
        if isinstance(module, nn.RNNBase):
            # The counter does not see into them.
            total = sum(2 * w.numel() * x.shape[0] * x.shape[1] for n, w in module.named_parameters() if "weight" in n)
    return total


def export(name: str, batch: int, folder: pathlib.Path, kinds: list[str]) -> None:
    net, x = made(name, batch)
    np.save(folder / "input.npy", x.numpy())
    expected = net.double()(x.double() if x.is_floating_point() else x).numpy()
    np.save(folder / "expected.npy", expected)
    net.float()
    (folder / "flops.txt").write_text(f"{flops(net, x)}\n")
    if "onnx" in kinds:
        torch.onnx.export(net, (x,), str(folder / "model.onnx"), opset_version=17, dynamo=False, input_names=["x"], output_names=["y"])
    if "pnnx" in kinds:
        torch.jit.trace(net, x).save(str(folder / "model.pt"))
        shape = str(list(x.shape)).replace(" ", "") + ("" if x.is_floating_point() else "i64")
        pnnx = pathlib.Path(sys.executable).parent / "pnnx"
        subprocess.run([pnnx, "model.pt", f"inputshape={shape}", "fp16=0"], cwd=folder, check=True, stdout=subprocess.DEVNULL)


def free(name: str, batch: int, folder: pathlib.Path) -> None:
    net, x = made(name, batch)
    if name == "transformer":
        # Twice as many places, for sequences of up to 1024 tokens.
        net.places = nn.Parameter(torch.cat([net.places, net.places.flip(1)], 1), requires_grad=False)
    axes = {"x": {0: "N", 1: "T"} if name == "transformer" else {0: "N"}, "y": {0: "N"}}
    torch.onnx.export(
        net, (x,), str(folder / "model-free.onnx"), opset_version=17, dynamo=False, input_names=["x"], output_names=["y"], dynamic_axes=axes)


def tflite(name: str, batch: int, folder: pathlib.Path) -> None:
    import litert_torch

    net, x = made(name, batch)
    litert_torch.convert(net, (x,)).export(str(folder / "model.tflite"))


if __name__ == "__main__":
    command, name, batch, folder = sys.argv[1], sys.argv[2], int(sys.argv[3]), pathlib.Path(sys.argv[4])
    with torch.no_grad():
        if command == "export":
            export(name, batch, folder, sys.argv[5:])
        else:
            {"tflite": tflite, "free": free}[command](name, batch, folder)
