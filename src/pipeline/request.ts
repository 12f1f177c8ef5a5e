import { z } from 'zod';
import type { GenerationMode } from '../framepack/named-schedules.ts';
import { ENCODER_NAMES, type EncoderName } from '../media/video/formats.ts';
import {
  checkRatios,
  STEP_CACHE_THRESHOLDS,
  type StepCacheKind,
  type StepCacheSettings,
} from '../sampling/step-cache/open-step-cache.ts';
import type { FloatDType } from '../tensor/dtype.ts';
import { type CheckpointInfo, SETTING_RANGES } from '../weights/checkpoint-info.ts';
import { type DeviceChoice, deviceSchema, EXPECTED_DEVICE } from './inputs/device-choice.ts';
import { fieldError } from './inputs/field-errors.ts';
import { EXPECTED_LORAS, type LoraChoice, lorasSchema } from './inputs/loras.ts';
import { type ResolvedSchedule, resolveSchedule } from './inputs/schedule.ts';
import { EXPECTED_SEED, resolveSeed, type Seed, seedSchema } from './inputs/seed.ts';
import { DEFAULT_START, type StartKind } from './inputs/start-picture.ts';
import type { ModelParts } from './model/locate/part-fields.ts';

/** A step cache by its kind, its threshold, or both. */
export interface StepCacheChoice {
  readonly kind?: StepCacheKind | undefined;
  readonly threshold?: number | undefined;
}

/** What a model is opened with; the same for all of its videos. */
export interface LoadOptions {
  /**
   * What to load: a folder in the Hugging Face layout, a released model by its repository
   * (`lllyasviel/FramePackI2V_HY`, `lllyasviel/FramePack_F1_I2V_HY_20250503`) as `framepack pull` leaves it in the cache,
   * a folder of that cache, the cache itself where it holds one, ComfyUI's `models` folder, or a file or folder with
   * weights. What files come without, configurations and whole parts of the released model, is taken from the package and
   * from the cache. Nothing is downloaded. Not needed where `parts` names a transformer.
   */
  readonly model?: string | undefined;
  /** Networks to use in place of the model's. */
  readonly parts?: ModelParts | undefined;
  /** Hugging Face cache in which repositories are looked for; default as its own programs find it. */
  readonly cacheFolder?: string | undefined;
  /** Word in the names of the weights to take where they are there in several types, such as `fp16`. */
  readonly variant?: string | undefined;
  /** Whether weight files may be links to anywhere, and not only into a Hugging Face cache. */
  readonly allowLinks?: boolean | undefined;
  /** Where to compute; default `auto`. The `plan` event says what that was. */
  readonly device?: DeviceChoice | undefined;
  /**
   * Dtype of the transformer's activations; default f32 on the CPU, bf16 on CUDA. In 16 bits the other networks use the
   * 16-bit type of their weights.
   */
  readonly dtype?: FloatDType | undefined;
  /** Threads of the CPU device. */
  readonly threads?: number | undefined;
  /** Most bytes that tensors may take on the device. */
  readonly budgetBytes?: number | undefined;
}

