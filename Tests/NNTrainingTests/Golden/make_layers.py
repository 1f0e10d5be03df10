#!/usr/bin/env python3
"""Writes layers.json: outputs and gradients of further layers, as PyTorch computes them.

    python3 -m venv build/venv && build/venv/bin/pip install torch
    build/venv/bin/python Tests/NNTrainingTests/Golden/make_layers.py

Everything is computed in float64 and depends on the seed below alone. Parameters are named and laid out as the Swift layers
have them: dense weights (in, out), recurrent ones (in, gates·units), attention's four projections (in, out) each.
Made with torch 2.15.
"""

import json
import pathlib

import torch
from torch import nn
from torch.nn import functional as F

torch.set_default_dtype(torch.float64)
generator = torch.Generator().manual_seed(20261124)


def draw(*shape):
    return torch.randn(*shape, generator=generator)


def pack(tensor):
    return {"shape": list(tensor.shape), "values": [round(v, 12) for v in tensor.detach().reshape(-1).tolist()]}


cases = []


def case(name, x, parameters, forward):
    """loss = sum(output * upstream); `parameters` are named as the Swift layer names them."""
    differentiable = x.dtype == torch.float64
    x = x.clone().requires_grad_(differentiable)
    leaves = {key: value.clone().requires_grad_(True) for key, value in parameters.items()}
    output = forward(x, leaves)
    upstream = draw(*output.shape)
    (output * upstream).sum().backward()
    cases.append({
        "name": name,
        "input": pack(x),
        "parameters": {key: pack(value) for key, value in leaves.items()},
        "upstream": pack(upstream),
        "output": pack(output),
        "inputGradient": pack(x.grad if differentiable else torch.zeros(0)),
        "parameterGradients": {key: pack(value.grad) for key, value in leaves.items() if value.grad is not None},
    })


def module(name, x, make, names, forward=None):
    """A PyTorch module whose parameters are replaced: `names` maps a Swift parameter to (module's parameters, layout)."""
    net = make()
    state = dict(net.named_parameters())
    parameters, back = {}, {}
    for swift, (torch_name, layout) in names.items():
        value = state[torch_name].detach()
        value = draw(*value.shape) * 0.5
        parameters[swift] = value.t().contiguous() if layout == "t" else value
        back[torch_name] = (swift, layout)

    def run(x, p):
        replaced = {torch_name: (p[swift].t() if layout == "t" else p[swift]) for torch_name, (swift, layout) in back.items()}
        for missing in set(state) - set(replaced):
            replaced[missing] = torch.zeros_like(state[missing])
        return torch.func.functional_call(net, replaced, (x,)) if forward is None else forward(net, replaced, x)

    case(name, x, parameters, run)


# Activations and normalisations
for name, function in [("selu", F.selu), ("mish", F.mish), ("hardswish", F.hardswish), ("hardsigmoid", F.hardsigmoid)]:
    case(name, draw(3, 5) * 2, {}, lambda x, p, f=function: f(x))
case("prelu", draw(2, 3, 4), {"prelu_1.weight": draw(3)}, lambda x, p: F.prelu(x, p["prelu_1.weight"]))
case("group norm", draw(2, 4, 3, 2), {"groupnorm_1.weight": draw(4), "groupnorm_1.bias": draw(4)},
     lambda x, p: F.group_norm(x, 2, p["groupnorm_1.weight"], p["groupnorm_1.bias"]))
case("instance norm", draw(2, 3, 3, 2), {"instancenorm_1.weight": draw(3), "instancenorm_1.bias": draw(3)},
     lambda x, p: F.instance_norm(x, weight=p["instancenorm_1.weight"], bias=p["instancenorm_1.bias"]))
case("rms norm", draw(2, 3, 5), {"rmsnorm_1.weight": draw(5)},
     lambda x, p: F.rms_norm(x, (5,), p["rmsnorm_1.weight"], 1e-5))

# Convolutions
def transposed(filters, channels, kernel, **options):
    parameters = {"convtranspose2d_1.weight": draw(channels, filters, *kernel), "convtranspose2d_1.bias": draw(filters)}
    return parameters, lambda x, p: F.conv_transpose2d(x, p["convtranspose2d_1.weight"], p["convtranspose2d_1.bias"], **options)

