import { describe, expect, test } from 'vitest';
import {
  type BenchOptions,
  parseOptions,
  SUITE_NAMES,
  USAGE,
} from '../../../bench/harness/options.ts';
import { FramePackError } from '../../../src/errors.ts';

function parsed(...argv: string[]): BenchOptions {
  const options = parseOptions(argv);
  if (options === null) throw new Error('expected options, got a request for help');
  return options;
}

describe('parseOptions', () => {
  test('runs every suite on the CPU without arguments', () => {
    expect(parsed()).toMatchObject({
      suites: SUITE_NAMES,
      format: 'text',
      device: 'cpu',
      isa: undefined,
      threads: undefined,
      samples: 30,
      compare: [],
      width: 3072,
      tokens: 2048,
    });
  });

  test('reads every option', () => {
    const line =
      'ops block --json --device cuda --isa avx2 --threads 3 --samples 7 --seconds 0.5 ' +
      '--compare torch --compare onnxruntime-node --python python3.12 --checkpoint some/folder ' +
      '--width 256 --tokens 100';
    expect(parsed(...line.split(' '))).toMatchObject({
      suites: ['ops', 'block'],
      format: 'json',
      device: 'cuda',
      isa: 'avx2',
      threads: 3,
      samples: 7,
      seconds: 0.5,
      compare: ['torch', 'onnxruntime-node'],
      python: 'python3.12',
      checkpoint: 'some/folder',
      width: 256,
      tokens: 100,
    });
  });

  test('the filter is a regular expression without regard to case', () => {
    const { filter } = parsed('--filter', 'MATMUL.*bf16$');
    expect(filter.test('ops matmul 1x2x3 bf16')).toBe(true);
    expect(filter.test('ops matmul 1x2x3 f32')).toBe(false);
    expect(parsed().filter.test('anything')).toBe(true);
  });

  test('help asks for no run', () => {
    expect(parseOptions(['--help'])).toBeNull();
    expect(parseOptions(['ops', '-h'])).toBeNull();
  });

  test('the usage names every suite', () => {
    for (const suite of SUITE_NAMES) expect(USAGE).toContain(suite);
  });

  test.each([
    [['speed'], 'suite expected limits, ops'],
    [['--device', 'meta'], '--device expected cpu, cuda, got meta'],
    [['--isa', 'sse2'], '--isa expected scalar, neon, avx2'],
    [['--threads', '0'], '--threads expected a whole number in [1, 1024], got 0'],
    [['--samples', '1.5'], '--samples expected a whole number'],
    [['--seconds=-1'], '--seconds expected a positive number, got -1'],
    [['--seconds', 'soon'], '--seconds expected a positive number, got soon'],
    [['--filter', '('], '--filter expected a regular expression, got ('],
    [['--compare', 'jax'], '--compare expected torch, onnxruntime-node, got jax'],
    [['--width', '100'], '--width expected a multiple of 128, got 100'],
    [['--json', '--markdown'], '--json expected not with --markdown'],
    [['--fast'], 'bench: '],
  ])('%j is refused', (argv, message) => {
    expect(() => parseOptions(argv)).toThrow(FramePackError);
    expect(() => parseOptions(argv)).toThrow(message);
  });
});
