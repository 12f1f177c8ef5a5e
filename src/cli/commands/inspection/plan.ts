import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import {
  drawScheduleSvg,
  drawScheduleText,
  findSchedule,
  formatKernel,
  NAMED_SCHEDULES,
  planTokens,
  type SectionTokens,
  type TokenGroup,
  type TokenPlan,
} from '../../../entry/framepack.ts';
import { FramePackError } from '../../../index.ts';
import { option, parseInteger, parseNumber, parseSize } from '../../options.ts';

interface PlanFlags {
  readonly size?: { readonly height: number; readonly width: number };
  readonly seconds?: number;
  readonly fps?: number;
  readonly svg?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** `framepack plan`. */
export function addPlanCommand(program: Command): void {
  program
    .command('plan')
    .description(
      'show a packing schedule: its drawing, its tokens, and those of every section of a video',
    )
    .argument(
      '<schedule>',
      `${Object.keys(NAMED_SCHEDULES).join(', ')}, or notation such as td_f16k4f2k2f1k1_g9`,
    )
    .addOption(
      option('--size <height>x<width>', 'pixels of the video, multiples of 16', {
        parse: parseSize,
        default: '480x832',
      }),
    )
    .addOption(
      option('--seconds <number>', 'length of the video', { parse: parseNumber, default: '5' }),
    )
    .addOption(option('--fps <number>', 'frames a second', { parse: parseInteger, default: '30' }))
    .addOption(option('--svg <file>', 'write the drawing as a picture, too'))
    .addOption(option('--force', 'overwrite an existing --svg'))
    .addOption(option('--json', 'print the numbers as JSON'))
    .action(async (text: string, flags: PlanFlags) => {
      const { size = { height: 480, width: 832 }, seconds = 5, fps = 30 } = flags;
      const schedule = findSchedule(text);
      const plan = planTokens({ schedule, ...size, seconds, fps });
      if (flags.svg !== undefined) await writePicture(flags.svg, drawScheduleSvg(schedule), flags);
      const lines = (): string => [drawScheduleText(schedule), ...planLines(plan)].join('\n');
      console.log(flags.json ? JSON.stringify(plan, null, 2) : lines());
    });
}

async function writePicture(file: string, svg: string, { force }: PlanFlags): Promise<void> {
  try {
    await writeFile(file, svg, { flag: force ? 'w' : 'wx' });
  } catch (cause) {
    const isTaken = (cause as NodeJS.ErrnoException).code === 'EEXIST';
    const expected = isTaken ? 'no existing file without --force' : 'a file that can be written';
    throw new FramePackError(
      'ERR_OUTPUT',
      `plan: svg expected ${expected}, got ${file}`,
      { file },
      cause,
    );
  }
}

type Row = readonly string[];

function planLines(plan: TokenPlan): string[] {
  const { height, width, seconds, fps, numFrames, sections, order, maxTokens, unpackedTokens } =
    plan;
  const way = order === 'inverted' ? 'from the end to the start' : 'from the start onwards';
  const share = (100 * maxTokens) / unpackedTokens;
  return [
    '',
    ...table([['frames', 'kernel', 'tokens', 'each', ''], ...plan.groups.map(groupRow)]),
    '',
    `${plan.schedule} at ${height}x${width}, ${seconds} s at ${fps} fps: ${numFrames} frames, ` +
      `${sections.length} sections of ${plan.latentWindowSize} latent frames, ${way}`,
    '',
    ...table([['sections', 'gap', 'context', 'new', 'tokens'], ...sectionRows(sections)]),
    '',
    `no section has more than ${maxTokens} tokens; the whole video uncompressed has ${unpackedTokens} (${share.toFixed(share < 10 ? 1 : 0)} %)`,
  ];
}

function groupRow({ role, numFrames, kernel, numTokens }: TokenGroup): Row {
  const each = (numTokens / numFrames).toFixed(1);
  return [String(numFrames), formatKernel(kernel), String(numTokens), each, role];
}

/** A row for each run of sections with equal numbers of tokens. */
function sectionRows(sections: readonly SectionTokens[]): Row[] {
  const runs: SectionTokens[][] = [];
  for (const section of sections) {
    const run = runs.at(-1);
    if (run?.at(0)?.contextTokens === section.contextTokens) run.push(section);
    else runs.push([section]);
  }
  return runs.map((run) => {
    const { contextTokens, targetTokens, numTokens } = run[0]!;
    const numbers = run.map(({ sectionIndex }) => sectionIndex + 1);
    const gaps = run.map(({ gapFrames }) => gapFrames);
    return [
      between(numbers[0]!, numbers.at(-1)!),
      between(Math.min(...gaps), Math.max(...gaps)),
      ...[contextTokens, targetTokens, numTokens].map(String),
    ];
  });
}

function between(least: number, most: number): string {
  return least === most ? String(least) : `${least}-${most}`;
}

/** Columns flush right, but for the one behind the numbers. */
function table(rows: readonly Row[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const isWords = rows[0]!.at(-1) === '';
  return rows.map((row) =>
    row
      .map((cell, column) =>
        isWords && column === row.length - 1 ? cell : cell.padStart(widths[column]!),
      )
      .join('  ')
      .trimEnd(),
  );
}
