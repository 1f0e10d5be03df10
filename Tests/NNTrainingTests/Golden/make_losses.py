#!/usr/bin/env python3
"""Writes losses.json: losses with their gradients, 20 steps of optimisers, and learning-rate schedules, as PyTorch computes
them; metrics as scikit-learn does.

    python3 -m venv build/venv && build/venv/bin/pip install torch scikit-learn
    build/venv/bin/python Tests/NNTrainingTests/Golden/make_losses.py

Everything is computed in float64 and depends on the seed below alone. Lion is computed from its paper's algorithm, since
PyTorch does not have it. Made with torch 2.15 and scikit-learn 1.7.
"""

import json
import pathlib

import numpy as np
import torch
from sklearn import metrics
from torch.nn import functional as F

torch.set_default_dtype(torch.float64)
generator = torch.Generator().manual_seed(20261125)


def draw(*shape):
    return torch.randn(*shape, generator=generator)


def pack(tensor):
    return {"shape": list(tensor.shape), "values": [round(v, 12) for v in tensor.detach().reshape(-1).tolist()]}


losses = []


def loss(name, prediction, target, function):
    prediction = prediction.clone().requires_grad_(True)
    value = function(prediction, target)
    value.backward()
    losses.append({"name": name, "prediction": pack(prediction), "target": pack(target), "loss": value.item(),
                   "gradient": pack(prediction.grad)})


loss("mean absolute error", draw(4, 3), draw(4, 3), F.l1_loss)
loss("huber", draw(4, 3) * 2, draw(4, 3), lambda p, t: F.huber_loss(p, t, delta=0.7))
classes = torch.tensor([2, 0, 1, 2])
weights = torch.tensor([0.5, 2.0, 1.5])
loss("label smoothing", draw(4, 3), classes, lambda p, t: F.cross_entropy(p, t, label_smoothing=0.2))
loss("class weights", draw(4, 3), classes, lambda p, t: F.cross_entropy(p, t, weight=weights))
loss("weights and smoothing", draw(4, 3), classes, lambda p, t: F.cross_entropy(p, t, weight=weights, label_smoothing=0.1))
positions = torch.tensor([[1, -1, 0, 2], [2, 2, -1, -1]])
loss("positions", draw(2, 4, 3), positions, lambda p, t: F.cross_entropy(p.transpose(1, 2), t, ignore_index=-1))
loss("positions smoothed", draw(2, 4, 3), positions,
     lambda p, t: F.cross_entropy(p.transpose(1, 2), t, ignore_index=-1, label_smoothing=0.3))
loss("soft targets", draw(3, 4), F.softmax(draw(3, 4), -1), F.cross_entropy)
distribution = F.softmax(draw(3, 4), -1)
distribution[0, 1] = 0
loss("kl divergence", draw(3, 4), distribution, lambda p, t: F.kl_div(F.log_softmax(p, -1), t, reduction="batchmean"))
signs = torch.sign(draw(4, 2))
loss("hinge", draw(4, 2), signs, lambda p, t: F.relu(1 - t * p).mean())
loss("triplet", draw(5, 6), torch.zeros(5, 1), lambda p, t: F.triplet_margin_loss(p[:, :2], p[:, 2:4], p[:, 4:], margin=0.8))


def contrastive(p, t):
    d = F.pairwise_distance(p[:, :2], p[:, 2:])
    return (t[:, 0] * d**2 + (1 - t[:, 0]) * F.relu(1.2 - d) ** 2).mean()


loss("contrastive", draw(5, 4), torch.tensor([[1.0], [0.0], [1.0], [0.0], [0.0]]), contrastive)
labels = torch.tensor([[1, 2, 2], [3, -1, -1], [2, 1, -1]])
lengths = torch.tensor([3, 1, 2])


def ctc(p, t):
    return F.ctc_loss(F.log_softmax(p, -1).transpose(0, 1), t.clamp(min=0), torch.tensor([7, 7, 7]), lengths)


loss("ctc", draw(3, 7, 4), labels, ctc)

