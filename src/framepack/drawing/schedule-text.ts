import type { PackingSchedule } from '../packing.ts';
import { type Block, blocksOf, levelOf, levelsOf } from './blocks.ts';

/** Columns of the drawing, beside those that small groups and the gap take more than their share. */
const COLUMNS = 60;
const GAP_COLUMNS = 3;
const MARKS: Readonly<Record<Block['role'], string>> = {
  opening: '▓',
  history: '▒',
  section: '█',
  gap: '~',
};

/**
 * Draws a schedule with characters: time runs to the right, and a column is as high as its kernel is fine. A line for
 * each kernel, one with the number of frames of each group, and one that explains the marks.
 *
 * @throws {@link FramePackError} as `arrangeSchedule`.
 */
export function drawScheduleText(schedule: PackingSchedule): string {
  const blocks = blocksOf(schedule);
  const levels = levelsOf(blocks);
  const numFrames = blocks.reduce((sum, block) => sum + block.numFrames, 0);
  const framesPerColumn = Math.max(1, Math.ceil(numFrames / COLUMNS));
  const columns = blocks.map((block) => columnsOf(block, framesPerColumn));
  const margin = Math.max(...levels.map(({ name }) => name.length));
  const rows = levels.map((level, row) => {
    const isBottom = row === levels.length - 1;
    const cells = blocks.map(({ role, kernel }, index) => {
      const isFilled = role === 'gap' ? isBottom : levelOf(kernel).halvings <= level.halvings;
      return (isFilled ? MARKS[role] : ' ').repeat(columns[index]!);
    });
    return `${level.name.padEnd(margin)} ${cells.join('')}`;
  });
  const counts = blocks.map(({ role, numFrames: count }, index) =>
    (role === 'gap' ? 'x' : String(count)).padEnd(columns[index]!),
  );
  const scale = framesPerColumn === 1 ? '' : `, ${framesPerColumn} frames a column`;
  return [
    ...rows,
    `${' '.repeat(margin)} ${counts.join('')}`,
    `${' '.repeat(margin)} ${legendOf(blocks)}; time runs to the right${scale}`,
  ]
    .map((line) => line.trimEnd())
    .join('\n');
}

/** Wide enough for the number below and the blank behind it. */
function columnsOf({ role, numFrames }: Block, framesPerColumn: number): number {
  if (role === 'gap') return GAP_COLUMNS;
  return Math.max(Math.ceil(numFrames / framesPerColumn), String(numFrames).length + 1);
}

function legendOf(blocks: readonly Block[]): string {
  const roles = [...new Set(blocks.map(({ role }) => role))];
  return roles.map((role) => `${MARKS[role]} ${role}`).join('  ');
}
