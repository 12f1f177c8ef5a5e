import { z } from 'zod';
import { FramePackError } from '../errors.ts';

const FORMAT = 'framepack-checkpoint/1';
const SIGNED_RGB = 'rgb in -1..1 from scaled latents';
const UNIT_RGB = 'rgb in 0..1 from scaled latents';

const positive = z.int().positive();
const finite = z.number();
const triple = z.tuple([finite, finite, finite]);
const mode = z.enum(['i2v', 'f1']);

const infoSchema = z
  .object({
    format: z.literal(FORMAT),
    name: z.string().min(1),
    family: z.literal('hunyuan-video'),
    fps: positive,
    latent_window_size: positive,
    buckets: z.array(z.tuple([positive, positive])).min(1),
    prompt: z.object({
      template: z.string().refine((text) => text.split('{}').length === 2, 'expected one {}'),
      hidden_layer: z.int().negative(),
      max_length: positive,
      padded_length: positive,
      clip_max_length: positive,
    }),
    modes: z.array(mode).min(1),
    defaults: z.object({
      mode,
      seconds: z.number().positive(),
      steps: positive,
      seed: z.int().nonnegative(),
      guidance: finite,
      cfg: finite,
      guidance_rescale: finite,
    }),
    mag_ratios: z.array(z.number().positive()).min(2).optional(),
    preview: z.object({
      space: z.enum([SIGNED_RGB, UNIT_RGB]),
      matrix: z.array(triple).min(1),
      bias: triple,
    }),
  })
  .refine((info) => info.modes.includes(info.defaults.mode), 'defaults.mode expected among modes');

/** Three colour components. */
type Rgb = readonly [number, number, number];

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
    readonly mode: CheckpointMode;
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
  if (!result.success) {
    const [issue] = result.error.issues;
    const field = issue === undefined || issue.path.length === 0 ? 'content' : issue.path.join('.');
    throw new FramePackError(
      'ERR_CHECKPOINT',
      `checkpoint: ${file}: ${field} expected another value, got: ${issue?.message}`,
      { file, field },
    );
  }
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
