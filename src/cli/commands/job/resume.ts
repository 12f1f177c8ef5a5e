import type { Command, Option } from 'commander';
import { resume } from '../../../index.ts';
import { option, parseBytes, parseInteger, quietOption } from '../../options.ts';
import { reporterFor } from '../../progress.ts';
import { runEvents } from '../generate.ts';

interface ResumeFlags {
  readonly model?: string;
  readonly threads?: number;
  readonly maxMemory?: number;
  readonly out?: string;
  readonly force?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

const AS_BEGUN = 'as it was begun';

/** What may be said anew of a job that goes on. */
const JOB_OPTIONS: readonly Option[] = [
  option('--model <folder>', 'model folder, if it was moved', { default: AS_BEGUN }),
  option('--threads <number>', 'threads of the CPU device', {
    parse: parseInteger,
    default: AS_BEGUN,
  }),
  option('--max-memory <bytes>', 'most memory for tensors, for example 6GiB', {
    parse: parseBytes,
    default: AS_BEGUN,
  }),
  option('--out <file>', 'video to write; never an existing one without --force', {
    default: AS_BEGUN,
  }),
  option('--force', 'overwrite an existing --out'),
  option('--json', 'print events as one JSON object a line'),
  quietOption(),
];

/** `framepack resume`. */
export function addResumeCommand(program: Command): void {
  const command = program
    .command('resume')
    .description('go on with a job that was killed or failed, to the same video, bit for bit')
    .argument('<folder>', 'folder that --job named; it may have been moved');
  for (const made of JOB_OPTIONS) command.addOption(made);
  command.action(async (folder: string, flags: ResumeFlags) => {
    const { json, quiet, force, maxMemory, ...options } = flags;
    const changes = { ...options, overwrite: force, budgetBytes: maxMemory };
    await runEvents(
      (signal) => resume(folder, { ...changes, signal }),
      reporterFor({ json, quiet }),
    );
  });
}
