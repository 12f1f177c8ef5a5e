import type { NativeTensor } from '../tensor/native-types.ts';
import { isContiguousLayout, sizeOf } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { contiguous } from './copy.ts';

/** A tensor as `[outer, axis, inner]` without gaps, and the copy that holds it. */
export class PackedAxes implements Disposable {
  readonly view: NativeTensor;
  private readonly owner: Tensor;

  /** `owner` is contiguous in the order of its axes. */
  constructor(owner: Tensor, first: number, count: number) {
    const { shape } = owner;
    const extents = [
      sizeOf(shape.slice(0, first)),
      sizeOf(shape.slice(first, first + count)),
      sizeOf(shape.slice(first + count)),
    ] as const;
    const strides = [extents[1] * extents[2], extents[2], 1];
    this.view = { ...owner.native, shape: extents, strides };
    this.owner = owner;
  }

  [Symbol.dispose](): void {
    this.owner.dispose();
  }
}

/** `x` around some of its axes: where it lies if memory allows, else a copy of it with these axes last. */
export function packAround(x: Tensor, axes: readonly number[]): PackedAxes {
  const order = memoryOrder(x, axes);
  if (order === undefined) return packTogether(x, axes);
  const first = order.indexOf(axes[0] ?? -1);
  return new PackedAxes(x.permute(order), Math.max(first, 0), axes.length);
}

/** `x` with `axes` last, a copy unless it lies so. */
export function packTogether(x: Tensor, axes: readonly number[]): PackedAxes {
  const kept = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  using turned = x.permute([...kept, ...axes]);
  return new PackedAxes(contiguous(turned), kept.length, axes.length);
}

/**
 * The order of axes in which `x` has no gaps, if there is one that keeps `axes` together and the others in their
 * order.
 */
function memoryOrder(x: Tensor, axes: readonly number[]): number[] | undefined {
  const isReduced = (axis: number): boolean => axes.includes(axis);
  const kept = x.shape.map((_, axis) => axis).filter((axis) => !isReduced(axis));
  for (let before = 0; before <= kept.length; before++) {
    const order = [...kept.slice(0, before), ...axes, ...kept.slice(before)];
    const layout = {
      shape: order.map((axis) => x.shape[axis]!),
      strides: order.map((axis) => x.strides[axis]!),
      offset: 0,
    };
    if (isContiguousLayout(layout)) return order;
  }
  return undefined;
}
