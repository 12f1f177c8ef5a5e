"""The packed video transformer in plain PyTorch, for goldens: FramePack, arXiv 2504.12626, one batch entry, no masks."""
import math

import torch
import torch.nn.functional as F

EPS = 1e-6
AXES = (4, 6, 6)
THETA = 256.0
HEADS = 2


class SmallDit:
    def __init__(self, weights):
        self.w = {name: value.double() for name, value in weights.items()}

    def linear(self, name, x):
        return F.linear(x, self.w[f'{name}.weight'], self.w[f'{name}.bias'])

    def mlp(self, name, layers, x, activation):
        return self.linear(f'{name}.{layers[1]}', activation(self.linear(f'{name}.{layers[0]}', x)))

    def count(self, prefix):
        return len({name.split('.')[prefix.count('.') + 1] for name in self.w if name.startswith(f'{prefix}.')})

    # conditioning

    def embed_number(self, name, value):
        # As the reference, in f32: guidance is embedded at 10000, where rounding shows.
        exponent = -math.log(10000) * torch.arange(128, dtype=torch.float32) / 128
        angles = torch.tensor([value], dtype=torch.float32)[:, None] * torch.exp(exponent)[None, :]
        wave = torch.cat([torch.cos(angles), torch.sin(angles)], -1).double()
        return self.mlp(name, ('linear_1', 'linear_2'), wave, F.silu)

    def condition(self, name, timestep, pooled, guidance=None):
        total = self.embed_number(f'{name}.timestep_embedder', timestep)
        if guidance is not None:
            total = total + self.embed_number(f'{name}.guidance_embedder', guidance)
        return total + self.mlp(f'{name}.text_embedder', ('linear_1', 'linear_2'), pooled, F.silu)

    # tokens

    def patches(self, name, latents, k):
        pads = [(-latents.shape[axis]) % extent for axis, extent in ((4, 2 * k), (3, 2 * k), (2, k))]
        padded = F.pad(latents, (0, pads[0], 0, pads[1], 0, pads[2]), mode='replicate')
        out = F.conv3d(padded, self.w[f'{name}.weight'], self.w[f'{name}.bias'], stride=(k, 2 * k, 2 * k))
        return out.flatten(2).transpose(1, 2)

    @staticmethod
    def phases(indices, height, width, k):
        grid = torch.meshgrid(
            torch.tensor(indices, dtype=torch.float32), torch.arange(height, dtype=torch.float32),
            torch.arange(width, dtype=torch.float32), indexing='ij')
        parts = []
        for positions, size in zip(grid, AXES):
            steps = torch.arange(0, size, 2, dtype=torch.float32)[:size // 2] / size
            frequencies = 1.0 / (THETA ** steps)
            angles = positions[..., None] * frequencies
            parts.append(angles.repeat_interleave(2, -1))
        angles = torch.cat(parts, -1)
        waves = []
        for wave in (angles.cos(), angles.sin()):
            volume = wave.permute(3, 0, 1, 2)[None].double()
            if k > 1:
                pads = [(-volume.shape[axis]) % k for axis in (4, 3, 2)]
                volume = F.pad(volume, (0, pads[0], 0, pads[1], 0, pads[2]), mode='replicate')
                volume = F.avg_pool3d(volume, k, stride=k)
            waves.append(volume.flatten(2)[0].T)
        return waves

    # blocks

    @staticmethod
    def norm(x, shift, scale):
        return F.layer_norm(x, x.shape[-1:], eps=EPS) * (1 + scale) + shift

    def heads(self, name, x):
        return self.linear(name, x).unflatten(-1, (HEADS, -1))

    def rms(self, name, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + EPS) * self.w[f'{name}.weight']

    @staticmethod
    def rotate(x, waves):
        cos, sin = (wave[None, :, None, :] for wave in waves)
        head, rest = x[:, :cos.shape[1]], x[:, cos.shape[1]:]
        even, odd = head.unflatten(-1, (-1, 2)).unbind(-1)
        turned = torch.stack([-odd, even], -1).flatten(-2)
        return torch.cat([head * cos + turned * sin, rest], 1)

    @staticmethod
    def attend(q, k, v):
        mixed = F.scaled_dot_product_attention(*(x.transpose(1, 2) for x in (q, k, v)))
        return mixed.transpose(1, 2).flatten(2)

    def project(self, at, x, names, waves):
        q, k, v = (self.heads(f'{at}.{name}', x) for name in names[:3])
        q, k = self.rms(f'{at}.{names[3]}', q), self.rms(f'{at}.{names[4]}', k)
        return (self.rotate(q, waves), self.rotate(k, waves), v) if waves else (q, k, v)

    def refine(self, text, timestep):
        at = 'context_embedder'
        active = F.silu(self.condition(f'{at}.time_text_embed', timestep, text.mean(1)))
        x = self.linear(f'{at}.proj_in', text)
        for index in range(self.count(f'{at}.token_refiner.refiner_blocks')):
            block = f'{at}.token_refiner.refiner_blocks.{index}'
            gates = self.linear(f'{block}.norm_out.linear', active).chunk(2, -1)
            affine = [(self.w[f'{block}.{norm}.weight'], self.w[f'{block}.{norm}.bias']) for norm in ('norm1', 'norm2')]
            normed = F.layer_norm(x, x.shape[-1:], *affine[0], eps=EPS)
            mixed = self.attend(*(self.heads(f'{block}.attn.to_{name}', normed) for name in 'qkv'))
            x = x + self.linear(f'{block}.attn.to_out.0', mixed) * gates[0]
            normed = F.layer_norm(x, x.shape[-1:], *affine[1], eps=EPS)
            x = x + self.mlp(f'{block}.ff', ('net.0.proj', 'net.2'), normed, F.silu) * gates[1]
        return x

    def double(self, at, image, text, active, waves):
        gelu = lambda x: F.gelu(x, approximate='tanh')
        chunks = [self.linear(f'{at}.{name}.linear', active).chunk(6, -1) for name in ('norm1', 'norm1_context')]
        names = (('to_q', 'to_k', 'to_v', 'norm_q', 'norm_k'),
                 ('add_q_proj', 'add_k_proj', 'add_v_proj', 'norm_added_q', 'norm_added_k'))
        parts = [self.project(f'{at}.attn', self.norm(x, c[0], c[1]), own, turn)
                 for x, c, own, turn in zip((image, text), chunks, names, (waves, None))]
        mixed = self.attend(*(torch.cat(pair, 1) for pair in zip(*parts)))
        mixed = mixed.split([image.shape[1], text.shape[1]], 1)
        results = []
        for x, own, c, out, ff in zip((image, text), mixed, chunks, ('to_out.0', 'to_add_out'), ('ff', 'ff_context')):
            x = x + c[2] * self.linear(f'{at}.attn.{out}', own)
            x = x + c[5] * self.mlp(f'{at}.{ff}', ('net.0.proj', 'net.2'), self.norm(x, c[3], c[4]), gelu)
            results.append(x)
        return results

    def single(self, at, x, active, waves):
        shift, scale, gate = self.linear(f'{at}.norm.linear', active).chunk(3, -1)
        normed = self.norm(x, shift, scale)
        mixed = self.attend(*self.project(f'{at}.attn', normed, ('to_q', 'to_k', 'to_v', 'norm_q', 'norm_k'), waves))
        hidden = F.gelu(self.linear(f'{at}.proj_mlp', normed), approximate='tanh')
        return x + gate * self.linear(f'{at}.proj_out', torch.cat([mixed, hidden], -1))

    def velocity(self, inputs, indices):
        """Inputs by the names of the golden files without `in.`; indices by the names of their manifest."""
        x = {name: value.double() for name, value in inputs.items()}
        timestep, guidance = float(inputs['timestep']), float(inputs['guidance'])
        levels = (('clean_4x', 'x4', 'clean_x_embedder.proj_4x', 4), ('clean_2x', 'x2', 'clean_x_embedder.proj_2x', 2),
                  ('clean', 'clean', 'clean_x_embedder.proj', 1), ('latents', 'target', 'x_embedder.proj', 1))
        tokens, waves = [], []
        height, width = (extent // 2 for extent in x['latents'].shape[3:])
        for name, own, embedder, k in levels:
            tokens.append(self.patches(embedder, x[name], k))
            waves.append(self.phases(indices[own], height, width, k))
        image = torch.cat(tokens, 1)
        waves = [torch.cat(pair) for pair in zip(*waves)]
        vector = self.condition('time_text_embed', timestep, x['pooled'], guidance)
        active = F.silu(vector)
        picture = self.mlp('image_projection', ('up', 'down'), x['image'], F.silu)
        text = torch.cat([picture, self.refine(x['text'], timestep)], 1)
        for index in range(self.count('transformer_blocks')):
            image, text = self.double(f'transformer_blocks.{index}', image, text, active, waves)
        joined = torch.cat([image, text], 1)
        for index in range(self.count('single_transformer_blocks')):
            joined = self.single(f'single_transformer_blocks.{index}', joined, active, waves)
        target = joined[:, :image.shape[1]][:, -tokens[-1].shape[1]:]
        scale, shift = self.linear('norm_out.linear', active).chunk(2, -1)
        columns = self.linear('proj_out', self.norm(target, shift, scale))
        frames = x['latents'].shape[2]
        grid = columns.reshape(1, frames, height, width, -1, 1, 2, 2)
        return grid.permute(0, 4, 1, 5, 2, 6, 3, 7).flatten(6, 7).flatten(4, 5).flatten(2, 3)
