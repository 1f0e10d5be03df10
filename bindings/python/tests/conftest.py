"""The models are made by `swift run test-models FOLDER`; NNRT_TEST_MODELS names the folder."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def models():
    folder = Path(os.environ.get("NNRT_TEST_MODELS", ROOT / "build" / "test-models"))
    assert (folder / "mlp.nnrt").exists(), f"no models in {folder}: run swift run test-models {folder}"
    return folder
