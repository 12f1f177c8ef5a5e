import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
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
import { scope } from '../../src/tensor/scope.ts';
import { empty } from '../../src/tensor/tensor.ts';
import { Checkpoint } from '../../src/weights/checkpoint.ts';
import { OFFICIAL_CONFIGS } from '../../src/weights/official/configs.ts';
import type { WeightScope } from '../../src/weights/weight-scope.ts';
import { clipShapes, llamaShapes, siglipShapes, vaeShapes } from '../full-size/network-shapes.ts';
import {
  behind,
  comfyQuantFp8,
  comfyScaledFp8,
  kijaiFp8,
  ldmNames,
  musubiFp8,
  storedAs,
  strangeScales,
} from '../full-size/public-layouts.ts';
import { type HeaderTensor, writeShards, writeSparse } from '../full-size/sparse-file.ts';
import { ditInputs } from '../models/dit/dit-inputs.ts';
import { ditShapes } from '../models/dit/dit-tensors.ts';

const DIT = parseDitConfig(OFFICIAL_CONFIGS.transformer);
const LLAMA = parseLlamaConfig(OFFICIAL_CONFIGS.text_encoder);
const CLIP = parseClipTextConfig(OFFICIAL_CONFIGS.text_encoder_2);
const SIGLIP = parseSiglipVisionConfig(OFFICIAL_CONFIGS.image_encoder);
const VAE = parseVaeConfig(OFFICIAL_CONFIGS.vae);

let folder: string;
let device: Device;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'framepack-layouts-'));
  device = Device.open('meta');
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await device.close();
});

type Tensors = readonly HeaderTensor[];

/** Loads a network from a sparse file on `meta`, runs it, and says what was left over. */
async function leftOver(
  tensors: Tensors,
  run: (weights: WeightScope) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const path = join(folder, 'model.safetensors');
  writeSparse(path, tensors);
  const checkpoint = await Checkpoint.open(device, path);
  return scope(() => run(checkpoint.scope()));
}

const runDit = async (weights: WeightScope): Promise<readonly string[]> => {
  const dit = Dit.load(weights, DIT, 'bf16');
  await dit.forward(ditInputs(device, DIT, { height: 60, width: 104 }));
  return dit.leftOver;
};
const runLlama = async (weights: WeightScope): Promise<readonly string[]> => {
  const llama = Llama.load(weights, LLAMA, { hiddenLayer: -3, dtype: 'f16' });
  await llama.forward([1, 2, 3]);
  return llama.leftOver;
};
const runClip = async (weights: WeightScope): Promise<readonly string[]> => {
  const clip = ClipText.load(weights, CLIP, 'f16');
  await clip.forward([49_406, 320, 49_407]);
  return clip.leftOver;
};
const runSiglip = async (weights: WeightScope): Promise<readonly string[]> => {
  const siglip = SiglipVision.load(weights, SIGLIP, 'bf16');
  await siglip.forward(empty(device, [1, 3, 384, 384], 'f32'));
  return siglip.leftOver;
};
const runVae = async (weights: WeightScope): Promise<readonly string[]> => {
  const encoder = VaeImageEncoder.load(weights, VAE, 'f16');
  const decoder = VaeVideoDecoder.load(weights, VAE, { dtype: 'f16' });
  await encoder.encodeMode(empty(device, [1, 3, 1, 64, 64], 'f32'));
  await decoder.decode(empty(device, [1, 16, 2, 8, 8], 'f32'));
  return [...encoder.leftOver, ...decoder.leftOver];
};

const dit = storedAs('BF16', ditShapes(DIT));
const llama = storedAs('F16', llamaShapes(LLAMA));
const clip = storedAs('F16', clipShapes(CLIP));
const siglip = storedAs('BF16', siglipShapes(SIGLIP));
const vae = storedAs('F32', vaeShapes(VAE));
const withoutTextModel = clip.map((tensor) => ({ ...tensor, name: tensor.name.slice(11) }));
const head: HeaderTensor = { name: 'lm_head.weight', dtype: 'F16', shape: [128_320, 4096] };
const positions: HeaderTensor = {
  name: 'text_model.embeddings.position_ids',
  dtype: 'I64',
  shape: [1, 77],
};

