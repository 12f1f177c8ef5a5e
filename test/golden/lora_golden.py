#!/usr/bin/env python3
"""Writes test/fixtures/golden/lora: small LoRAs in the key styles of every trainer, and what PyTorch makes of them:
the merged weights, and the velocity that the small transformer predicts with them.

    python test/golden/lora_golden.py      (needs torch)

Every merge below is written out for its own style, in float64, with the fused projections cut by hand; nothing is
looked up in a table. The base is the small transformer of test/fixtures/golden/dit; its PyTorch version (small_dit.py)
is first compared with the reference velocity that lies there.
"""
import json
import pathlib
import struct

import torch

from small_dit import SmallDit

FIXTURES = pathlib.Path(__file__).resolve().parent.parent / 'fixtures' / 'golden'
BASE = FIXTURES / 'dit' / 'dit_a.weights.safetensors'
OUT = FIXTURES / 'lora'
TYPES = {'F32': torch.float32, 'F16': torch.float16, 'BF16': torch.bfloat16, 'F8_E4M3': torch.float8_e4m3fn}
WIDTH = 32
torch.manual_seed(14)


def read(path):
    data = path.read_bytes()
    (length,) = struct.unpack('<Q', data[:8])
    header = json.loads(data[8:8 + length])
    tensors = {}
    for name, entry in header.items():
        if name == '__metadata__':
            continue
        begin, end = (8 + length + offset for offset in entry['data_offsets'])
        raw = torch.frombuffer(bytearray(data[begin:end]), dtype=TYPES[entry['dtype']])
        tensors[name] = raw.reshape(entry['shape'])
    return tensors


def write(path, tensors, metadata=None):
    names = {dtype: name for name, dtype in TYPES.items()}
    header, blobs, end = {}, [], 0
    if metadata:
        header['__metadata__'] = metadata
    for name, tensor in sorted(tensors.items(), key=lambda item: (-item[1].element_size(), item[0])):
        tensor = tensor.contiguous()
        blob = bytes(tensor.reshape(-1).view(torch.uint8).numpy().tobytes()) if tensor.numel() else b''
        shape = list(tensor.shape)
        header[name] = {'dtype': names[tensor.dtype], 'shape': shape, 'data_offsets': [end, end + len(blob)]}
        blobs.append(blob)
        end += len(blob)
    text = json.dumps(header).encode()
    text += b' ' * (-len(text) % 8)
    path.write_bytes(struct.pack('<Q', len(text)) + text + b''.join(blobs))


base = {name: tensor.double() for name, tensor in read(BASE).items()}


class Lora:
    """The tensors of one file, and the changes that it means, by tensor of the network."""

    def __init__(self, dtype=torch.float32):
        self.dtype, self.tensors, self.changes, self.metadata = dtype, {}, {}, None

    def store(self, name, *shape, spread=0.2):
        value = (torch.randn(*shape) * spread).to(self.dtype)
        self.tensors[name] = value
        return value.double()

    def number(self, name, value):
        self.tensors[name] = torch.tensor(value, dtype=torch.float32)

    def change(self, name, delta):
        delta = delta.reshape(base[name].shape)
        self.changes[name] = self.changes.get(name, 0) + delta

    def pair(self, module, rows, columns, rank, words=('lora_down', 'lora_up')):
        down = self.store(f'{module}.{words[0]}.weight', rank, columns)
        up = self.store(f'{module}.{words[1]}.weight', rows, rank)
        return up @ down


D, PEFT = WIDTH, ('lora_A', 'lora_B')
styles = {}

# kohya and musubi-tuner: underscores, alpha as a tensor
lora = styles['kohya'] = Lora()
for module, target, rows, columns in [
    ('transformer_blocks_0_attn_to_q', 'transformer_blocks.0.attn.to_q', D, D),
    ('transformer_blocks_1_attn_to_out_0', 'transformer_blocks.1.attn.to_out.0', D, D),
    ('transformer_blocks_0_attn_add_k_proj', 'transformer_blocks.0.attn.add_k_proj', D, D),
    ('transformer_blocks_0_ff_net_0_proj', 'transformer_blocks.0.ff.net.0.proj', 4 * D, D),
    ('transformer_blocks_1_ff_context_net_2', 'transformer_blocks.1.ff_context.net.2', D, 4 * D),
    ('single_transformer_blocks_1_proj_mlp', 'single_transformer_blocks.1.proj_mlp', 4 * D, D),
    ('single_transformer_blocks_0_proj_out', 'single_transformer_blocks.0.proj_out', D, 5 * D),
]:
    delta = lora.pair(f'lora_unet_{module}', rows, columns, 4)
    lora.number(f'lora_unet_{module}.alpha', 2.0)
    lora.change(f'{target}.weight', delta * (2.0 / 4))

