import { arrangeSchedule } from '../arrangement.ts';
import { formatSchedule, type PackingSchedule } from '../packing.ts';
import { type Block, blocksOf, type KernelLevel, levelOf, levelsOf } from './blocks.ts';

/** Pixels that all frames together take, as far as none gets wider than {@link MAX_FRAME}. */
const PLOT_WIDTH = 640;
const PLOT_HEIGHT = 150;
const MAX_FRAME = 28;
/** Smaller groups would have no room for their number. */
const MIN_BLOCK = 20;
const GAP_WIDTH = 44;
const TOP = 56;
const RIGHT = 24;
/** Of an axis label. */
const LETTER = 7.5;
/** What is left of the height for the coarsest kernel. */
const MIN_SHARE = 0.14;
/** Narrower cells would be nothing but lines. */
const MIN_CELL = 3;

const COLOURS: Readonly<Record<Block['role'], string>> = {
  opening: '#2f6fb0',
  history: '#8ab4dd',
  section: '#f0a742',
  gap: '#888888',
};
const ORDERS = {
  vanilla: 'sections follow each other in time',
  inverted: 'sections are made from the end to the start',
};

interface Placed extends Block {
  readonly x: number;
  readonly width: number;
}

/**
 * Draws a schedule as an SVG picture: time runs to the right, a block is a group of frames and as high as its kernel is
 * fine, and lines within it part the frames that become tokens together. Widths are to scale but for very small groups.
 *
 * @throws {@link FramePackError} as `arrangeSchedule`.
 */
export function drawScheduleSvg(schedule: PackingSchedule): string {
  const blocks = blocksOf(schedule);
  const levels = levelsOf(blocks);
  const left = 24 + LETTER * Math.max(...levels.map(({ name }) => name.length));
  const placed = place(blocks, left);
  const end = placed.at(-1)!.x + placed.at(-1)!.width;
  const notation = formatSchedule(schedule);
  const order = ORDERS[arrangeSchedule(schedule).order];
  const width = Math.ceil(Math.max(end + RIGHT, left + RIGHT + 8 * notation.length, 520));
  const base = TOP + PLOT_HEIGHT;
  const heightOf = heightsOf(levels);
  const lines = [
    `<rect width="${width}" height="${base + 66}" rx="8" fill="#ffffff"/>`,
    `<text x="24" y="30" font-family="monospace" font-size="14" font-weight="bold">${notation}</text>`,
    ...levels.flatMap((level) => axisLine(level, base - heightOf(level), [left, end])),
    ...placed.flatMap((block) => drawBlock(block, base, heightOf)),
    `<path d="M${left - 6} ${base}H${round(end + 10)}m-5 -4l5 4l-5 4" fill="none" stroke="#444"/>`,
    ...legend(blocks, base + 46),
    `<text x="${width - RIGHT}" y="${base + 46}" text-anchor="end">${order}</text>`,
  ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${base + 66}" viewBox="0 0 ${width} ${base + 66}" ` +
      `font-family="sans-serif" font-size="12" fill="#222222">`,
    `<title>Packing schedule ${notation}</title>`,
    ...lines,
    '</svg>',
    '',
  ].join('\n');
}

function place(blocks: readonly Block[], left: number): Placed[] {
  const numFrames = blocks.reduce((sum, block) => sum + block.numFrames, 0);
  const frame = Math.min(MAX_FRAME, PLOT_WIDTH / numFrames);
  let x = left;
  return blocks.map((block) => {
    const width = block.role === 'gap' ? GAP_WIDTH : Math.max(MIN_BLOCK, block.numFrames * frame);
    const placed = { ...block, x, width };
    x += width;
    return placed;
  });
}

/** Heights of kernels: the plain patch takes all, and each halving of its tokens the same step less. */
function heightsOf(levels: readonly KernelLevel[]): (level: KernelLevel) => number {
  const most = Math.max(1, ...levels.map(({ halvings }) => halvings));
  return ({ halvings }) => PLOT_HEIGHT * (1 - (1 - MIN_SHARE) * (halvings / most));
}

function axisLine({ name }: KernelLevel, y: number, [left, end]: [number, number]): string[] {
  return [
    `<text x="${left - 10}" y="${round(y + 4)}" text-anchor="end" font-family="monospace">${name}</text>`,
    `<path d="M${left - 6} ${round(y)}H${round(end)}" stroke="#dddddd" stroke-dasharray="2 3"/>`,
  ];
}

function drawBlock(
  { role, numFrames, kernel, x, width }: Placed,
  base: number,
  heightOf: (level: KernelLevel) => number,
): string[] {
  const middle = round(x + width / 2);
  const label = (text: string): string =>
    `<text x="${middle}" y="${base + 18}" text-anchor="middle">${text}</text>`;
  if (role === 'gap') {
    const dots = [-10, 0, 10].map(
      (offset) =>
        `<circle cx="${middle + offset}" cy="${base - 10}" r="2.5" fill="${COLOURS.gap}"/>`,
    );
    return [...dots, label('x')];
  }
  const height = heightOf(levelOf(kernel));
  const numCells = Math.ceil(numFrames / kernel.frames);
  const cell = width / numCells;
  const cuts =
    cell < MIN_CELL
      ? ''
      : Array.from(
          { length: numCells - 1 },
          (_, index) => `M${round(x + (index + 1) * cell)} ${round(base - height)}V${base}`,
        ).join('');
  return [
    `<rect x="${round(x)}" y="${round(base - height)}" width="${round(width)}" height="${round(height)}" ` +
      `fill="${COLOURS[role]}" stroke="#ffffff"/>`,
    ...(cuts === '' ? [] : [`<path d="${cuts}" stroke="#ffffff"/>`]),
    label(String(numFrames)),
  ];
}

function legend(blocks: readonly Block[], y: number): string[] {
  const roles = [...new Set(blocks.map(({ role }) => role))].filter((role) => role !== 'gap');
  return roles.flatMap((role, index) => {
    const x = 24 + 92 * index;
    return [
      `<rect x="${x}" y="${y - 10}" width="12" height="12" fill="${COLOURS[role]}"/>`,
      `<text x="${x + 17}" y="${y}">${role}</text>`,
    ];
  });
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
