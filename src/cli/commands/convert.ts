import type { Command } from 'commander';
import {
  type Conversion,
  type ConvertEvent,
  type ConvertOptions,
  convert,
  FP8_SCHEMES,
} from '../../index.ts';
import { interruptible } from '../interrupt.ts';
import { option, parseLora, quietOption } from '../options.ts';
import { duration, size } from '../quantities.ts';

type ConvertFlags = Pick<ConvertOptions, 'fp8' | 'dtype'> & {
  readonly lora?: ConvertOptions['loras'];
  readonly force?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
};

/** `framepack convert`. Prints the file on stdout, everything else on stderr. */
export function addConvertCommand(program: Command): void {
  program
    .command('convert')
    .description("rewrite a transformer's weights: in fp8, in another type, with LoRAs merged")
    .argument(
      '<path>',
      'safetensors or GGUF file, folder of shards, their index, or a model folder',
    )
    .argument('<file>', 'safetensors file to write; never an existing one without --force')
    .addOption(
      option('--fp8 <scheme>', 'round the matrices of the blocks to fp8, one scale for each', {
        choices: FP8_SCHEMES,
        default: 'not',
      }),
    )
    .addOption(
      option('--dtype <type>', 'type of all other tensors', {
        choices: ['f32', 'f16', 'bf16'],
        default: 'that which each has',
      }),
    )
    .addOption(
      option(
        '--lora <file:scale>',
        'LoRA to merge, before anything is rounded; as often as wanted',
        {
          parse: parseLora,
          repeats: true,
          default: 'none; scale 1',
        },
      ),
    )
    .addOption(option('--force', 'overwrite an existing file'))
    .addOption(option('--json', 'print events as one JSON object a line'))
    .addOption(quietOption())
    .action(async (source: string, target: string, flags: ConvertFlags) => {
      const { fp8, dtype, lora: loras, force, json, quiet } = flags;
      const onEvent = json ? printJson : printerOf(quiet === true);
      const options: ConvertOptions = { fp8, dtype, loras, overwrite: force, onEvent };
      const done = await interruptible((signal) => convert(source, target, { ...options, signal }));
      if (json) printJson({ type: 'done', ...done });
      else console.log(done.file);
    });
}

/** Prints lines about each event on stderr; of those of a quiet run only what was left out. */
export function printerOf(isQuiet: boolean): (event: ConvertEvent) => void {
  return (event) => {
    const lines = linesOf(event).filter((line) => !isQuiet || line.startsWith(WARNING));
    for (const line of lines) console.error(line);
  };
}

function printJson(event: ConvertEvent | (Conversion & { type: 'done' })): void {
  console.log(JSON.stringify(event));
}

const WARNING = 'warning: ';
const LISTED_NAMES = 4;

/** Lines about an event. */
export function linesOf(event: ConvertEvent): string[] {
  if (event.type === 'progress') {
    const share = Math.floor((event.bytes / event.totalBytes) * 100);
    const rate = event.bytesPerSecond === null ? '' : `, ${size(event.bytesPerSecond)}/s`;
    const eta = event.etaMs === null ? '' : `, ${duration(event.etaMs)} left`;
    return [`${String(share).padStart(3)} % ${event.tensor}${rate}${eta}`];
  }
  const { source, sourceBytes, bytes, file, freeBytes, numQuantized, numKept } = event;
  return [
    `${source} (${size(sourceBytes)}) to ${file} (${size(bytes)}, ${size(freeBytes)} free)`,
    ...(numQuantized > 0 ? [`${numQuantized} matrices become fp8`] : []),
    ...(numKept > 0 ? [`${numKept} tensors stay fp8`] : []),
    ...event.loras.map(
      (lora) => `lora ${lora.file} at ${lora.scale}: ${lora.numMatched} tensors matched`,
    ),
    ...event.loras.flatMap((lora) =>
      warningOf(`of ${lora.file}, tensors that belong to nothing`, lora.unmatched),
    ),
    ...warningOf('tensors that are not in the result', event.leftOut),
  ];
}

function warningOf(what: string, names: readonly string[]): string[] {
  if (names.length === 0) return [];
  const more = names.length > LISTED_NAMES ? ` and ${names.length - LISTED_NAMES} more` : '';
  return [`${WARNING}${what}: ${names.slice(0, LISTED_NAMES).join(', ')}${more}`];
}