# musubi-tuner, trained on the original HunyuanVideo: fused projections, in f16
lora = styles['musubi-original'] = Lora(torch.float16)
delta = lora.pair('lora_unet_double_blocks_1_img_attn_qkv', 3 * D, D, 4) * (3.0 / 4)
lora.number('lora_unet_double_blocks_1_img_attn_qkv.alpha', 3.0)
for index, name in enumerate(['to_q', 'to_k', 'to_v']):
    lora.change(f'transformer_blocks.1.attn.{name}.weight', delta[index * D:(index + 1) * D])
delta = lora.pair('lora_unet_double_blocks_0_txt_attn_qkv', 3 * D, D, 2)
for index, name in enumerate(['add_q_proj', 'add_k_proj', 'add_v_proj']):
    lora.change(f'transformer_blocks.0.attn.{name}.weight', delta[index * D:(index + 1) * D])
delta = lora.pair('lora_unet_single_blocks_0_linear1', 7 * D, D, 3)
for index, name in enumerate(['to_q', 'to_k', 'to_v']):
    lora.change(f'single_transformer_blocks.0.attn.{name}.weight', delta[index * D:(index + 1) * D])
lora.change('single_transformer_blocks.0.proj_mlp.weight', delta[3 * D:])
lora.change('single_transformer_blocks.1.proj_out.weight', lora.pair('lora_unet_single_blocks_1_linear2', D, 5 * D, 2))
lora.change('transformer_blocks.0.ff.net.0.proj.weight', lora.pair('lora_unet_double_blocks_0_img_mlp_fc1', 4 * D, D, 2))
lora.change('transformer_blocks.0.ff_context.net.2.weight', lora.pair('lora_unet_double_blocks_0_txt_mlp_fc2', D, 4 * D, 2))
lora.change('transformer_blocks.0.norm1_context.linear.weight', lora.pair('lora_unet_double_blocks_0_txt_mod_linear', 6 * D, D, 2))

# diffusers: ranks and alphas by pattern, alpha in the metadata
lora = styles['diffusers'] = Lora()
lora.metadata = {'format': 'pt', 'lora_adapter_metadata': json.dumps({
    'transformer.r': 4, 'transformer.lora_alpha': 8, 'transformer.rank_pattern': {'attn.to_k': 2},
    'transformer.alpha_pattern': {'attn.to_k': 3, '^single_transformer_blocks.0.proj_mlp': 1},
    'transformer.use_rslora': False, 'transformer.use_dora': False,
})}
for target, rows, rank, scale in [
    ('transformer_blocks.0.attn.to_q', D, 4, 8 / 4),
    ('transformer_blocks.0.attn.to_k', D, 2, 3 / 2),
    ('single_transformer_blocks.1.attn.to_k', D, 2, 3 / 2),
    ('single_transformer_blocks.0.proj_mlp', 4 * D, 4, 1 / 4),
    ('single_transformer_blocks.1.proj_mlp', 4 * D, 4, 8 / 4),
]:
    lora.change(f'{target}.weight', lora.pair(f'transformer.{target}', rows, D, rank, PEFT) * scale)

# PEFT with rank-stabilised scaling
lora = styles['rslora'] = Lora()
lora.metadata = {'lora_adapter_metadata': json.dumps({'r': 4, 'lora_alpha': 6, 'use_rslora': True})}
target = 'transformer_blocks.0.ff.net.0.proj'
lora.change(f'{target}.weight', lora.pair(f'transformer.{target}', 4 * D, D, 4, PEFT) * (6 / 4 ** 0.5))

# PEFT, with its own prefix or none; no alpha
for style, prefix in [('peft', 'base_model.model.'), ('bare', ''), ('comfy-wrapped', 'diffusion_model.')]:
    lora = styles[style] = Lora()
    for target, rows in [
        ('transformer_blocks.1.attn.to_v', D),
        ('transformer_blocks.1.norm1.linear', 6 * D),
        ('context_embedder.token_refiner.refiner_blocks.1.attn.to_out.0', D),
    ]:
        lora.change(f'{target}.weight', lora.pair(f'{prefix}{target}', rows, D, 3, PEFT))

