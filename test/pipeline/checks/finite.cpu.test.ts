import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { assertFinite } from '../../../src/pipeline/checks/finite.ts';
import { Device } from '../../../src/tensor/device.ts';
import { fromArray } from '../../../src/tensor/tensor.ts';
import { collect, TINY_REQUEST } from '../tiny-request.ts';
import { copyModel, editTensor } from './broken-model.ts';

describe('assertFinite', () => {
  const origin = { stage: 'decode', network: 'vae', dtype: 'f16', section: 2 } as const;

  it('passes finite values, a view too, and names place and advice for others', async () => {
    await using device = Device.open('cpu', { threads: 1 });
    using values = fromArray(
      device,
      [1, Number.NaN, 2, Number.NEGATIVE_INFINITY, 3, 4],
      [3, 2],
      'f32',
    );
    using finite = values.slice(1, 0, 1);
    await assertFinite(finite, origin);
    await expect(assertFinite(values, origin)).rejects.toMatchObject({
      code: 'ERR_NUMERIC',
      message:
        'generate: decode section 2: vae expected to give finite values, got 2 of 6 NaN or infinite in f16; ' +
        'try dtype f32 (--dtype f32)',
      details: { stage: 'decode', network: 'vae', section: 2, count: 2 },
    });
    expect(device.memory().liveTensors).toBe(1);
  });
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'framepack-numeric-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const first =
  (value: number) =>
  (values: Float32Array): void => {
    values[0] = value;
  };
const grow = (values: Float32Array): void => {
  for (let i = 0; i < values.length; i++) values[i]! *= 3000;
};

describe('a run with broken numbers', { timeout: 120_000 }, () => {
  it.each([
    ['text_encoder', 'layers.0.input_layernorm.weight', first(Number.NaN), 'encode-text'],
    ['text_encoder_2', 'encoder.layers.0.layer_norm1.bias', first(Number.NaN), 'encode-text'],
    ['image_encoder', 'embeddings.patch_embedding.bias', first(Number.NaN), 'encode-image'],
    ['vae', 'encoder.conv_in.conv.bias', first(Number.POSITIVE_INFINITY), 'encode-image'],
    ['vae', 'decoder.conv_in.conv.bias', first(Number.NaN), 'decode'],
    ['vae', 'decoder.conv_out.conv.bias', first(Number.POSITIVE_INFINITY), 'decode'],
  ] as const)('stops and names %s: %s', async (network, tensor, edit, stage) => {
    const model = copyModel(join(folder, 'model'));
    editTensor(model, network, { tensor, edit });
    await expect(collect({ ...TINY_REQUEST, model, steps: 1 })).rejects.toMatchObject({
      code: 'ERR_NUMERIC',
      message: expect.stringMatching(/damaged/),
      details: { network, stage },
    });
  });

  it('stops and advises f32 where f16 overflows in the decoder, and f32 then works', async () => {
    const model = copyModel(join(folder, 'model'));
    editTensor(model, 'vae', { tensor: 'decoder.conv_in.conv.weight', edit: grow });
    const request = { ...TINY_REQUEST, model, steps: 1 };
    await expect(collect({ ...request, dtype: 'f16' })).rejects.toMatchObject({
      code: 'ERR_NUMERIC',
      message: expect.stringMatching(/decode section 0: vae .*--dtype f32/),
    });
    expect((await collect(request)).at(-1)).toMatchObject({ type: 'done' });
  });
});
