import {
  checkChoice,
  checkDType,
  checkFinite,
  checkList,
  checkObject,
  checkOperands,
  checkShape,
  checkWhole,
  formatTensor,
  mismatch,
} from '../tensor/check.ts';
import type { Device } from '../tensor/device.ts';
import { native } from '../tensor/native.ts';
import { empty, fromArray, type Tensor } from '../tensor/tensor.ts';

const MASKS = ['none', 'causal', 'frame-causal'] as const;

/**
 * Which keys a query sees: all; keys up to its own position, aligned at the end; or keys of its own and
 * earlier frames. The numbers are those of `enum class AttentionMask`.
 */
export type AttentionMask = (typeof MASKS)[number];

/** Independent sequences packed into one; segment g spans `[offsets[g], offsets[g + 1])`. */
export interface AttentionSegments {
  /** Non-decreasing, from 0 or more to at most L. Queries outside every segment give zeros. */
  readonly queryOffsets: readonly number[];
  /** As many as `queryOffsets`, to at most S. */
  readonly keyOffsets: readonly number[];
}

/** Options of {@link attention}. */
export interface AttentionOptions {
  /** Factor of the scores; default `1 / sqrt(K)`. */
  readonly scale?: number | undefined;
  readonly mask?: AttentionMask | undefined;
  /** Tokens per frame of the frame-causal mask. */
  readonly frameTokens?: number | undefined;
  /** With segments B is 1. */
  readonly segments?: AttentionSegments | undefined;
}

/**
 * Softmax attention; scores, maxima and sums are f32, in bf16 with the exception of {@link linear}. Uses O(L) memory on
 * every device.
 *
 * @param q - `[B, L, N, K]` f32, f16 or bf16; rotary positions already applied.
 * @param k - `[B, S, M, K]`, same dtype. M divides N: consecutive query heads share a key head.
 * @param v - as `k`.
 * @returns `[B, L, N, K]`, contiguous.
 * @throws {@link FramePackError} `ERR_SHAPE`, `ERR_DTYPE`, `ERR_ARGUMENT`; `ERR_UNSUPPORTED` for strided head columns.
 * @see FlashAttention-2 (arXiv 2307.08691)
 */
export function attention(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions = {}): Tensor {
  const device = checkOperands('attention', { q, k, v });
  checkObject('attention', 'options', options);
  checkHeads(q, k, v);
  const { mask = 'none', frameTokens = 0, segments } = options;
  const scale = options.scale ?? 1 / Math.sqrt(q.shape[3]!);
  checkFinite('attention', 'scale', scale);
  if (mask === 'frame-causal') checkWhole('attention', 'frameTokens', frameTokens, 1);
  const maskCode = checkChoice('attention', 'mask', mask, MASKS);
  if (segments !== undefined) checkSegments(segments, q, k);
  const out = empty(device, q.shape, q.dtype);
  if (out.size === 0) return out;
  using queryOffsets = offsetTensor(device, segments?.queryOffsets);
  using keyOffsets = offsetTensor(device, segments?.keyOffsets);
  native().attention(device.native, {
    q: q.native,
    k: k.native,
    v: v.native,
    out: out.native,
    queryOffsets: queryOffsets?.native,
    keyOffsets: keyOffsets?.native,
    scale,
    mask: maskCode,
    frameTokens,
  });
  return out;
}

function checkHeads(q: Tensor, k: Tensor, v: Tensor): void {
  checkDType('attention', 'q', q);
  checkDType('attention', 'k', k, [q.dtype]);
  checkDType('attention', 'v', v, [q.dtype]);
  checkShape('attention', 'q', q, [null, null, null, null]);
  checkShape('attention', 'k', k, [q.shape[0]!, null, null, q.shape[3]!]);
  checkShape('attention', 'v', v, k.shape);
  const heads = q.shape[2]!;
  const keyHeads = k.shape[2]!;
  if (keyHeads === 0 ? heads !== 0 : heads % keyHeads !== 0) {
    const expected = `a number of heads that divides the ${heads} of q`;
    throw mismatch('ERR_SHAPE', 'attention', 'k', expected, formatTensor(k));
  }
  for (const [argument, tensor] of Object.entries({ q, k, v })) {
    if (tensor.strides[3] !== 1 && tensor.shape[3]! > 1) {
      const got = `stride ${tensor.strides[3]}; call contiguous()`;
      throw mismatch('ERR_UNSUPPORTED', 'attention', argument, 'adjacent head columns', got);
    }
  }
}

function checkSegments(segments: AttentionSegments, q: Tensor, k: Tensor): void {
  checkObject('attention', 'segments', segments);
  const { queryOffsets, keyOffsets } = segments;
  if (q.shape[0] !== 1) {
    const got = formatTensor(q);
    throw mismatch('ERR_SHAPE', 'attention', 'q', 'a batch of 1 with segments', got);
  }
  checkOffsets('queryOffsets', queryOffsets, q.shape[1]!);
  checkOffsets('keyOffsets', keyOffsets, k.shape[1]!);
  if (queryOffsets.length !== keyOffsets.length) {
    const expected = `${queryOffsets.length} numbers like queryOffsets`;
    throw mismatch('ERR_ARGUMENT', 'attention', 'keyOffsets', expected, `${keyOffsets.length}`);
  }
}

function checkOffsets(argument: string, offsets: readonly number[], tokens: number): void {
  checkList('attention', argument, offsets);
  checkWhole('attention', `${argument}.length`, offsets.length, 2);
  let previous = 0;
  for (const [index, offset] of offsets.entries()) {
    checkWhole('attention', `${argument}[${index}]`, offset, previous, tokens);
    previous = offset;
  }
}

function offsetTensor(
  device: Device,
  offsets: readonly number[] | undefined,
): Tensor<'i32'> | undefined {
  return offsets && fromArray(device, offsets, [offsets.length], 'i32');
}
