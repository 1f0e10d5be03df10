"""Runs the operator cases of the onnx package and writes a table of what each gave.

A case is converted to a file by `nnpack convert`, loaded by libnnrt.so through the Python package, run, and compared with the
values and tolerances that it brings. Nothing is computed here.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TABLES = ROOT / "Tests" / "Conformance"
WORK = ROOT / "build" / "conformance"
sys.path.insert(0, str(ROOT / "bindings" / "python" / "src"))

warnings.filterwarnings("ignore")
import numpy as np  # noqa: E402
import onnx  # noqa: E402
import onnx.numpy_helper  # noqa: E402


@dataclass
class Result:
    name: str
    opset: str
    passed: bool
    #: The largest error in ulp if it passed, else why it did not.
    detail: str

    def row(self) -> str:
        return "\t".join((self.name, self.opset, "pass" if self.passed else "fail", self.detail))


@dataclass
class ModelCase:
    """A model of the onnx package with inputs and outputs in files."""

    name: str
    model: onnx.ModelProto
    data_sets: list
    rtol: float = 1e-3
    atol: float = 1e-7


def operator_cases() -> list:
    from onnx.backend.test.case.node import collect_testcases

    return sorted(collect_testcases(None), key=lambda case: case.name)


def read_value(path: Path):
    tensor = onnx.TensorProto()
    tensor.ParseFromString(path.read_bytes())
    return onnx.numpy_helper.to_array(tensor)


def model_cases() -> list:
    """The networks, with the inputs that the package makes for them, and the cases exported from PyTorch."""
    import onnx.backend.test
    from onnx.backend.test.runner import Runner

    data = Path(onnx.backend.test.__file__).parent / "data"
    cases = []
    for path in sorted((data / "light").glob("*.onnx")):
        model = onnx.load(path)
        constants = {tensor.name for tensor in model.graph.initializer}
        inputs = [
            Runner.generate_dummy_data(value, seed=0, name=path.stem, random=False)
            for value in model.graph.input
            if value.name not in constants
        ]
        outputs = [read_value(path.with_name(f"{path.stem}_output_{i}.pb")) for i in range(len(model.graph.output))]
        cases.append(ModelCase(path.stem, model, [(inputs, outputs)]))
    for path in sorted([*data.glob("pytorch-*/*/model.onnx")]):
        model = onnx.load(path)
        sets = []
        for folder in sorted(path.parent.glob("test_data_set_*")):
            count = len(list(folder.glob("input_*.pb")))
            inputs = [read_value(folder / f"input_{i}.pb") for i in range(count)]
            sets.append((inputs, [read_value(folder / f"output_{i}.pb") for i in range(len(model.graph.output))]))
        cases.append(ModelCase(path.parent.name, model, sets))
    return cases


def opset_of(case) -> str:
    return ",".join(f"{s.domain + ' ' if s.domain else ''}{s.version}" for s in case.model.opset_import)


def convert(cases: list, nnpack: str) -> dict[str, str]:
    """Converts all models; gives the reason for each that has no file now."""
    folder = WORK / "models"
    folder.mkdir(parents=True, exist_ok=True)
    reasons: dict[str, str] = {}
    todo = []
    for case in cases:
        source, target = folder / f"{case.name}.onnx", folder / f"{case.name}.nnrt"
        source.write_bytes(case.model.SerializeToString())
        target.unlink(missing_ok=True)
        todo.append((case.name, source, target))
    while todo:
        listing = WORK / "list.txt"
        listing.write_text("".join(f"{source}\t{target}\n" for _, source, target in todo))
        done = subprocess.run(
            [nnpack, "convert", "--batch", str(listing), "--level", "1"],
            capture_output=True, text=True, errors="replace", env={**os.environ, "SWIFT_BACKTRACE": "enable=no"},
        )
        failed = {}
        for message in re.split(r"^nnpack: ", done.stderr, flags=re.M):
            match = re.match(r"(\S+)/([^/\s]+)\.onnx: (.*)", message, flags=re.S)
            if match:
                failed[match[2]] = " ".join(match[3].split())
        rest = [entry for entry in todo if entry[0] not in failed and not entry[2].exists()]
        reasons.update(failed)
        if done.returncode in (0, 1) or not rest:
            for name, _, _ in rest:
                reasons[name] = "nnpack gave neither a file nor a reason"
            break
        # It died in the first model that has neither a file nor a message.
        position = todo.index(rest[0])
        reasons[rest[0][0]] = f"nnpack died with status {done.returncode}"
        todo = todo[position + 1 :]
    return reasons


def plain(array: np.ndarray) -> np.ndarray:
    """Types that NumPy does not have, as the floats they stand for."""
    return array.astype(np.float32) if array.dtype.kind == "V" or array.dtype.name.startswith(("bfloat", "float8", "float4")) else array


def largest_error(got: np.ndarray, expected: np.ndarray) -> float:
    """In units of the last place of the expected value."""
    if expected.dtype.kind != "f" or expected.size == 0:
        return 0.0
    finite = np.isfinite(expected) & np.isfinite(got)
    if not finite.any():
        return 0.0
    difference = np.abs(got.astype(np.float64) - expected.astype(np.float64))[finite]
    return float((difference / np.spacing(np.abs(expected[finite])).astype(np.float64)).max())


def data_sets(case):
    """For each data set of a case the inputs as arrays by name, and the expected outputs."""
    constants = {tensor.name for tensor in case.model.graph.initializer}
    names = [value.name for value in case.model.graph.input if value.name not in constants]
    for inputs, expected in case.data_sets:
        given = {}
        for name, value in zip(names, inputs):
            if isinstance(value, onnx.TensorProto):
                value = onnx.numpy_helper.to_array(value)
            if not isinstance(value, (np.ndarray, np.generic)):
                raise ValueError(f"input {name} is a {type(value).__name__}")
            given[name] = value
        yield given, [np.asarray(onnx.numpy_helper.to_array(v) if isinstance(v, onnx.TensorProto) else v) for v in expected]


def require_count(results, expected) -> None:
    if len(results) != len(expected):
        raise AssertionError(f"{len(results)} outputs instead of {len(expected)}")


def require_shape(name: str, got, wanted) -> None:
    if got.shape != wanted.shape:
        raise AssertionError(f"output {name} has shape {got.shape} instead of {wanted.shape}")


def run(case) -> str:
    """Runs all data sets of a case; gives the largest error in ulp, or raises with the reason."""
    import nnrt

    model = nnrt.load(WORK / "models" / f"{case.name}.nnrt")
    worst = 0.0
    for given, expected in data_sets(case):
        results = model(given) if given else model()
        results = results if isinstance(results, tuple) else (results,)
        require_count(results, expected)
        for info, got, wanted in zip(model.outputs, results, expected):
            if info.dtype != wanted.dtype:
                raise AssertionError(f"output {info.name} is {info.dtype_name} instead of {wanted.dtype}")
            require_shape(info.name, got, wanted)
            got, wanted = plain(got), plain(wanted)
            np.testing.assert_allclose(got, wanted, rtol=case.rtol, atol=case.atol)
            worst = max(worst, largest_error(got, wanted))
    return f"{worst:.1f}".removesuffix(".0")


def round_trip(case) -> str:
    """As `run`, of the ONNX model that became of the case's file, by ONNX Runtime."""
    from round_trip import Runtime

    model = Runtime(exported(case))
    worst = 0.0
    for given, expected in data_sets(case):
        results = model(given)
        require_count(results, expected)
        for info, got, wanted in zip(model.session.get_outputs(), results, expected):
            require_shape(info.name, got, wanted)
            exchanged = plain(wanted)
            if got.dtype != wanted.dtype and exchanged is wanted:
                raise AssertionError(f"output {info.name} is {got.dtype} instead of {wanted.dtype}")
            got, wanted = got.astype(exchanged.dtype), exchanged
            np.testing.assert_allclose(got, wanted, rtol=case.rtol, atol=case.atol)
            worst = max(worst, largest_error(got, wanted))
    return f"{worst:.1f}".removesuffix(".0")


