import type { BenchDocument, Machine, Row } from './document.ts';

interface Column {
  readonly title: string;
  readonly width: number;
  readonly cell: (row: Row) => string;
}

const COLUMNS: readonly Column[] = [
  { title: 'suite', width: -10, cell: ({ suite }) => suite },
  { title: 'name', width: -44, cell: ({ name }) => name },
  { title: 'dtype', width: -13, cell: ({ dtype }) => dtype ?? '' },
  { title: 'isa', width: -11, cell: ({ isa }) => isa ?? '' },
  { title: 'thr', width: 3, cell: ({ threads }) => String(threads ?? '') },
  { title: 'n', width: 3, cell: ({ samples }) => String(samples) },
  { title: 'ms', width: 9, cell: ({ median_ms }) => digits(median_ms) },
  { title: '± %', width: 5, cell: ({ spread }) => percent(spread) },
  { title: 'cpu ms', width: 9, cell: ({ cpu_ms }) => digits(cpu_ms) },
  { title: 'TFLOP/s', width: 7, cell: ({ tflops }) => digits(tflops) },
  { title: 'GB/s', width: 6, cell: ({ gbytes_per_s }) => digits(gbytes_per_s) },
  { title: '% limit', width: 7, cell: ({ share_of_limit }) => percent(share_of_limit) },
  { title: '% cpu', width: 5, cell: ({ cpu_share_of_limit }) => percent(cpu_share_of_limit) },
  { title: 'peak MiB', width: 8, cell: ({ peak_bytes }) => mebibytes(peak_bytes) },
  { title: 'rss MiB', width: 7, cell: ({ rss_growth_bytes }) => mebibytes(rss_growth_bytes) },
  { title: 'gap ms', width: 6, cell: ({ event_loop_gap_ms }) => digits(event_loop_gap_ms) },
  { title: 'against', width: -1, cell: rivals },
];

/** The head of a text table. */
export function textHeader(): string {
  return line(COLUMNS.map((column) => pad(column.title, column.width)));
}

/** One row of a text table. */
export function textRow(row: Row): string {
  return line(COLUMNS.map((column) => pad(column.cell(row), column.width)));
}

/** The machine in a few words. */
export function describe(machine: Machine): string {
  const load = machine.load.map((value) => value.toFixed(1)).join(' ');
  const gibibytes = Math.round(machine.memory_bytes / 2 ** 30);
  const facts = [
    `${machine.date.slice(0, 16)}Z`,
    `commit ${machine.commit ?? 'unknown'}`,
    `${machine.cores} cores of ${machine.cpu}`,
    `${gibibytes} GiB`,
    `load ${load}`,
    machine.system,
    `node ${machine.node}`,
    `device ${machine.device}`,
    ...Object.entries(machine.rivals).map(([name, version]) => `${name} ${version}`),
  ];
  return facts.join(', ');
}

/** The document as a Markdown table; columns without any content are left out. */
export function markdown({ machine, rows }: BenchDocument): string {
  const columns = COLUMNS.filter(({ cell }) => rows.some((row) => cell(row) !== ''));
  const cells = (values: readonly string[]): string => `| ${values.join(' | ')} |`;
  return [
    `${describe(machine)}.`,
    '',
    cells(columns.map(({ title }) => title)),
    cells(columns.map(({ width }) => (width > 0 ? '---:' : '---'))),
    ...rows.map((row) => cells(columns.map(({ cell }) => cell(row)))),
    '',
  ].join('\n');
}

/** `torch 1.4x (bf16, 12.3 ms, 10 cpu ms)`: their time over ours, what they did best, and how long it took. */
function rivals({ compare }: Row): string {
  return Object.entries(compare)
    .map(([name, { ratio, variant, median_ms, cpu_ms, is_inexact }]) => {
      const facts = [
        variant,
        `${digits(median_ms)} ms`,
        cpu_ms !== null && `${digits(cpu_ms)} cpu`,
        is_inexact && 'inexact',
      ];
      return `${name} ${ratio.toFixed(2)}x (${facts.filter(Boolean).join(', ')})`;
    })
    .join(', ');
}

/** Three significant digits. */
function digits(value: number | null): string {
  if (value === null) return '';
  return value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}

function percent(share: number | null): string {
  return share === null ? '' : (share * 100).toFixed(0);
}

function mebibytes(bytes: number | null): string {
  return bytes === null ? '' : (bytes / 2 ** 20).toFixed(0);
}

/** A negative width aligns to the left. */
function pad(text: string, width: number): string {
  return width < 0 ? text.padEnd(-width) : text.padStart(width);
}

function line(cells: readonly string[]): string {
  return cells.join(' ').trimEnd();
}
