import type { Activation, LinearEpilogue } from '../ops/linear.ts';
import { checkList } from '../tensor/check.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { checkLoad, type WeightScope } from '../weights/weight-scope.ts';
import { Linear } from './linear.ts';

/** Names of the two layers of an {@link Mlp}, its widths and its activation. */
export interface MlpShape {
  readonly names: readonly [string, string];
  readonly inFeatures: number;
  readonly hiddenFeatures: number;
  readonly outFeatures: number;
  readonly activation: Exclude<Activation, 'none'>;
}

/** Two biased linear layers with an activation between them. */
export class Mlp {
  private readonly up: Linear;
  private readonly down: Linear;
  private readonly activation: Activation;

  constructor(up: Linear, down: Linear, activation: Activation) {
    this.up = up;
    this.down = down;
    this.activation = activation;
  }

  /** Takes both layers under `shape.names`. */
  static load(weights: WeightScope, shape: MlpShape): Mlp {
    checkLoad('Mlp.load', weights, shape);
    checkList('Mlp.load', 'names', shape.names);
    const { names, inFeatures, hiddenFeatures, outFeatures, activation } = shape;
    const up = Linear.load(weights.at(names[0]), { inFeatures, outFeatures: hiddenFeatures });
    const down = Linear.load(weights.at(names[1]), { inFeatures: hiddenFeatures, outFeatures });
    return new Mlp(up, down, activation);
  }

  /** `[..., inFeatures]` -> `[..., outFeatures]`; the epilogue is fused into the second layer. */
  forward(x: Tensor, epilogue: LinearEpilogue = {}): Tensor {
    return this.down.forward(this.up.forward(x, { activation: this.activation }), epilogue);
  }
}
