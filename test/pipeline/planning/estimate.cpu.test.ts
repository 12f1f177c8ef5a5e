import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodePng } from '../../../src/media/png.ts';
import { load } from '../../../src/pipeline/model/model.ts';
import {
  type EstimateOptions,
  estimate as estimated,
} from '../../../src/pipeline/planning/estimate.ts';
import type { GenerateRequest } from '../../../src/pipeline/request.ts';
import { writeOfficialFolder } from '../../full-size/official-folder.ts';
import { collect, TINY_REQUEST } from '../tiny-request.ts';

const GIB = 2 ** 30;

/** Rates are kept here and not in the user's cache. */
let cacheFolder: string;
beforeAll(() => {
  cacheFolder = mkdtempSync(join(tmpdir(), 'framepack-rates-'));
});
afterAll(() => rmSync(cacheFolder, { recursive: true }));

const estimate = (request: GenerateRequest, options: EstimateOptions = {}) =>
  estimated(request, { cacheFolder, ...options });

describe('estimate', { timeout: 120_000 }, () => {
  it.each<Partial<GenerateRequest>>([
    { seconds: 2.4, steps: 2 },
    { dtype: 'bf16', tiling: 'full', steps: 1 },
    { budgetBytes: 150 * 2 ** 20, steps: 1, seconds: 2.4 },
  ])('agrees with what the allocator counts: %j', async (change) => {
    const request = { ...TINY_REQUEST, ...change };
    const { peakBytes, stages } = await estimate(request);
    const done = (await collect(request)).at(-1)!;
    expect(done.type).toBe('done');
    const counted = 'peakBytes' in done ? done.peakBytes : Number.NaN;
    expect(Math.abs(peakBytes / counted - 1)).toBeLessThan(0.02);
    expect(Math.max(...stages.map((stage) => stage.peakBytes))).toBe(peakBytes);
  });

  it('splits a run into its stages', async () => {
    const { stages, device, numFrames, width, height } = await estimate({
      ...TINY_REQUEST,
      out: 'a.mp4',
    });
    expect(device).toBe('cpu');
    expect(stages.map(({ stage }) => stage)).toEqual([
      ...['text-encoders', 'image-encoder', 'vae-encode', 'sample', 'vae-decode', 'write'],
    ]);
    for (const stage of stages) {
      expect(stage.weightBytes + stage.activationBytes).toBe(stage.peakBytes);
      expect(
        Math.min(...Object.values(stage).filter((value) => typeof value === 'number')),
      ).toBeGreaterThanOrEqual(0);
      expect(stage.diskBytes, stage.stage).toBeGreaterThan(0);
      expect(stage.flops > 0, stage.stage).toBe(stage.stage !== 'write');
      expect(stage.uploadBytes + stage.pinnedBytes).toBe(0);
    }
    expect(stages.at(-1)!.hostBytes).toBe(width * height * 3 * 2);
    expect(stages.at(-1)!.diskBytes).toBeGreaterThan(width * height * 3 * numFrames);
    const noFile = await estimate(TINY_REQUEST);
    expect(noFile.stages.at(-1)!.diskBytes).toBe(0);
  });

  it('needs no GPU to tell what one would need', async () => {
    const { stages, device } = await estimate({ ...TINY_REQUEST, device: 'cuda' });
    expect(device).toBe('cuda');
    const { uploadBytes, diskBytes, pinnedBytes } = stages[3]!;
    expect(uploadBytes).toBe(diskBytes);
    expect(pinnedBytes).toBe(16 * 2 ** 20);
    const second = await estimate({ ...TINY_REQUEST, device: 'cuda:1' });
    expect([second.device, second.rates]).toEqual(['cuda', null]);
  });

  it('is what an open model says', async () => {
    const { model: folder, ...video } = TINY_REQUEST;
    await using model = await load({ model: folder });
    const { rates, totalSeconds, stages, ...found } = await estimate(TINY_REQUEST);
    expect(rates?.source).toBe('measured');
    const untimed = stages.map((stage) => ({ ...stage, seconds: null }));
    const without = { rates: null, totalSeconds: null, stages: untimed };
    expect(await model.estimate(video)).toEqual({ ...found, ...without });
  });
});

