import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { benchDocument, type Row } from '../../bench/harness/document.ts';
import { type BenchOptions, parseOptions } from '../../bench/harness/options.ts';
import { textRow } from '../../bench/harness/table.ts';
import type { Rival, RivalCall, SpilledTensor } from '../../bench/rivals/rival.ts';
import { runBench } from '../../bench/run.ts';
import { casesOf, runOps } from '../../bench/suites/ops.ts';
import type { BenchContext } from '../../bench/suites/subject.ts';
import { Device } from '../../src/tensor/device.ts';
import { sizeOf } from '../../src/tensor/shape.ts';

function options(line: string): BenchOptions {
  const parsed = parseOptions(line.split(' '));
  if (parsed === null) throw new Error('expected options, got a request for help');
  return parsed;
}

const QUICK = '--samples 1 --seconds 0.01 --threads 2';

const TINY_CASES = [
  ...casesOf('matmul', { m: 8, n: 16, k: 32 }),
  ...casesOf('matmul', { m: 8, n: 16, k: 32, w: 'f8e4m3', scale: 'channel' }),
  ...casesOf('attention', { l: 16, s: 16, heads: 2, width: 32 }),
  ...casesOf('conv3d', { cin: 8, cout: 8, extent: [2, 4, 4], kernel: [3, 3, 3] }),
  ...casesOf('patchify', { channels: 4, width: 16, extent: [2, 4, 4], kernel: [1, 2, 2] }),
  ...casesOf('elementwise', { function: 'add', name: 'tiny', a: [8], b: [8], dtypes: 'f32' }),
];

/** What the suites need, without limits; rows and problems are collected. */
async function collect(
  line: string,
  rivals: readonly Rival[],
  run: (context: BenchContext) => Promise<void>,
): Promise<{ rows: Row[]; problems: string[] }> {
  const rows: Row[] = [];
  const problems: string[] = [];
  await using device = Device.open('cpu', { threads: 2 });
  const [report, complain] = [(row: Row) => rows.push(row), (p: string) => problems.push(p)];
  const facts = device.describe();
  await run({ options: options(line), device, facts, limits: null, rivals, report, complain });
  return { rows, problems };
}

/** A rival that returns what it is told to, in no time worth mentioning. */
function rival(resultOf: (call: RivalCall) => number[]): Rival & { calls: RivalCall[] } {
  const calls: RivalCall[] = [];
  return {
    name: 'parrot',
    version: '1',
    calls,
    supports: ({ kind }) => kind === 'add',
    prepare: async (call) => {
      calls.push(call);
      const result = Float32Array.from(resultOf(call));
      return ['slow', 'fast'].map((label) => {
        const ms = label === 'slow' ? 2000 : 1000;
        return { label, sample: async () => ms, cpuMs: () => [ms], result };
      });
    },
    exact: async () => null,
    release: async () => undefined,
    close: async () => undefined,
  };
}

function floatsOf({ file, offset, shape }: SpilledTensor): Float32Array {
  const bytes = readFileSync(file);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset + offset), 0, sizeOf(shape));
}

describe('runOps', () => {
  test('measures every case', async () => {
    const { rows } = await collect(QUICK, [], (context) => runOps(context, TINY_CASES));
    expect(rows.map(({ name, dtype }) => `${name} ${dtype}`)).toEqual([
      'matmul 8x16x32 bf16',
      'matmul 8x16x32 f32',
      'matmul 8x16x32 bf16 x f8e4m3',
      'matmul 8x16x32 f32 x f8e4m3',
      'attention L16 D32 H2 bf16',
      'attention L16 D32 H2 f32',
      'conv3d 8x8x3 2x4x4 bf16',
      'conv3d 8x8x3 2x4x4 f32',
      'patchify 4x16 2x4x4 bf16',
      'patchify 4x16 2x4x4 f32',
      'add tiny f32',
    ]);
    for (const row of rows) {
      expect(row.median_ms).toBeGreaterThan(0);
      expect(row.peak_bytes).toBeGreaterThan(0);
      expect(row.name === 'add tiny' ? row.gbytes_per_s : row.tflops).toBeGreaterThan(0);
    }
  });

  test('the filter sees suite, name and dtype', async () => {
    const line = `${QUICK} --filter ^ops.matmul.*32.bf16$`;
    const { rows } = await collect(line, [], (context) => runOps(context, TINY_CASES));
    expect(rows.map(({ name, dtype }) => `${name} ${dtype}`)).toEqual(['matmul 8x16x32 bf16']);
  });
});

