"""Compares what ONNX Runtime makes of the examples' models, written as ONNX, with what libnnrt.so makes of their .nnrt files.

The files are those that tools/examples left in build/examples. Held-out samples are the inputs where there are any that fit, else random
numbers; models with a state are run three times, the state being carried.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np


def inputs_for(info, folder: Path, rng: np.random.Generator) -> np.ndarray:
    held = folder / "held-out" / "inputs.npy"
    shape = [extent if isinstance(extent, int) and extent >= 0 else 3 for extent in info.shape]
    if held.exists():
        values = np.load(held)
        if list(values.shape[1:]) == shape[1:]:
            return values[: shape[0]].astype(info.dtype)
    if np.issubdtype(info.dtype, np.floating):
        return rng.standard_normal(shape).astype(info.dtype)
    return rng.integers(0, 2, shape).astype(info.dtype)


def compare_example(file: Path, nnpack: str, difference) -> tuple[bool, str]:
    import nnrt
    from round_trip import Runtime

    back = file.with_suffix(".onnx")
    back.unlink(missing_ok=True)
    done = subprocess.run([nnpack, "convert", str(file), str(back)], capture_output=True, text=True, errors="replace")
    if done.returncode != 0:
        return False, " ".join(done.stderr.split())[:300]
    model, runtime = nnrt.load(file), Runtime(back)
    session = model.session()
    outputs = [value.name for value in runtime.session.get_outputs()]
    rng = np.random.default_rng(1)
    # As a session's, they begin as zeros.
    states = {info.name: np.zeros(info.shape, info.dtype) for info in model.inputs if info.name in runtime.states}
    worst = 0.0
    for _ in range(3 if states else 1):
        given = {info.name: inputs_for(info, file.parent, rng) for info in model.inputs if info.name not in states}
        for index, info in enumerate(model.inputs):
            if info.name in given:
                session.set_input(index, given[info.name])
        session.run()
        ours = {info.name: np.array(session.output(index)) for index, info in enumerate(model.outputs)}
        theirs = dict(zip(outputs, runtime({**given, **states})))
        states = {name: theirs[runtime.states[name]] for name in states}
        names = [name for name in outputs if name in ours]
        worst = max(worst, difference([ours[name] for name in names], [theirs[name] for name in names]))
    detail = f"{worst:.1e} of the largest number" + (f"; {len(states)} states over three runs" if states else "")
    return worst <= 1e-4, detail
