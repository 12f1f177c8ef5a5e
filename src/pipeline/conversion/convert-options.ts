import { z } from 'zod';
import { FramePackError, quote } from '../../errors.ts';
import type { FloatDType } from '../../tensor/dtype.ts';
import type { ScaleMode } from '../../tensor/tensor.ts';
import { fieldError } from '../inputs/field-errors.ts';
import { EXPECTED_LORAS, type LoraChoice, type LoraReport, lorasSchema } from '../inputs/loras.ts';

/** What one scale of an fp8 matrix covers: 64 columns of a row, a row, or all. */
export const FP8_SCHEMES: readonly ScaleMode[] = ['block64', 'channel', 'tensor'];

/** What was written. */
export interface Conversion {
  /** Absolute path. */
  readonly file: string;
  readonly bytes: number;
  /** Matrices that were rounded to fp8. */
  readonly numQuantized: number;
  /** Tensors that were fp8 already and are as they were. */
  readonly numKept: number;
  readonly loras: readonly LoraReport[];
  /** Tensors of the source that are not in the result: other networks, and what only described scales. */
  readonly leftOut: readonly string[];
}

/** What a file is going to be, before anything is computed. */
export interface ConvertPlanEvent extends Conversion {
  readonly type: 'plan';
  /** The file or folder that is read. */
  readonly source: string;
  readonly sourceBytes: number;
  /** Free on the disk of the result. */
  readonly freeBytes: number;
}

/** A tensor is written; at most four times a second. */
export interface ConvertProgressEvent {
  readonly type: 'progress';
  readonly tensor: string;
  /** Of the result. */
  readonly bytes: number;
  readonly totalBytes: number;
  /** Null until there is something to measure. */
  readonly bytesPerSecond: number | null;
  readonly etaMs: number | null;
}

export type ConvertEvent = ConvertPlanEvent | ConvertProgressEvent;

/** What a conversion does: at least one of `fp8`, `dtype` and `loras`. */
export interface ConvertOptions {
  /** Rounds the matrices of the blocks to fp8, with a scale for 64 columns of a row, a row, or each matrix. */
  readonly fp8?: ScaleMode | undefined;
  /** Type of all other floating-point tensors; by default each keeps its own. */
  readonly dtype?: FloatDType | undefined;
  /** Merged into the weights before these are rounded. */
  readonly loras?: readonly LoraChoice[] | undefined;
  /** Whether the result may take the place of a file. */
  readonly overwrite?: boolean | undefined;
  readonly onEvent?: ((event: ConvertEvent) => void) | undefined;
  /** Stops behind the tensor in work and leaves nothing. */
  readonly signal?: AbortSignal | undefined;
}

const schema: z.ZodType<ConvertOptions> = z.strictObject({
  fp8: z.enum(FP8_SCHEMES).optional(),
  dtype: z.enum(['f32', 'f16', 'bf16']).optional(),
  loras: lorasSchema.optional(),
  overwrite: z.boolean().optional(),
  onEvent: z.custom<ConvertOptions['onEvent']>((value) => typeof value === 'function').optional(),
  signal: z.instanceof(AbortSignal).optional(),
});

const EXPECTED: Readonly<Record<keyof ConvertOptions, string>> = {
  fp8: FP8_SCHEMES.join(', '),
  dtype: 'f32, f16 or bf16',
  loras: EXPECTED_LORAS,
  overwrite: 'true or false',
  onEvent: 'a function',
  signal: 'an AbortSignal',
};

/** @throws {@link FramePackError} `ERR_ARGUMENT`. */
export function checkConversion(source: unknown, target: unknown, options: unknown): void {
  for (const [name, value] of Object.entries({ source, target })) {
    if (typeof value !== 'string' || value === '') throw wrong(name, 'a path', quote(value));
  }
  if (!String(target).endsWith('.safetensors')) {
    throw wrong('target', 'a file name that ends in .safetensors', quote(target));
  }
  const { success, data, error } = schema.safeParse(options);
  if (!success) {
    throw fieldError({ operation: 'convert', given: options, expected: EXPECTED }, error.issues);
  }
  const isEmpty = !(data.fp8 || data.dtype || data.loras?.length);
  if (isEmpty) throw wrong('request', 'fp8, dtype or loras', 'none of them');
}

function wrong(field: string, expected: string, got: string): FramePackError {
  const message = `convert: ${field} expected ${expected}, got ${got}`;
  return new FramePackError('ERR_ARGUMENT', message, { field });
}
