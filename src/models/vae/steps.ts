import { type BlockStep, type Pace, runChain } from '../../nn/block-chain.ts';
import { scope } from '../../tensor/scope.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { VaeTap } from './mid-block.ts';

/** One layer of a tile's way through the encoder or the decoder; a step may hand its input on. */
export type VaeStep = (x: Tensor) => Tensor;

/** A step that only shows the value to `tap`. */
export function tapped(name: string, tap: VaeTap | undefined): VaeStep {
  return (x) => {
    tap?.(name, x);
    return x;
  };
}

/** Runs the steps in order, holding no more than one intermediate between two of them. */
export async function runSteps(
  input: Tensor,
  steps: readonly VaeStep[],
  pace?: Pace,
): Promise<Tensor> {
  const chain = steps.map(
    (step): BlockStep<{ x: Tensor }> =>
      (state) => ({ x: scope(() => step(state.x)) }),
  );
  return scope(async () => (await runChain({ x: input }, chain, pace)).x);
}
