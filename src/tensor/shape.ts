import { FramePackError, show } from '../errors.ts';

/** Extents of a tensor, slowest axis first. */
export type Shape = readonly number[];

/** Where the elements of a tensor lie in its buffer; strides and offset count elements. */
export interface Layout {
  readonly shape: Shape;
  readonly strides: readonly number[];
  readonly offset: number;
}

/** The most axes a tensor has. */
const MAX_RANK = 6;

/** `[2, 3]`, the way every message writes shapes. */
export function formatShape(shape: readonly (number | string)[]): string {
  return `[${shape.join(', ')}]`;
}

/** What should be a shape or axes, whatever it is. */
export function showList(list: unknown): string {
  return Array.isArray(list) ? formatShape(list.map(show)) : show(list);
}

/** Number of elements; 1 for a scalar. */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const extent of shape) size *= extent;
  return size;
}

/** Strides of row-major storage without gaps. */
export function contiguousStrides(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  return strides;
}

/** Whether the elements lie in row-major order without gaps; axes of extent 1 have no say. */
export function isContiguousLayout(layout: Layout): boolean {
  let stride = 1;
  for (let axis = layout.shape.length - 1; axis >= 0; axis--) {
    const extent = layout.shape[axis]!;
    if (extent === 0) return true;
    if (extent !== 1 && layout.strides[axis] !== stride) return false;
    stride *= extent;
  }
  return true;
}

/**
 * Accepts whole, non-negative extents, at most {@link MAX_RANK} of them, with an exact product.
 *
 * @throws {@link FramePackError} `ERR_SHAPE`.
 */
export function checkShape(operation: string, shape: Shape): void {
  const isValid =
    Array.isArray(shape) &&
    shape.length <= MAX_RANK &&
    shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0) &&
    Number.isSafeInteger(sizeOf(shape) * 4);
  if (!isValid) {
    throw new FramePackError(
      'ERR_SHAPE',
      `${operation}: shape expected at most ${MAX_RANK} whole extents >= 0, got ${showList(shape)}`,
    );
  }
}

/**
 * Turns an axis that may count from the end into its index.
 *
 * @throws {@link FramePackError} `ERR_ARGUMENT` when there is no such axis.
 */
export function resolveAxis(operation: string, axis: number, rank: number): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    throw new FramePackError(
      'ERR_ARGUMENT',
      `${operation}: axis expected a whole number in [${-rank}, ${rank}), got ${show(axis)}`,
    );
  }
  return axis < 0 ? axis + rank : axis;
}

/**
 * Common shape of two operands: axes are matched from the last one, extents of 1 stretch.
 *
 * @throws {@link FramePackError} `ERR_SHAPE` naming both shapes.
 */
export function broadcastShapes(operation: string, a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length);
  const shape = new Array<number>(rank);
  for (let axis = 0; axis < rank; axis++) {
    const x = a[axis - rank + a.length] ?? 1;
    const y = b[axis - rank + b.length] ?? 1;
    if (x !== y && x !== 1 && y !== 1) {
      throw new FramePackError(
        'ERR_SHAPE',
        `${operation}: b expected a shape that broadcasts with ${formatShape(a)}, ` +
          `got ${formatShape(b)}`,
      );
    }
    shape[axis] = x === 1 ? y : x;
  }
  return shape;
}

/**
 * Strides of `layout` seen with the larger `shape`; stretched and added axes get stride 0.
 *
 * @throws {@link FramePackError} `ERR_SHAPE` when the shapes do not fit.
 */
export function expandedStrides(operation: string, layout: Layout, shape: Shape): number[] {
  const lead = shape.length - layout.shape.length;
  const strides = new Array<number>(shape.length).fill(0);
  for (let axis = 0; axis < layout.shape.length; axis++) {
    const from = layout.shape[axis]!;
    const to = shape[axis + lead];
    if (from === to) strides[axis + lead] = layout.strides[axis]!;
    else if (from !== 1 || to === undefined) throw expandError(operation, layout.shape, shape);
  }
  return strides;
}

function expandError(operation: string, from: Shape, to: Shape): FramePackError {
  return new FramePackError(
    'ERR_SHAPE',
    `${operation}: shape expected one that ${formatShape(from)} broadcasts to, ` +
      `got ${formatShape(to)}`,
  );
}

/**
 * Replaces the one -1 of a requested shape by what is left of `size` elements.
 *
 * @throws {@link FramePackError} `ERR_SHAPE` unless the elements fit exactly.
 */