/** One video. Everything but the prompt has a default, most from the checkpoint. */
export interface VideoRequest {
  readonly prompt: string;
  /** Start picture: a path or the bytes of a PNG, JPEG or WebP. Without one the video starts from `start`. */
  readonly image?: string | Uint8Array | undefined;
  /**
   * What a video without a picture starts from, default grey; its first 9 frames, in which that fades, are left out.
   */
  readonly start?: StartKind | undefined;
  /** Only heard when `cfg` is not 1. */
  readonly negativePrompt?: string | undefined;
  /** `i2v` samples from the end of the video to the picture, `f1` forwards. */
  readonly mode?: GenerationMode | undefined;
  /**
   * What each section sees of the rest of the video, and how finely: a name of `NAMED_SCHEDULES` or the notation of
   * `parseSchedule`. Default: the released schedule of the mode. Any schedule runs on any checkpoint, also one that its
   * weights were not trained with, which a warning says.
   */
  readonly schedule?: string | undefined;
  /** Latent frames of a section, 1 to 64; default that of the checkpoint. A schedule says it itself as `gN`. */
  readonly latentWindowSize?: number | undefined;
  /**
   * How far the noise levels lean towards noise, above 0 to 100; 1 is evenly spaced. Default: the Flux rule by the number of
   * tokens of a section, at most 7.
   */
  readonly flowShift?: number | undefined;
  /** Length of the video, up to 120; rounded to whole sections. */
  readonly seconds?: number | undefined;
  /** Sampler steps for each section, 1 to 100. */
  readonly steps?: number | undefined;
  /** Seed of the noise; default that of the checkpoint. */
  readonly seed?: Seed | undefined;
  /** Distilled guidance, 0 to 50. */
  readonly guidance?: number | undefined;
  /** Classifier-free guidance scale, 1 (off) to 20; anything but 1 doubles the work. */
  readonly cfg?: number | undefined;
  readonly guidanceRescale?: number | undefined;
  /**
   * Skips blocks of steps that change little: a kind, with a threshold of its own if wanted, or the threshold of `tea`
   * alone. 0 or absent is off. `mag` needs a checkpoint that was calibrated for it.
   */
  readonly stepCache?: number | StepCacheKind | StepCacheChoice | undefined;
  /**
   * LoRAs to merge into the transformer, any number of them; their changes add up. Another video of the same model may
   * have others. Without the one that was asked for no video is made.
   */
  readonly loras?: readonly LoraChoice[] | undefined;
  /**
   * `full` cuts the decoder's work into spatial tiles too, for little memory; it changes pixels slightly. `temporal` unless
   * given, or `full` where a video of this size would not fit into the memory.
   */
  readonly tiling?: 'temporal' | 'full' | undefined;
  /**
   * Path of the video to write; an existing one is only replaced with `overwrite`. The extension decides what it is: `.mp4`, `.m4v`, `.mov`, `.mkv`,
   * `.webm`, `.gif`, or a folder of PNG pictures for a path that ends in `/`. Absent: frames only. `{date}`, `{time}`,
   * `{seed}`, `{mode}` and `{model}` in it are filled in; `{n}` is the first number from 1 whose name is free.
   */
  readonly out?: string | undefined;
  /**
   * Whether `out` may replace an existing file, or a folder that holds nothing but numbered pictures. It does so when the
   * video is complete; a run that fails leaves the old one.
   */
  readonly overwrite?: boolean | undefined;
  /**
   * Folder of the job, made if it is not there: the request with its picture, finished sections, a log and the result. It
   * stays. The function `resume`, or the same request with the same folder, goes on behind the last whole section after a
   * crash and gives the same video, bit for bit; what only concerns decoding and the file may change. Another model,
   * version, prompt, picture or setting is refused.
   */
  readonly job?: string | undefined;
  /** Quality of the encoder, 0 (best) to 51; default 16. */
  readonly crf?: number | undefined;
  /** Encoder of the file; the first that suits it and works on this machine unless given. */
  readonly encoder?: EncoderName | undefined;
  /** Frames a second of the file, 1 to 120, in place of the model's; the frames stay, so that another rate plays slower or faster. */
  readonly fps?: number | undefined;
  /**
   * Whether the file says how it was made, prompt and seed included; `inspectVideo` reads it. True unless given; a GIF
   * says nothing.
   */
  readonly metadata?: boolean | undefined;
  /** Whether steps carry a preview picture, and how: as RGB bytes (`true` too) or as a PNG file. */
  readonly preview?: boolean | 'rgb' | 'png' | undefined;
  /** Stops the run within one block of the network. */
  readonly signal?: AbortSignal | undefined;
}

/** A model and one video of it. */
export interface GenerateRequest extends LoadOptions, VideoRequest {}

export type Choice =
  | 'prompt'
  | 'negativePrompt'
  | 'seconds'
  | 'steps'
  | 'guidance'
  | 'cfg'
  | 'guidanceRescale';

/** A request with every choice made. */
export type ResolvedRequest = ResolvedSchedule & {
  readonly [K in Choice]: Exclude<VideoRequest[K], undefined>;
} & {
  /** Null: by the number of tokens of a section. */
  readonly flowShift: number | null;
  /** What the video starts from; null for a picture. */
  readonly start: StartKind | null;
  /** The seed in use; a bigint only beyond 2^53 - 1. */
  readonly seed: number | bigint;
  /** Null: off. */
  readonly stepCache: StepCacheSettings | null;
  /** Null: as the memory allows. */
  readonly tiling: 'temporal' | 'full' | null;
};

const { maxSeconds, maxSteps, maxGuidance, maxCfg, maxLatentWindowSize } = SETTING_RANGES;
const MAX_FLOW_SHIFT = 100;
const MAX_SCHEDULE_LENGTH = 1000;
const MAX_THREADS = 1024;
const WORST_CRF = 51;
const MAX_FPS = 120;
const MAX_PROMPT_LENGTH = 10_000;
const EXPECTED_PROMPT = `text of at most ${MAX_PROMPT_LENGTH} characters without control characters`;

