import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseDitConfig } from '../../../src/models/dit/config.ts';
import { Dit } from '../../../src/models/dit/dit.ts';
import { convert } from '../../../src/pipeline/conversion/convert.ts';
import type { GenerateEvent } from '../../../src/pipeline/events.ts';
import { RunLoras } from '../../../src/pipeline/inputs/loras.ts';
import { inspectVideo } from '../../../src/pipeline/inspection/inspect-video.ts';
import { load, type Model } from '../../../src/pipeline/model/model.ts';
import type { VideoRequest } from '../../../src/pipeline/request.ts';
import { Device } from '../../../src/tensor/device.ts';
import { scope } from '../../../src/tensor/scope.ts';
import { ModelFolder } from '../../../src/weights/model-folder.ts';
import { buildSafetensors, f32 } from '../../build-safetensors.ts';
import { TINY_MODEL, tinyConfig } from '../../models/tiny-framepack.ts';
import { tinyWithWeights } from '../../models/tiny-with-weights.ts';
import { collect, framesOf, TINY_REQUEST } from '../tiny-request.ts';
import { writeTinyLora } from './tiny-lora.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'framepack-loras-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const REQUEST = { ...TINY_REQUEST, steps: 1 };
const { model: _, ...VIDEO } = REQUEST;

async function run(model: Model, loras?: VideoRequest['loras']): Promise<GenerateEvent[]> {
  const events: GenerateEvent[] = [];
  for await (const event of model.generate({ ...VIDEO, loras })) events.push(event);
  return events;
}

function pixels(events: readonly GenerateEvent[]): string {
  return createHash('sha256')
    .update(Buffer.concat(framesOf(events)))
    .digest('hex');
}

/** Networks that were loaded for the video itself, behind those that encode. */
function loadedFor(events: readonly GenerateEvent[]): string[] {
  const parts = events.flatMap((event) =>
    event.type === 'stage' && event.stage === 'load' ? [event.part] : [],
  );
  return parts.slice(parts.indexOf('vae') + 1);
}

describe('a video with LoRAs', { timeout: 120_000 }, () => {
  it('is that of a fresh load, also when they are exchanged between videos', async () => {
    const [first, second] = [writeTinyLora(folder, 3), writeTinyLora(folder, 5)];
    const alone = pixels(await collect({ ...REQUEST, loras: [{ file: second, scale: 0.5 }] }));
    await using model = await load({ model: TINY_MODEL });
    const plain = await run(model);
    const none = await run(model, [{ file: first, scale: 0 }]);
    expect(pixels(none)).toBe(pixels(plain));
    expect(loadedFor(none)).toEqual([]);
    const withFirst = await run(model, [{ file: first }]);
    expect(loadedFor(withFirst)).toEqual(['transformer']);
    const swapped = await run(model, [{ file: second, scale: 0.5 }]);
    const again = await run(model, [{ file: second, scale: 0.5 }]);
    expect(loadedFor(again)).toEqual([]);
    expect(pixels(swapped)).toBe(alone);
    expect(pixels(again)).toBe(alone);
    const both = await run(model, [{ file: first }, { file: second, scale: 0.5 }]);
    const videos = [plain, withFirst, swapped, both].map(pixels);
    expect(new Set(videos).size).toBe(4);
    expect(pixels(await run(model))).toBe(pixels(plain));
  });

  it('tells what matched in an event, a warning and the file', async () => {
    const extra = { 'lora_te_encoder.lora_down.weight': f32([1], [1]) };
    const file = writeTinyLora(folder, 3, extra);
    const out = `${join(folder, 'frames')}/`;
    const events = await collect({ ...REQUEST, out, loras: [{ file, scale: 0.5 }] });
    const unmatched = Object.keys(extra);
    const sha256 = createHash('sha256').update(readFileSync(file)).digest('hex');
    const facts = { scale: 0.5, sha256, numMatched: 4 };
    expect(events.find(({ type }) => type === 'lora')).toMatchObject({ file, ...facts, unmatched });
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'warning', code: 'WARN_LORA_KEYS' }),
    );
    const { loras } = await inspectVideo(out);
    expect(loras).toEqual([{ file: basename(file), ...facts, numUnmatched: 1 }]);
  });
});

describe('no video', { timeout: 120_000 }, () => {
  it.each([
    ['that fits nothing', { 'a.lora_down.weight': f32([1, 1], [1]) }, 'ERR_CHECKPOINT'],
    ['of another shape', { 'x_embedder.proj.diff': f32([1], [1]) }, 'ERR_CHECKPOINT'],
    ['that is DoRA', { 'proj_out.dora_scale': f32([1], [1]) }, 'ERR_UNSUPPORTED'],
  ])('is made without a LoRA %s', async (_name, tensors, code) => {
    const file = join(folder, 'bad.safetensors');
    writeFileSync(file, buildSafetensors(tensors));
    const out = join(folder, 'never.mp4');
    const events: GenerateEvent[] = [];
    await using model = await load({ model: TINY_MODEL });
    const job = async (): Promise<void> => {
      for await (const event of model.generate({ ...VIDEO, out, loras: [{ file }] })) {
        events.push(event);
      }
    };
    await expect(job()).rejects.toMatchObject({
      code,
      message: expect.stringContaining(`lora: ${file}`),
    });
    expect(events).toEqual([]);
    expect(existsSync(out)).toBe(false);
  });

  it('goes on from a job with other LoRAs', async () => {
    const request = { ...REQUEST, seconds: 3.6, job: join(folder, 'job') };
    const [first, second] = [writeTinyLora(folder, 3), writeTinyLora(folder, 5)];
    await using model = await load({ model: TINY_MODEL });
    const { model: _model, ...video } = request;
    for await (const event of model.generate({ ...video, loras: [{ file: first }] })) {
      if (event.type === 'section') break;
    }
    await expect(collect({ ...request, loras: [{ file: second }] })).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      message: expect.stringContaining('loras'),
    });
  });
});

describe('RunLoras', () => {
  it('leaves an fp8 transformer as large as it was', async () => {
    const weights = join(folder, 'fp8.safetensors');
    await convert(TINY_MODEL, weights, { fp8: 'block64' });
    const model = await ModelFolder.open(tinyWithWeights(join(folder, 'model'), weights));
    const loras = await RunLoras.open(model, [{ file: writeTinyLora(folder, 3) }]);
    const config = parseDitConfig(tinyConfig('transformer'));
    await using device = Device.open('meta');
    const root = (await model.openWeights(device, 'transformer')).scope();
    const sizes = [root, await loras.merged(root, device)].map((own) =>
      scope(() => {
        Dit.load(own, config, 'bf16');
        return device.memory().currentBytes;
      }),
    );
    expect(sizes[1]).toBe(sizes[0]);
  });

  it('of scale 0 are no variant', async () => {
    const model = await ModelFolder.open(TINY_MODEL);
    const choices = [{ file: writeTinyLora(folder, 3), scale: 0 }];
    expect((await RunLoras.open(model, choices)).variant).toBe('');
  });

  it('stops when the signal fires', async () => {
    const model = await ModelFolder.open(TINY_MODEL);
    const choices = [{ file: writeTinyLora(folder, 3) }];
    await expect(RunLoras.open(model, choices, AbortSignal.abort())).rejects.toMatchObject({
      code: 'ERR_ABORTED',
    });
  });
});
