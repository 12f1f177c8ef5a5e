import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { GenerateEvent } from '../../../src/pipeline/events.ts';
import { runGeneration } from '../../../src/pipeline/generate.ts';
import type { DeviceKind } from '../../../src/tensor/device.ts';
import type { FloatDType } from '../../../src/tensor/dtype.ts';
import { TINY_MODEL } from '../../models/tiny-framepack.ts';
import { framesOf, TINY_REQUEST } from '../tiny-request.ts';

/** Height and width of the video: small, so that the virtual driver takes minutes and not an hour. */
const BUCKET = [16, 32];

/** What one run made: latents by section, and the video as one array of bytes. */
interface Outcome {
  readonly latents: readonly Float32Array[];
  readonly pixels: Uint8Array;
}

/**
 * Two sections from picture and prompt to frames, on the CPU device and on a CUDA device. In f32 the order of sums
 * is all that differs. In bf16 every activation is rounded to 8 bits, and a sum that lies between two of them may go
 * either way on either device; each step feeds such differences to the next.
 */
export function compareDevices(): void {
  const folder = mkdtempSync(join(tmpdir(), 'framepack-cuda-'));
  const model = smallModel(folder);
  afterAll(() => rmSync(folder, { recursive: true }));

  describe('a video on cuda is the video of the cpu', { timeout: 600_000 }, () => {
    test('in f32', async () => {
      const { cpu, cuda } = await onBoth(model, 'f32');
      for (const [section, latents] of cuda.latents.entries()) {
        expect(relativeError(latents, cpu.latents[section]!)).toBeLessThanOrEqual(1e-4);
      }
      expect(largestDifference(cuda.pixels, cpu.pixels)).toBeLessThanOrEqual(1);
    });

    test('in bf16', async () => {
      const { cpu, cuda } = await onBoth(model, 'bf16');
      for (const [section, latents] of cuda.latents.entries()) {
        expect(relativeError(latents, cpu.latents[section]!)).toBeLessThanOrEqual(5e-2);
      }
      expect(meanDifference(cuda.pixels, cpu.pixels)).toBeLessThanOrEqual(0.5);
    });
  });
}

/** The tiny checkpoint, for small videos. */
export function smallModel(folder: string): string {
  cpSync(TINY_MODEL, folder, { recursive: true });
  const file = join(folder, 'framepack.json');
  const info = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  writeFileSync(file, JSON.stringify({ ...info, buckets: [BUCKET] }));
  return folder;
}

async function onBoth(model: string, dtype: FloatDType): Promise<{ cpu: Outcome; cuda: Outcome }> {
  const cpu = await run({ model, device: 'cpu', dtype });
  const cuda = await run({ model, device: 'cuda', dtype });
  expect(cuda.latents).toHaveLength(2);
  expect(cuda.pixels).toHaveLength(cpu.pixels.length);
  return { cpu, cuda };
}

async function run(choice: {
  model: string;
  device: Exclude<DeviceKind, 'meta'>;
  dtype: FloatDType;
}): Promise<Outcome> {
  const pending: Promise<Float32Array>[] = [];
  const events: GenerateEvent[] = [];
  await runGeneration({ ...TINY_REQUEST, seconds: 2.4, ...choice }, (event) => events.push(event), {
    ids: () => {},
    frames: () => {},
    tensor: (name, value) => {
      if (name.endsWith('.latents')) pending.push(value.readFloat32());
    },
  });
  return { latents: await Promise.all(pending), pixels: Buffer.concat(framesOf(events)) };
}

/** `|actual - expected| / |expected|`, Euclidean. */
function relativeError(actual: Float32Array, expected: Float32Array): number {
  let difference = 0;
  let norm = 0;
  for (const [index, value] of expected.entries()) {
    difference += (actual[index]! - value) ** 2;
    norm += value ** 2;
  }
  return Math.sqrt(difference / norm);
}

function largestDifference(actual: Uint8Array, expected: Uint8Array): number {
  return actual.reduce(
    (worst, value, index) => Math.max(worst, Math.abs(value - expected[index]!)),
    0,
  );
}

function meanDifference(actual: Uint8Array, expected: Uint8Array): number {
  const total = actual.reduce((sum, value, index) => sum + Math.abs(value - expected[index]!), 0);
  return total / actual.length;
}
