import { existsSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import {
  type Conversion,
  type ConvertEvent,
  type ConvertOptions,
  convert,
  FP8_SCHEMES,
  FramePackError,
  type PullEvent,
  type PulledRepository,
  type PullOptions,
  pull,
} from '../../index.ts';
import { interruptible } from '../interrupt.ts';
import { option, parseInteger, quietOption } from '../options.ts';
import { duration, size } from '../quantities.ts';
import { printerOf as convertPrinterOf } from './convert.ts';

interface PullFlags {
  readonly cache?: string;
  readonly connections?: number;
  readonly offline?: boolean;
  readonly fp8?: NonNullable<ConvertOptions['fp8']>;
  readonly out?: string;
  readonly force?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** `framepack pull`. Prints the folders of the files on stdout, everything else on stderr. */
export function addPullCommand(program: Command): void {
  program
    .command('pull')
    .description('fetch a model, a repository or a file into the Hugging Face cache')
    .argument(
      '<source>',
      'lllyasviel/FramePackI2V_HY, lllyasviel/FramePack_F1_I2V_HY_20250503, owner/name[@revision][/path] or its address',
    )
    .addOption(
      option('--cache <folder>', 'Hugging Face cache to use', {
        default: 'HF_HUB_CACHE, else hub in HF_HOME, else ~/.cache/huggingface/hub',
      }),
    )
    .addOption(
      option('--connections <number>', 'parts that are fetched at once', {
        parse: parseInteger,
        default: '4',
      }),
    )
    .addOption(
      option('--offline', 'use only what is there', { default: 'off unless HF_HUB_OFFLINE=1' }),
    )
    .addOption(
      option('--fp8 [scheme]', "then write the transformer's weights in fp8, as convert does", {
        choices: FP8_SCHEMES,
        default: 'not; block64 without a scheme',
      }).preset('block64'),
    )
    .addOption(
      option('--out <file>', 'safetensors file of --fp8; never an existing one without --force', {
        default: "the repository's name, .fp8-<scheme>.safetensors",
      }),
    )
    .addOption(option('--force', 'overwrite an existing --out'))
    .addOption(option('--json', 'print events as one JSON object a line'))
    .addOption(quietOption())
    .action(async (source: string, flags: PullFlags) => {
      const { cache, connections, offline, json, quiet } = flags;
      const onEvent = json ? printJson : printerOf(quiet === true);
      const options: PullOptions = { cacheFolder: cache, connections, offline, onEvent };
      const target = targetOf(source, flags);
      const [pulled, converted] = await interruptible(async (signal) => {
        const repositories = await pull(source, { ...options, signal });
        if (target === null) return [repositories, null] as const;
        return [
          repositories,
          await convertPulled(repositories[0]!, target, flags, signal),
        ] as const;
      });
      if (json) printJson({ type: 'done', repositories: pulled, ...(converted && { converted }) });
      else for (const { folder } of pulled) console.log(folder);
      if (converted !== null && !json) tellConverted(converted, pulled[0]!, quiet === true);
    });
}

/** The file to convert to, or null; refused before anything is fetched when it is there already. */
function targetOf(source: string, { fp8, out, force }: PullFlags): string | null {
  if (fp8 === undefined) {
    if (out === undefined && !force) return null;
    const message = 'pull: --out and --force expected beside --fp8, got them alone';
    throw new FramePackError('ERR_ARGUMENT', message);
  }
  const [name] = (source.replace(/^https?:\/\/[^/]+\//, '').split('/')[1] ?? '').split('@');
  const target = out ?? `${name}.fp8-${fp8}.safetensors`;
  if (!existsSync(target) || force) return target;
  const message = `pull: ${target} expected a new file name, got an existing one; choose another --out, or overwrite it (--force)`;
  throw new FramePackError('ERR_OUTPUT', message, { path: target });
}

function convertPulled(
  { folder, files }: PulledRepository,
  target: string,
  { fp8, force, json, quiet }: PullFlags,
  signal: AbortSignal,
): Promise<Conversion> {
  const weights = weightsOf(files);
  const places = new Set(weights.map(path.dirname));
  const [only] = weights.length === 1 ? weights : places.size === 1 ? places : [];
  const onEvent = json
    ? (event: ConvertEvent) => printJson({ stage: 'convert', ...event })
    : convertPrinterOf(quiet === true);
  const options = { fp8, overwrite: force, onEvent, signal };
  return convert(only === undefined ? folder : path.join(folder, only), target, options);
}

function weightsOf(files: readonly string[]): string[] {
  return files.filter((file) => file.endsWith('.safetensors'));
}

/** The file, and how to be rid of what it was made of. */
function tellConverted(
  { file }: Conversion,
  { folder, files }: PulledRepository,
  isQuiet: boolean,
): void {
  console.log(file);
  if (isQuiet) return;
  const originals = weightsOf(files).map((name) => realpathSync(path.join(folder, name)));
  const bytes = originals.reduce((sum, original) => sum + statSync(original).size, 0);
  console.error(
    `${path.basename(file)} does not need what it was made of; to free ${size(bytes)}:`,
  );
  console.error(`rm ${originals.map((original) => `'${original}'`).join(' ')}`);
}

/** Prints a line for each event on stderr; of those of a quiet run only what went wrong. */
function printerOf(isQuiet: boolean): (event: PullEvent) => void {
  return (event) => {
    if (!isQuiet || event.type === 'retry') console.error(lineOf(event));
  };
}

interface PullDone {
  readonly type: 'done';
  readonly repositories: readonly PulledRepository[];
  readonly converted?: Conversion;
}

function printJson(event: PullEvent | (ConvertEvent & { stage: 'convert' }) | PullDone): void {
  console.log(JSON.stringify(event));
}

/** One line about an event. */
export function lineOf(event: PullEvent): string {
  switch (event.type) {
    case 'plan':
      return `${event.numFiles} files, ${size(event.totalBytes)}, of which ${size(event.missingBytes)} to fetch into ${event.cacheFolder} (${size(event.freeBytes)} free)`;
    case 'progress': {
      const share = Math.floor((event.bytes / event.totalBytes) * 100);
      const rate = event.bytesPerSecond === null ? '' : `, ${size(event.bytesPerSecond)}/s`;
      const eta = event.etaMs === null ? '' : `, ${duration(event.etaMs)} left`;
      return `${String(share).padStart(3)} % ${event.file}${rate}${eta}`;
    }
    case 'file':
      return `${event.wasCached ? 'there ' : 'fetched'} ${event.file} (${size(event.size)})`;
    case 'retry':
      return `${event.file}: ${event.reason}; again in ${duration(event.waitMs)}`;
    case 'verify':
      return `verifying ${event.file}`;
    case 'wait':
      return `${event.file}: waiting for another process that fetches it`;
  }
}
