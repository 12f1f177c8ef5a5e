import { mkdtempSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseDitConfig } from '../../../src/models/dit/config.ts';
import { type MatchedLora, matchLora } from '../../../src/weights/lora/lora-file.ts';
import { LoraModules, type NetworkLayout } from '../../../src/weights/lora/lora-modules.ts';
import { OFFICIAL_CONFIGS } from '../../../src/weights/official/configs.ts';
import type { RawTensor } from '../../build-safetensors.ts';
import { type HeaderTensor, writeSparse } from '../../full-size/sparse-file.ts';
import { ditShapes } from '../../models/dit/dit-tensors.ts';
import { filled, NETWORK, pair, writeLora } from './lora-files.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lora-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const modules = new LoraModules(NETWORK);
const Q = 'transformer_blocks.0.attn.to_q';

function match(tensors: Record<string, RawTensor>, metadata?: Record<string, string>): MatchedLora {
  return matchLora(writeLora(folder, tensors, metadata), NETWORK, modules);
}

describe('matchLora', () => {
  it('says what matches and what does not', () => {
    const found = match({
      ...pair(`lora_unet_${Q.replaceAll('.', '_')}`, [4, 4, 2]),
      [`lora_unet_${Q.replaceAll('.', '_')}.alpha`]: filled([], 1),
      ...pair('lora_te_encoder', [4, 4, 2]),
      'what.is.this': filled([1]),
    });
    expect(found.numMatched).toBe(3);
    expect(found.unmatched).toEqual([
      'what.is.this',
      'lora_te_encoder.lora_down.weight',
      'lora_te_encoder.lora_up.weight',
    ]);
    expect(found.changes).toHaveLength(1);
    expect(found.changes[0]).toMatchObject({ tensor: `${Q}.weight`, scale: 0.5, rows: [[0, 4]] });
  });

  it('takes several forms of one module: a change of low rank and one of the bias', () => {
    const { changes } = match({
      ...pair('norm_out.linear', [8, 4, 1]),
      'norm_out.linear.diff_b': filled([8]),
    });
    const named = changes.map(({ tensor, form }) => [tensor, form.name]);
    expect(named).toEqual([
      ['norm_out.linear.weight', 'LoRA'],
      ['norm_out.linear.bias', 'diff_b'],
    ]);
  });
});

describe('a LoRA of the 13B transformer', () => {
  it('is matched by headers alone, each of its 440 modules', () => {
    const shapes = ditShapes(parseDitConfig(OFFICIAL_CONFIGS.transformer));
    const network: NetworkLayout = {
      names: () => Object.keys(shapes),
      has: (name) => Object.hasOwn(shapes, name),
      entryOf: (name) => ({ ...NETWORK.entryOf('norm_out.linear.weight'), shape: shapes[name]! }),
    };
    const trained = /^(single_)?transformer_blocks\.\d+\.(?!.*norm).*\.weight$/;
    const tensors = Object.entries(shapes)
      .filter(([name]) => trained.test(name))
      .flatMap(([name, [rows, columns]]): HeaderTensor[] => {
        const module = `lora_unet_${name.slice(0, -'.weight'.length).replaceAll('.', '_')}`;
        return [
          { name: `${module}.lora_down.weight`, dtype: 'BF16', shape: [32, columns!] },
          { name: `${module}.lora_up.weight`, dtype: 'BF16', shape: [rows!, 32] },
        ];
      });
    const path = join(folder, 'full.safetensors');
    writeSparse(path, tensors);
    const found = matchLora(path, network, new LoraModules(network));
    expect(found).toMatchObject({ numMatched: 880, unmatched: [] });
    expect(found.changes).toHaveLength(440);
  });
});

describe('a LoRA that does not fit', () => {
  it.each([
    ['nothing that matches', pair('elsewhere', [4, 4, 2]), 'got none among 2: elsewhere.lora_down'],
    ['no tensors', {}, 'got none among 0: no tensors'],
    ['another width', pair(Q, [5, 4, 2]), 'expected a change of [4, 4], got [5, 4]'],
    [
      'another width of a fused projection',
      pair('double_blocks.0.img_attn.qkv', [13, 4, 2]),
      'expected a change of [12, 4], got [13, 4]: it was trained for another model',
    ],
    [
      'factors that do not fit',
      { [`${Q}.lora_A.weight`]: filled([2, 4]), [`${Q}.lora_B.weight`]: filled([4, 3]) },
      'expected LoRA: down, up that fit each other, got down [2, 4], up [4, 3]',
    ],
    ['one factor', { [`${Q}.lora_A.weight`]: filled([2, 4]) }, 'got down [2, 4]'],
    ['rank 0', pair(Q, [4, 4, 0]), 'got down [0, 4], up [4, 0]'],
    ['alpha alone', { [`${Q}.alpha`]: filled([]) }, 'got only its alpha'],
    ['alpha 0', { ...pair(Q, [4, 4, 2]), [`${Q}.alpha`]: filled([], 0) }, 'other than 0, got 0'],
    [
      'alpha NaN',
      { ...pair(Q, [4, 4, 2]), [`${Q}.alpha`]: filled([], Number.NaN) },
      'expected a number other than 0, got NaN',
    ],
    [
      'many alphas',
      { ...pair(Q, [4, 4, 2]), [`${Q}.alpha`]: filled([2]) },
      'expected one number, got F32 [2]',
    ],
    [
      'a factor in two spellings',
      { ...pair(Q, [4, 4, 2]), [`${Q}.lora_A.weight`]: filled([2, 4]) },
      'expected once, got',
    ],
    [
      'a bias where there is none',
      { [`${Q}.diff_b`]: filled([4]) },
      `expected ${Q}.bias in the network, got none`,
    ],
  ])('refuses %s', (_, tensors: Record<string, RawTensor>, message) => {
    const refused = expect.objectContaining({
      code: 'ERR_CHECKPOINT',
      message: expect.stringContaining(message),
    });
    expect(() => match(tensors)).toThrow(refused);
  });

  it.each([
    [`${Q}.dora_scale`, 'DoRA'],
    [`${Q}.lora_magnitude_vector`, 'DoRA'],
    [`${Q}.lora_mid.weight`, 'Tucker'],
    [`${Q}.lora_B.bias`, 'lora_bias'],
  ])('refuses %s by name', (name, word) => {
    const refused = expect.objectContaining({
      code: 'ERR_UNSUPPORTED',
      message: expect.stringContaining(word),
    });
    expect(() => match({ ...pair(Q, [4, 4, 2]), [name]: filled([4]) })).toThrow(refused);
  });

  it('refuses a file that is cut off or is none', () => {
    const path = writeLora(folder, pair(Q, [4, 4, 2]));
    truncateSync(path, readFileSync(path).length - 1);
    const refused = expect.objectContaining({ code: 'ERR_CHECKPOINT' });
    expect(() => matchLora(path, NETWORK, modules)).toThrow(refused);
    expect(() => matchLora(join(folder, 'none'), NETWORK, modules)).toThrow(refused);
  });
});
