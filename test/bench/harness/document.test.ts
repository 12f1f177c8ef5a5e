import { describe, expect, test } from 'vitest';
import {
  type BenchDocument,
  benchDocument,
  emptyRow,
  type Row,
} from '../../../bench/harness/document.ts';

const MACHINE = {
  cpu: 'Imagined 9000',
  cores: 2,
  memory_bytes: 2 ** 34,
  load: [0, 0.5, 1],
  system: 'Linux 6',
  node: 'v20.0.0',
  commit: null,
  date: '2026-01-02T03:04:05.000Z',
  device: 'Imagined 9000, avx2',
  rivals: { torch: '2.0' },
} as const;

const ROW: Row = {
  ...emptyRow({ suite: 'ops', name: 'matmul 1x2x3', device: 'cpu', samples: 5, spread: 0.1 }),
  median_ms: 2,
  compare: {
    torch: {
      median_ms: 3,
      spread: 0.2,
      cpu_ms: null,
      ratio: 1.5,
      variant: 'bf16',
      difference: 0.001,
      is_inexact: false,
    },
  },
};

function accepts(document: unknown): boolean {
  return benchDocument.safeParse(document).success;
}

describe('benchDocument', () => {
  const document: BenchDocument = { machine: MACHINE, rows: [ROW] };

  test('accepts a run, also after a trip through text', () => {
    expect(benchDocument.parse(JSON.parse(JSON.stringify(document)))).toEqual(document);
  });

  test('accepts a run without rows', () => {
    expect(accepts({ ...document, rows: [] })).toBe(true);
  });

  test.each([
    ['a field that nobody knows', { ...ROW, speed: 1 }],
    ['a number that is none', { ...ROW, median_ms: Number.NaN }],
    ['a negative time', { ...ROW, median_ms: -1 }],
    ['no samples', { ...ROW, samples: 0 }],
    ['a missing field', { ...ROW, compare: undefined }],
    ['a rival without a ratio', { ...ROW, compare: { torch: { median_ms: 1 } } }],
  ])('refuses a row with %s', (_, row) => {
    expect(accepts({ ...document, rows: [row] })).toBe(false);
  });

  test('refuses a machine without a date', () => {
    expect(accepts({ ...document, machine: { ...MACHINE, date: 'yesterday' } })).toBe(false);
  });
});