describe('public layouts load at full size and leave nothing over', () => {
  test.each<[string, Tensors]>([
    ['as released', dit],
    ['in f32', storedAs('F32', ditShapes(DIT))],
    ['behind model.diffusion_model.', behind('model.diffusion_model.', dit)],
    ['behind diffusion_model.', behind('diffusion_model.', dit)],
    ['behind model.', behind('model.', dit)],
    ['kijai e4m3', kijaiFp8(dit)],
    ['kijai e5m2', kijaiFp8(dit, 'F8_E5M2')],
    ['everything in e4m3', storedAs('F8_E4M3', ditShapes(DIT))],
    ['everything in e5m2', storedAs('F8_E5M2', ditShapes(DIT))],
    ['musubi block', musubiFp8(dit, 'block')],
    ['musubi channel', musubiFp8(dit, 'channel')],
    ['musubi tensor', musubiFp8(dit, 'tensor')],
    ['Comfy scaled_fp8', comfyScaledFp8(dit)],
    ['Comfy scaled_fp8 in e5m2', comfyScaledFp8(dit, 'F8_E5M2')],
    ['Comfy scaled_fp8 behind a prefix', behind('model.diffusion_model.', comfyScaledFp8(dit))],
    ['Comfy scaled_fp8 beside a prefix', comfyScaledFp8(behind('diffusion_model.', dit))],
    ['kijai e4m3 behind a prefix', behind('model.diffusion_model.', kijaiFp8(dit))],
    ['Comfy comfy_quant', comfyQuantFp8(dit)],
  ])('transformer: %s', async (_, tensors) => {
    expect(await leftOver(tensors, runDit)).toEqual([]);
  });

  test.each<[string, Tensors]>([
    ['as released', llama],
    ['in bf16', storedAs('BF16', llamaShapes(LLAMA))],
    ['a causal language model', [...behind('model.', llama), head]],
    ['a head without a prefix', [...llama, head]],
    ['inside LLaVA', behind('language_model.model.', llama)],
    ['Comfy fp8_scaled', [...comfyScaledFp8(behind('model.', llama)), head]],
    ['musubi block', musubiFp8(llama, 'block')],
    ['in e5m2 with its embeddings', storedAs('F8_E5M2', llamaShapes(LLAMA))],
    ['comfy_quant', comfyQuantFp8(llama)],
    ['fp8 with its embeddings', storedAs('F8_E4M3', llamaShapes(LLAMA))],
  ])('Llama: %s', async (_, tensors) => {
    expect(await leftOver(tensors, runLlama)).toEqual([]);
  });
});

describe('public layouts of the smaller networks do so too', () => {
  test.each<[string, Tensors]>([
    ['as released', clip],
    ['with position ids', [...clip, positions]],
    ['without text_model.', withoutTextModel],
    ['in a pipeline', behind('text_encoders.clip_l.transformer.', clip)],
    ['in fp8', storedAs('F8_E4M3', clipShapes(CLIP))],
  ])('CLIP: %s', async (_, tensors) => {
    expect(await leftOver(tensors, runClip)).toEqual([]);
  });

  test.each<[string, Tensors]>([
    ['as released', siglip],
    ['in f16', storedAs('F16', siglipShapes(SIGLIP))],
    ['in fp8', storedAs('F8_E5M2', siglipShapes(SIGLIP))],
  ])('SigLIP: %s', async (_, tensors) => {
    expect(await leftOver(tensors, runSiglip)).toEqual([]);
  });

  test.each<[string, Tensors]>([
    ['as released', vae],
    ['in f16', storedAs('F16', vaeShapes(VAE))],
    ['behind vae.', behind('vae.', vae)],
    ['in ldm names', ldmNames(vae)],
    ['in ldm names behind first_stage_model.', behind('first_stage_model.', ldmNames(vae))],
    ['in fp8', storedAs('F8_E4M3', vaeShapes(VAE))],
  ])('VAE: %s', async (_, tensors) => {
    expect(await leftOver(tensors, runVae)).toEqual([]);
  });
});

test('shards with an index are one network', async () => {
  const shards = join(folder, 'shards');
  mkdirSync(shards);
  writeShards(shards, 'diffusion_pytorch_model', dit, 10e9);
  expect(readdirSync(shards)).toHaveLength(4);
  const checkpoint = await Checkpoint.open(device, shards);
  expect(await scope(() => runDit(checkpoint.scope()))).toEqual([]);
});

describe('what is left over', () => {
  test('is reported under its name in the file', async () => {
    const stranger: HeaderTensor = { name: 'model.vision.weight', dtype: 'BF16', shape: [4] };
    expect(await leftOver([...behind('model.', dit), stranger], runDit)).toEqual([stranger.name]);
  });

  test.each<[string, Tensors, typeof runDit]>([
    ['transformer', dit, runDit],
    ['Llama', llama, runLlama],
  ])('is an error for scales that nobody reads: %s', async (_, tensors, run) => {
    for (const name of ['weight_scale_inv', 'scale_input', 'scales', 'weight.scale', 'SCALE']) {
      const error = await leftOver(strangeScales(tensors, name), run).catch((e: unknown) => e);
      expect(error).toMatchObject({
        code: 'ERR_CHECKPOINT',
        message: expect.stringContaining(`.${name}`),
      });
    }
  });

  test('is an error for blocks that the configuration does not count', async () => {
    const { numLayers, ...rest } = LLAMA;
    const more = storedAs('F16', llamaShapes({ ...rest, numLayers: numLayers + 1 }));
    await expect(leftOver(more, runLlama)).rejects.toThrow(
      /expected no tensors besides those its config\.json asks for, got layers\.32\./,
    );
  });

  test('names what was found where the network is not', async () => {
    const original: HeaderTensor = { name: 'img_in.proj.weight', dtype: 'BF16', shape: [1] };
    await expect(leftOver([original], runDit)).rejects.toThrow(
      'the transformer expected tensor x_embedder.proj.weight, or that behind model., ' +
        'diffusion_model., model.diffusion_model., transformer., got none among 1: img_in.proj.weight',
    );
  });
});
