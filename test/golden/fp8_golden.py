#!/usr/bin/env python3
"""Writes test/fixtures/golden/fp8/tiny.json: digests of the tiny transformer's weights as musubi-tuner quantises them.

    python test/golden/fp8_golden.py                       (needs numpy, ml_dtypes and safetensors)
    python test/golden/fp8_golden.py block64 FILE          reads a converted file with the reference reader and compares

The rule is written out here from the formulas of musubi-tuner's fp8_optimization_utils.py, in f32 numpy: of every
matrix of the blocks but for modulation, scale = max(max |w| / 448, 1e-8) of a group, q = e4m3(clamp(w / scale)), and the
scale is stored in the type of the weights.
"""
import hashlib
import json
import pathlib
import sys

import ml_dtypes
import numpy as np
import safetensors

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
WEIGHTS = ROOT / 'models/tiny-framepack/transformer/diffusion_pytorch_model.safetensors'
OUT = ROOT / 'test/fixtures/golden/fp8/tiny.json'
BLOCK = 64
LARGEST = 448.0


def read(path):
    return {name: tensor for name, tensor in safetensors.deserialize(pathlib.Path(path).read_bytes())}


def is_target(name):
    return name.endswith('.weight') and 'transformer_blocks' in name and 'norm' not in name


def groups_of(weight, scheme):
    rows, columns = weight.shape
    if scheme == 'tensor':
        return weight.reshape(1, -1), [1]
    if scheme == 'block64' and columns % BLOCK == 0:
        return weight.reshape(-1, BLOCK), [rows, columns // BLOCK, 1]
    return weight, [rows, 1]


def quantise(weight, scheme):
    groups, shape = groups_of(weight, scheme)
    largest = np.abs(groups).max(axis=1, keepdims=True)
    scale = np.maximum(largest / np.float32(LARGEST), np.float32(1e-8)).astype(np.float32)
    scaled = np.clip(np.nan_to_num(groups / scale, nan=0.0), -LARGEST, LARGEST)
    return scaled.astype(ml_dtypes.float8_e4m3fn).tobytes(), scale.astype(ml_dtypes.bfloat16).tobytes(), shape


def entry(dtype, shape, data):
    return {'dtype': dtype, 'shape': list(shape), 'sha256': hashlib.sha256(bytes(data)).hexdigest()[:16]}


def expected(scheme):
    tensors = {}
    for name, tensor in read(WEIGHTS).items():
        if not is_target(name):
            tensors[name] = entry(tensor['dtype'], tensor['shape'], tensor['data'])
            continue
        weight = np.frombuffer(bytes(tensor['data']), dtype=ml_dtypes.bfloat16).astype(np.float32)
        data, scale, shape = quantise(weight.reshape(tensor['shape']), scheme)
        tensors[name] = entry('F8_E4M3', tensor['shape'], data)
        tensors[name.replace('.weight', '.scale_weight')] = entry('BF16', shape, scale)
    return dict(sorted(tensors.items()))


if len(sys.argv) == 3:
    found = {name: entry(t['dtype'], t['shape'], t['data']) for name, t in read(sys.argv[2]).items()}
    assert dict(sorted(found.items())) == expected(sys.argv[1]), 'the file holds other tensors'
    print(f'{len(found)} tensors agree')
else:
    OUT.parent.mkdir(exist_ok=True)
    schemes = {scheme: expected(scheme) for scheme in ['block64', 'channel', 'tensor']}
    changed = {s: {n: t for n, t in ts.items() if 'F8' in t['dtype'] or 'scale' in n} for s, ts in schemes.items()}
    OUT.write_text(json.dumps(changed, indent=0) + '\n')
