import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkModel } from '../../../src/pipeline/model/check-model.ts';
import { ModelFolder } from '../../../src/weights/model-folder.ts';
import { OFFICIAL_CONFIGS } from '../../../src/weights/official/configs.ts';
import { officialShapes } from '../../full-size/official-shapes.ts';
import { storedAs } from '../../full-size/public-layouts.ts';
import { writeShards, writeSparse } from '../../full-size/sparse-file.ts';
import { TINY_MODEL } from '../../models/tiny-framepack.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'check-model-'));
  cpSync(TINY_MODEL, folder, { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true }));

const check = async () => checkModel(await ModelFolder.open(folder));

/** Changes one field, given by its path, of a JSON file of the model. */
function setField(file: string, path: string, value: unknown): void {
  const json = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Record<string, unknown>;
  const keys = path.split('.');
  const parent = keys
    .slice(0, -1)
    .reduce((node, key) => node[key] as Record<string, unknown>, json);
  parent[keys.at(-1)!] = value;
  writeFileSync(join(folder, file), JSON.stringify(json));
}

describe('checkModel', () => {
  it('passes the small checkpoint, whose image encoder has no head', async () => {
    const { configs, leftOver, tokenizers } = await check();
    expect(leftOver).toEqual([]);
    expect(configs.transformer.numDoubleBlocks).toBe(3);
    expect(tokenizers.llama.numTokens).toBe(configs.llama.vocabularySize);
  });

  it('lists what no network knows', async () => {
    const stranger = [{ name: 'ema.decay', dtype: 'F32', shape: [1] }] as const;
    writeSparse(join(folder, 'vae', 'extra.safetensors'), stranger);
    expect((await check()).leftOver).toEqual([{ part: 'vae', tensors: ['ema.decay'] }]);
  });

  it.each([
    ...['transformer', 'vae', 'text_encoder', 'text_encoder_2', 'image_encoder'],
    ...['tokenizer', 'tokenizer_2'],
  ])('refuses a model without %s', async (part) => {
    rmSync(join(folder, part), { recursive: true });
    await expect(check()).rejects.toMatchObject({
      code: 'ERR_CHECKPOINT',
      message: expect.stringContaining(part),
    });
  });

  it.each([
    ['vae', 'diffusion_pytorch_model.safetensors'],
    ['image_encoder', 'model.safetensors'],
    ['text_encoder_2', 'model.safetensors'],
  ])('refuses cut and replaced weights of %s', async (part, name) => {
    const file = join(folder, part, name);
    truncateSync(file, 100_000);
    await expect(check()).rejects.toThrow('the file is cut off');
    writeFileSync(file, 'version https://git-lfs.github.com/spec/v1\n');
    await expect(check()).rejects.toThrow('a Git LFS pointer');
    writeFileSync(file, '<!doctype html>');
    await expect(check()).rejects.toThrow('a web page');
    writeFileSync(file, '');
    await expect(check()).rejects.toMatchObject({ code: 'ERR_CHECKPOINT' });
  });
});

describe('every field of framepack.json has its range', () => {
  it.each<[string, unknown]>([
    ['fps', 0],
    ['fps', 1e6],
    ['latent_window_size', 0],
    ['latent_window_size', 1e6],
    ['buckets.0', [100, 130]],
    ['buckets.0', [88, 120]],
    ['buckets.0', [100_000, 100_000]],
    ['buckets.0', [0, 16]],
    ['buckets', []],
    ['prompt.hidden_layer', -100],
    ['prompt.hidden_layer', -5],
    ['prompt.hidden_layer', 0],
    ['prompt.max_length', 0],
    ['prompt.padded_length', 255],
    ['prompt.padded_length', 1e6],
    ['prompt.clip_max_length', 1],
    ['prompt.clip_max_length', 78],
    ['prompt.template', 'none'],
    ['prompt.template', `{}${'x'.repeat(20_000)}`],
    ['modes', ['i2v', 'i2v']],
    ['modes', []],
    ['defaults.mode', 'loop'],
    ['defaults.seconds', 0],
    ['defaults.seconds', 1e9],
    ['defaults.steps', 0],
    ['defaults.steps', 101],
    ['defaults.seed', -1],
    ['defaults.guidance', -1],
    ['defaults.guidance', 1e9],
    ['defaults.cfg', 0],
    ['defaults.cfg', 100],
    ['defaults.guidance_rescale', 2],
    ['preview.space', 'hsv'],
    ['preview.matrix', [[0, 0, 0]]],
    ['preview.matrix.3', [0, 0, 1e9]],
    ['preview.bias', [0, 0]],
    ['name', ''],
    ['name', 'x'.repeat(201)],
    ['family', 'wan'],
    ['format', 'framepack-checkpoint/2'],
    ['mag_ratios', [1, -1]],
  ])('%s = %j', async (path, value) => {
    setField('framepack.json', path, value);
    const field = path.replace(/^(buckets|modes|preview\.\w+)\b.*$/, '$1');
    await expect(check()).rejects.toMatchObject({
      code: 'ERR_CHECKPOINT',
      message: expect.stringContaining(field),
      details: { field: expect.stringContaining(field) },
    });
  });
});

