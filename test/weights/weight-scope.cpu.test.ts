import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { affine } from '../../src/ops/elementwise.ts';
import { Device } from '../../src/tensor/device.ts';
import { fromF8E4M3, fromF16 } from '../../src/tensor/dtype.ts';
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

describe('scales', () => {
  it.each(['scale_weight', 'weight_scale'])('finds scales called %s', async (name) => {
    const root = await open({ 'a.weight': fp8([2, 64]), [`a.${name}`]: f32([], [3]) });
    const weight = root.takeWeight('a.weight', [2, 64]);
    if (weight instanceof Tensor) throw new Error('expected scales');
    expect([...(await weight.scale.read())]).toEqual([3]);
  });

  it('refuses two scales, scales without fp8, and scales that are not finite', async () => {
    const twice = await open({
      'a.weight': fp8([1, 64]),
      'a.scale_weight': f32([], [1]),
      'a.weight_scale': f32([], [1]),
    });
    expect(() => twice.takeWeight('a.weight', [1, 64])).toThrow(
      'scale of a.weight expected once, got a.scale_weight and a.weight_scale',
    );
    const plain = await open({ 'a.weight': f32([1, 1], [1]), 'a.scale_weight': f32([], [1]) });
    expect(() => plain.takeWeight('a.weight', [1, 1])).toThrow(
      'scale a.scale_weight expected beside an fp8 tensor, got F32 a.weight',
    );
    const broken = await open({
      'a.weight': fp8([1, 64]),
      'a.scale_weight': f32([], [Number.NaN]),
    });
    expect(() => broken.takeWeight('a.weight', [1, 64])).toThrow(
      'scale a.scale_weight expected finite numbers, got NaN',
    );
  });
});

/** All 256 bytes. */
const CODES = Uint8Array.from({ length: 256 }, (_, code) => code);
const E4M3 = [...CODES].map(fromF8E4M3);
const E5M2 = [...CODES].map((code) => fromF16(code << 8));

describe('fp8 that no operation reads', () => {
  it.each([
    ['F8_E4M3', 'BF16', 'bf16', E4M3],
    ['F8_E4M3', 'F16', 'f16', E4M3],
    ['F8_E5M2', 'BF16', 'bf16', E5M2],
    ['F8_E5M2', 'F16', 'f16', E5M2],
  ] as const)(
    'widens %s exactly to the %s of the other tensors',
    async (stored, other, dtype, values) => {
      const root = await open({
        'norm.weight': { dtype: stored, shape: [256], data: CODES },
        'norm.bias': { dtype: other, shape: [1], data: new Uint8Array(2) },
      });
      const wide = root.take('norm.weight', [256]);
      expect(wide.dtype).toBe(dtype);
      expect([...(await wide.readFloat32())]).toEqual(values);
    },
  );

  it.each([
    ['F8_E4M3', [], 'tensor'],
    ['F8_E4M3', [4, 1], 'channel'],
    ['F8_E5M2', [1], 'tensor'],
    ['F8_E5M2', [4, 1], 'channel'],
    ['F8_E5M2', [4, 2, 1], 'block64'],
  ] as const)('applies the scales of %s %j, one per %s', async (stored, shape, mode) => {
    const count = { tensor: 1, channel: 4, block64: 8 }[mode];
    const scales = Array.from({ length: count }, (_, index) => 0.5 * 2 ** index);
    const codes = Uint8Array.from({ length: 512 }, (_, index) => 0x30 + (index % 16));
    const root = await open({
      'embed.weight': { dtype: stored, shape: [4, 2, 64], data: codes },
      'embed.scale_weight': f32(shape, scales),
    });
    const wide = root.take('embed.weight', [4, 2, 64]);
    const values = [...codes].map((code) => (stored === 'F8_E4M3' ? E4M3 : E5M2)[code]!);
    expect(wide.shape).toEqual([4, 2, 64]);
    const groupWidth = 512 / count;
    expect([...(await wide.readFloat32())]).toEqual(
      values.map((value, index) => value * scales[Math.floor(index / groupWidth)]!),
    );
  });

  it('widens a matrix in e5m2 with its scale for the product', async () => {
    const root = await open({
      'a.weight': { dtype: 'F8_E5M2', shape: [1, 64], data: new Uint8Array(64).fill(0x3c) },
      'a.scale_weight': f32([], [0.25]),
    });
    const weight = root.takeWeight('a.weight', [1, 64]);
    if (!(weight instanceof Tensor)) throw new Error('expected a tensor');
    expect([...(await weight.readFloat32())]).toEqual(Array(64).fill(0.25));
  });
});

describe('rows of a matrix', () => {
  it.each([
    ['F8_E4M3', [], 'tensor'],
    ['F8_E4M3', [4, 1], 'channel'],
    ['F8_E4M3', [4, 2, 1], 'block64'],
    ['F8_E5M2', [4, 1], 'channel'],
    ['F8_E5M2', [4, 2, 1], 'block64'],
  ] as const)('of %s with scales %j are those of the whole: %s', async (stored, shape, mode) => {
    const count = { tensor: 1, channel: 4, block64: 8 }[mode];
    const scales = Array.from({ length: count }, (_, index) => 0.5 * 2 ** index);
    const codes = Uint8Array.from({ length: 512 }, (_, index) => 0x30 + (index % 16));
    const root = await open({
      'embed.weight': { dtype: stored, shape: [4, 128], data: codes },
      'embed.scale_weight': f32(shape, scales),
    });
    const whole = await root.take('embed.weight', [4, 128]).readFloat32();
    const rows = root.takeRows('embed.weight', [4, 128], [3, 1]);
    expect([rows.shape, rows.dtype]).toEqual([[2, 128], 'bf16']);
    const expected = [...whole.subarray(384), ...whole.subarray(128, 256)];
    expect([...(await rows.readFloat32())]).toEqual(expected);
  });

  it('that is edited are those that it becomes', async () => {
    const root = await open({ weight: f32([2, 2], [1, 2, 3, 4]) });
    const edited = root.edited({ changes: () => true, apply: (_, weight) => affine(weight, 2, 0) });
    const rows = edited.takeRows('weight', [2, 2], [1]);
    expect([...(await rows.readFloat32())]).toEqual([6, 8]);
  });
});
