import { join, resolve } from 'node:path';
import { runGeneration } from '../../../src/pipeline/generate.ts';
import type { GenerateRequest } from '../../../src/pipeline/request.ts';
import type { RunObserver } from '../../../src/pipeline/run-context.ts';
import type { Tensor } from '../../../src/tensor/tensor.ts';
import type { GoldenContext } from '../context.ts';
import { GoldenFile } from '../golden-file.ts';
import { FRAMES_GATE, LATENTS_GATE, NETWORK_GATE } from '../report.ts';

/** A manifest entry that describes a whole run. */
export interface EndToEndCase {
  readonly kind: 'end-to-end';
  readonly model: string;
  readonly picture: string;
  readonly file: string;
  readonly prompt: string;
  readonly negative_prompt: string;
  readonly mode: 'i2v' | 'f1';
  readonly seconds: number;
  readonly steps: number;
  readonly seed: number;
  readonly guidance: number;
  readonly cfg: number;
  readonly guidance_rescale: number;
}

/** Whether a manifest entry is an {@link EndToEndCase}. */
export function isEndToEndCase(entry: object): entry is EndToEndCase {
  return 'kind' in entry && entry.kind === 'end-to-end';
}

/** Runs the pipeline as a user would and compares every value it shows on the way. */
export async function runEndToEndCase(
  context: GoldenContext,
  name: string,
  entry: EndToEndCase,
): Promise<void> {
  const golden = new GoldenFile(join(context.folder, entry.file));
  const recorder = new RunRecorder();
  await runGeneration(requestOf(context, entry), () => {}, recorder);
  await compareValues(context, name, { golden, recorder });
  await compareVideo(context, name, { golden, recorder });
}

function requestOf(context: GoldenContext, entry: EndToEndCase): GenerateRequest {
  return {
    model: resolve(context.folder, entry.model),
    image: join(context.folder, entry.picture),
    prompt: entry.prompt,
    negativePrompt: entry.negative_prompt,
    mode: entry.mode,
    seconds: entry.seconds,
    steps: entry.steps,
    seed: entry.seed,
    guidance: entry.guidance,
    cfg: entry.cfg,
    guidanceRescale: entry.guidance_rescale,
    dtype: context.dtype,
    device: context.device.kind === 'cuda' ? 'cuda' : 'cpu',
  };
}

interface Run {
  readonly golden: GoldenFile;
  readonly recorder: RunRecorder;
}

async function compareValues(context: GoldenContext, name: string, run: Run): Promise<void> {
  const { report, dtype } = context;
  const { golden, recorder } = run;
  for (const key of golden.names.filter((key) => !key.startsWith('video.'))) {
    if (key.endsWith('_ids')) {
      report.exact(name, key, { actual: recorder.idsOf(key), expected: golden.integers(key) });
      continue;
    }
    const isSampled = /\.(x0_first|latents)$/.test(key);
    const gate = isSampled && dtype === 'f32' ? LATENTS_GATE : NETWORK_GATE[dtype];
    const pair = { actual: await recorder.valueOf(key), expected: golden.floats(key) };
    report.relative(name, key, pair, gate);
  }
}

async function compareVideo(context: GoldenContext, name: string, run: Run): Promise<void> {
  const { report, dtype } = context;
  const { golden, recorder } = run;
  const gate = dtype === 'f32' ? FRAMES_GATE : NETWORK_GATE[dtype];
  const frames = await recorder.frameList();
  const [, channels, numFrames, height, width] = golden.integers('video.shape') as FiveExtents;
  report.exact(name, 'video.frames.count', { actual: [frames.length], expected: [numFrames] });
  const means = frames.map((frame) => frame.reduce((sum, value) => sum + value, 0) / frame.length);
  const expectedMeans = golden.floats('video.frame_mean');
  report.maxAbs(name, 'video.frame_mean', { actual: means, expected: expectedMeans }, gate);
  const chosen = golden.integers('video.frame_index');
  const expected = golden.floats('video.frames');
  const area = height * width;
  const actual = new Float32Array(channels * chosen.length * area);
  chosen.forEach((frameIndex, position) => {
    const frame = frames[frameIndex];
    for (let channel = 0; frame && channel < channels; channel++) {
      const plane = frame.subarray(channel * area, (channel + 1) * area);
      actual.set(plane, (channel * chosen.length + position) * area);
    }
  });
  report.maxAbs(name, 'video.frames', { actual, expected }, gate);
}

type FiveExtents = [number, number, number, number, number];

/** Keeps what the pipeline shows; reading is queued at once, because the tensors are freed afterwards. */
class RunRecorder implements RunObserver {
  private readonly idLists = new Map<string, readonly number[]>();
  private readonly values = new Map<string, Promise<Float32Array>>();
  private clips: { frames: Promise<Float32Array>; numFrames: number }[] = [];

  readonly ids = (name: string, ids: readonly number[]): void => {
    this.idLists.set(name, ids);
  };

  readonly tensor = (name: string, value: Tensor): void => {
    this.values.set(name, value.readFloat32());
  };

  readonly frames = (value: Tensor<'f32'>, growsAt: 'front' | 'back'): void => {
    // [1, 3, F, H, W] -> [F, 3, H, W], one contiguous picture a frame.
    const frames = value.squeeze(0).permute([1, 0, 2, 3]).readFloat32();
    const clip = { frames, numFrames: value.shape[2]! };
    this.clips = growsAt === 'front' ? [clip, ...this.clips] : [...this.clips, clip];
  };

  idsOf(name: string): readonly number[] {
    return this.idLists.get(name) ?? [];
  }

  async valueOf(name: string): Promise<Float32Array> {
    return (await this.values.get(name)) ?? new Float32Array();
  }

  /** Every frame `[3, H, W]` in time order. */
  async frameList(): Promise<Float32Array[]> {
    const lists = this.clips.map(async ({ frames, numFrames }) => {
      const values = await frames;
      const size = values.length / numFrames;
      return Array.from({ length: numFrames }, (_, index) =>
        values.subarray(index * size, (index + 1) * size),
      );
    });
    return (await Promise.all(lists)).flat();
  }
}
