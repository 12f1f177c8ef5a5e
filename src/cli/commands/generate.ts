import { type Command, Option } from 'commander';
import { type DoneEvent, ENCODER_NAMES, type GenerateRequest, generate } from '../../index.ts';
import { freeName } from '../free-name.ts';
import { interruptible } from '../interrupt.ts';
import { parseBytes, parseInteger, parseNumber, parseSeed, parseStepCache } from '../options.ts';
import { JsonReporter, type Reporter, TerminalReporter } from '../progress.ts';

interface GenerateFlags extends Omit<GenerateRequest, 'signal' | 'budgetBytes'> {
  readonly model: string;
  readonly prompt: string;
  readonly maxMemory?: number;
  readonly json?: boolean;
}

/** `framepack generate`. */
export function addGenerateCommand(program: Command): void {
  addModelOptions(program.command('generate'))
    .description('generate a video from a picture and a prompt')
    .requiredOption('--prompt <text>', 'what happens in the video')
    .option('--image <file>', 'start picture (PNG, JPEG or WebP); without one see --start')
    .option(
      '--out <file>',
      'video to write: .mp4, .m4v, .mov, .mkv, .webm, .gif, or a folder name with / for PNG pictures; never an ' +
        'existing one; {date}, {time}, {seed}, {mode}, {model} are filled in, {n} counts up; default: framepack.mp4, ' +
        'framepack-2.mp4, ...',
    )
    .addOption(
      choice('--start <kind>', 'start of a video without a picture; default: grey', [
        'grey',
        'noise',
        'black',
        'white',
      ]),
    )
    .option('--negative-prompt <text>', 'what to avoid; needs --cfg above 1')
    .addOption(choice('--mode <mode>', 'i2v: from the end backwards; f1: forwards', ['i2v', 'f1']))
    .option('--seconds <number>', 'length of the video', parseNumber)
    .option('--steps <number>', 'sampler steps for each section', parseInteger)
    .option(
      '--seed <number>',
      'seed of the noise, up to 2^64 - 1; random or -1 draws one',
      parseSeed,
    )
    .option('--guidance <number>', 'distilled guidance', parseNumber)
    .option('--cfg <number>', 'classifier-free guidance scale; 1 is off', parseNumber)
    .option('--guidance-rescale <number>', 'rescale of the guided prediction, 0 to 1', parseNumber)
    .option(
      '--step-cache <kind>',
      'skip blocks when little changes: tea, mag or first-block, with a threshold if wanted (tea:0.15)',
      parseStepCache,
    )
    .addOption(choice('--tiling <kind>', 'tiles of the decoder', ['temporal', 'full']))
    .addOption(choice('--device <kind>', 'where to compute', ['cpu', 'cuda']))
    .addOption(
      choice('--dtype <type>', "dtype of the transformer's activations", ['f32', 'f16', 'bf16']),
    )
    .option('--threads <number>', 'threads of the CPU device', parseInteger)
    .option('--max-memory <bytes>', 'most memory for tensors, for example 6GiB', parseBytes)
    .option('--crf <number>', 'video quality, 0 (best) to 51', parseInteger)
    .addOption(
      choice(
        '--encoder <name>',
        'encoder of the video; default: the first that works',
        ENCODER_NAMES,
      ),
    )
    .option('--fps <number>', "frames a second of the file, in place of the model's", parseInteger)
    .option('--no-metadata', 'do not store prompt, seed and settings in the file')
    .option('--json', 'print events as one JSON object a line')
    .action(async ({ json, maxMemory, ...flags }: GenerateFlags) => {
      const reporter = json ? new JsonReporter() : new TerminalReporter();
      const { out = freeName('', 'framepack') } = flags;
      await runGenerate({ ...flags, out, budgetBytes: maxMemory }, reporter);
    });
}

function choice(flags: string, description: string, values: readonly string[]): Option {
  return new Option(flags, description).choices(values);
}

/** Where the model lies and which of its files are read. */
function addModelOptions(command: Command): Command {
  return command
    .requiredOption('--model <folder>', 'model folder in the Hugging Face layout')
    .option('--variant <word>', 'which weights to take where a folder has several, such as fp16')
    .option('--allow-links', 'follow links of weight files to anywhere');
}

/** Runs a request to its end, reporting events; Ctrl-C and its like stop it within one block. */
export async function runGenerate(
  request: GenerateRequest,
  reporter: Reporter,
): Promise<DoneEvent | undefined> {
  try {
    return await interruptible(async (signal) => {
      let done: DoneEvent | undefined;
      for await (const event of generate({ ...request, signal })) {
        reporter.event(event);
        if (event.type === 'done') done = event;
      }
      return done;
    });
  } finally {
    reporter.stop();
  }
}
