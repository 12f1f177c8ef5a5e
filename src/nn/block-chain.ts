import { show } from '../errors.ts';
import { checkList, checkObject, mismatch } from '../tensor/check.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** The tensors that flow from block to block. */
export type BlockState = Readonly<Record<string, Tensor>>;

/** Called between blocks: pacing, cancellation. It may reject to stop the chain. */
export type Pace = () => Promise<void>;

/** One step of a chain: a pure function of the state that leaves its input alone. */
export type BlockStep<S extends BlockState> = (state: S, index: number) => S;

/**
 * Runs `steps` in order and frees every state but the first once its successor exists, so that the memory of a
 * chain does not grow with its depth. The caller keeps the first state and owns the last.
 */
export async function runChain<S extends BlockState>(
  first: S,
  steps: readonly BlockStep<S>[],
  pace?: Pace,
): Promise<S> {
  checkObject('runChain', 'first', first);
  checkList('runChain', 'steps', steps);
  if (pace !== undefined) checkFunction('pace', pace);
  let state = first;
  for (const [index, step] of steps.entries()) {
    checkFunction('steps', step);
    if (pace) await pace();
    const next = step(state, index);
    if (state !== first) release(state, next);
    state = next;
  }
  return state;
}

function release(state: BlockState, successor: BlockState): void {
  const survivors = new Set(Object.values(successor));
  for (const tensor of Object.values(state)) if (!survivors.has(tensor)) tensor.dispose();
}

function checkFunction(argument: string, value: unknown): void {
  if (typeof value === 'function') return;
  throw mismatch('ERR_ARGUMENT', 'runChain', argument, 'a function', show(value));
}
