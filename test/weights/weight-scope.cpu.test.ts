import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Device } from '../../src/tensor/device.ts';
import { Tensor } from '../../src/tensor/tensor.ts';
import { Checkpoint } from '../../src/weights/checkpoint.ts';
import type { WeightScope } from '../../src/weights/weight-scope.ts';
import { buildSafetensors, bytesOf, f32, type RawTensor } from '../build-safetensors.ts';

let folder: string;
let device: Device;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weight-scope-'));
  device = Device.open('cpu', { threads: 1 });
});
afterEach(async () => {
  await device.close();
  rmSync(folder, { recursive: true });
});

async function open(tensors: Record<string, RawTensor>): Promise<WeightScope> {
  const path = join(folder, 'model.safetensors');
  writeFileSync(path, buildSafetensors(tensors));
  return (await Checkpoint.open(device, path)).scope();
}

const fp8 = (shape: readonly number[]): RawTensor => ({
  dtype: 'F8_E4M3',
  shape,
  data: new Uint8Array(shape.reduce((size, extent) => size * extent, 1)).fill(0x38),
});

const bf16 = (shape: readonly number[], bits: readonly number[]): RawTensor => ({
  dtype: 'BF16',
  shape,
  data: bytesOf(Uint16Array.from(bits)),
});

describe('WeightScope', () => {
  it('takes names relative to its path', async () => {
    const root = await open({ 'blocks.0.attn.to_q.weight': f32([2], [1, 2]) });
    const attention = root.at('blocks.0').at('attn');
    expect(attention.path).toBe('blocks.0.attn');
    expect(attention.has('to_q.weight')).toBe(true);
    expect(attention.has('to_k.weight')).toBe(false);
    expect([...(await attention.at('to_q').take('weight', [2]).readFloat32())]).toEqual([1, 2]);
    expect(() => attention.take('to_k.weight', [2])).toThrow(
      'tensor blocks.0.attn.to_k.weight expected',
    );
  });

  it('looks through a wrapper only where the checkpoint has it', async () => {
    const root = await open({ 'text_model.norm.weight': f32([1], [1]) });
    expect(root.atOptional('text_model').path).toBe('text_model');
    expect(root.atOptional('text').path).toBe('');
    expect(root.at('text_model').atOptional('norm').path).toBe('text_model.norm');
  });

  it('takes a plain weight as a tensor', async () => {
    const weight = (await open({ weight: f32([1, 2], [1, 2]) })).takeWeight('weight', [1, 2]);
    expect(weight).toBeInstanceOf(Tensor);
  });

  it.each([
    ['tensor', [], [0x3f00], [1], [0.5]],
    ['channel', [2, 1], [0x3f00, 0x4000], [2], [0.5, 2]],
    ['block64', [2, 2, 1], [0x3f00, 0x4000, 0x3f80, 0xbf80], [2, 2], [0.5, 2, 1, -1]],
  ] as const)(
    'takes an fp8 weight with scales per %s',
    async (mode, stored, bits, shape, values) => {
      const root = await open({
        'to_q.weight': fp8([2, 128]),
        'to_q.scale_weight': bf16(stored, bits),
      });
      const weight = root.takeWeight('to_q.weight', [2, 128]);
      if (weight instanceof Tensor) throw new Error('expected scales');
      expect(weight.mode).toBe(mode);
      expect(weight.data.dtype).toBe('f8e4m3');
      expect(weight.scale.shape).toEqual(shape);
      expect([...(await weight.scale.read())]).toEqual(values);
    },
  );

  it('counts scales as used, and gives an fp8 weight without them the scale 1', async () => {
    const path = join(folder, 'model.safetensors');
    writeFileSync(
      path,
      buildSafetensors({
        'a.weight': fp8([1, 64]),
        'a.scale_weight': f32([1], [3]),
        'b.weight': fp8([1, 64]),
      }),
    );
    const checkpoint = await Checkpoint.open(device, path);
    checkpoint.scope('a').takeWeight('weight', [1, 64]);
    const weight = checkpoint.scope('b').takeWeight('weight', [1, 64]);
    checkpoint.assertUsed();
    if (weight instanceof Tensor) throw new Error('expected scales');
    expect([...(await weight.scale.read())]).toEqual([1]);
  });

  it('refuses scales that do not fit', async () => {
    const root = await open({ 'a.weight': fp8([2, 128]), 'a.scale_weight': f32([3], [1, 1, 1]) });
    expect(() => root.takeWeight('a.weight', [2, 128])).toThrow('scale a.scale_weight expected');
  });
});
