import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseDitConfig } from '../../../src/models/dit/config.ts';
import { Dit, type DitInputs } from '../../../src/models/dit/dit.ts';
import type { ContextFrames, FrameGroup } from '../../../src/models/dit/packed-context.ts';
import { scope } from '../../../src/tensor/scope.ts';
import { Checkpoint } from '../../../src/weights/checkpoint.ts';
import { type GoldenContext, TapRecorder, upload } from '../context.ts';
import { GoldenFile } from '../golden-file.ts';
import { NETWORK_GATE } from '../report.ts';

/** A manifest entry with transformer weights, a config and frame indices. */
export interface DitCase {
  readonly weights: string;
  readonly config: unknown;
  readonly indices: Readonly<Record<string, readonly number[]>>;
}

/** Whether a manifest entry is a {@link DitCase}. */
export function isDitCase(entry: object): entry is DitCase {
  return 'weights' in entry && 'config' in entry && 'indices' in entry;
}

/** Runs the transformer once and compares every tap and the velocity. */
export async function runDitCase(
  context: GoldenContext,
  name: string,
  entry: DitCase,
): Promise<void> {
  const { folder, device, dtype, report } = context;
  await scope(async () => {
    const golden = new GoldenFile(goldenPath(folder, name));
    const checkpoint = await Checkpoint.open(device, join(folder, entry.weights));
    const dit = Dit.load(checkpoint.scope(), parseDitConfig(entry.config), dtype);
    checkpoint.assertUsed();
    const recorder = new TapRecorder();
    const velocity = await dit.forward(ditInputs(context, golden, entry), { tap: recorder.tap });
    recorder.tap('velocity', velocity);
    for (const key of golden.names) {
      const [kind, value] = splitKind(key);
      if (kind === 'in') continue;
      const raw = await recorder.get(value);
      const actual = value.startsWith('rope_') ? repeatPairs(raw) : raw;
      report.relative(name, value, { actual, expected: golden.floats(key) }, NETWORK_GATE[dtype]);
    }
  });
}

/** The inputs that a golden file holds, with the frame indices of its manifest entry. */
export function ditInputs(context: GoldenContext, golden: GoldenFile, entry: DitCase): DitInputs {
  const group = (tensor: string, indices: string): FrameGroup => ({
    latents: upload(context, golden, tensor),
    frameIndices: entry.indices[indices]!,
  });
  const level = (tensor: string, indices: string, compression: number): ContextFrames[] =>
    golden.has(tensor)
      ? [{ kernel: [compression, 2 * compression, 2 * compression], ...group(tensor, indices) }]
      : [];
  return {
    frames: {
      target: group('in.latents', 'target'),
      context: [
        ...level('in.clean_4x', 'x4', 4),
        ...level('in.clean_2x', 'x2', 2),
        ...level('in.clean', 'clean', 1),
      ],
    },
    timestep: golden.floats('in.timestep')[0]!,
    guidance: golden.floats('in.guidance')[0]!,
    text: upload(context, golden, 'in.text'),
    pooled: upload(context, golden, 'in.pooled'),
    image: upload(context, golden, 'in.image'),
  };
}

function goldenPath(folder: string, name: string): string {
  const suffix = `${name}.golden.safetensors`;
  const exact = join(folder, suffix);
  if (existsSync(exact)) return exact;
  const found = readdirSync(folder).find((file) => file.endsWith(`_${suffix}`));
  if (!found) throw new Error(`${folder}: no *_${suffix} for the case ${name}`);
  return join(folder, found);
}

function splitKind(key: string): [string, string] {
  const dot = key.indexOf('.');
  return [key.slice(0, dot), key.slice(dot + 1)];
}

/** The reference stores each rotary value twice, for both channels of a pair. */
function repeatPairs(values: Float32Array): Float32Array {
  return Float32Array.from({ length: values.length * 2 }, (_, index) => values[index >> 1]!);
}
