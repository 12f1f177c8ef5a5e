#!/usr/bin/env python3
"""Writes test/fixtures/golden/ggml: blocks of every format of ggml that is read with the numbers
that gguf-py, ggml's own Python package, reads in them, and a GGUF file of its making.

    python test/golden/ggml_golden.py      (needs numpy, gguf 0.19)

Formats that gguf-py can write hold normal numbers; of the others, and beside them, there are random codes under scales
that make ordinary numbers, so that every bit of a block is used.
"""
import json
import pathlib
import struct

import numpy
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, GGUFWriter
from gguf.quants import dequantize, quantize

OUT = pathlib.Path(__file__).resolve().parent.parent / 'fixtures' / 'golden' / 'ggml'
# Byte offsets of the f16 numbers of a block.
HALVES = {'Q4_0': [0], 'Q4_1': [0, 2], 'Q5_0': [0], 'Q5_1': [0, 2], 'Q8_0': [0], 'Q4_K': [0, 2], 'Q5_K': [0, 2],
          'Q6_K': [208]}
WRITABLE = ['Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'Q8_0']
random = numpy.random.default_rng(14)


def random_blocks(name, count):
    _, size = GGML_QUANT_SIZES[GGMLQuantizationType[name]]
    blocks = random.integers(0, 256, (count, size), dtype=numpy.uint8)
    for offset in HALVES[name]:
        scales = random.normal(0, 0.01, count).astype(numpy.float16)
        blocks[:, offset:offset + 2] = scales.view(numpy.uint8).reshape(count, 2)
    return blocks


tensors = {}
for name in HALVES:
    kind = GGMLQuantizationType[name]
    elements, size = GGML_QUANT_SIZES[kind]
    blocks = random_blocks(name, 256 // elements * 2)
    if name in WRITABLE:
        numbers = random.normal(0, 1, (1, 256)).astype(numpy.float32)
        blocks = numpy.concatenate([blocks, quantize(numbers, kind).reshape(-1, size)])
    tensors[f'{name}.blocks'] = ('U8', blocks.reshape(-1))
    tensors[f'{name}.values'] = ('F32', dequantize(blocks, kind).astype(numpy.float32).reshape(-1))

header, data, end = {}, [], 0
for name, (dtype, array) in sorted(tensors.items(), key=lambda item: (item[1][0], item[0])):
    header[name] = {'dtype': dtype, 'shape': list(array.shape), 'data_offsets': [end, end + array.nbytes]}
    data.append(array.tobytes())
    end += array.nbytes
text = json.dumps(header).encode()
text += b' ' * (-len(text) % 8)
OUT.mkdir(parents=True, exist_ok=True)
(OUT / 'blocks.safetensors').write_bytes(struct.pack('<Q', len(text)) + text + b''.join(data))

# A GGUF file as gguf-py writes it, with the shapes in its order and a vocabulary in its metadata.
writer = GGUFWriter(OUT / 'small.gguf', 'framepack-test')
writer.add_array('tokenizer.ggml.tokens', [f'token {i}' for i in range(300)])
writer.add_float32('test.scale', 0.5)
writer.add_bool('test.flag', True)
writer.add_array('comfy.gguf.orig_shape.patch.weight', [2, 16, 1, 2, 2])
writer.add_tensor('plain.f32', numpy.arange(12, dtype=numpy.float32).reshape(3, 4))
writer.add_tensor('plain.f16', numpy.arange(4, dtype=numpy.float16).reshape(2, 2))
ones = numpy.full((2, 2), 0x3f80, numpy.uint16)
writer.add_tensor('plain.bf16', ones.view(numpy.uint8), raw_dtype=GGMLQuantizationType.BF16)
patch = numpy.linspace(-1, 1, 128, dtype=numpy.float32).reshape(2, 64)
writer.add_tensor('patch.weight', quantize(patch, GGMLQuantizationType.Q8_0), raw_dtype=GGMLQuantizationType.Q8_0)
writer.add_tensor('block.weight', random_blocks('Q4_K', 4).reshape(2, -1), raw_dtype=GGMLQuantizationType.Q4_K)
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
