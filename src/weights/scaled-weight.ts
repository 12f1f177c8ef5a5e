import { FramePackError } from '../errors.ts';
import type { ScaleMode } from '../tensor/tensor.ts';

const BLOCK = 64;

/** How scales of a stored shape apply, and the shape they are used with. */
export interface ScaleLayout {
  readonly mode: ScaleMode;
  readonly shape: readonly number[];
}

/**
 * Recognises the scales that fp8 checkpoints store beside a weight `[N, K]` as `scale_weight`: `[]` or `[1]` for the
 * tensor, `[N]` or `[N, 1]` for rows, `[N, K / 64, 1]` for blocks.
 *
 * @throws {@link FramePackError} `ERR_CHECKPOINT` for any other shape.
 */
export function scaleLayout(
  stored: readonly number[],
  weight: readonly number[],
  name: string,
): ScaleLayout {
  const [rows = 0, columns = 0] = weight;
  const numBlocks = columns / BLOCK;
  const [storedRows, storedBlocks, ...rest] =
    stored.length > 1 && stored.at(-1) === 1 ? stored.slice(0, -1) : stored;
  if (stored.length <= 1 && (storedRows ?? 1) === 1) return { mode: 'tensor', shape: [1] };
  if (storedRows === rows && storedBlocks === undefined) return { mode: 'channel', shape: [rows] };
  if (storedRows === rows && storedBlocks === numBlocks && rest.length === 0) {
    return { mode: 'block64', shape: [rows, numBlocks] };
  }
  const blocks = Number.isInteger(numBlocks) ? ` or [${rows}, ${numBlocks}, 1]` : '';
  throw new FramePackError(
    'ERR_CHECKPOINT',
    `checkpoint: scale ${name} expected one value or [${rows}, 1]${blocks}, got [${stored.join(', ')}]`,
    { tensor: name, found: stored },
  );
}
