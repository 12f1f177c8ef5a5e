import type { StepCache } from '../../../src/sampling/step-cache/step-cache.ts';
import type { Device } from '../../../src/tensor/device.ts';
import { scope } from '../../../src/tensor/scope.ts';
import { fromArray, type Tensor } from '../../../src/tensor/tensor.ts';

/** One step of a network of two blocks whose input is `input`. */
export interface FakeStep {
  readonly input: number;
  /** What the first block adds. */
  readonly first: number;
  /** What the second block adds. */
  readonly second: number;
}

/** Runs steps of a two-block network through a cache; what came out and whether both blocks ran. */
export async function follow(
  device: Device,
  cache: StepCache,
  steps: readonly FakeStep[],
): Promise<{ output: number; isComputed: boolean }[]> {
  const results: { output: number; isComputed: boolean }[] = [];
  const tensor = (value: number): Tensor => fromArray(device, [value, value], [1, 1, 2], 'f32');
  for (const { input, first, second } of steps) {
    let isComputed = false;
    const rest = async (): Promise<Tensor> => {
      isComputed = true;
      return tensor(input + first + second);
    };
    const output = await scope(() =>
      cache.run({
        input: tensor(input),
        modulated: () => tensor(input),
        blocks: rest,
        firstBlock: () => ({ output: tensor(input + first), rest }),
      }),
    );
    results.push({ output: (await output.readFloat32())[0]!, isComputed });
    output.dispose();
  }
  return results;
}