def exported(case) -> Path:
    return WORK / "models" / f"{case.name}-back.onnx"


def reason(error: BaseException) -> str:
    text = " ".join(str(error).split())
    mismatch = re.search(r"Mismatched elements: \S+ / \S+ \(\S+\)", text)
    if mismatch:
        largest = re.search(r"Max absolute difference among violations: (\S+)", text)
        return f"{mismatch[0]}, largest difference {largest[1] if largest else '?'}"
    return f"{type(error).__name__}: {text}"[:400]


def run_all(cases: list, run=run) -> dict[str, tuple[bool, str]]:
    """Runs the cases in a process of their own, so that a crash costs one case and not the table."""
    outcomes: dict[str, tuple[bool, str]] = {}
    position = 0
    while position < len(cases):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            with os.fdopen(writing, "w") as pipe:
                for case in cases[position:]:
                    try:
                        line = f"pass\t{run(case)}"
                    except Exception as error:  # noqa: BLE001
                        line = f"fail\t{reason(error)}"
                    pipe.write(line + "\n")
                    pipe.flush()
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            for line in pipe:
                state, detail = line.rstrip("\n").split("\t", 1)
                outcomes[cases[position].name] = (state == "pass", detail)
                position += 1
        _, status = os.waitpid(child, 0)
        if status != 0 and position < len(cases):
            outcomes[cases[position].name] = (False, f"the library died with status {status}")
            position += 1
    return outcomes