/** All but tab and line ends. */
const CONTROL = /[^\P{Cc}\t\n\r]/u;
const prompt = z
  .string()
  .max(MAX_PROMPT_LENGTH)
  .refine((text) => !CONTROL.test(text));
const cacheKind = z.enum(['tea', 'mag', 'first-block']);
const cacheThreshold = z.number().min(0).max(10);

const path = z.string().min(1);

const schema = z.strictObject({
  model: path.optional(),
  parts: z
    .strictObject({
      transformer: path.optional(),
      vae: path.optional(),
      textEncoder: path.optional(),
      clip: path.optional(),
      imageEncoder: path.optional(),
    })
    .optional(),
  cacheFolder: path.optional(),
  variant: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9_]*$/)
    .optional(),
  allowLinks: z.boolean().optional(),
  prompt,
  image: z.union([z.string().min(1), z.instanceof(Uint8Array)]).optional(),
  start: z.enum(['grey', 'noise', 'black', 'white']).optional(),
  negativePrompt: prompt.optional(),
  mode: z.enum(['i2v', 'f1']).optional(),
  schedule: z.string().min(1).max(MAX_SCHEDULE_LENGTH).optional(),
  latentWindowSize: z.int().min(1).max(maxLatentWindowSize).optional(),
  flowShift: z.number().positive().max(MAX_FLOW_SHIFT).optional(),
  seconds: z.number().positive().max(maxSeconds).optional(),
  steps: z.int().min(1).max(maxSteps).optional(),
  seed: seedSchema.optional(),
  guidance: z.number().min(0).max(maxGuidance).optional(),
  cfg: z.number().min(1).max(maxCfg).optional(),
  guidanceRescale: z.number().min(0).max(1).optional(),
  stepCache: z
    .union([
      cacheThreshold,
      cacheKind,
      z.strictObject({ kind: cacheKind.optional(), threshold: cacheThreshold.optional() }),
    ])
    .optional(),
  loras: lorasSchema.optional(),
  tiling: z.enum(['temporal', 'full']).optional(),
  device: deviceSchema.optional(),
  dtype: z.enum(['f32', 'f16', 'bf16']).optional(),
  threads: z.int().min(1).max(MAX_THREADS).optional(),
  budgetBytes: z.int().positive().optional(),
  out: z.string().min(1).optional(),
  overwrite: z.boolean().optional(),
  job: z.string().min(1).optional(),
  crf: z.int().min(0).max(WORST_CRF).optional(),
  encoder: z.enum(ENCODER_NAMES).optional(),
  fps: z.int().min(1).max(MAX_FPS).optional(),
  metadata: z.boolean().optional(),
  preview: z.union([z.boolean(), z.enum(['rgb', 'png'])]).optional(),
  signal: z.instanceof(AbortSignal).optional(),
});

/** What each field may be, for messages. */
const EXPECTED: Readonly<Record<keyof GenerateRequest, string>> = {
  model: 'the path of a model folder or a repository',
  parts:
    '{ transformer, vae, textEncoder, clip, imageEncoder }, each the path of a file or a folder',
  cacheFolder: 'the path of a folder',
  variant: 'a word such as fp16',
  allowLinks: 'true or false',
  prompt: EXPECTED_PROMPT,
  image: 'a path or the bytes of a picture',
  start: 'grey, noise, black or white',
  negativePrompt: EXPECTED_PROMPT,
  mode: 'i2v or f1',
  schedule: `the name or the notation of a schedule, at most ${MAX_SCHEDULE_LENGTH} characters`,
  latentWindowSize: `a whole number from 1 to ${maxLatentWindowSize}`,
  flowShift: `a number above 0, at most ${MAX_FLOW_SHIFT}`,
  seconds: `a number above 0, at most ${maxSeconds}`,
  steps: `a whole number from 1 to ${maxSteps}`,
  seed: EXPECTED_SEED,
  guidance: `a number from 0 to ${maxGuidance}`,
  cfg: `a number from 1 to ${maxCfg}`,
  guidanceRescale: 'a number from 0 to 1',
  stepCache: 'tea, mag or first-block, a threshold from 0 to 10, or { kind, threshold }',
  loras: EXPECTED_LORAS,
  tiling: 'temporal or full',
  device: EXPECTED_DEVICE,
  dtype: 'f32, f16 or bf16',
  threads: `a whole number from 1 to ${MAX_THREADS}`,
  budgetBytes: 'a whole number of bytes above 0',
  out: 'the path of a file',
  overwrite: 'true or false',
  job: 'the path of a folder',
  crf: `a whole number from 0 to ${WORST_CRF}`,
  encoder: ENCODER_NAMES.join(', '),
  fps: `a whole number from 1 to ${MAX_FPS}`,
  metadata: 'true or false',
  preview: 'true, false, rgb or png',
  signal: 'an AbortSignal',
};

