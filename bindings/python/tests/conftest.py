"""The models are made by `swift run test-models FOLDER`; NNRT_TEST_MODELS names the folder."""

import os
from pathlib import Path

import pytest

from nnrt import _calls

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def models():
    folder = Path(os.environ.get("NNRT_TEST_MODELS", ROOT / "build" / "test-models"))
    assert (folder / "mlp.nnrt").exists(), f"no models in {folder}: run swift run test-models {folder}"
    return folder


@pytest.fixture(params=["compiled", "plain"])
def calls(request, monkeypatch):
    """Both ways of calling the library."""
    if request.param == "plain":
        monkeypatch.setattr(_calls, "CompiledCaller", None)
    else:
        assert _calls.CompiledCaller, "nnrt._caller was not built: a C compiler or Python.h is missing"
