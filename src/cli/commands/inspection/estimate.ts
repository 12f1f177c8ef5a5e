import type { Command } from 'commander';
import {
  ASSUMED_DEVICES,
  type AssumedDevice,
  estimate,
  type RunEstimate,
  type StageEstimate,
} from '../../../index.ts';
import { memoryLine } from '../../memory-line.ts';
import { option } from '../../options.ts';
import { requestOf, VIDEO_OPTIONS, type VideoFlags } from '../generate.ts';

interface EstimateFlags extends VideoFlags {
  readonly assume?: AssumedDevice;
  readonly json?: boolean;
}

/** `framepack estimate`. */
export function addEstimateCommand(program: Command): void {
  const command = program
    .command('estimate')
    .description(
      'tell what a video would take, stage by stage, without reading weights or needing the device',
    );
  for (const made of VIDEO_OPTIONS) command.addOption(made);
  command
    .addOption(option('--out <file>', 'video that would be written', { default: 'framepack.mp4' }))
    .addOption(
      option(
        '--assume <gpu>',
        'times at the peak rates of a GPU that need not be here; implies --device cuda',
        {
          choices: ASSUMED_DEVICES,
          default: 'rates measured on the device, where it is here',
        },
      ),
    )
    .addOption(option('--json', 'print it as JSON'))
    .action(async ({ json, assume, ...flags }: EstimateFlags) => {
      const { out = 'framepack.mp4' } = flags;
      const found = await estimate({ ...requestOf(flags), out }, { assume });
      console.log(json ? JSON.stringify(found, null, 2) : estimateLines(found).join('\n'));
    });
}

type Column = readonly [title: string, cell: (stage: StageEstimate) => string];

const COLUMNS: readonly Column[] = [
  ['weights', ({ weightBytes }) => mebibytes(weightBytes)],
  ['activations', ({ activationBytes }) => mebibytes(activationBytes)],
  ['peak', ({ peakBytes }) => mebibytes(peakBytes)],
  ['host', ({ hostBytes }) => mebibytes(hostBytes)],
  ['pinned', ({ pinnedBytes }) => mebibytes(pinnedBytes)],
  ['disk', ({ diskBytes }) => mebibytes(diskBytes)],
  ['upload', ({ uploadBytes }) => mebibytes(uploadBytes)],
  ['moved', ({ movedBytes }) => mebibytes(movedBytes)],
  ['TFLOP', ({ flops }) => (flops / 1e12).toFixed(3)],
  ['seconds', ({ seconds }) => (seconds === null ? '-' : seconds.toFixed(1))],
];

const STAGE_WIDTH = 'text-encoders'.length;

/** The estimate as a table: a line for each stage, memory in MiB. */
function estimateLines(found: RunEstimate): string[] {
  const { device, width, height, numFrames, numSections, numSteps, stages, peakBytes } = found;
  const cells = stages.map((stage) => COLUMNS.map(([, cell]) => cell(stage)));
  const widths = COLUMNS.map(([title], column) =>
    Math.max(title.length, ...cells.map((row) => row[column]!.length)),
  );
  const line = (name: string, row: readonly string[]): string =>
    [name.padEnd(STAGE_WIDTH), ...row.map((cell, column) => cell.padStart(widths[column]!))].join(
      '  ',
    );
  return [
    `${width}x${height}, ${numFrames} frames, ${numSections} sections of ${numSteps} steps on ${device}; sizes in MiB`,
    line(
      'stage',
      COLUMNS.map(([title]) => title),
    ),
    ...stages.map(({ stage }, index) => line(stage, cells[index]!)),
    `most on the device: ${mebibytes(peakBytes)} MiB`,
    memoryLine(found, found.memory),
    timeLine(found),
  ];
}

function timeLine({ rates, totalSeconds }: RunEstimate): string {
  if (rates === null || totalSeconds === null)
    return 'time: not known without the device; see --assume';
  const { name, source } = rates;
  const basis =
    source === 'measured' ? `as measured on ${name}` : `at least, at the peak of ${name}`;
  return `time: ${totalSeconds.toFixed(1)} s ${basis}; reading from disk and writing the file come on top`;
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}
