import { z } from 'zod';
import { configFault } from './config-fields.ts';

const FORMAT = 'framepack-checkpoint/1';
const SIGNED_RGB = 'rgb in -1..1 from scaled latents';
const UNIT_RGB = 'rgb in 0..1 from scaled latents';

/** What settings may be, in a request and as a checkpoint's defaults. */
export const SETTING_RANGES: {
  /** Above 0. */
  readonly maxSeconds: number;
  readonly maxSteps: number;
  readonly maxGuidance: number;
  /** From 1, which is off. */
  readonly maxCfg: number;
  readonly maxLatentWindowSize: number;
} = { maxSeconds: 120, maxSteps: 100, maxGuidance: 50, maxCfg: 20, maxLatentWindowSize: 64 };

const MAX_TEXT = 10_000;
const MAX_TOKENS = 8192;
/** Pixels that a latent covers: sizes are multiples of it, and of the transformer's patch times it. */
const LATENT_EDGE = 8;
const MAX_EDGE = 4096;

const edge = z.int().min(LATENT_EDGE).max(MAX_EDGE).multipleOf(LATENT_EDGE);
const tokens = z.int().min(1).max(MAX_TOKENS);
const weight = z.number().min(-1000).max(1000);
const triple = z.tuple([weight, weight, weight]);
const mode = z.enum(['i2v', 'f1']);

const infoSchema = z
  .object({
    format: z.literal(FORMAT),
    name: z.string().min(1).max(200),
    family: z.literal('hunyuan-video'),
    fps: z.int().min(1).max(240),
    latent_window_size: z.int().min(1).max(SETTING_RANGES.maxLatentWindowSize),
    buckets: z
      .array(z.tuple([edge, edge]))
      .min(1)
      .max(1000),
    mag_ratios: z.array(z.number().positive().max(1000)).min(2).max(1000).optional(),
    prompt: z
      .object({
        template: z
          .string()
          .max(MAX_TEXT)
          .refine((text) => text.split('{}').length === 2, 'expected one {}'),
        hidden_layer: z.int().min(-1000).max(-1),
        max_length: tokens,
        padded_length: tokens,
        clip_max_length: tokens.min(2),
      })
      .refine((prompt) => prompt.padded_length >= prompt.max_length, {
        path: ['padded_length'],
        message: 'expected at least max_length',
      }),
    modes: z
      .array(mode)
      .min(1)
      .refine((modes) => new Set(modes).size === modes.length, 'expected each mode once'),
    defaults: z.object({
      mode,
      seconds: z.number().positive().max(SETTING_RANGES.maxSeconds),
      steps: z.int().min(1).max(SETTING_RANGES.maxSteps),
      seed: z.int().min(0),
      guidance: z.number().min(0).max(SETTING_RANGES.maxGuidance),
      cfg: z.number().min(1).max(SETTING_RANGES.maxCfg),
      guidance_rescale: z.number().min(0).max(1),
    }),
    preview: z.object({
      space: z.enum([SIGNED_RGB, UNIT_RGB]),
      matrix: z.array(triple).min(1).max(1000),
      bias: triple,
    }),
  })
  .refine((info) => info.modes.includes(info.defaults.mode), {
    path: ['defaults', 'mode'],
    message: 'expected one of modes',
  });

/** Three colour components. */
export type Rgb = readonly [number, number, number];

/** A mode that a checkpoint's weights were trained for. */
export type CheckpointMode = 'i2v' | 'f1';

/** What a checkpoint says about itself beside its weights; the official app has these numbers in its code. */
export interface CheckpointInfo {
  readonly name: string;
  /** Frames a second that the model was trained at. */
  readonly fps: number;
  /** Latent frames of one section. */
  readonly latentWindowSize: number;
  /** Sizes in pixels that the model was trained at; of two that fit equally the later one wins. */
  readonly buckets: readonly { readonly height: number; readonly width: number }[];
  readonly prompt: {
    /** Text around the prompt of the Llama encoder, with one `{}`. */
    readonly template: string;
    /** Which hidden state is used, counted from the end: -1 is the last layer behind the final norm. */
    readonly hiddenLayer: number;
    /** Tokens of the prompt that are kept, beyond those in front of `{}`. */
    readonly maxLength: number;
    /** Tokens that the hidden states are padded to before the transformer. */
    readonly paddedLength: number;
    readonly clipMaxLength: number;
  };
  readonly modes: readonly CheckpointMode[];
  readonly defaults: {
    /** Null when nothing tells what the weights were trained for: a request has to. */
    readonly mode: CheckpointMode | null;
    readonly seconds: number;
    readonly steps: number;
    readonly seed: number;
    /** Distilled guidance scale. */
    readonly guidance: number;
    /** Scale of classifier-free guidance; 1 is off. */
    readonly cfg: number;
    readonly guidanceRescale: number;
  };
  readonly preview: PreviewMatrix;
  /** What MagCache decides by, one number a step of the calibration; null when there was none. */
  readonly magRatios: readonly number[] | null;
}

/** A linear map from one latent pixel to a colour, for previews: `rgb = sum_c latent_c weights_c + bias`. */
export interface PreviewMatrix {
  /** One row for each latent channel. */
  readonly weights: readonly Rgb[];
  readonly bias: Rgb;
  /** The components of black and of white; what lies beyond is clamped. */
  readonly range: { readonly low: number; readonly high: number };
}

/**
 * Validates the content of `framepack.json`.
 *
 * @param file - path for the error message.
 * @throws {@link FramePackError} `ERR_CHECKPOINT` naming the field.
 */
export function parseCheckpointInfo(json: unknown, file: string): CheckpointInfo {
  const result = infoSchema.safeParse(json);
  if (!result.success) throw configFault(file, json, result.error);
  const { prompt, defaults, preview, ...info } = result.data;
  const { guidance_rescale: guidanceRescale, ...otherDefaults } = defaults;
  return {
    name: info.name,
    fps: info.fps,
    latentWindowSize: info.latent_window_size,
    buckets: info.buckets.map(([height, width]) => ({ height, width })),
    prompt: {
      template: prompt.template,
      hiddenLayer: prompt.hidden_layer,
      maxLength: prompt.max_length,
      paddedLength: prompt.padded_length,
      clipMaxLength: prompt.clip_max_length,
    },
    modes: info.modes,
    magRatios: info.mag_ratios ?? null,
    defaults: { ...otherDefaults, guidanceRescale },
    preview: {
      weights: preview.matrix,
      bias: preview.bias,
      range: { low: preview.space === SIGNED_RGB ? -1 : 0, high: 1 },
    },
  };
}