const integers = [null, 0, -1, 1.5, '3', 1e12];
const BAD_FIELDS: readonly [string, Record<string, readonly unknown[]>][] = [
  [
    'transformer',
    {
      ...Object.fromEntries(
        ['num_attention_heads', 'attention_head_dim', 'num_layers', 'num_single_layers'].map(
          (name) => [name, [...integers, undefined, 2]],
        ),
      ),
      num_refiner_layers: [...integers, undefined, 2],
      in_channels: [0, 8, 17],
      out_channels: [0, 8],
      mlp_ratio: [0, -1, 3, 4.0001, 'x'],
      patch_size: [0, 1, 3, 1e9],
      patch_size_t: [2],
      qk_norm: ['layer_norm'],
      guidance_embeds: [false, 1],
      text_embed_dim: [...integers, undefined, 64],
      pooled_projection_dim: [...integers, undefined, 32],
      image_proj_dim: [...integers, undefined, 32],
      rope_theta: [0, -1, 'x', 1e12],
      rope_axes_dim: [[8, 28], [9, 27, 28], [8, 28, 30], undefined],
      has_image_proj: [false, undefined],
      has_clean_x_embedder: [false, undefined],
      image_condition_type: ['latent_concat'],
    },
  ],
  [
    'text_encoder',
    {
      hidden_size: [...integers, undefined, 64],
      intermediate_size: [...integers, undefined, 128],
      num_hidden_layers: [...integers, undefined, 3, 5],
      num_attention_heads: [...integers, undefined, 3],
      num_key_value_heads: [0, 3, undefined, 4],
      head_dim: [0, 31, 64],
      vocab_size: [...integers, undefined, 564],
      max_position_embeddings: [0, 100],
      rms_norm_eps: [0, -1, 1, 'x', undefined],
      rope_parameters: [undefined, {}, { rope_theta: 0 }, { rope_theta: 1e4, rope_type: 'yarn' }],
      hidden_act: ['gelu'],
      attention_bias: [true],
      mlp_bias: [true],
      rope_scaling: [{ factor: 8 }],
    },
  ],
  [
    'text_encoder_2',
    {
      hidden_size: [...integers, undefined, 32],
      intermediate_size: [...integers, undefined, 64],
      num_hidden_layers: [...integers, undefined, 1, 3],
      num_attention_heads: [...integers, undefined, 3],
      vocab_size: [...integers, undefined, 790],
      max_position_embeddings: [...integers, undefined, 76],
      layer_norm_eps: [0, -1, 1, 'x', undefined],
      hidden_act: ['gelu', undefined],
    },
  ],
  [
    'image_encoder',
    {
      hidden_size: [...integers, undefined, 48],
      intermediate_size: [...integers, undefined, 64],
      num_hidden_layers: [...integers, undefined, 1, 3],
      num_attention_heads: [...integers, undefined, 5],
      image_size: [...integers, undefined, 128, 8],
      patch_size: [...integers, undefined, 8, 65],
      num_channels: [1, 4],
      layer_norm_eps: [0, -1, 1, 'x'],
      hidden_act: ['gelu'],
    },
  ],
  [
    'vae',
    {
      in_channels: [1, 4],
      out_channels: [1, 4],
      latent_channels: [0, 8, 17],
      block_out_channels: [[16, 32, 64], [16, 32, 64, 32], [0, 32, 64, 64], undefined],
      layers_per_block: [...integers, undefined, 2],
      norm_num_groups: [0, 3, 32, undefined],
      scaling_factor: [0, -1, 1e9, 'x', undefined],
      act_fn: ['relu'],
      down_block_types: [['DownEncoderBlock2D']],
      up_block_types: [['UpDecoderBlock2D']],
      spatial_compression_ratio: [16],
      temporal_compression_ratio: [8],
      mid_block_add_attention: [false],
    },
  ],
];

describe('every field of a configuration has its range and fits its network', () => {
  it.each(BAD_FIELDS)('%s', async (part, fields) => {
    const file = `${part}/config.json`;
    const original = readFileSync(join(folder, file), 'utf8');
    const accepted: string[] = [];
    for (const [field, values] of Object.entries(fields)) {
      for (const value of values) {
        setField(file, field, value);
        const error: unknown = await check().then(
          () => null,
          (reason: unknown) => reason,
        );
        const isCoded = (error as { code?: string } | null)?.code === 'ERR_CHECKPOINT';
        if (!isCoded) accepted.push(`${field} = ${JSON.stringify(value)}: ${String(error)}`);
        writeFileSync(join(folder, file), original);
      }
    }
    expect(accepted).toEqual([]);
  });
});

describe('at full size', () => {
  it('passes the released networks from sparse files', async () => {
    for (const [part, config] of Object.entries(OFFICIAL_CONFIGS)) {
      rmSync(join(folder, part), { recursive: true });
      mkdirSync(join(folder, part));
      writeFileSync(join(folder, part, 'config.json'), JSON.stringify(config));
    }
    const shapes = officialShapes();
    const weights = (part: string, name: string): string =>
      join(folder, part, `${name}.safetensors`);
    writeShards(
      join(folder, 'transformer'),
      'diffusion',
      storedAs('BF16', shapes.transformer),
      10e9,
    );
    writeShards(join(folder, 'text_encoder'), 'model', storedAs('F16', shapes.text_encoder), 5e9);
    writeSparse(weights('text_encoder_2', 'model'), storedAs('F16', shapes.text_encoder_2));
    writeSparse(weights('image_encoder', 'model'), storedAs('BF16', shapes.image_encoder));
    writeSparse(weights('vae', 'diffusion'), storedAs('F32', shapes.vae));
    // The small vocabulary does not fit the large embedding; it is checked behind all networks.
    await expect(check()).rejects.toThrow("tokenizer_2: ids: expected the second text encoder's");
  });
});
