#!/usr/bin/env python3
"""Writes stored.npz and deflated.npz, archives as NumPy makes them.

    python3 -m venv build/venv && build/venv/bin/pip install numpy
    build/venv/bin/python Tests/NumPyFilesTests/Golden/make_archives.py

Made with NumPy 2.4; the archives hold the time at which they were made.
"""

import pathlib

import numpy as np

folder = pathlib.Path(__file__).parent
arrays = {
    "x": np.arange(24, dtype=np.float32).reshape(4, 2, 3) / 4,
    "y": np.array([2, 0, 1, 2], dtype=np.int64),
    "wide": np.array([1 / 3, -2.5], dtype=np.float64),
    "pixels": np.arange(1000, dtype=np.uint8).reshape(10, 100) % 7,
    "empty": np.zeros((0, 3), dtype=np.float32),
}
np.savez(folder / "stored.npz", **arrays)
np.savez_compressed(folder / "deflated.npz", **arrays)
