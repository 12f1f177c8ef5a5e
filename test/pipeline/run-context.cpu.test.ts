import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { parseDitConfig } from '../../src/models/dit/config.ts';
import type { GenerateEvent } from '../../src/pipeline/events.ts';
import { RunLoras } from '../../src/pipeline/inputs/loras.ts';
import { checkModel } from '../../src/pipeline/model/check-model.ts';
import { RunReporter } from '../../src/pipeline/progress/run-reporter.ts';
import { ALL_STAY, Residency } from '../../src/pipeline/residency.ts';
import {
  networkConfig,
  networkWeights,
  oneBlockAhead,
  ownDType,
  type RunContext,
  throwIfAborted,
} from '../../src/pipeline/run-context.ts';
import { Device } from '../../src/tensor/device.ts';
import { Checkpoint } from '../../src/weights/checkpoint.ts';
import { ModelFolder } from '../../src/weights/model-folder.ts';
import { buildSafetensors, f32 } from '../build-safetensors.ts';
import { TINY_MODEL } from '../models/tiny-framepack.ts';
import { PLAN_FACTS } from './progress/plan-facts.ts';

let device: Device;
let events: GenerateEvent[];
beforeEach(() => {
  events = [];
  device = Device.open('cpu', { threads: 1 });
});
afterEach(() => device.close());

async function context(): Promise<RunContext> {
  const folder = await ModelFolder.open(TINY_MODEL);
  const pace = oneBlockAhead(device, undefined);
  const reporter = new RunReporter(device, PLAN_FACTS, (event) => events.push(event));
  const residency = new Residency();
  const rest = { dtype: 'f32', budgetBytes: null, signal: undefined, observer: undefined } as const;
  const { tokenizers } = await checkModel(folder);
  const loras = await RunLoras.open(folder, []);
  const own = { device, folder, info: folder.info, tokenizers, loras };
  return { ...own, pace, reporter, residency, placements: ALL_STAY, ...rest };
}

describe('throwIfAborted', () => {
  it('passes on the reason', () => {
    expect(() => throwIfAborted(undefined)).not.toThrow();
    expect(() => throwIfAborted(new AbortController().signal)).not.toThrow();
    expect(() => throwIfAborted(AbortSignal.abort('why'))).toThrow(
      expect.objectContaining({ code: 'ERR_ABORTED', cause: 'why' }),
    );
  });
});

describe('oneBlockAhead', () => {
  it('resolves while the device works and rejects once aborted', async () => {
    const abort = new AbortController();
    const pace = oneBlockAhead(device, abort.signal);
    await pace();
    await pace();
    abort.abort();
    await expect(pace()).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  });
});

describe('networkConfig', () => {
  it('names the file and the field of a bad config', async () => {
    const run = await context();
    expect(networkConfig(run, 'transformer', parseDitConfig).width).toBe(192);
    expect(() => networkConfig(run, 'vae', parseDitConfig)).toThrow(
      expect.objectContaining({
        code: 'ERR_CHECKPOINT',
        message: expect.stringMatching(/vae\/config\.json: num_attention_heads/),
      }),
    );
  });
});

describe('networkWeights', () => {
  it('opens the weights of a part and says so', async () => {
    const weights = await networkWeights(await context(), 'vae');
    expect(weights.has('quant_conv.weight')).toBe(true);
    expect(events).toMatchObject([{ type: 'stage', stage: 'load', part: 'vae' }]);
  });
});

describe('ownDType', () => {
  it.each([
    { dtype: 'f32', part: 'vae', own: 'f32' },
    { dtype: 'bf16', part: 'vae', own: 'f16' },
    { dtype: 'bf16', part: 'text_encoder', own: 'f16' },
    { dtype: 'f16', part: 'image_encoder', own: 'bf16' },
  ] as const)('in $dtype: $part in $own', async ({ dtype, part, own }) => {
    const run = { ...(await context()), dtype };
    expect(ownDType(run, await networkWeights(run, part))).toBe(own);
  });

  it('is f16 for weights in f32, as upstream', async () => {
    const run = { ...(await context()), dtype: 'bf16' as const };
    const folder = mkdtempSync(join(tmpdir(), 'run-context-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'model.safetensors');
    writeFileSync(path, buildSafetensors({ a: f32([1], [1]) }));
    expect(ownDType(run, await Checkpoint.open(device, path))).toBe('f16');
  });
});