# diffusion-pipe: original names with dots, bf16
lora = styles['diffusion-pipe'] = Lora(torch.bfloat16)
delta = lora.pair('diffusion_model.double_blocks.0.img_attn_qkv', 3 * D, D, 4, PEFT)
for index, name in enumerate(['to_q', 'to_k', 'to_v']):
    lora.change(f'transformer_blocks.0.attn.{name}.weight', delta[index * D:(index + 1) * D])
lora.change('transformer_blocks.0.attn.to_out.0.weight', lora.pair('diffusion_model.double_blocks.0.img_attn_proj', D, D, 4, PEFT))
lora.change('single_transformer_blocks.1.norm.linear.weight', lora.pair('diffusion_model.single_blocks.1.modulation.linear', 3 * D, D, 4, PEFT))
refiner = 'diffusion_model.txt_in.individual_token_refiner.blocks.0'
delta = lora.pair(f'{refiner}.self_attn_qkv', 3 * D, D, 2, PEFT)
for index, name in enumerate(['to_q', 'to_k', 'to_v']):
    lora.change(f'context_embedder.token_refiner.refiner_blocks.0.attn.{name}.weight', delta[index * D:(index + 1) * D])
lora.change('time_text_embed.guidance_embedder.linear_2.weight', lora.pair('diffusion_model.guidance_in.mlp.2', D, D, 2, PEFT))

# ComfyUI: its own names, whole changes of weights, biases and norms, a convolution
lora = styles['comfy'] = Lora()
native = 'diffusion_model.double_blocks.1'
delta = lora.pair(f'{native}.img_attn.qkv', 3 * D, D, 4) * (1.0 / 4)
lora.number(f'{native}.img_attn.qkv.alpha', 1.0)
bias = lora.store(f'{native}.img_attn.qkv.diff_b', 3 * D)
for index, name in enumerate(['to_q', 'to_k', 'to_v']):
    lora.change(f'transformer_blocks.1.attn.{name}.weight', delta[index * D:(index + 1) * D])
    lora.change(f'transformer_blocks.1.attn.{name}.bias', bias[index * D:(index + 1) * D])
lora.change('transformer_blocks.1.attn.norm_q.weight', lora.store(f'{native}.img_attn.norm.query_norm.diff', 16))
lora.change('transformer_blocks.1.ff.net.2.weight', lora.store(f'{native}.img_mlp.2.diff', D, 4 * D))
lora.change('transformer_blocks.1.norm1.linear.weight', lora.pair(f'{native}.img_mod.lin', 6 * D, D, 2))
lora.change('single_transformer_blocks.0.norm.linear.bias', lora.store('diffusion_model.single_blocks.0.modulation.lin.diff_b', 3 * D))
lora.change('time_text_embed.timestep_embedder.linear_1.weight', lora.store('diffusion_model.time_in.in_layer.diff', D, 256))
delta = lora.pair('diffusion_model.final_layer.adaLN_modulation.1', 2 * D, D, 2)
lora.change('norm_out.linear.weight', torch.cat([delta[D:], delta[:D]]))
down = lora.store('diffusion_model.img_in.proj.lora_down.weight', 3, 16, 1, 2, 2)
up = lora.store('diffusion_model.img_in.proj.lora_up.weight', D, 3, 1, 1, 1)
lora.change('x_embedder.proj.weight', torch.einsum('nrabc,rixyz->nixyz', up, down))

# LyCORIS LoHa: alpha over rank
lora = styles['loha'] = Lora()
for module, rows, columns, targets in [
    ('lora_unet_transformer_blocks_0_attn_to_q', D, D, ['transformer_blocks.0.attn.to_q']),
    ('lycoris_single_transformer_blocks_1_proj_mlp', 4 * D, D, ['single_transformer_blocks.1.proj_mlp']),
    ('lora_unet_double_blocks_1_txt_attn_qkv', 3 * D, D,
     [f'transformer_blocks.1.attn.add_{name}_proj' for name in 'qkv']),
]:
    factors = [lora.store(f'{module}.hada_w{i}_{side}', *shape, spread=0.4)
               for i in (1, 2) for side, shape in [('a', (rows, 3)), ('b', (3, columns))]]
    delta = (factors[0] @ factors[1]) * (factors[2] @ factors[3]) * (2.0 / 3)
    lora.number(f'{module}.alpha', 2.0)
    for index, target in enumerate(targets):
        lora.change(f'{target}.weight', delta.chunk(len(targets))[index])

