import type { Command, Option } from 'commander';
import {
  type DoneEvent,
  ENCODER_NAMES,
  type GenerateEvent,
  type GenerateRequest,
  generate,
  type ModelParts,
} from '../../index.ts';
import { freeName } from '../free-name.ts';
import { interruptible } from '../interrupt.ts';
import {
  modelOption,
  option,
  parseBytes,
  parseDevice,
  parseInteger,
  parseLora,
  parseNumber,
  parseSeed,
  parseStepCache,
  quietOption,
  requiredOption,
} from '../options.ts';
import { type Reporter, reporterFor } from '../progress.ts';

type Renamed = 'signal' | 'budgetBytes' | 'overwrite' | 'loras' | 'cacheFolder' | 'parts';

/** The values of {@link VIDEO_OPTIONS}. */
export interface VideoFlags extends Omit<GenerateRequest, Renamed>, ModelParts {
  readonly cache?: string;
  readonly lora?: GenerateRequest['loras'];
  readonly maxMemory?: number;
}

interface GenerateFlags extends VideoFlags {
  readonly force?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** A setting that the checkpoint decides unless it is given. */
const OF_MODEL = "the model's";

const MODEL_OPTIONS: readonly Option[] = [
  modelOption('transformer'),
  option('--transformer <path>', 'file or folder of the transformer', { default: OF_MODEL }),
  option('--vae <path>', 'file or folder of the VAE', { default: OF_MODEL }),
  option('--text-encoder <path>', 'file or folder of the Llama, its tokenizer beside it', {
    default: OF_MODEL,
  }),
  option('--clip <path>', 'file or folder of the CLIP text encoder, its tokenizer beside it', {
    default: OF_MODEL,
  }),
  option('--image-encoder <path>', 'file or folder of the SigLIP image encoder', {
    default: OF_MODEL,
  }),
  option('--cache <folder>', 'Hugging Face cache in which models are looked for', {
    default: 'that of framepack pull',
  }),
  option('--variant <word>', 'which weights to take where a folder has several, such as fp16'),
  option('--allow-links', 'follow links of weight files to anywhere'),
];

const INPUT_OPTIONS: readonly Option[] = [
  requiredOption('--prompt <text>', 'what happens in the video'),
  option('--image <file>', 'start picture (PNG, JPEG or WebP); without one see --start'),
  option('--start <kind>', 'start of a video without a picture', {
    choices: ['grey', 'noise', 'black', 'white'],
    default: 'grey',
  }),
  option('--negative-prompt <text>', 'what to avoid; needs --cfg above 1'),
  option('--seconds <number>', 'length of the video', { parse: parseNumber, default: OF_MODEL }),
];

const SAMPLING_OPTIONS: readonly Option[] = [
  option('--mode <mode>', 'i2v: from the end backwards; f1: forwards', {
    choices: ['i2v', 'f1'],
    default: OF_MODEL,
  }),
  option(
    '--schedule <text>',
    'what each section sees and how finely: a name or notation, see framepack plan',
    { default: 'that of --mode' },
  ),
  option('--latent-window-size <frames>', 'latent frames of a section', {
    parse: parseInteger,
    default: OF_MODEL,
  }),
  option('--flow-shift <number>', 'how far noise levels lean towards noise; 1 is evenly spaced', {
    parse: parseNumber,
    default: 'by the size of a section, at most 7',
  }),
  option('--steps <number>', 'sampler steps for each section', {
    parse: parseInteger,
    default: OF_MODEL,
  }),
  option('--seed <number>', 'seed of the noise, up to 2^64 - 1; random or -1 draws one', {
    parse: parseSeed,
    default: OF_MODEL,
  }),
  option('--guidance <number>', 'distilled guidance', { parse: parseNumber, default: OF_MODEL }),
  option('--cfg <number>', 'classifier-free guidance scale; 1 is off', {
    parse: parseNumber,
    default: OF_MODEL,
  }),
  option('--guidance-rescale <number>', 'rescale of the guided prediction, 0 to 1', {
    parse: parseNumber,
    default: OF_MODEL,
  }),
  option(
    '--step-cache <kind>',
    'skip blocks when little changes: tea, mag or first-block, with a threshold if wanted (tea:0.15)',
    { parse: parseStepCache, default: 'off' },
  ),
  option(
    '--lora <file>',
    'merge a LoRA into the transformer, with its scale if wanted (file.safetensors:0.8); several add up',
    { parse: parseLora, repeats: true, default: 'none' },
  ),
  option('--tiling <kind>', 'tiles of the decoder', {
    choices: ['temporal', 'full'],
    default: 'temporal, or full where the memory asks for it',
  }),
];

const DEVICE_OPTIONS: readonly Option[] = [
  option('--device <kind>', 'where to compute; a GPU among several is cuda:1 or 1', {
    choices: ['auto', 'cpu', 'cuda'],
    parse: parseDevice,
    default: 'auto, cuda where a GPU is usable, else cpu',
  }),
  option('--dtype <type>', "dtype of the transformer's activations", {
    choices: ['f32', 'f16', 'bf16'],
    default: 'f32 on cpu, bf16 on cuda',
  }),
  option('--threads <number>', 'threads of the CPU device', {
    parse: parseInteger,
    default: 'FRAMEPACK_THREADS, else all cores that may be used',
  }),
  option('--max-memory <bytes>', 'most memory for tensors, for example 6GiB', {
    parse: parseBytes,
    default: 'what a GPU has free; no limit on the CPU',
  }),
];

const FILE_OPTIONS: readonly Option[] = [
  option(
    '--out <file>',
    'video to write: .mp4, .m4v, .mov, .mkv, .webm, .gif, or a folder name with / for PNG pictures; never an ' +
      'existing one without --force; {date}, {time}, {seed}, {mode}, {model} are filled in, {n} counts up',
    { default: 'framepack.mp4, framepack-2.mp4, ...' },
  ),
  option('--force', 'overwrite an existing --out'),
  option(
    '--job <folder>',
    'keep the job in a folder, section by section: framepack resume goes on with it after a crash',
  ),
  option('--crf <number>', 'video quality, 0 (best) to 51', { parse: parseInteger, default: '16' }),
  option('--encoder <name>', 'encoder of the video', {
    choices: ENCODER_NAMES,
    default: 'the first that works',
  }),
  option('--fps <number>', 'frames a second of the file', {
    parse: parseInteger,
    default: OF_MODEL,
  }),
  option('--no-metadata', 'do not store prompt, seed and settings in the file'),
];

/** What a model is opened with, and what a video is made of. */
export const VIDEO_OPTIONS: readonly Option[] = [
  ...MODEL_OPTIONS,
  ...INPUT_OPTIONS,
  ...SAMPLING_OPTIONS,
  ...DEVICE_OPTIONS,
];

/** The request that the values of {@link VIDEO_OPTIONS} ask for. */
export function requestOf({ cache, lora, maxMemory, ...flags }: VideoFlags): GenerateRequest {
  const { transformer, vae, textEncoder, clip, imageEncoder, ...request } = flags;
  return {
    ...request,
    parts: { transformer, vae, textEncoder, clip, imageEncoder },
    cacheFolder: cache,
    loras: lora,
    budgetBytes: maxMemory,
  };
}

/** `framepack generate`. */
export function addGenerateCommand(program: Command): void {
  const command = program
    .command('generate')
    .description('generate a video from a picture and a prompt');
  const options = [
    ...VIDEO_OPTIONS,
    ...FILE_OPTIONS,
    option('--json', 'print events as one JSON object a line'),
    quietOption(),
  ];
  for (const made of options) command.addOption(made);
  command.action(async ({ json, quiet, force, ...flags }: GenerateFlags) => {
    const { out = freeName('', 'framepack') } = flags;
    const request = { ...requestOf(flags), out, overwrite: force };
    await runGenerate(request, reporterFor({ json, quiet }));
  });
}

/** Runs a request to its end, reporting events; Ctrl-C and its like stop it within one block. */
export function runGenerate(
  request: GenerateRequest,
  reporter: Reporter,
): Promise<DoneEvent | undefined> {
  return runEvents((signal) => generate({ ...request, signal }), reporter);
}

/** As {@link runGenerate}, for any run that can be stopped by a signal. */
export async function runEvents(
  start: (signal: AbortSignal) => AsyncIterable<GenerateEvent>,
  reporter: Reporter,
): Promise<DoneEvent | undefined> {
  try {
    return await interruptible(async (signal) => {
      let done: DoneEvent | undefined;
      for await (const event of start(signal)) {
        reporter.event(event);
        if (event.type === 'done') done = event;
      }
      return done;
    });
  } finally {
    reporter.stop();
  }
}
