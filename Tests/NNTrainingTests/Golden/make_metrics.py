#!/usr/bin/env python3
"""Writes metrics.json: further metrics as scikit-learn computes them.

    python3 -m venv build/venv && build/venv/bin/pip install numpy scikit-learn
    build/venv/bin/python Tests/NNTrainingTests/Golden/make_metrics.py

Everything depends on the seed below alone. Made with scikit-learn 1.9.
"""

import json
import pathlib

import numpy as np
from sklearn import metrics

generator = np.random.default_rng(20261126)


def listed(array):
    return np.asarray(array).tolist()


truth = generator.choice(4, 60, p=[0.55, 0.25, 0.15, 0.05])
said = np.where(generator.random(60) < 0.6, truth, generator.integers(0, 3, 60))
logits = np.round(generator.normal(size=(60, 4)) + 1.5 * np.eye(4)[truth], 3)
probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)

binary = generator.integers(0, 2, 40)
# Few different scores, so that there are ties.
ranked = np.round(np.clip(generator.normal(0.4 + 0.2 * binary, 0.2), 0, 1), 1)

expected = np.round(generator.normal(2, 3, 31), 3)
values = np.round(expected + generator.normal(0.5, 1, 31), 3)

# Two samples of 12 positions of 3 classes, the last position of each left out.
segments = generator.integers(0, 3, (2, 12))
segments[1][segments[1] == 2] = 0
labels = np.where(generator.random((2, 12)) < 0.6, segments, generator.integers(0, 2, (2, 12)))
labels[1][labels[1] == 2] = 1
iou = []
for sample in range(2):
    present = sorted(set(segments[sample][:-1]) | set(labels[sample][:-1]))
    iou.append(metrics.jaccard_score(labels[sample][:-1], segments[sample][:-1], labels=present, average="macro"))

result = {
    "truth": listed(truth), "said": listed(said), "logits": listed(logits.reshape(-1)),
    "balanced": metrics.balanced_accuracy_score(truth, said),
    "weightedF1": metrics.f1_score(truth, said, average="weighted", zero_division=0),
    "matthews": metrics.matthews_corrcoef(truth, said), "kappa": metrics.cohen_kappa_score(truth, said),
    "macroAUC": metrics.roc_auc_score(truth, probabilities / probabilities.sum(1, keepdims=True), multi_class="ovr"),
    "crossEntropy": metrics.log_loss(truth, probabilities),
    "binary": listed(binary), "ranked": listed(ranked),
    "averagePrecision": metrics.average_precision_score(binary, ranked), "brier": metrics.brier_score_loss(binary, ranked),
    "expected": listed(expected), "values": listed(values),
    "median": metrics.median_absolute_error(expected, values), "largest": metrics.max_error(expected, values),
    "percentage": metrics.mean_absolute_percentage_error(expected, values),
    "explained": metrics.explained_variance_score(expected, values),
    "segments": listed(segments.reshape(-1)), "labels": listed(labels.reshape(-1)), "iou": iou,
}
path = pathlib.Path(__file__).parent / "metrics.json"
path.write_text(json.dumps(result) + "\n")
