import { z } from 'zod';
import { checkRequest, type GenerateRequest } from '../request.ts';

/** Names of the files of a job besides its sections. */
export const JOB_FILES = {
  request: 'request.json',
  picture: 'picture',
  result: 'result.json',
  log: 'log.jsonl',
} as const;

/** What came of a job. */
export interface JobResult {
  /** Absolute path of the video, or of its folder of pictures; null when the request named none. */
  readonly file: string | null;
  /** SHA-256 of the video, or of all pictures one after the other; null without one. */
  readonly sha256: string | null;
  readonly numFrames: number;
  readonly width: number;
  readonly height: number;
  readonly fps: number;
}

const FORMAT = 'framepack-job';
const VERSION = 1;
const digest = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.int().nonnegative();
const stamp = { format: z.literal(FORMAT), version: z.literal(VERSION) };

const requestSchema = z.object({
  ...stamp,
  picture: digest.nullable(),
  request: z.record(z.string(), z.unknown()),
});

const resultSchema = z.object({
  ...stamp,
  file: z.string().nullable(),
  sha256: digest.nullable(),
  numFrames: count,
  width: count,
  height: count,
  fps: count,
});

/** A request as `request.json` has it: all of it but the picture, which lies beside it, and what is only of one process. */
export function storedRequest(request: GenerateRequest, picture: string | null): object {
  const { signal: _signal, job: _job, image: _image, ...rest } = request;
  return { format: FORMAT, version: VERSION, picture, request: rest };
}

/** What {@link storedRequest} stored. */
export interface StoredRequest {
  readonly request: GenerateRequest;
  /** SHA-256 of the picture's file; null without one. */
  readonly picture: string | null;
}

/**
 * Reads {@link storedRequest}.
 *
 * @returns null for anything else.
 * @throws {@link FramePackError} `ERR_ARGUMENT` naming a field of the request that is none or out of range.
 */
export function parseStoredRequest(document: unknown): StoredRequest | null {
  const parsed = requestSchema.safeParse(document);
  if (!parsed.success) return null;
  const { picture, request } = parsed.data;
  const { seed } = request;
  // JSON has no number that large.
  const isLarge = typeof seed === 'string' && /^\d+$/.test(seed);
  const fields: unknown = isLarge ? { ...request, seed: BigInt(seed) } : request;
  return { picture, request: checkRequest(fields as GenerateRequest) };
}

/** A result as `result.json` has it. */
export function resultDocument(result: JobResult): object {
  return { format: FORMAT, version: VERSION, ...result };
}

/** Reads {@link resultDocument}; null for anything else. */
export function parseResult(document: unknown): JobResult | null {
  const parsed = resultSchema.safeParse(document);
  if (!parsed.success) return null;
  const { format: _format, version: _version, ...result } = parsed.data;
  return result;
}