case("conv transpose", draw(2, 3, 3, 4), *transposed(2, 3, (3, 2)))
case("conv transpose strided", draw(1, 2, 3, 3), *transposed(3, 2, (4, 4), stride=2, padding=1))
case("conv transpose dilated", draw(1, 2, 3, 3),
     *transposed(2, 2, (3, 2), stride=(3, 2), padding=(1, 0), output_padding=(2, 1), dilation=(1, 2)))
case("conv transpose 1d", draw(2, 3, 4), {"convtranspose1d_1.weight": draw(3, 2, 1, 3), "convtranspose1d_1.bias": draw(2)},
     lambda x, p: F.conv_transpose1d(x, p["convtranspose1d_1.weight"].squeeze(2), p["convtranspose1d_1.bias"], stride=2, padding=1))
case("conv 1d", draw(2, 3, 7), {"conv1d_1.weight": draw(4, 3, 1, 3), "conv1d_1.bias": draw(4)},
     lambda x, p: F.conv1d(x, p["conv1d_1.weight"].squeeze(2), p["conv1d_1.bias"], stride=2, padding=1))
case("conv 1d causal", draw(2, 2, 6), {"conv1d_1.weight": draw(3, 2, 1, 3), "conv1d_1.bias": draw(3)},
     lambda x, p: F.conv1d(F.pad(x, (4, 0)), p["conv1d_1.weight"].squeeze(2), p["conv1d_1.bias"], dilation=2))
case("conv 3d", draw(2, 2, 5, 4, 3), {"conv3d_1.weight": draw(3, 2, 2, 3, 2), "conv3d_1.bias": draw(2)},
     lambda x, p: F.conv3d(x, p["conv3d_1.weight"].permute(1, 2, 0, 3, 4), p["conv3d_1.bias"], stride=(2, 1, 1), padding=(1, 1, 0)))
case("separable conv", draw(2, 3, 5, 4), {"depthwiseconv2d_1.weight": draw(6, 1, 3, 3), "conv2d_1.weight": draw(4, 6, 1, 1),
     "conv2d_1.bias": draw(4)},
     lambda x, p: F.conv2d(F.conv2d(x, p["depthwiseconv2d_1.weight"], padding=1, groups=3), p["conv2d_1.weight"], p["conv2d_1.bias"]))

# Pooling and resampling
case("global max pool", draw(2, 3, 3, 4), {}, lambda x, p: x.amax((2, 3)))
case("adaptive average pool", draw(2, 2, 7, 5), {}, lambda x, p: F.adaptive_avg_pool2d(x, (3, 2)))
case("adaptive max pool", draw(2, 2, 7, 5), {}, lambda x, p: F.adaptive_max_pool2d(x, (3, 2)))
case("max pool 1d", draw(2, 3, 8), {}, lambda x, p: F.max_pool1d(x, 2))
case("average pool 1d", draw(2, 3, 8), {}, lambda x, p: F.avg_pool1d(x, 2))
case("upsampling nearest", draw(1, 2, 2, 3), {}, lambda x, p: F.interpolate(x, scale_factor=(2, 3), mode="nearest"))
case("upsampling bilinear", draw(1, 2, 3, 4), {}, lambda x, p: F.interpolate(x, scale_factor=2, mode="bilinear"))
case("zero padding", draw(1, 2, 2, 3), {}, lambda x, p: F.pad(x, (3, 4, 1, 2)))

# Embedding and attention
case("embedding", torch.tensor([[0, 3, 1], [4, 4, 2]]), {"embedding_1.weight": draw(5, 3)},
     lambda x, p: F.embedding(x, p["embedding_1.weight"]))


def attention(width, prefix="attention_1."):
    names = ["query", "key", "value", "output"]
    return {prefix + n + "_weight": draw(width, width) * 0.5 for n in names} | {prefix + n + "_bias": draw(width) for n in names}


def attend(heads, causal, p, prefix="attention_1.", x=None):
    width = x.shape[-1]
    weights = [p[prefix + n + "_weight"].t() for n in ["query", "key", "value"]]
    biases = [p[prefix + n + "_bias"] for n in ["query", "key", "value"]]
    mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1], dtype=x.dtype) if causal else None
    y, _ = F.multi_head_attention_forward(
        x.transpose(0, 1), x.transpose(0, 1), x.transpose(0, 1), width, heads, torch.cat(weights), torch.cat(biases),
        None, None, False, 0.0, p[prefix + "output_weight"].t(), p[prefix + "output_bias"], attn_mask=mask, need_weights=False)
    return y.transpose(0, 1)