describe('times and mistakes', { timeout: 60_000 }, () => {
  it('tells the time at the rates of a GPU that is assumed', async () => {
    const fast = await estimate(TINY_REQUEST, { assume: 'rtx4090' });
    expect([fast.device, fast.rates?.name]).toEqual(['cuda', 'GeForce RTX 4090']);
    const parts = fast.stages.map(({ seconds }) => seconds);
    expect(parts.at(-1)).toBeNull();
    expect(parts.slice(0, -1).every((seconds) => seconds! > 0)).toBe(true);
    expect(fast.totalSeconds).toBeCloseTo(
      parts.reduce<number>((sum, s) => sum + (s ?? 0), 0),
      12,
    );
    const slow = await estimate(TINY_REQUEST, { assume: 'rtx3060' });
    expect(slow.totalSeconds!).toBeGreaterThan(fast.totalSeconds!);
    const bad = (assume: string, device?: 'cpu') =>
      estimate({ ...TINY_REQUEST, device }, { assume: assume as 'rtx4090' });
    for (const attempt of [bad('rtx1'), bad('rtx4090', 'cpu')]) {
      await expect(attempt).rejects.toMatchObject({
        code: 'ERR_ARGUMENT',
        details: { argument: 'assume' },
      });
    }
  });

  it('refuses what generate refuses', async () => {
    const bad = (change: object) => estimate({ ...TINY_REQUEST, ...change });
    await expect(bad({ steps: 0 })).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    await expect(bad({ model: 'nowhere' })).rejects.toMatchObject({ code: 'ERR_CHECKPOINT' });
    await expect(bad({ image: 'nowhere.png' })).rejects.toMatchObject({ code: 'ERR_IMAGE' });
  });
});

describe('estimate of the released model', { timeout: 120_000 }, () => {
  let model: string;
  beforeAll(async () => {
    model = mkdtempSync(join(tmpdir(), 'framepack-estimate-'));
    await writeOfficialFolder(model);
  });
  afterAll(() => rmSync(model, { recursive: true }));

  it('tells memory and work of 640x608 from headers alone', async () => {
    const [width, height] = [640, 608];
    const picture = { width, height, data: new Uint8Array(width * height * 3) };
    const found = await estimate(
      {
        ...{ model, prompt: 'A girl dances.', image: await encodePng(picture), mode: 'i2v' },
        ...{ device: 'cuda', tiling: 'full', seconds: 2.4, steps: 25 },
      },
      { assume: 'h100' },
    );
    expect([found.width, found.height, found.numSections]).toEqual([width, height, 2]);
    const [text, image, encode, sample, decode] = found.stages;
    // Llama up to its third state from the end, f16: 30 of 32 layers and the embedding.
    const llama = 2 * (30 * (2 * 4096 ** 2 + 2 * 4096 * 1024 + 3 * 4096 * 14_336 + 8192));
    expect(text!.weightBytes / llama).toBeCloseTo(1, 4);
    expect(image!.weightBytes).toBeLessThan(0.9 * GIB);
    expect(encode!.weightBytes).toBeLessThan(0.4 * GIB);
    // The transformer stays beside the decoder.
    expect(sample!.weightBytes - 2 * 12_874_314_816).toBeGreaterThan(0);
    expect(sample!.weightBytes - 2 * 12_874_314_816).toBeLessThan(0.4 * GIB);
    expect(sample!.diskBytes).toBe(2 * 12_874_314_816);
    expect(decode!.peakBytes - decode!.weightBytes).toBeLessThan(4 * GIB);
    // 9 latents of 38 x 40 patches, 2 clean ones, 2 at half and 16 at a quarter of the size; 729 tokens of the picture.
    const imageTokens = 11 * 38 * 40 + 19 * 20 + 4 * 10 * 10;
    const tokens = imageTokens + 729 + 8;
    const blocks = 60 * (24 * 3072 ** 2 * tokens + 4 * 3072 * tokens ** 2);
    expect(sample!.flops / (2 * 25 * blocks)).toBeGreaterThan(1);
    expect(sample!.flops / (2 * 25 * blocks)).toBeLessThan(1.01);
    // Nearly all of it runs on tensor cores, at 989 TFLOP/s.
    expect((sample!.seconds! * 989.4e12) / sample!.flops).toBeGreaterThan(1);
    expect((sample!.seconds! * 989.4e12) / sample!.flops).toBeLessThan(1.5);
  });
});