# LyCORIS LoKr: whole factors do not scale, others by alpha over their rank
lora = styles['lokr'] = Lora()
module = 'lora_unet_transformer_blocks_0_attn_to_k'
delta = torch.kron(lora.store(f'{module}.lokr_w1', 4, 4), lora.store(f'{module}.lokr_w2', 8, 8))
lora.number(f'{module}.alpha', 1.0)
lora.change('transformer_blocks.0.attn.to_k.weight', delta)
module = 'lora_unet_transformer_blocks_0_ff_net_0_proj'
first = lora.store(f'{module}.lokr_w1', 8, 4)
second = lora.store(f'{module}.lokr_w2_a', 16, 2) @ lora.store(f'{module}.lokr_w2_b', 2, 8)
lora.number(f'{module}.alpha', 1.0)
lora.change('transformer_blocks.0.ff.net.0.proj.weight', torch.kron(first, second) * (1.0 / 2))
module = 'lora_unet_single_blocks_1_linear1'
first = lora.store(f'{module}.lokr_w1_a', 7, 2) @ lora.store(f'{module}.lokr_w1_b', 2, 4)
second = lora.store(f'{module}.lokr_w2', D, 8)
lora.number(f'{module}.alpha', 3.0)
delta = torch.kron(first, second) * (3.0 / 2)
for index, name in enumerate(['to_q', 'to_k', 'to_v']):
    lora.change(f'single_transformer_blocks.1.attn.{name}.weight', delta[index * D:(index + 1) * D])
lora.change('single_transformer_blocks.1.proj_mlp.weight', delta[3 * D:])

# factors in fp8
lora = styles['fp8'] = Lora(torch.float8_e4m3fn)
target = 'transformer_blocks.1.ff.net.0.proj'
lora.change(f'{target}.weight', lora.pair(f'diffusion_model.{target}', 4 * D, D, 4, PEFT))

reference = read(FIXTURES / 'dit' / 'dit_inverted_p2.golden.safetensors')
case = json.loads((FIXTURES / 'dit' / 'manifest.json').read_text())['inverted_p2']
inputs = {name[3:]: value for name, value in reference.items() if name.startswith('in.')}


def distance(a, b):
    return ((a.double() - b.double()).norm() / b.double().norm()).item()


assert distance(SmallDit(base).velocity(inputs, case['indices']), reference['out.velocity']) < 1e-6

# One latent frame of 8 x 8 is enough to tell weights apart.
inputs = {name: value[..., :8, :8].contiguous() if value.dim() == 5 else value for name, value in inputs.items()}
inputs['latents'] = inputs['latents'][:, :, :1].contiguous()
indices = {**case['indices'], 'target': case['indices']['target'][:1]}
config = case['config']
plain = SmallDit(base).velocity(inputs, indices)

OUT.mkdir(exist_ok=True)
write(OUT / 'inputs.safetensors', {f'in.{name}': value for name, value in inputs.items()})
manifest = {}
stacks = {style: [(style, 0.8)] for style in styles}
stacks['stack'] = [('kohya', 0.5), ('comfy', -0.7), ('musubi-original', 1.0), ('loha', 0.9), ('kohya', 0.0)]
for style, lora in styles.items():
    write(OUT / f'{style}.lora.safetensors', lora.tensors, lora.metadata)
for case, stack in stacks.items():
    merged = {}
    for style, strength in stack:
        for name, delta in styles[style].changes.items():
            merged[name] = merged.get(name, base[name]) + strength * delta
    velocity = SmallDit({**base, **merged}).velocity(inputs, indices)
    assert distance(velocity, plain) > 1e-3, case
    golden = {f'out.{name}': value.float() for name, value in {**merged, 'velocity': velocity}.items()}
    write(OUT / f'{case}.golden.safetensors', golden)
    manifest[case] = {
        'config': config, 'indices': indices, 'inputs': 'inputs.safetensors',
        'weights': '../dit/dit_a.weights.safetensors',
        'loras': [{'file': f'{style}.lora.safetensors', 'scale': strength} for style, strength in stack],
    }
(OUT / 'manifest.json').write_text(json.dumps(manifest, indent=1) + '\n')
