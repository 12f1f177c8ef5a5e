import { describe, expect, it } from 'vitest';
import {
  LoraModules,
  matrixShape,
  withoutPrefixes,
} from '../../../src/weights/lora/lora-modules.ts';
import { NETWORK } from './lora-files.ts';

const modules = new LoraModules(NETWORK);

describe('LoraModules', () => {
  it.each([
    'transformer_blocks.0.attn.to_q',
    'transformer.transformer_blocks.0.attn.to_q',
    'base_model.model.transformer_blocks.0.attn.to_q',
    'base_model.model.transformer.transformer_blocks.0.attn.to_q',
    'model.diffusion_model.transformer_blocks.0.attn.to_q',
    'lora_unet_transformer_blocks_0_attn_to_q',
    'lycoris_transformer_blocks_0_attn_to_q',
  ])('finds %s', (name) => {
    expect(modules.find(name)).toEqual([
      { module: 'transformer_blocks.0.attn.to_q', rows: [[0, 4]] },
    ]);
  });

  it('cuts a fused projection into its parts, with the MLP behind them', () => {
    const at = 'single_transformer_blocks.0';
    expect(modules.find('lora_unet_single_blocks_0_linear1')).toEqual([
      { module: `${at}.attn.to_q`, rows: [[0, 4]] },
      { module: `${at}.attn.to_k`, rows: [[4, 8]] },
      { module: `${at}.attn.to_v`, rows: [[8, 12]] },
      { module: `${at}.proj_mlp`, rows: [[12, 28]] },
    ]);
    const names = ['double_blocks.0.img_attn.qkv', 'double_blocks.0.img_attn_qkv'];
    const [native, original] = names.map((name) => modules.find(`diffusion_model.${name}`));
    expect(native?.map(({ rows }) => rows)).toEqual([[[0, 4]], [[4, 8]], [[8, 12]]]);
    expect(original).toEqual(native);
  });

  it('exchanges shift and scale of the final layer', () => {
    const rows = [
      [4, 8],
      [0, 4],
    ];
    const found = modules.find('diffusion_model.final_layer.adaLN_modulation.1');
    expect(found).toEqual([{ module: 'norm_out.linear', rows }]);
  });

  it.each([
    'lora_te_text_model_encoder_layers_0_mlp_fc1',
    'transformer_blocks.1.attn.to_q',
    'double_blocks.1.img_attn.qkv',
    'transformer_blocks.0.attn',
    '',
  ])('finds nothing for %j', (name) => {
    expect(modules.find(name)).toBeUndefined();
  });
});

describe('withoutPrefixes', () => {
  it('leaves the names of modules', () => {
    expect(withoutPrefixes('base_model.model.diffusion_model.img_in.proj')).toBe('img_in.proj');
    expect(withoutPrefixes('transformer_blocks.0')).toBe('transformer_blocks.0');
  });
});

describe('matrixShape', () => {
  it('counts everything behind the rows as columns', () => {
    expect(matrixShape([4, 2, 1, 2, 2])).toEqual([4, 8]);
    expect(matrixShape([4])).toEqual([4, 1]);
    expect(matrixShape([])).toEqual([1, 1]);
  });
});
