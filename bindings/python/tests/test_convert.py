import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import nnrt
from nnrt import _nnpack

ONNX = Path(__file__).resolve().parents[3] / "Tests" / "nnpackTests" / "Models"


@pytest.fixture(scope="module")
def nnpack():
    try:
        return _nnpack.nnpack_path()
    except nnrt.ConversionError as error:
        pytest.skip(str(error))


def model(name):
    return ONNX / name / "model.onnx"


def test_a_converted_model_computes_what_its_file_records(nnpack, tmp_path):
    target = tmp_path / "pictures.nnrt"
    summary = nnrt.convert(model("pictures"), target)
    assert "fold-normalization" in summary and "self-test vectors" in summary
    converted = nnrt.load(target)
    assert converted.selftest_count == 2
    converted.selftest()
    assert converted(np.zeros((2, 3, 8, 8), np.float32)).shape == (2, 12)


def test_a_model_may_be_given_as_bytes_and_the_file_as_a_text(nnpack, tmp_path):
    target = str(tmp_path / "words.nnrt")
    nnrt.convert(model("words").read_bytes(), target, test_shape={"N": 1, "T": 5}, self_tests=1, level=1)
    assert nnrt.load(target)(np.array([[1, 2, 49]])).shape == (1, 8)


def test_options_reach_nnpack(nnpack, tmp_path):
    full, narrow = tmp_path / "full.nnrt", tmp_path / "narrow.nnrt"
    nnrt.convert(model("pictures"), full, input_shape={"N": 1, "H": 8, "W": 8}, without=["fold-normalization"])
    assert nnrt.load(full).inputs[0].shape == (1, 3, 8, 8)
    assert "rounded to bf16" in nnrt.convert(model("pictures"), narrow, weights="bf16")
    assert narrow.stat().st_size < 0.6 * full.stat().st_size


def test_a_model_may_be_checked_with_the_onnx_runtime_of_this_python(nnpack, tmp_path):
    pytest.importorskip("onnxruntime")
    summary = nnrt.convert(model("pictures"), tmp_path / "pictures.nnrt", check=True, tolerance=1e-6)
    assert "ONNX Runtime" in summary and "test_data_set_0" in summary


def test_lost_precision_is_a_warning(nnpack, tmp_path):
    with pytest.warns(nnrt.ConversionWarning, match='node "sample" .*: double is computed in float'):
        nnrt.convert(model("places"), tmp_path / "places.nnrt")


@pytest.mark.parametrize("names", [{"net.W": "head.weight.T"}, [r"^net\.W$=head.weight.T"]])
def test_weights_come_from_another_file(nnpack, tmp_path, names):
    weights, packed, target = tmp_path / "weights.npz", tmp_path / "packed.nnrt", tmp_path / "out.nnrt"
    head = np.arange(8 * 32, dtype=np.float64).reshape(8, 32) / 256
    np.savez(weights, **{"net.W": head})
    nnrt.convert(model("words"), packed)
    summary = nnrt.convert(packed.read_bytes(), target, weights_from=weights, names=names)
    assert "1 taken, 0 not used" in summary and "f64 to f32" in summary
    words = np.array([[3, 3]])
    one, other = nnrt.load(packed), nnrt.load(target)
    other.selftest()
    assert not np.allclose(one(words), other(words))
    with pytest.raises(nnrt.ConversionError, match="none of the 1 tensors"):
        nnrt.convert(packed, target, weights_from=weights)


@pytest.mark.parametrize(
    "source, options, words",
    [
        ("none.onnx", {}, "none.onnx"),
        ("-none.onnx", {}, "-none.onnx: No such file"),
        (b"no model", {}, "not an ONNX model"),
        (None, {"weights": "f8"}, "bf16"),
        (None, {"test_shape": {"Q": 1}}, 'no free dimension "Q"'),
        (None, {"without": ["nothing"]}, "fold-constants"),
        (None, {"check": True, "python": "/bin/false"}, "pip install onnxruntime"),
    ],
)
def test_what_cannot_be_converted_is_an_error_that_says_why(nnpack, tmp_path, source, options, words):
    target = tmp_path / "out.nnrt"
    with pytest.raises(nnrt.ConversionError) as caught:
        nnrt.convert(model("words") if source is None else source, target, **options)
    assert words in str(caught.value)
    assert not target.exists()