describe('a rival', () => {
  const addition = TINY_CASES.slice(-1);

  test('of the variants of a rival the fastest counts', async () => {
    const honest = rival(({ tensors }) => {
      const b = floatsOf(tensors.b!);
      return Array.from(floatsOf(tensors.a!), (value, index) => value + b[index]!);
    });
    const { rows, problems } = await collect(QUICK, [honest], (context) =>
      runOps(context, addition),
    );
    expect(problems).toEqual([]);
    expect(rows[0]?.compare.parrot).toEqual({
      median_ms: 1000,
      spread: 0,
      cpu_ms: 1000,
      ratio: 1000 / rows[0]!.median_ms!,
      variant: 'fast',
      difference: 0,
      is_inexact: false,
    });
  });

  test('a rival with another result does not take part', async () => {
    const liar = rival(() => new Array<number>(8).fill(0));
    const { rows, problems } = await collect(QUICK, [liar], (context) => runOps(context, addition));
    expect(liar.calls).toHaveLength(1);
    expect(rows[0]?.compare).toEqual({});
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain('add tiny: result expected a relative difference');
  });

  const ZEROS = new Array<number>(8).fill(0);
  const sums = ({ tensors }: RivalCall): number[] => {
    const b = floatsOf(tensors.b!);
    return Array.from(floatsOf(tensors.a!), (value, index) => value + b[index]!);
  };

  test('when f64 is with us a rival with another result is marked inexact, and the run goes on', async () => {
    let exact: number[] = [];
    const liar = rival(() => ZEROS);
    liar.exact = async (call) => {
      exact = sums(call);
      return Float64Array.from(exact);
    };
    const { rows, problems } = await collect(QUICK, [liar], (context) => runOps(context, addition));
    expect(problems).toEqual([]);
    expect(exact).toHaveLength(8);
    expect(rows[0]?.compare.parrot).toMatchObject({ is_inexact: true, variant: 'fast' });
    expect(textRow(rows[0]!)).toContain('inexact');
  });

  test('when f64 is with the rival it is our result that is wrong', async () => {
    const right = rival(() => ZEROS);
    right.exact = async () => Float64Array.from(ZEROS);
    const { rows, problems } = await collect(QUICK, [right], (context) =>
      runOps(context, addition),
    );
    expect(rows[0]?.compare).toEqual({});
    expect(problems[0]).toContain('add tiny: result expected within 0.0001 of the one in f64');
  });
});

describe('runBench', () => {
  test('its document passes its own schema', async () => {
    const rows: Row[] = [];
    const problems: string[] = [];
    const line = `limits block contention ${QUICK} --filter fma|block|busy --width 128 --tokens 16`;
    const document = await runBench(options(line), {
      onRow: (row) => rows.push(row),
      onProblem: (problem) => problems.push(problem),
    });
    expect(benchDocument.parse(JSON.parse(JSON.stringify(document)))).toEqual(document);
    expect(document.rows).toEqual(rows);
    const suites = rows.map(({ suite }) => suite);
    expect(suites.filter((suite) => suite === 'block')).toHaveLength(8);
    expect(suites.filter((suite) => suite === 'contention')).toHaveLength(1);
    // Without CMake nothing can be said about limits, and the run says so.
    expect(suites.includes('limits')).toBe(problems.length === 0);
    expect(problems.every((problem) => problem.startsWith('limits: '))).toBe(true);
  });

  test('a rival that is not there costs its column only', async () => {
    const problems: string[] = [];
    const line = `ops ${QUICK} --filter ropeTable --compare torch --python ./no-such-python`;
    const document = await runBench(options(line), {
      onRow: () => undefined,
      onProblem: (problem) => problems.push(problem),
    });
    expect(document.rows).toHaveLength(1);
    expect(document.machine.rivals).toEqual({});
    expect(problems.join()).toContain('torch: cannot be compared: ./no-such-python');
  });
});
