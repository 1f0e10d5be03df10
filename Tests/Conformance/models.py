"""Compares whole models with ONNX Runtime and writes a table of what each gave.

A model is converted to a file by `nnpack convert`, loaded by libnnrt.so through the Python package, and run on the same inputs as ONNX
Runtime runs it on. Nothing is computed here but the differences.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "Tests" / "Conformance" / "whole-models.tsv"
WORK = ROOT / "build" / "models"
sys.path.insert(0, str(ROOT / "bindings" / "python" / "src"))
os.environ.setdefault("NNRT_LIBRARY", str(ROOT / "build" / "lib" / "libnnrt.so.1"))
warnings.filterwarnings("ignore")

import numpy as np  # noqa: E402

from model_zoo import MASKS, MODELS  # noqa: E402
from real_inputs import CHECKS  # noqa: E402

#: Of the largest number of an output.
TOLERANCE = 1e-4


def runtime(path: Path):
    """Runs a model with ONNX Runtime: a function of a dictionary of inputs."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = {value.name for value in session.get_inputs()}
    return lambda inputs: session.run(None, {name: value for name, value in inputs.items() if name in names})


def library(path: Path):
    """Runs a model with libnnrt.so: a function of a dictionary of inputs."""
    import nnrt

    loaded = nnrt.load(path)
    session = loaded.session()
    names = [info.name for info in loaded.inputs]

    def run(inputs: dict) -> list:
        outputs = session({name: inputs[name] for name in names})
        return list(outputs) if isinstance(outputs, (tuple, list)) else [outputs]

    return run


def difference(ours: list, theirs: list, masks: set = frozenset()) -> float:
    """The largest difference of numbers, relative to the largest number of their output; of masks the share of other pixels."""
    worst = 0.0
    if len(ours) != len(theirs):
        raise ValueError(f"{len(ours)} outputs instead of {len(theirs)}")
    for index, (a, b) in enumerate(zip(ours, theirs)):
        a, b = np.asarray(a), np.asarray(b)
        if a.shape != b.shape or a.dtype != b.dtype:
            raise ValueError(f"output {index} is {a.dtype} {a.shape} instead of {b.dtype} {b.shape}")
        if b.size == 0:
            continue
        if not np.issubdtype(b.dtype, np.floating):
            if not np.array_equal(a, b):
                raise ValueError(f"output {index} has other numbers in {np.sum(a != b)} of {b.size} places")
            continue
        if index in masks:
            worst = max(worst, float(np.mean((a >= 0.5) != (b >= 0.5))))
            continue
        a, b = a.astype(np.float64), b.astype(np.float64)
        if not np.array_equal(np.isfinite(a), np.isfinite(b)):
            raise ValueError(f"output {index} is finite elsewhere")
        finite = np.isfinite(b)
        if finite.any():
            worst = max(worst, float(np.max(np.abs(a - b)[finite])) / max(float(np.max(np.abs(b[finite]))), 1e-30))
    return worst


def compare(name: str, nnpack: str, round_trip: bool) -> tuple[bool, str]:
    folder = WORK / name
    folder.mkdir(parents=True, exist_ok=True)
    source, target = folder / "model.onnx", folder / "model.nnrt"
    sets = MODELS[name](source)
    target.unlink(missing_ok=True)
    start = time.perf_counter()
    done = subprocess.run(
        [nnpack, "convert", str(source), str(target)], capture_output=True, text=True, errors="replace",
        env={**os.environ, "SWIFT_BACKTRACE": "enable=no"},
    )
    seconds = time.perf_counter() - start
    if done.returncode != 0:
        return False, " ".join(done.stderr.split())[:300]
    masks = MASKS.get(name, frozenset())
    if round_trip:
        return compare_back(target, folder / "back.onnx", nnpack, source, sets, masks)
    ours, theirs = library(target), runtime(source)
    worst = max(difference(ours(inputs), theirs(inputs), masks) for inputs in sets)
    share = target.stat().st_size / source.stat().st_size
    detail = f"{worst:.1e} of the largest number; {share:.3f} of {source.stat().st_size:,} bytes; {seconds:.1f} s"
    if name in MASKS:
        detail += "; of masks, the share of pixels that are on the other side of a half"
    if name in CHECKS:
        detail += "; " + CHECKS[name](ours, theirs)
    return worst <= TOLERANCE, detail