def read_table(path: Path) -> dict[str, Result]:
    rows = [line.split("\t") for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return {row[0]: Result(row[0], row[1], row[2] == "pass", row[3]) for row in rows}


def write_table(path: Path, results: list[Result]) -> None:
    passed = sum(result.passed for result in results)
    path.write_text(
        f"# {path.stem} of onnx {onnx.__version__}: {passed} of {len(results)} pass. Made by tools/onnx-conformance.\n"
        "# case\topset\tresult\tlargest error in ulp, or the reason\n"
        + "".join(result.row() + "\n" for result in results)
    )


def summary(results: list[Result]) -> None:
    groups: Counter[str] = Counter()
    for result in results:
        if not result.passed:
            groups[re.sub(r'"[^"]*"|\d+(\.\d+)?', "*", result.detail)[:150]] += 1
    for text, count in groups.most_common(40):
        print(f"{count:5}  {text}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="tools/onnx-conformance", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write no table; fail if a case that passed there fails now")
    parser.add_argument("--only", metavar="TEXT", help="run the cases whose names have TEXT in them, and write no table")
    parser.add_argument(
        "--round-trip", action="store_true",
        help="convert to .nnrt files and back, and run what comes out with ONNX Runtime after onnx's checker has seen it")
    parser.add_argument("--groups", action="store_true", help="count the reasons of what does not pass")
    parser.add_argument("--nnpack", default=str(ROOT / "build" / "bin" / "nnpack"), help="the nnpack to convert with")
    options = parser.parse_args()

    WORK.mkdir(parents=True, exist_ok=True)
    lost = False
    suffix = "-back.tsv" if options.round_trip else ".tsv"
    for table, collect in (("onnx-node-cases" + suffix, operator_cases), ("onnx-models" + suffix, model_cases)):
        lost |= run_group(TABLES / table, collect(), options)
    return 1 if lost else 0


def run_group(table: Path, cases: list, options: argparse.Namespace) -> bool:
    """Runs the cases of one table; gives whether one that passed there does not now."""
    cases = [case for case in cases if not options.only or options.only in case.name]
    reasons = convert(cases, options.nnpack)
    if options.round_trip:
        from round_trip import export_all

        made = [case for case in cases if case.name not in reasons]
        pairs = [(case.name, WORK / "models" / f"{case.name}.nnrt", exported(case)) for case in made]
        reasons.update(export_all(pairs, options.nnpack, WORK / "list.txt"))
    outcomes = run_all([case for case in cases if case.name not in reasons], round_trip if options.round_trip else run)
    results = []
    for case in cases:
        passed, detail = outcomes.get(case.name, (False, reasons.get(case.name, "")))
        results.append(Result(case.name, opset_of(case), passed, detail))
    if options.only:
        for result in results:
            print(result.row())
    if options.groups:
        summary(results)
    print(f"{sum(result.passed for result in results)} of {len(results)} {table.stem} pass")
    if options.check:
        before = read_table(table)
        lost = [r for r in results if not r.passed and r.name in before and before[r.name].passed]
        for result in lost:
            print(f"passed before: {result.row()}")
        return bool(lost)
    if not options.only:
        write_table(table, results)
    return False


if __name__ == "__main__":
    sys.exit(main())