@pytest.mark.parametrize(
    "options, message",
    [
        ({"weights": "f8"}, "The value 'f8' is invalid for weights. Please provide one of 'f32', 'f16' or 'bf16'."),
        ({"names": ["a=b"]}, "names goes with weights_from"),
        ({"weights_from": "x.npz", "names": ["(=b"]}, "names (=b: not a regular expression"),
        ({"check": True, "python": "/bin/false"}, "check needs ONNX Runtime"),
    ],
)
def test_errors_speak_of_arguments_and_not_of_the_command_line(nnpack, tmp_path, options, message):
    with pytest.raises(nnrt.ConversionError) as caught:
        nnrt.convert(model("words").read_bytes(), tmp_path / "out.nnrt", **options)
    text = str(caught.value)
    assert text.startswith(message) and not any(word in text for word in ("--", "Usage", "Help", "/nnrt-"))
    assert "python" in text if "check" in options else True


@pytest.mark.parametrize(
    "name, value",
    [
        ("without", "fold-constants"),
        ("without", [1]),
        ("without", None),
        ("names", "a=b"),
        ("names", {"a": 1}),
        ("names", 3),
        ("input_shape", {"batch": "x"}),
        ("input_shape", {"N": 2.7}),
        ("input_shape", {0: 1}),
        ("input_shape", (1, 784)),
        ("test_shape", {"N": None}),
        ("level", 2.5),
        ("level", 23),
        ("self_tests", "2"),
        ("self_tests", -1),
        ("tolerance", "1"),
        ("tolerance", [1]),
        ("weights", None),
        ("weights_from", 3),
        ("python", 3),
        ("source", None),
        ("target", None),
        ("target", "a\0b"),
    ],
)
def test_arguments_of_a_wrong_type_or_range_are_refused_by_name(tmp_path, name, value):
    arguments = {"source": model("words"), "target": tmp_path / "out.nnrt", name: value}
    if name == "python":
        arguments["check"] = True
    with pytest.raises(nnrt.ArgumentError, match=rf"^{name}\b"):
        nnrt.convert(**arguments)


def test_numpy_s_integers_are_integers(nnpack, tmp_path):
    target = tmp_path / "out.nnrt"
    nnrt.convert(model("words"), target, input_shape={"N": np.int64(2)}, level=np.int32(1), self_tests=np.uint8(1))
    assert nnrt.load(target).inputs[0].shape == (2, "T") and nnrt.load(target).selftest_count == 1


def test_without_nnpack_the_error_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.delenv("NNRT_NNPACK", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(_nnpack, "_HERE", tmp_path)
    with pytest.raises(nnrt.ConversionError, match="tools/build"):
        nnrt.convert(model("words"), tmp_path / "out.nnrt")
    monkeypatch.setenv("NNRT_NNPACK", str(tmp_path / "nothing"))
    with pytest.raises(nnrt.ConversionError, match="NNRT_NNPACK is .*, which is no program"):
        nnrt.convert(model("words"), tmp_path / "out.nnrt")


def test_nnpack_is_taken_from_path_but_not_this_package_s_own_script(monkeypatch, tmp_path):
    monkeypatch.delenv("NNRT_NNPACK", raising=False)
    monkeypatch.setattr(_nnpack, "_HERE", tmp_path)
    for folder, text in [
        ("script", "#!/usr/bin/python3\nfrom nnrt._nnpack import main\nmain()\n"),
        ("program", "#!/bin/sh\necho 'nnpack: no such thing' >&2; exit 1\n"),
    ]:
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "nnpack").write_text(text)
        (tmp_path / folder / "nnpack").chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join(str(tmp_path / folder) for folder in ["script", "program"]))
    assert _nnpack.nnpack_path() == str(tmp_path / "program" / "nnpack")
    with pytest.raises(nnrt.ConversionError, match="^no such thing$"):
        nnrt.convert(model("words"), tmp_path / "out.nnrt")


def test_the_script_becomes_the_program(nnpack):
    code = "from nnrt._nnpack import main; main(['--version'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith("nnpack ")
