import { join } from 'node:path';
import { cast } from '../../../src/ops/copy.ts';
import { scope } from '../../../src/tensor/scope.ts';
import { Checkpoint } from '../../../src/weights/checkpoint.ts';
import { LoraEdits } from '../../../src/weights/lora/lora-edits.ts';
import { matchLora } from '../../../src/weights/lora/lora-file.ts';
import { LoraModules } from '../../../src/weights/lora/lora-modules.ts';
import { DIT_NAMES } from '../../../src/weights/network-names.ts';
import type { GoldenContext } from '../context.ts';
import { GoldenFile } from '../golden-file.ts';
import { NETWORK_GATE } from '../report.ts';

/** A manifest entry with transformer weights and LoRAs to merge into them. */
export interface LoraCase {
  readonly weights: string;
  readonly loras: readonly { readonly file: string; readonly scale: number }[];
}

/** Whether a manifest entry is a {@link LoraCase}. */
export function isLoraCase(entry: object): entry is LoraCase {
  return 'weights' in entry && 'loras' in entry;
}

/** Half a unit in the last place of f16, the type of the weights. */
const F16_ROUNDING = 2 ** -11;

/** Merges LoRAs, in f32 and in the type of the weights, and compares every tensor; those without a golden must stay. */
export async function runLoraCase(
  { folder, device, report }: GoldenContext,
  name: string,
  { weights, loras }: LoraCase,
): Promise<void> {
  const golden = new GoldenFile(join(folder, `${name}.golden.safetensors`));
  const checkpoint = await Checkpoint.open(device, join(folder, weights));
  const modules = new LoraModules(checkpoint);
  const matched = loras.map(({ file, scale }) => {
    const lora = matchLora(join(folder, file), checkpoint, modules);
    report.exact(name, `${file} unmatched`, { actual: [lora.unmatched.length], expected: [0] });
    return { lora, scale };
  });
  const edits = await LoraEdits.open(device, matched);
  const plain = checkpoint.scope().network(DIT_NAMES);
  const edited = checkpoint.scope().edited(edits).network(DIT_NAMES);
  for (const tensor of checkpoint.names()) {
    await scope(async () => {
      const weight = plain.take(tensor, checkpoint.shapeOf(tensor));
      const stored = edited.take(tensor, weight.shape);
      if (!golden.has(`out.${tensor}`)) {
        const pair = { actual: await stored.readFloat32(), expected: await weight.readFloat32() };
        if (edits.changes(tensor)) report.exact(name, tensor, pair);
        return;
      }
      const expected = golden.floats(`out.${tensor}`);
      const actual = await edits.apply(tensor, cast(weight, 'f32')).readFloat32();
      report.relative(name, tensor, { actual, expected }, NETWORK_GATE.f32);
      const rounded = await stored.readFloat32();
      report.relative(name, `${tensor} in f16`, { actual: rounded, expected }, F16_ROUNDING);
    });
  }
}