const LOAD_FIELDS = {
  model: true,
  parts: true,
  cacheFolder: true,
  variant: true,
  allowLinks: true,
  device: true,
  dtype: true,
  threads: true,
  budgetBytes: true,
} as const;
const loadSchema = schema.pick(LOAD_FIELDS);
const videoSchema = schema.omit(LOAD_FIELDS);

/**
 * Checks what can be checked without the checkpoint: types, ranges, unknown fields.
 *
 * @throws {@link FramePackError} `ERR_ARGUMENT` naming the field, what it may be and what it was.
 */
export function checkRequest(request: GenerateRequest): GenerateRequest {
  return check('generate', schema, request);
}

/** A checked request in two: what the model is opened with, and the video. */
export function splitRequest(request: GenerateRequest): {
  readonly load: LoadOptions;
  readonly request: VideoRequest;
} {
  const {
    model,
    parts,
    cacheFolder,
    variant,
    allowLinks,
    device,
    dtype,
    threads,
    budgetBytes,
    ...video
  } = request;
  return {
    load: { model, parts, cacheFolder, variant, allowLinks, device, dtype, threads, budgetBytes },
    request: video,
  };
}

/** The part of {@link checkRequest} that concerns the model. */
export function checkLoadOptions(options: LoadOptions): LoadOptions {
  return check('load', loadSchema, options);
}

/** The part of {@link checkRequest} that concerns one video. */
export function checkVideoRequest(request: VideoRequest): VideoRequest {
  return check('generate', videoSchema, request);
}

function check<T>(operation: string, fields: z.ZodObject & z.ZodType<T>, given: unknown): T {
  const result = fields.safeParse(given);
  if (result.success) return result.data as T;
  const known = Object.entries(EXPECTED).filter(([field]) => field in fields.shape);
  throw fieldError({ operation, given, expected: Object.fromEntries(known) }, result.error.issues);
}

/**
 * Fills in the defaults of the checkpoint.
 *
 * @throws {@link FramePackError} as `resolveSchedule`; `ERR_UNSUPPORTED` for a step cache that the checkpoint lacks numbers for.
 */
export function resolveRequest(request: VideoRequest, info: CheckpointInfo): ResolvedRequest {
  const { defaults } = info;
  const stepCache = stepCacheOf(request.stepCache);
  if (stepCache?.kind === 'mag') checkRatios(info.magRatios);
  return {
    prompt: request.prompt,
    start: request.image === undefined ? (request.start ?? DEFAULT_START) : null,
    negativePrompt: request.negativePrompt ?? '',
    ...resolveSchedule(request, info),
    flowShift: request.flowShift ?? null,
    seconds: request.seconds ?? defaults.seconds,
    steps: request.steps ?? defaults.steps,
    seed: resolveSeed(request.seed ?? defaults.seed),
    guidance: request.guidance ?? defaults.guidance,
    cfg: request.cfg ?? defaults.cfg,
    guidanceRescale: request.guidanceRescale ?? defaults.guidanceRescale,
    tiling: request.tiling ?? null,
    stepCache,
  };
}

/** What the text encoders read: the prompt, and with guidance the negative one. */
export function promptsOf(settings: ResolvedRequest): readonly string[] {
  const { prompt, negativePrompt, cfg } = settings;
  return cfg === 1 ? [prompt] : [prompt, negativePrompt];
}

function stepCacheOf(asked: VideoRequest['stepCache']): StepCacheSettings | null {
  if (asked === undefined) return null;
  const named =
    typeof asked === 'number'
      ? { threshold: asked }
      : typeof asked === 'string'
        ? { kind: asked }
        : asked;
  const { kind = 'tea' } = named;
  const { threshold = STEP_CACHE_THRESHOLDS[kind] } = named;
  return threshold === 0 ? null : { kind, threshold };
}
