import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ConversionStep } from '../../../src/pipeline/conversion/conversion-plan.ts';
import { tensorsOfStep } from '../../../src/pipeline/conversion/converted-tensors.ts';
import { Device } from '../../../src/tensor/device.ts';
import { Checkpoint } from '../../../src/weights/checkpoint.ts';
import { openCheckpointFiles } from '../../../src/weights/files/checkpoint-files.ts';
import { buildSafetensors, bytesOf, f32 } from '../../build-safetensors.ts';

let device: Device;
let folder: string;
beforeEach(() => {
  device = Device.open('cpu', { threads: 1 });
  folder = mkdtempSync(join(tmpdir(), 'framepack-converted-'));
});
afterEach(async () => {
  await device.close();
  rmSync(folder, { recursive: true });
});

/** The row of musubi-tuner's rule in bf16, worked through by hand. */
const ROW = [0.013, -0.5, 0.2501, 1.7, -0.031, 0.0004, 0.9, -1.1];

async function make(values: readonly number[], step: Partial<ConversionStep>) {
  const path = join(folder, 'x.safetensors');
  writeFileSync(path, buildSafetensors({ w: f32([1, values.length], values) }));
  const checkpoint = await Checkpoint.open(device, path);
  const output = { name: 'w', storedType: '', shape: [1, values.length] };
  const whole = { output, ...step } as ConversionStep;
  const made = await tensorsOfStep(whole, openCheckpointFiles(path), checkpoint.scope());
  await device.synchronize();
  expect(device.memory().liveTensors).toBe(0);
  return Object.fromEntries(made);
}

const quantize = {
  ...({ action: 'quantize', from: 'bf16', mode: 'channel', scaleType: 'bf16' } as const),
  scale: { name: 's', storedType: 'BF16', shape: [1, 1] },
};

describe('a step of a conversion', () => {
  test('rounds to fp8 as musubi-tuner does', async () => {
    const { w, s } = await make(ROW, quantize);
    expect(Buffer.from(w!).toString('hex')).toBe('46f0687ed01d77f9');
    // 0.00380162 in bf16 is 0.00379944.
    expect(Buffer.from(s!).toString('hex')).toBe('793b');
  });

  test('casts', async () => {
    const { w } = await make([1, -2], { action: 'cast', dtype: 'f16' });
    expect(w).toEqual(bytesOf(Uint16Array.of(0x3c00, 0xc000)));
  });

  test('copies', async () => {
    const { w } = await make([1, -2], { action: 'copy', source: { name: 'w' } as never });
    expect(w).toEqual(bytesOf(Float32Array.of(1, -2)));
  });

  test.each([
    ['no number, quantised', [1, Number.NaN], quantize],
    ['infinity, quantised', [1, Number.NEGATIVE_INFINITY], quantize],
    ['no number, cast', [1, Number.NaN], { action: 'cast', dtype: 'bf16' }],
    ['what f16 has no room for', [1, 1e6], { action: 'cast', dtype: 'f16' }],
  ] as const)('refuses %s', async (_, values, step) => {
    await expect(make(values, step)).rejects.toMatchObject({
      code: 'ERR_CHECKPOINT',
      message: expect.stringContaining('tensor w expected finite numbers'),
    });
  });
});
