"""Does what `npm run bench -- --compare torch` asks, one line of JSON at a time.

`prepare` reads operands from files of raw bytes, runs every variant once and writes its result; `sample` times one of
them; `exact` computes the same in f64, to judge by; `release` frees them. A variant is a dtype and, for some operations,
a memory layout or a backend.

    torch_worker.py <threads> [--device cpu|cuda]

On cuda, times span from an idle device to an idle device.
"""

import argparse
import json
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

DTYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16, "f64": torch.float64}
STORED = {"f32": np.float32, "f16": np.float16, "bf16": np.int16}
EPS = 1e-6
ACTIVATIONS = {
    "none": lambda x: x,
    "gelu-tanh": lambda x: F.gelu(x, approximate="tanh"),
    "silu": F.silu,
    "quick-gelu": lambda x: x * torch.sigmoid(1.702 * x),
}


def load(spilled):
    count = int(np.prod(spilled["shape"]))
    values = np.fromfile(
        spilled["file"], STORED[spilled["dtype"]], count=count, offset=spilled["offset"]
    )
    tensor = torch.from_numpy(values)
    if spilled["dtype"] == "bf16":
        tensor = tensor.view(torch.bfloat16)
    return tensor.reshape(spilled["shape"])


def product(t, o):
    activation = ACTIVATIONS[o.get("activation", "none")]
    return {"": lambda: activation(F.linear(t["x"], t["weight"], t.get("bias")))}


def attention(t, o):
    q, k, v = (t[name].transpose(1, 2) for name in "qkv")
    scale = o.get("scale")
    # In f64 torch forms the whole matrix of scores; a few rows at a time fit.
    rows = 512 if q.dtype == torch.float64 else q.shape[2]

    def call():
        parts = [
            F.scaled_dot_product_attention(part, k, v, scale=scale)
            for part in q.split(rows, dim=2)
        ]
        return (parts[0] if len(parts) == 1 else torch.cat(parts, dim=2)).transpose(1, 2)

    def through(backend):
        def run():
            with sdpa_kernel(backend):
                return call()

        return run

    backends = {"flash": SDPBackend.FLASH_ATTENTION, "cudnn": SDPBackend.CUDNN_ATTENTION}
    if q.device.type != "cuda" or q.dtype not in (torch.float16, torch.bfloat16):
        backends = {}
    return {"": call, **{name: through(backend) for name, backend in backends.items()}}


def conv3d(t, o):
    """Ours keeps channels last; torch may have either layout, whichever it does better."""
    kernel = t["weight"].shape[1:4]
    height, width = kernel[1] // 2, kernel[2] // 2
    padding = (width, width, height, height, kernel[0] - 1, 0)
    x = t["x"].permute(0, 4, 1, 2, 3)
    weight = t["weight"].permute(0, 4, 1, 2, 3)

    def call(x, weight):
        padded = F.pad(x, padding, mode="replicate")
        return F.conv3d(padded, weight, t.get("bias"), stride=tuple(o["stride"]))

    first = (x.contiguous(), weight.contiguous())
    return {
        "channels-last": lambda: call(x, weight).permute(0, 2, 3, 4, 1),
        "channels-first": lambda: call(*first).permute(0, 2, 3, 4, 1),
    }


def patchify(t, o):
    stride = t["weight"].shape[2:]
    call = lambda: F.conv3d(t["x"], t["weight"], t.get("bias"), stride=stride)
    return {"": lambda: call().flatten(2).transpose(1, 2)}


def layer_norm(t, o):
    x = t["x"]

    def call():
        y = F.layer_norm(x, x.shape[-1:], t.get("weight"), t.get("bias"), o["eps"])
        return y * (1 + t["scale"][:, None]) + t["shift"][:, None] if "scale" in t else y

    return {"": call}


def rms_norm(t, o):
    return {"": lambda: F.rms_norm(t["x"], t["x"].shape[-1:], t["weight"], o["eps"])}


def group_norm(t, o):
    after = F.silu if o.get("silu") else lambda y: y
    x = t["x"].movedim(-1, 1)
    first = x.contiguous()
    call = lambda x: after(F.group_norm(x, o["groups"], t["weight"], t["bias"], o["eps"]))
    return {
        "channels-last": lambda: call(x).movedim(1, -1),
        "channels-first": lambda: call(first).movedim(1, -1),
    }


def gelu_tanh(t, o):
    return {"": lambda: ACTIVATIONS["gelu-tanh"](t["x"])}


def add(t, o):
    return {"": lambda: t["a"] + t["b"]}


def modulation(t, prefix, chunks):
    linear = F.linear(t["activated"], t[f"{prefix}.weight"], t[f"{prefix}.bias"])
    return [chunk[:, None] for chunk in linear.chunk(chunks, dim=-1)]


def modulate(x, shift, scale):
    return F.layer_norm(x, x.shape[-1:], eps=EPS) * (1 + scale) + shift


def linear(t, name, x):
    return F.linear(x, t[f"{name}.weight"], t[f"{name}.bias"])


def rotate(x, t, count):
    """Rotates neighbouring channels of the first `count` tokens of [B, N, L, K]."""
    real, imaginary = x[:, :, :count].unflatten(-1, (-1, 2)).unbind(-1)
    cos, sin = t["cos"], t["sin"]
    pairs = (real * cos - imaginary * sin, real * sin + imaginary * cos)
    rotated = torch.stack(pairs, dim=-1).flatten(-2)
    return torch.cat([rotated, x[:, :, count:]], dim=2)


def heads_of(t, x, name, norm=None):
    y = linear(t, f"attn.{name}", x)
    y = y.unflatten(-1, (-1, t["attn.norm_q.weight"].shape[0])).transpose(1, 2)
    return y if norm is None else F.rms_norm(y, y.shape[-1:], t[f"attn.{norm}.weight"], EPS)


