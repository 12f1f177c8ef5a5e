import { cast, concat, contiguous } from '../../ops/copy.ts';
import { add, mul } from '../../ops/elementwise.ts';
import { linear } from '../../ops/linear.ts';
import type { Device } from '../../tensor/device.ts';
import { scope } from '../../tensor/scope.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { Checkpoint } from '../checkpoint.ts';
import type { WeightEdits } from '../weight-scope.ts';
import type { LoraChange, MatchedLora } from './lora-file.ts';
import { LOW_RANK } from './lora-forms.ts';
import type { LoraRole } from './lora-names.ts';

/** A LoRA and its strength. */
export interface ScaledLora {
  readonly lora: MatchedLora;
  /** Multiplies its changes; 0 leaves the network as it is. */
  readonly scale: number;
}

interface Edit {
  readonly change: LoraChange;
  readonly weights: Checkpoint;
  readonly scale: number;
}

/**
 * Merges LoRAs into the weights of a network while they are taken: `W + sum of scale (alpha / rank) change`, in f32 with
 * one rounding to the type of the weight. All changes of low rank of a weight are one product with the weight as its
 * residual, however many files they come from. An fp8 weight is widened to f32 first and rounded again.
 */
export class LoraEdits implements WeightEdits {
  private readonly edits: ReadonlyMap<string, readonly Edit[]>;

  private constructor(edits: ReadonlyMap<string, readonly Edit[]>) {
    this.edits = edits;
  }

  /**
   * Opens the files for a device.
   *
   * @throws {@link FramePackError} `ERR_CHECKPOINT` when a file is damaged or gone.
   */
  static async open(device: Device, loras: readonly ScaledLora[]): Promise<LoraEdits> {
    const edits = new Map<string, Edit[]>();
    for (const { lora, scale } of loras) {
      if (scale === 0) continue;
      const weights = await Checkpoint.open(device, lora.file);
      for (const change of lora.changes) {
        const others = edits.get(change.tensor) ?? [];
        edits.set(change.tensor, [...others, { change, weights, scale: scale * change.scale }]);
      }
    }
    return new LoraEdits(edits);
  }

  changes(name: string): boolean {
    return this.edits.has(name);
  }

  apply(name: string, weight: Tensor): Tensor {
    const edits = this.edits.get(name);
    if (edits === undefined) return weight;
    return scope(() => {
      const [rows = 1] = weight.shape;
      const [thin, whole] = [edits.filter(isLowRank), edits.filter((edit) => !isLowRank(edit))];
      let sum: Tensor = weight.reshape([rows, -1]);
      for (const edit of whole) {
        const { form, shapes, rows: ranges } = edit.change;
        const delta = form.delta((role) => matrix(edit, role), shapes);
        sum = add(cast(sum, 'f32'), mul(rowsOf(delta, ranges), edit.scale));
      }
      if (thin.length > 0) sum = addProducts(sum, thin);
      return cast(sum, weight.dtype).reshape(weight.shape);
    });
  }
}

/** The factors of all changes side by side: the sum of their products is one product. */
function addProducts(sum: Tensor, edits: readonly Edit[]): Tensor {
  const ups = edits.map((edit) => mul(rowsOf(matrix(edit, 'up'), edit.change.rows), edit.scale));
  const downs = edits.map((edit) => matrix(edit, 'down'));
  const down = contiguous(concat(downs, 0).permute([1, 0]));
  return linear(concat(ups, 1), down, undefined, { residual: sum, outDtype: sum.dtype as 'f32' });
}

function isLowRank({ change }: Edit): boolean {
  return change.form === LOW_RANK;
}

/** A tensor of the file as an f32 matrix. */
function matrix({ change, weights }: Edit, role: LoraRole): Tensor<'f32'> {
  const { name, shape } = change.parts.get(role)!;
  return cast(weights.take(name, shape), 'f32').reshape([...change.shapes.get(role)!]);
}

function rowsOf(delta: Tensor<'f32'>, ranges: LoraChange['rows']): Tensor<'f32'> {
  return concat(
    ranges.map(([begin, end]) => delta.slice(0, begin, end)),
    0,
  );
}
