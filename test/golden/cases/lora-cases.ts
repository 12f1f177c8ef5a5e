import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseDitConfig } from '../../../src/models/dit/config.ts';
import { Dit } from '../../../src/models/dit/dit.ts';
import { cast } from '../../../src/ops/copy.ts';
import { scope } from '../../../src/tensor/scope.ts';
import { Checkpoint } from '../../../src/weights/checkpoint.ts';
import { LoraEdits } from '../../../src/weights/lora/lora-edits.ts';
import { matchLora } from '../../../src/weights/lora/lora-file.ts';
import { LoraModules } from '../../../src/weights/lora/lora-modules.ts';
import { DIT_NAMES } from '../../../src/weights/network-names.ts';
import { saveTensors } from '../../../src/weights/tensor-file.ts';
import type { GoldenContext } from '../context.ts';
import { GoldenFile } from '../golden-file.ts';
import { NETWORK_GATE } from '../report.ts';
import { type DitCase, ditInputs } from './dit-cases.ts';

/** A manifest entry with a transformer, LoRAs to merge into it, and inputs of one forward pass. */
export interface LoraCase extends DitCase {
  readonly inputs: string;
  readonly loras: readonly { readonly file: string; readonly scale: number }[];
}

/** Whether a manifest entry is a {@link LoraCase}. */
export function isLoraCase(entry: object): entry is LoraCase {
  return 'weights' in entry && 'loras' in entry && 'inputs' in entry;
}

/** Half a unit in the last place of f16, the type of the weights. */
const F16_ROUNDING = 2 ** -11;

/**
 * Merges LoRAs and compares every tensor, in f32 and in the type of the weights; those without a golden must stay. Then
 * compares the velocity, in f32.
 */
export async function runLoraCase(
  context: GoldenContext,
  name: string,
  entry: LoraCase,
): Promise<void> {
  const { folder, device } = context;
  const golden = new GoldenFile(join(folder, `${name}.golden.safetensors`));
  const stored = await Checkpoint.open(device, join(folder, entry.weights));
  const scratch = mkdtempSync(join(tmpdir(), 'framepack-lora-golden-'));
  try {
    const wide = await widened(stored, join(scratch, 'wide.safetensors'));
    const run = { context, name, golden };
    await compareTensors(run, wide, await editsOf(context, name, wide, entry), NETWORK_GATE.f32);
    await compareTensors(run, stored, await editsOf(context, name, stored, entry), F16_ROUNDING);
    await compareVelocity(run, wide, await editsOf(context, name, wide, entry), entry);
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

interface LoraRun {
  readonly context: GoldenContext;
  readonly name: string;
  readonly golden: GoldenFile;
}

/** The same weights in f32. */
async function widened(checkpoint: Checkpoint, path: string): Promise<Checkpoint> {
  await scope(async () => {
    const tensors = checkpoint
      .names()
      .map((name) => [name, cast(checkpoint.take(name, checkpoint.shapeOf(name)), 'f32')] as const);
    await saveTensors(path, new Map(tensors));
  });
  return Checkpoint.open(checkpoint.device, path);
}

async function editsOf(
  { folder, device, report }: GoldenContext,
  name: string,
  checkpoint: Checkpoint,
  { loras }: LoraCase,
): Promise<LoraEdits> {
  const modules = new LoraModules(checkpoint);
  const matched = loras.map(({ file, scale }) => {
    const lora = matchLora(join(folder, file), checkpoint, modules);
    report.exact(name, `${file} unmatched`, { actual: [lora.unmatched.length], expected: [0] });
    return { lora, scale };
  });
  return LoraEdits.open(device, matched);
}

async function compareTensors(
  { context, name, golden }: LoraRun,
  checkpoint: Checkpoint,
  edits: LoraEdits,
  gate: number,
): Promise<void> {
  const { report } = context;
  const plain = checkpoint.scope().network(DIT_NAMES);
  const edited = checkpoint.scope().edited(edits).network(DIT_NAMES);
  for (const tensor of checkpoint.names()) {
    await scope(async () => {
      const shape = checkpoint.shapeOf(tensor);
      const actual = await edited.take(tensor, shape).readFloat32();
      if (golden.has(`out.${tensor}`)) {
        report.relative(name, tensor, { actual, expected: golden.floats(`out.${tensor}`) }, gate);
        return;
      }
      const expected = await plain.take(tensor, shape).readFloat32();
      if (!Buffer.from(actual.buffer).equals(Buffer.from(expected.buffer))) {
        report.exact(name, tensor, { actual, expected });
      }
    });
  }
}

async function compareVelocity(
  { context, name, golden }: LoraRun,
  checkpoint: Checkpoint,
  edits: LoraEdits,
  entry: LoraCase,
): Promise<void> {
  const inputs = new GoldenFile(join(context.folder, entry.inputs));
  await scope(async () => {
    const weights = checkpoint.scope().edited(edits);
    const dit = Dit.load(weights, parseDitConfig(entry.config), 'f32');
    const velocity = await dit.forward(ditInputs(context, inputs, entry));
    const pair = {
      actual: await velocity.readFloat32(),
      expected: golden.floats('out.velocity'),
    };
    context.report.relative(name, 'velocity', pair, NETWORK_GATE.f32);
  });
}