export function resolveReshape(operation: string, from: Shape, to: Shape): number[] {
  // Whatever else it is, it is no shape.
  if (!Array.isArray(to) || !to.every(Number.isInteger)) checkShape(operation, to);
  const size = sizeOf(from);
  const known = sizeOf(to.filter((extent) => extent !== -1));
  const unknowns = to.filter((extent) => extent === -1).length;
  const filled = to.map((extent) => (extent === -1 && known > 0 ? size / known : extent));
  if (unknowns > 1 || sizeOf(filled) !== size || !filled.every(Number.isInteger)) {
    throw new FramePackError(
      'ERR_SHAPE',
      `${operation}: shape expected ${size} elements of ${formatShape(from)}, ` +
        `got ${formatShape(to)}`,
    );
  }
  checkShape(operation, filled);
  return filled;
}

/**
 * The layout with its axes in another order.
 *
 * @throws {@link FramePackError} `ERR_ARGUMENT` unless `axes` names every axis once.
 */
export function permuteLayout(operation: string, layout: Layout, axes: readonly number[]): Layout {
  const rank = layout.shape.length;
  if (
    !Array.isArray(axes) ||
    axes.length !== rank ||
    !layout.shape.every((_, axis) => axes.includes(axis))
  ) {
    throw new FramePackError(
      'ERR_ARGUMENT',
      `${operation}: axes expected every axis of ${formatShape(layout.shape)} once, ` +
        `got ${showList(axes)}`,
    );
  }
  return {
    shape: axes.map((axis) => layout.shape[axis]!),
    strides: axes.map((axis) => layout.strides[axis]!),
    offset: layout.offset,
  };
}

/** Bounds of a slice: `start` and `end` may count from the end of the axis. */
export interface SliceBounds {
  readonly start: number;
  readonly end?: number | undefined;
  readonly step?: number | undefined;
}

/**
 * Every `step`-th element of `[start, end)` along one axis.
 *
 * @throws {@link FramePackError} `ERR_ARGUMENT` unless `0 <= start <= end <= extent` and `step >= 1`.
 */
export function sliceLayout(
  operation: string,
  layout: Layout,
  axis: number,
  bounds: SliceBounds,
): Layout {
  const index = resolveAxis(operation, axis, layout.shape.length);
  const extent = layout.shape[index]!;
  const { start: first, end: last = extent, step = 1 } = bounds;
  const isWhole = [first, last, step].every(Number.isInteger);
  const start = isWhole && first < 0 ? first + extent : first;
  const end = isWhole && last < 0 ? last + extent : last;
  if (!isWhole || start < 0 || end < start || end > extent || step < 1) {
    throw new FramePackError(
      'ERR_ARGUMENT',
      `${operation}: bounds expected 0 <= start <= end <= ${extent} and step >= 1 on axis ${index} ` +
        `of ${formatShape(layout.shape)}, got start ${show(start)}, end ${show(end)}, step ${show(step)}`,
    );
  }
  const count = Math.ceil((end - start) / step);
  const stride = layout.strides[index]!;
  return {
    shape: layout.shape.with(index, count),
    strides: layout.strides.with(index, stride * step),
    offset: count === 0 ? layout.offset : layout.offset + start * stride,
  };
}

/**
 * Merges neighbouring axes into one wherever memory allows it, and drops axes of extent 1, so that
 * `[..., D]` views become few strided axes.
 */
export function coalesce(shape: Shape, ...strides: readonly (readonly number[])[]): Coalesced {
  const outShape: number[] = [];
  const outStrides: number[][] = strides.map(() => []);
  for (let axis = 0; axis < shape.length; axis++) {
    const extent = shape[axis]!;
    if (extent === 1) continue;
    const last = outShape.length - 1;
    const isMergeable =
      last >= 0 && strides.every((s, i) => outStrides[i]![last] === s[axis]! * extent);
    if (isMergeable) {
      outShape[last]! *= extent;
      for (const [i, s] of strides.entries()) outStrides[i]![last] = s[axis]!;
    } else {
      outShape.push(extent);
      for (const [i, s] of strides.entries()) outStrides[i]!.push(s[axis]!);
    }
  }
  return { shape: outShape, strides: outStrides };
}

/** Result of {@link coalesce}: one shape and the strides of every operand in it. */
export interface Coalesced {
  readonly shape: number[];
  readonly strides: number[][];
}