def compare_back(file: Path, back: Path, nnpack: str, source: Path, sets: list, masks: set) -> tuple[bool, str]:
    """What ONNX Runtime makes of the ONNX model that becomes of a .nnrt file, beside what it makes of the model before that."""
    from round_trip import Runtime

    back.unlink(missing_ok=True)
    done = subprocess.run([nnpack, "convert", str(file), str(back)], capture_output=True, text=True, errors="replace")
    if done.returncode != 0:
        return False, " ".join(done.stderr.split())[:300]
    after, before = Runtime(back), runtime(source)
    worst = max(difference(after(inputs), before(inputs), masks) for inputs in sets)
    return worst <= TOLERANCE, f"{worst:.1e} of the largest number"


def compare_examples(nnpack: str) -> int:
    from examples import compare_example

    rows = []
    for file in sorted((ROOT / "build" / "examples").glob("*/*.nnrt")):
        try:
            passed, detail = compare_example(file, nnpack, difference)
        except Exception as error:
            passed, detail = False, f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
        rows.append((file.stem, "pass" if passed else "fail", detail.replace(str(ROOT) + "/", "")))
        print("  ".join(rows[-1]), flush=True)
    passed = sum(row[1] == "pass" for row in rows)
    header = f"# The examples' files in ONNX Runtime: {passed} of {len(rows)} agree. Made by tools/onnx-whole-models --examples.\n"
    table = "".join("\t".join(row) + "\n" for row in rows)
    TABLE.with_name("examples-back.tsv").write_text(header + "# file\tresult\tdetail\n" + table)
    return 0 if passed == len(rows) else 1


def main() -> int:
    parser = argparse.ArgumentParser(prog="tools/onnx-whole-models", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="models; all unless told")
    parser.add_argument("--list", action="store_true", help="name the models")
    parser.add_argument(
        "--round-trip", action="store_true",
        help="convert to .nnrt files and back, and compare what ONNX Runtime makes of the model before and after")
    parser.add_argument(
        "--examples", action="store_true",
        help="compare the files that tools/examples left in build/examples, written as ONNX, with ONNX Runtime instead")
    parser.add_argument("--nnpack", default=str(ROOT / ".build" / "release" / "nnpack"), help="the program to convert with")
    arguments = parser.parse_args()
    if arguments.examples:
        return compare_examples(arguments.nnpack)
    if arguments.list:
        print("\n".join(MODELS))
        return 0
    unknown = [name for name in arguments.names if name not in MODELS]
    if unknown:
        parser.error(f"no model {unknown[0]}; --list names them")
    if not Path(arguments.nnpack).exists():
        subprocess.run(["swift", "build", "-c", "release", "--product", "nnpack"], cwd=ROOT, check=True)
    rows = {}
    table = TABLE.with_stem(TABLE.stem + "-back") if arguments.round_trip else TABLE
    if table.exists():
        rows = {line.split("\t")[0]: line for line in table.read_text().splitlines() if not line.startswith("#")}
    failures = 0
    for name in arguments.names or MODELS:
        try:
            passed, detail = compare(name, arguments.nnpack, arguments.round_trip)
        except Exception as error:
            passed, detail = False, f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
        failures += not passed
        detail = detail.replace(str(ROOT) + "/", "")
        rows[name] = "\t".join((name, "pass" if passed else "fail", detail))
        print(rows[name].replace("\t", "  "), flush=True)
    passed = sum(line.split("\t")[1] == "pass" for line in rows.values())
    what = "Whole models before and after the way to .nnrt and back, in" if arguments.round_trip else "Whole models beside"
    header = [f"# {what} ONNX Runtime: {passed} of {len(rows)} agree. Made by tools/onnx-whole-models.", "# model\tresult\tdetail"]
    table.write_text("\n".join(header + [rows[name] for name in MODELS if name in rows]) + "\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
