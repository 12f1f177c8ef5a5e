import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Device } from '../../src/tensor/device.ts';
import { scope } from '../../src/tensor/scope.ts';
import type { Checkpoint } from '../../src/weights/checkpoint.ts';
import { LoraEdits } from '../../src/weights/lora/lora-edits.ts';
import { matchLora } from '../../src/weights/lora/lora-file.ts';
import { LoraModules, matrixShape } from '../../src/weights/lora/lora-modules.ts';
import { saveTensors } from '../../src/weights/tensor-file.ts';
import { randomTensor } from './random-tensor.ts';

const RANK = 16;
const DEVIATION = 0.01;
/** What trainers change: every matrix of the blocks but those of the norms. */
const TRAINED = /^(single_)?transformer_blocks\.\d+\.(?!.*norm).*\.weight$/;

/** Uses a random LoRA of rank 16 that changes every block of a transformer. */
export async function withRandomLora<R>(
  device: Device,
  checkpoint: Checkpoint,
  use: (edits: LoraEdits) => Promise<R>,
): Promise<R> {
  const folder = mkdtempSync(join(tmpdir(), 'framepack-bench-lora-'));
  try {
    const file = join(folder, 'random.safetensors');
    await scope(async () => {
      const pairs = checkpoint.names().filter((name) => TRAINED.test(name));
      const tensors = pairs.flatMap((name, seed) => {
        const [rows, columns] = matrixShape(checkpoint.shapeOf(name));
        const module = name.slice(0, -'.weight'.length);
        const options = { seed, deviation: DEVIATION };
        return [
          [`${module}.lora_A.weight`, randomTensor(device, [RANK, columns], 'f32', options)],
          [`${module}.lora_B.weight`, randomTensor(device, [rows, RANK], 'f32', options)],
        ] as const;
      });
      await saveTensors(file, new Map(tensors));
    });
    const lora = matchLora(file, checkpoint, new LoraModules(checkpoint));
    return await use(await LoraEdits.open(device, [{ lora, scale: 1 }]));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
