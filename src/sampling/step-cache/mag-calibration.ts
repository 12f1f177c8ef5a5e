import { mul, sub } from '../../ops/elementwise.ts';
import { sum } from '../../ops/reduce.ts';
import { scope } from '../../tensor/scope.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { StepCache, StepCacheCall } from './step-cache.ts';

/**
 * Measures what {@link MagCache} decides by: computes every step and records the mean over tokens of
 * `|residual_i| / |residual_(i-1)|`, magnitudes over the channels of a token. The first ratio is 1.
 *
 * @see diffusers 58eb52c `hooks/mag_cache.py`, its calibration
 */
export class MagCalibration implements StepCache {
  readonly numSkipped = 0;
  /** One number for each step so far. */
  readonly ratios: number[] = [];
  private magnitudes: Float32Array | null = null;

  run({ input, blocks }: StepCacheCall): Promise<Tensor> {
    return scope(async () => {
      const output = await blocks();
      const residual = sub(output, input);
      const squares = await sum(mul(residual, residual), {
        axis: -1,
        outDtype: 'f32',
      }).readFloat32();
      const magnitudes = squares.map(Math.sqrt);
      this.ratios.push(this.magnitudes === null ? 1 : meanQuotient(magnitudes, this.magnitudes));
      this.magnitudes = magnitudes;
      return output;
    });
  }

  [Symbol.dispose](): void {
    this.magnitudes = null;
  }
}

function meanQuotient(numerators: Float32Array, denominators: Float32Array): number {
  const total = numerators.reduce((sum, value, index) => sum + value / denominators[index]!, 0);
  return total / numerators.length;
}
