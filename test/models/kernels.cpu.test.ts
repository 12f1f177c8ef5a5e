import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ClipText } from '../../src/models/clip/clip-text.ts';
import { parseClipTextConfig } from '../../src/models/clip/config.ts';
import { parseDitConfig } from '../../src/models/dit/config.ts';
import { Dit } from '../../src/models/dit/dit.ts';
import { parseLlamaConfig } from '../../src/models/llama/config.ts';
import { Llama } from '../../src/models/llama/llama.ts';
import { parseSiglipVisionConfig } from '../../src/models/siglip/config.ts';
import { SiglipVision } from '../../src/models/siglip/siglip-vision.ts';
import { parseVaeConfig } from '../../src/models/vae/config.ts';
import { VaeImageEncoder, VaeVideoDecoder } from '../../src/models/vae/vae.ts';
import { Device } from '../../src/tensor/device.ts';
import type { FloatDType } from '../../src/tensor/dtype.ts';
import { scope } from '../../src/tensor/scope.ts';
import { empty } from '../../src/tensor/tensor.ts';
import { Checkpoint } from '../../src/weights/checkpoint.ts';
import { OFFICIAL_CONFIGS } from '../../src/weights/official/configs.ts';
import type { WeightScope } from '../../src/weights/weight-scope.ts';
import { type KernelWork, kernelWork, loggedCalls } from '../full-size/kernel-names.ts';
import { officialShapes } from '../full-size/official-shapes.ts';
import { musubiFp8, storedAs } from '../full-size/public-layouts.ts';
import { type HeaderTensor, writeSparse } from '../full-size/sparse-file.ts';
import { ditInputs } from './dit/dit-inputs.ts';

/**
 * Which kernels the released networks run as, whatever type their weights are stored in. A fallback computes in f32
 * without tensor cores, tens of times slower; the plan that would choose it is the CUDA device's own.
 */
const FALLBACK = /^(matmul|conv3d|patchify|attention)_f32/;
const MOST_FALLBACK = 1e-3;
const [HEIGHT, WIDTH] = [608, 640];

let device: Device;
let folder: string;
beforeAll(() => {
  device = Device.open('meta');
  folder = mkdtempSync(join(tmpdir(), 'framepack-kernels-'));
});
afterAll(async () => {
  await device.close();
  rmSync(folder, { recursive: true });
});

type Forward = (weights: WeightScope, dtype: FloatDType) => Promise<unknown>;
type Part = keyof ReturnType<typeof officialShapes>;

const ids = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const latentSize = { height: HEIGHT / 8, width: WIDTH / 8 };

const STAGES: Readonly<Record<string, { readonly part: Part; readonly forward: Forward }>> = {
  llama: {
    part: 'text_encoder',
    forward: (weights, dtype) => {
      const config = parseLlamaConfig(OFFICIAL_CONFIGS.text_encoder);
      return Llama.load(weights, config, { hiddenLayer: -3, dtype }).forward(ids(351));
    },
  },
  clip: {
    part: 'text_encoder_2',
    forward: (weights, dtype) => {
      const config = parseClipTextConfig(OFFICIAL_CONFIGS.text_encoder_2);
      return ClipText.load(weights, config, dtype).forward(ids(77));
    },
  },
  siglip: {
    part: 'image_encoder',
    forward: (weights, dtype) => {
      const config = parseSiglipVisionConfig(OFFICIAL_CONFIGS.image_encoder);
      const pixels = empty(device, [1, 3, config.imageSize, config.imageSize], 'f32');
      return SiglipVision.load(weights, config, dtype).forward(pixels);
    },
  },
  'vae encode': {
    part: 'vae',
    forward: (weights, dtype) => {
      const encoder = VaeImageEncoder.load(weights, parseVaeConfig(OFFICIAL_CONFIGS.vae), dtype);
      return encoder.encodeMode(empty(device, [1, 3, 1, HEIGHT, WIDTH], 'f32'));
    },
  },
  'vae decode': {
    part: 'vae',
    forward: (weights, dtype) => {
      const config = parseVaeConfig(OFFICIAL_CONFIGS.vae);
      const { height, width } = latentSize;
      const latents = empty(device, [1, config.latentChannels, 9, height, width], 'f32');
      return VaeVideoDecoder.load(weights, config, { dtype }).decode(latents);
    },
  },
  transformer: {
    part: 'transformer',
    forward: (weights, dtype) => {
      const config = parseDitConfig(OFFICIAL_CONFIGS.transformer);
      return Dit.load(weights, config, dtype).forward(ditInputs(device, config, latentSize));
    },
  },
};

/** Work by kernel of every stage, with weights in one type and activations in another. */
async function workOf(
  stored: (tensors: readonly HeaderTensor[]) => readonly HeaderTensor[],
  dtype: FloatDType,
  stages = Object.keys(STAGES),
): Promise<Readonly<Record<string, KernelWork>>> {
  const shapes = officialShapes();
  const calls: Record<string, Awaited<ReturnType<typeof loggedCalls>>> = {};
  for (const stage of stages) {
    const { part, forward } = STAGES[stage]!;
    const path = join(folder, `${part}.safetensors`);
    writeSparse(path, stored(storedAs('BF16', shapes[part])));
    const checkpoint = await Checkpoint.open(device, path);
    calls[stage] = await loggedCalls(() =>
      scope(async () => void (await forward(checkpoint.scope(), dtype))),
    );
  }
  return kernelWork(calls);
}

const total = (work: KernelWork): number =>
  [...work.values()].reduce((sum, flops) => sum + flops, 0);

/** Kernels without tensor cores that do more than a thousandth of a stage. */
function fallbacks(works: Readonly<Record<string, KernelWork>>): string[] {
  return Object.entries(works).flatMap(([stage, work]) =>
    [...work]
      .filter(([name, flops]) => FALLBACK.test(name) && flops > MOST_FALLBACK * total(work))
      .map(([name, flops]) => `${stage}: ${name} ${(flops / 1e12).toFixed(2)} TFLOP`),
  );
}

const as = (dtype: 'F32' | 'F16' | 'BF16') => (tensors: readonly HeaderTensor[]) =>
  tensors.map((tensor) => ({ ...tensor, dtype }));

describe('the released networks run on tensor cores', { timeout: 180_000 }, () => {
  test.each([
    ['F32', 'f16'],
    ['F32', 'bf16'],
    ['F16', 'f16'],
    ['F16', 'bf16'],
    ['BF16', 'f16'],
    ['BF16', 'bf16'],
  ] as const)('with weights in %s and activations in %s', async (stored, dtype) => {
    expect(fallbacks(await workOf(as(stored), dtype))).toEqual([]);
  });

  test.each(['tensor', 'channel', 'block'] as const)('with fp8 by %s', async (mode) => {
    const works = await workOf((tensors) => musubiFp8(tensors, mode), 'bf16', ['transformer']);
    expect(fallbacks(works)).toEqual([]);
    expect([...works.transformer!.keys()].filter((name) => name.includes('_f8'))).not.toEqual([]);
  });

  test('which a run in f32 shows', async () => {
    const works = await workOf(as('F32'), 'f32', ['vae decode', 'siglip']);
    expect(fallbacks(works).map((line) => line.replace(/ \S+ TFLOP/, ''))).toEqual([
      'vae decode: conv3d_f32_64x64',
      'vae decode: attention_f32',
      'siglip: patchify_f32_64x64',
      'siglip: matmul_f32_64x64',
      'siglip: attention_f32',
    ]);
    // Merged taps: a decode of nine latents at 640 x 608.
    expect(total(works['vae decode']!)).toBeGreaterThan(1e14);
  });
});