def double_block(t, o):
    streams = [
        ("image", "norm1", ("to_q", "to_k", "to_v"), ("norm_q", "norm_k"), "to_out.0", "ff"),
        (
            "text",
            "norm1_context",
            ("add_q_proj", "add_k_proj", "add_v_proj"),
            ("norm_added_q", "norm_added_k"),
            "to_add_out",
            "ff_context",
        ),
    ]
    count = t["image"].shape[1]

    def call():
        chunks, parts = [], []
        for stream, norm, (to_q, to_k, to_v), (norm_q, norm_k), _, _ in streams:
            chunks.append(modulation(t, f"{norm}.linear", 6))
            x = modulate(t[stream], chunks[-1][0], chunks[-1][1])
            q, k = heads_of(t, x, to_q, norm_q), heads_of(t, x, to_k, norm_k)
            if stream == "image":
                q, k = rotate(q, t, count), rotate(k, t, count)
            parts.append((q, k, heads_of(t, x, to_v)))
        joint = (torch.cat(pair, dim=2) for pair in zip(*parts))
        mixed = F.scaled_dot_product_attention(*joint).transpose(1, 2).flatten(2)
        results = []
        for (stream, _, _, _, out, ff), c in zip(streams, chunks):
            part = mixed[:, :count] if stream == "image" else mixed[:, count:]
            x = t[stream] + c[2] * linear(t, f"attn.{out}", part)
            hidden = linear(t, f"{ff}.net.0.proj", modulate(x, c[3], c[4]))
            hidden = ACTIVATIONS["gelu-tanh"](hidden)
            results.append(x + c[5] * linear(t, f"{ff}.net.2", hidden))
        return torch.cat(results, dim=1)

    return {"": call}


def single_block(t, o):
    count = t["cos"].shape[0]

    def call():
        shift, scale, gate = modulation(t, "norm.linear", 3)
        x = t["joined"]
        normed = modulate(x, shift, scale)
        q = rotate(heads_of(t, normed, "to_q", "norm_q"), t, count)
        k = rotate(heads_of(t, normed, "to_k", "norm_k"), t, count)
        mixed = F.scaled_dot_product_attention(q, k, heads_of(t, normed, "to_v"))
        hidden = ACTIVATIONS["gelu-tanh"](linear(t, "proj_mlp", normed))
        both = torch.cat([mixed.transpose(1, 2).flatten(2), hidden], dim=-1)
        return x + gate * linear(t, "proj_out", both)

    return {"": call}


KINDS = {
    "linear": product,
    "attention": attention,
    "conv3d": conv3d,
    "patchify": patchify,
    "layerNorm": layer_norm,
    "rmsNorm": rms_norm,
    "groupNorm": group_norm,
    "geluTanh": gelu_tanh,
    "add": add,
    "doubleBlock": double_block,
    "singleBlock": single_block,
}
variants = {}
device = torch.device("cpu")


def synchronize():
    if device.type == "cuda":
        torch.cuda.synchronize()


def prepare(message):
    answers = []
    stored = {name: load(spilled).to(device) for name, spilled in message["tensors"].items()}
    for dtype in message["dtypes"]:
        tensors = {name: tensor.to(DTYPES[dtype]) for name, tensor in stored.items()}
        for layout, call in KINDS[message["kind"]](tensors, message["options"]).items():
            label = f"{dtype} {layout}".strip()
            try:
                call()
            except RuntimeError:
                if not layout or device.type == "cpu":
                    raise
                continue  # a backend that this GPU does not have
            synchronize()
            start = time.perf_counter()
            result = call()
            synchronize()
            ms = (time.perf_counter() - start) * 1000
            file = f"{message['folder']}/result-{len(answers)}.bin"
            result.reshape(-1)[:: message["stride"]].float().contiguous().cpu().numpy().tofile(file)
            variants[label] = call
            answers.append({"label": label, "ms": ms, "file": file})
    return {"variants": answers}


def exact(message):
    stored = {name: load(spilled).to(device).double() for name, spilled in message["tensors"].items()}
    calls = KINDS[message["kind"]](stored, message["options"])
    # Of several layouts the last is the one that torch computes by the book.
    result = list(calls.values())[-1]()
    file = f"{message['folder']}/exact.bin"
    result.reshape(-1)[:: message["stride"]].contiguous().cpu().numpy().tofile(file)
    return {"file": file}


def sample(message):
    call = variants[message["label"]]
    synchronize()
    cpu, start = time.process_time(), time.perf_counter()
    for _ in range(message["repeats"]):
        call()
    synchronize()
    wall = time.perf_counter() - start
    cpu = time.process_time() - cpu
    return {name: s * 1000 / message["repeats"] for name, s in [("ms", wall), ("cpuMs", cpu)]}


def release(message):
    variants.clear()
    if device.type == "cuda":
        torch.cuda.empty_cache()
    return {}


COMMANDS = {"prepare": prepare, "exact": exact, "sample": sample, "release": release}


def main():
    global device
    parser = argparse.ArgumentParser()
    parser.add_argument("threads", type=int)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    arguments = parser.parse_args()
    device = torch.device(arguments.device)
    torch.set_num_threads(arguments.threads)
    torch.set_grad_enabled(False)
    print(json.dumps({"version": torch.__version__, "kinds": list(KINDS)}), flush=True)
    for line in sys.stdin:
        message = json.loads(line)
        try:
            answer = COMMANDS[message["command"]](message)
        except Exception as error:
            answer = {"error": f"{message['command']}: {error!r}"}
        print(json.dumps(answer), flush=True)


main()
