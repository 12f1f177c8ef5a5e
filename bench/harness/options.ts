import { parseArgs } from 'node:util';
import { FramePackError } from '../../src/errors.ts';
import type { IsaLevel } from '../../src/tensor/device.ts';

export const SUITE_NAMES = [
  'limits',
  'ops',
  'block',
  'dit',
  'vae',
  'generate',
  'contention',
] as const;
export const RIVAL_NAMES = ['torch', 'onnxruntime-node'] as const;
const DEVICES = ['cpu', 'cuda'] as const;
const ISA_LEVELS = ['scalar', 'neon', 'avx2', 'avx512', 'amx'] as const satisfies IsaLevel[];
const MAX_THREADS = 1024;
const MAX_SIZE = 1_000_000;

export type SuiteName = (typeof SUITE_NAMES)[number];
export type RivalName = (typeof RIVAL_NAMES)[number];

/** The command line of `npm run bench`. */
export interface BenchOptions {
  readonly suites: readonly SuiteName[];
  readonly format: 'text' | 'json' | 'markdown';
  /** Rows run whose `suite name dtype` matches. */
  readonly filter: RegExp;
  readonly device: 'cpu' | 'cuda';
  readonly isa: IsaLevel | undefined;
  readonly threads: number | undefined;
  /** Most samples of a row. */
  readonly samples: number;
  /** Time for a row, in seconds: sampling stops after it, though not before a handful of samples. */
  readonly seconds: number;
  readonly compare: readonly RivalName[];
  /** Interpreter that has torch. */
  readonly python: string;
  /** Model folder for `block`, `dit`, `vae` and `generate` in place of their own. */
  readonly checkpoint: string | undefined;
  /** Model width of the random blocks, in heads of 128. */
  readonly width: number;
  /** Image tokens of the random blocks. */
  readonly tokens: number;
}

export const USAGE: string = `usage: npm run bench -- [suite ...] [options]

suites    ${SUITE_NAMES.join(' ')} (default: all)

--json | --markdown    one document, or a table, on standard output
--filter <regex>       only rows whose "suite name dtype" matches
--device cpu|cuda      default cpu
--isa <level>          ${ISA_LEVELS.join(', ')}; default the best
--threads <n>          default the cores this process may use
--samples <n>          most samples of a row, default 30
--seconds <s>          time for a row, default 20
--compare <rival>      ${RIVAL_NAMES.join(' or ')}; may be repeated
--python <path>        interpreter with torch, default python3
--checkpoint <folder>  model folder for block, dit, vae and generate
--width <n>            width of the random blocks, default 3072
--tokens <n>           their image tokens, default 2048
`;

/**
 * Reads the command line.
 *
 * @returns null when help was asked for.
 * @throws {@link FramePackError} `ERR_ARGUMENT` for anything it does not know.
 */
export function parseOptions(argv: readonly string[]): BenchOptions | null {
  const { values, positionals } = parse(argv);
  if (values.help) return null;
  if (values.json && values.markdown) throw wrong('--json', 'not with --markdown', 'both');
  const device = choice('--device', DEVICES, values.device);
  return {
    suites:
      positionals.length === 0
        ? SUITE_NAMES
        : positionals.map((name) => choice('suite', SUITE_NAMES, name)),
    format: values.json ? 'json' : values.markdown ? 'markdown' : 'text',
    filter: pattern(values.filter),
    device,
    isa: values.isa === undefined ? undefined : choice('--isa', ISA_LEVELS, values.isa),
    threads:
      values.threads === undefined ? undefined : whole('--threads', values.threads, MAX_THREADS),
    samples: whole('--samples', values.samples, MAX_SIZE),
    seconds: positive('--seconds', values.seconds),
    compare: values.compare.map((name) => choice('--compare', RIVAL_NAMES, name)),
    python: values.python,
    checkpoint: values.checkpoint,
    width: width(values.width),
    tokens: whole('--tokens', values.tokens, MAX_SIZE),
  };
}

/** Width of one attention head of the random blocks; their width is a multiple of it. */
export const HEAD_WIDTH = 128;

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        json: { type: 'boolean', default: false },
        markdown: { type: 'boolean', default: false },
        filter: { type: 'string', default: '' },
        device: { type: 'string', default: 'cpu' },
        isa: { type: 'string' },
        threads: { type: 'string' },
        samples: { type: 'string', default: '30' },
        seconds: { type: 'string', default: '20' },
        compare: { type: 'string', multiple: true, default: [] },
        python: { type: 'string', default: 'python3' },
        checkpoint: { type: 'string' },
        width: { type: 'string', default: '3072' },
        tokens: { type: 'string', default: '2048' },
      },
    });
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new FramePackError('ERR_ARGUMENT', `bench: ${message}`, {}, cause);
  }
}

function choice<T extends string>(name: string, allowed: readonly T[], got: string): T {
  const found = allowed.find((value) => value === got);
  if (found === undefined) throw wrong(name, allowed.join(', '), got);
  return found;
}

function whole(name: string, got: string, max: number): number {
  const value = Number(got);
  if (!Number.isSafeInteger(value) || value < 1 || value > max) {
    throw wrong(name, `a whole number in [1, ${max}]`, got);
  }
  return value;
}

function positive(name: string, got: string): number {
  const value = Number(got);
  if (!(value > 0) || !Number.isFinite(value)) throw wrong(name, 'a positive number', got);
  return value;
}

function width(got: string): number {
  const value = whole('--width', got, MAX_SIZE);
  if (value % HEAD_WIDTH !== 0) throw wrong('--width', `a multiple of ${HEAD_WIDTH}`, got);
  return value;
}

function pattern(source: string): RegExp {
  try {
    return new RegExp(source, 'i');
  } catch {
    throw wrong('--filter', 'a regular expression', source);
  }
}

function wrong(name: string, expected: string, got: string): FramePackError {
  return new FramePackError('ERR_ARGUMENT', `bench: ${name} expected ${expected}, got ${got}`);
}
