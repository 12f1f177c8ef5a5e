import { z } from 'zod';
import { FramePackError } from '../errors.ts';

const MAX_QUOTED = 80;

/** Ranges that fields of configurations share; what is beyond cannot be a network. */

/** A width, a number of channels or rows. */
export const extent: z.ZodInt = z.int().min(1).max(1_000_000);

/** A number of layers, blocks or heads. */
export const count: z.ZodInt = z.int().min(1).max(1000);

/** What a norm adds to the variance. */
export const epsilon: z.ZodNumber = z.number().positive().max(0.1);

/** Base of the rotary frequencies. */
export const rotaryBase: z.ZodNumber = z.number().min(1).max(1e9);

/**
 * The error for a configuration that a schema refuses, naming its first bad field and what is there.
 *
 * @param file - what to call the file.
 */
export function configFault(file: string, json: unknown, error: z.ZodError): FramePackError {
  const issue = error.issues[0]!;
  const field = issue.path.join('.') || 'content';
  const found = issue.path.reduce<unknown>(
    (value, key) => (Object(value) as Record<PropertyKey, unknown>)[key],
    json,
  );
  const got = (JSON.stringify(found) ?? 'nothing').slice(0, MAX_QUOTED);
  return new FramePackError(
    'ERR_CHECKPOINT',
    `checkpoint: ${file}: ${field}: ${issue.message}, got ${got}`,
    { file, field },
    error,
  );
}
