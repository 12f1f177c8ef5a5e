import type { Tensor } from '../../tensor/tensor.ts';

/** The first block of a network, run alone. */
export interface FirstBlock {
  /** `[B, L, D]` image tokens behind it. */
  readonly output: Tensor;
  /** Runs the blocks that follow: `[B, L, D]`. */
  readonly rest: () => Promise<Tensor>;
}

/** What one call of a denoiser offers a cache; nothing of it is computed unless it is asked for. */
export interface StepCacheCall {
  /** `[B, L, D]` input of the blocks. */
  readonly input: Tensor;
  /** `[B, L, D]` first modulated input of the blocks. */
  readonly modulated: () => Tensor;
  /** Runs all blocks: `[B, L, D]`. */
  readonly blocks: () => Promise<Tensor>;
  /** Runs the first block alone. */
  readonly firstBlock: () => FirstBlock;
}

/**
 * Stands in for the transformer blocks of a step when it expects their result to be near an earlier one.
 *
 * Sits outside the model. One instance follows one sequence of calls: make a new one for every section, and one for
 * each branch of classifier-free guidance, whose inputs differ. What it remembers is freed when it is disposed, and the
 * next call is then computed.
 */
export interface StepCache extends Disposable {
  /** Calls so far that did not run all blocks. */
  readonly numSkipped: number;
  /**
   * Output of the blocks, computed or estimated.
   *
   * @returns `[B, L, D]`, owned by the current scope.
   */
  run(call: StepCacheCall): Promise<Tensor>;
}