for name, causal in [("attention", False), ("attention causal", True)]:
    case(name, draw(2, 4, 6), attention(6), lambda x, p, c=causal: attend(2, c, p, x=x))

blocks = {"dense_1.weight": draw(6, 8), "dense_1.bias": draw(8), "dense_2.weight": draw(8, 6), "dense_2.bias": draw(6)}
blocks |= {f"layernorm_{i}.{r}": draw(6) for i in (1, 2) for r in ("weight", "bias")} | attention(6)


def block(pre, p, x):
    norm = lambda x, i: F.layer_norm(x, (6,), p[f"layernorm_{i}.weight"], p[f"layernorm_{i}.bias"])
    feed = lambda x: F.gelu(x @ p["dense_1.weight"] + p["dense_1.bias"]) @ p["dense_2.weight"] + p["dense_2.bias"]
    if pre:
        x = x + attend(3, False, p, x=norm(x, 1))
        return x + feed(norm(x, 2))
    x = norm(x + attend(3, False, p, x=x), 1)
    return norm(x + feed(x), 2)


case("encoder block pre", draw(2, 3, 6), blocks, lambda x, p: block(True, p, x))
case("encoder block post", draw(2, 3, 6), blocks, lambda x, p: block(False, p, x))

# Recurrent layers
def recurrent(kind, prefix, features, units, gates, layer=0, direction=""):
    suffix = f"l{layer}{direction}"
    names = {prefix + ".weight": (f"weight_ih_{suffix}", "t"), prefix + ".recurrent_weight": (f"weight_hh_{suffix}", "t"),
             prefix + ".bias": (f"bias_ih_{suffix}", "")}
    if kind == "gru":
        names[prefix + ".recurrent_bias"] = (f"bias_hh_{suffix}", "")
    return names


makers = {"simplernn": (nn.RNN, 1), "lstm": (nn.LSTM, 4), "gru": (nn.GRU, 3)}
for kind, (maker, gates) in makers.items():
    sequence = lambda net, state, x: torch.func.functional_call(net, state, (x,))[0]
    last = lambda net, state, x: torch.func.functional_call(net, state, (x,))[0][:, -1]
    module(kind, draw(2, 4, 3), lambda: maker(3, 2, batch_first=True), recurrent(kind, kind + "_1", 3, 2, gates), sequence)
    module(kind + " last", draw(2, 4, 3), lambda: maker(3, 2, batch_first=True), recurrent(kind, kind + "_1", 3, 2, gates), last)
    module(kind + " bidirectional", draw(2, 4, 3), lambda: maker(3, 2, batch_first=True, bidirectional=True),
           recurrent(kind, kind + "_1", 3, 2, gates) | recurrent(kind, kind + "_2", 3, 2, gates, direction="_reverse"), sequence)
    module(kind + " stacked", draw(2, 3, 3), lambda: maker(3, 2, num_layers=2, batch_first=True),
           recurrent(kind, kind + "_1", 3, 2, gates) | recurrent(kind, kind + "_2", 2, 2, gates, layer=1), sequence)
    # Lengths 4 and 2: padding at the end, which the Swift layer recognises by the value 9.
    def packed(net, state, x):
        net = torch.func.functional_call
        return None
    padded = draw(2, 4, 3)
    padded[1, 2:] = 9

    def by_length(net, state, x):
        rows = []
        for sample, length in ((0, 4), (1, 2)):
            y = torch.func.functional_call(net, state, (x[sample:sample + 1, :length],))[0]
            rows.append(y[:, -1])
        return torch.cat(rows)

    module(kind + " masked", padded, lambda: maker(3, 2, batch_first=True), recurrent(kind, kind + "_1", 3, 2, gates), by_length)

path = pathlib.Path(__file__).with_name("layers.json")
path.write_text(json.dumps({"layers": cases}, separators=(",", ":")) + "\n")
print(f"{path.name}: {len(cases)} cases")
