import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { z } from 'zod';
import type { DeviceKind } from '../../tensor/device.ts';
import type { FloatDType } from '../../tensor/dtype.ts';
import type { LoraReport } from '../inputs/loras.ts';
import { releasedSchedule } from '../inputs/schedule.ts';
import type { ResolvedRequest } from '../request.ts';

const GENERATOR = 'framepack-node';
const MANIFEST = new URL('../../../package.json', import.meta.url);
/** Halves of surrogate pairs, which no UTF-8 file can hold. */
const LONE_SURROGATE = /\p{Cs}/gu;

/** A LoRA that a video was made with: the name of its file without the folder, and how much of it was used. */
export interface StoredLora extends Pick<LoraReport, 'file' | 'scale' | 'sha256' | 'numMatched'> {
  readonly numUnmatched: number;
}

/** How a video was made: what is stored in it, so that it can be made again. */
export interface VideoMetadata extends ResolvedRequest {
  readonly generator: typeof GENERATOR;
  /** Version of this package. */
  readonly version: string;
  /** Version of Node. */
  readonly node: string;
  /** Name of the checkpoint. */
  readonly model: string;
  /** SHA-256 of its weights files by `part/file`; null when they could not be read any more. */
  readonly checkpoint: Readonly<Record<string, string>> | null;
  /** SHA-256 of the start picture's file; null without one. */
  readonly image: string | null;
  /** LoRAs in the order of the request. */
  readonly loras: readonly StoredLora[];
  readonly device: DeviceKind;
  readonly dtype: FloatDType;
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly numFrames: number;
  /** Quality that the encoder was asked for. */
  readonly crf: number;
}

const count = z.int().nonnegative();
const digest = z.string().regex(/^[0-9a-f]{64}$/);

const fields = z.object({
  generator: z.literal(GENERATOR),
  version: z.string(),
  node: z.string(),
  model: z.string(),
  checkpoint: z.record(z.string(), digest).nullable(),
  image: digest.nullable(),
  // Older versions had none.
  loras: z
    .array(
      z.object({
        ...{ file: z.string(), scale: z.number(), sha256: digest },
        ...{ numMatched: count, numUnmatched: count },
      }),
    )
    .default([]),
  device: z.enum(['cpu', 'cuda', 'meta']),
  dtype: z.enum(['f32', 'f16', 'bf16']),
  width: count,
  height: count,
  fps: count,
  numFrames: count,
  crf: count,
  prompt: z.string(),
  negativePrompt: z.string(),
  mode: z.enum(['i2v', 'f1']),
  // Older versions knew the two released schedules alone, with windows of 9.
  schedule: z.string().optional(),
  latentWindowSize: count.default(9),
  flowShift: z.number().nullable().default(null),
  seconds: z.number(),
  steps: count,
  // Beyond 2^53 - 1 a number of JSON would be another one.
  seed: z.union([
    count,
    z
      .string()
      .regex(/^\d{1,20}$/)
      .transform(BigInt),
  ]),
  guidance: z.number(),
  cfg: z.number(),
  guidanceRescale: z.number(),
  tiling: z.enum(['temporal', 'full']),
  start: z.enum(['grey', 'noise', 'black', 'white']).nullable(),
  stepCache: z
    .object({ kind: z.enum(['tea', 'mag', 'first-block']), threshold: z.number() })
    .nullable(),
});

const schema: z.ZodType<VideoMetadata> = fields.transform(({ schedule, ...facts }) => ({
  ...facts,
  schedule: schedule ?? releasedSchedule(facts.mode, facts.latentWindowSize),
}));

/** What of a LoRA is stored. */
export function storedLora({ unmatched, file, ...report }: LoraReport): StoredLora {
  return { ...report, file: basename(file), numUnmatched: unmatched.length };
}

/** Version of this package. */
export function packageVersion(): string {
  return (JSON.parse(readFileSync(MANIFEST, 'utf8')) as { version: string }).version;
}

/** The metadata as the JSON text that files carry. */
export function metadataText(facts: Omit<VideoMetadata, 'generator' | 'version' | 'node'>): string {
  const metadata = {
    generator: GENERATOR,
    version: packageVersion(),
    node: process.versions.node,
    ...facts,
  };
  return JSON.stringify(metadata, (_, value: unknown) => {
    if (typeof value === 'bigint') return String(value);
    return typeof value === 'string' ? value.replace(LONE_SURROGATE, '\uFFFD') : value;
  });
}

/** Reads {@link metadataText}; null for any other text. */
export function parseMetadata(text: string): VideoMetadata | null {
  try {
    return schema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}