# Optimisers
start = draw(5)
gradients = [draw(5) for _ in range(20)]


def follow(make):
    parameter = start.clone().requires_grad_(True)
    optimizer = make([parameter])
    steps = []
    for gradient in gradients:
        parameter.grad = gradient.clone()
        optimizer.step()
        steps.append(pack(parameter))
    return steps


def lion(rate=0.01, beta1=0.9, beta2=0.99, decay=0.1):
    p, m, steps = start.clone(), torch.zeros(5), []
    for g in gradients:
        p = p - rate * (torch.sign(beta1 * m + (1 - beta1) * g) + decay * p)
        m = beta2 * m + (1 - beta2) * g
        steps.append(pack(p))
    return steps


def l1(strength=0.05, rate=0.1):
    p, steps = start.clone(), []
    for g in gradients:
        p = p - rate * (g + strength * torch.sign(p))
        steps.append(pack(p))
    return steps


optimizers = {
    "start": pack(start), "gradients": [pack(g) for g in gradients],
    "cases": [
        {"name": "rmsprop", "steps": follow(lambda p: torch.optim.RMSprop(p, lr=0.02))},
        {"name": "rmsprop momentum", "steps": follow(lambda p: torch.optim.RMSprop(p, lr=0.02, alpha=0.9, momentum=0.8, weight_decay=0.1))},
        {"name": "adagrad", "steps": follow(lambda p: torch.optim.Adagrad(p, lr=0.1, weight_decay=0.05))},
        {"name": "lion", "steps": lion()},
        {"name": "l1", "steps": l1()},
    ],
}

# Schedules: the factor before each of 40 steps, 5 steps an epoch
def schedule(make, each_epoch=False):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = make(optimizer)
    factors = []
    for step in range(40):
        factors.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if not each_epoch or step % 5 == 4:
            scheduler.step()
    return factors


S = torch.optim.lr_scheduler
schedules = {
    "step": schedule(lambda o: S.StepLR(o, 2, 0.3), True),
    "exponential": schedule(lambda o: S.ExponentialLR(o, 0.8), True),
    "cosine": schedule(lambda o: S.CosineAnnealingLR(o, 40, 0.1)),
    "one cycle": schedule(lambda o: S.OneCycleLR(o, 1.0, total_steps=40)),
}

# Metrics
rng = np.random.default_rng(7)
truth = rng.integers(0, 4, 60)
scores = rng.normal(size=(60, 4)).round(2)
scores[np.arange(60), truth] += 0.8
said = scores.argmax(1)
binary = (rng.random(50) < 0.4).astype(int)
ranked = (rng.normal(size=50) + binary).round(1)  # rounding makes ties
values, expected = rng.normal(size=30), rng.normal(size=30)
precision, recall, f1, _ = metrics.precision_recall_fscore_support(truth, said, labels=range(4), zero_division=0)
results = {
    "truth": truth.tolist(), "scores": scores.reshape(-1).tolist(), "confusion": metrics.confusion_matrix(truth, said).reshape(-1).tolist(),
    "precision": precision.tolist(), "recall": recall.tolist(), "f1": f1.tolist(),
    "iou": metrics.jaccard_score(truth, said, average=None).tolist(), "top2": metrics.top_k_accuracy_score(truth, scores, k=2),
    "binary": binary.tolist(), "ranked": ranked.tolist(), "auc": metrics.roc_auc_score(binary, ranked),
    "values": values.tolist(), "expected": expected.tolist(), "r2": metrics.r2_score(expected, values),
    "rmse": metrics.root_mean_squared_error(expected, values), "mae": metrics.mean_absolute_error(expected, values),
}

path = pathlib.Path(__file__).with_name("losses.json")
path.write_text(json.dumps({"losses": losses, "optimizers": optimizers, "schedules": schedules, "metrics": results},
                           separators=(",", ":")) + "\n")
print(f"{path.name}: {len(losses)} losses, {len(optimizers['cases'])} optimisers, {len(schedules)} schedules")
