import type { Command } from 'commander';
import { type PullEvent, type PulledRepository, type PullOptions, pull } from '../../index.ts';
import { interruptible } from '../interrupt.ts';
import { option, parseInteger, quietOption } from '../options.ts';
import { duration, size } from '../quantities.ts';

interface PullFlags {
  readonly cache?: string;
  readonly connections?: number;
  readonly offline?: boolean;
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
    .addOption(option('--json', 'print events as one JSON object a line'))
    .addOption(quietOption())
    .action(async (source: string, flags: PullFlags) => {
      const { cache, connections, offline, json, quiet } = flags;
      const onEvent = json ? printJson : printerOf(quiet === true);
      const options: PullOptions = { cacheFolder: cache, connections, offline, onEvent };
      const pulled = await interruptible((signal) => pull(source, { ...options, signal }));
      if (json) printJson({ type: 'done', repositories: pulled });
      else for (const { folder } of pulled) console.log(folder);
    });
}

/** Prints a line for each event on stderr; of those of a quiet run only what went wrong. */
function printerOf(isQuiet: boolean): (event: PullEvent) => void {
  return (event) => {
    if (!isQuiet || event.type === 'retry') console.error(lineOf(event));
  };
}

function printJson(
  event: PullEvent | { type: 'done'; repositories: readonly PulledRepository[] },
): void {
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
