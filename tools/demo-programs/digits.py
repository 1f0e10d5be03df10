"""Runs the samples of a .npy file through a .nnrt file, all in one batch, and writes the probabilities as raw floats.

    python digits.py MODEL.nnrt INPUTS.npy OUTPUT.f32
"""

import sys

import nnrt
import numpy as np

model_path, inputs_path, output_path = sys.argv[1:]
model = nnrt.load(model_path)
probabilities = model(np.load(inputs_path))
probabilities.astype("<f4").tofile(output_path)
print(f"Python  {len(probabilities)} samples in one batch")
