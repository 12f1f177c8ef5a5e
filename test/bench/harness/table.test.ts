import { describe, expect, test } from 'vitest';
import { emptyRow, type Machine, type Row } from '../../../bench/harness/document.ts';
import {
  describe as describeMachine,
  markdown,
  textHeader,
  textRow,
} from '../../../bench/harness/table.ts';

const MACHINE: Machine = {
  cpu: 'Imagined 9000',
  cores: 2,
  memory_bytes: 2 ** 34,
  load: [0, 0.5, 1],
  system: 'Linux 6',
  node: 'v20.0.0',
  commit: 'abc1234',
  date: '2026-01-02T03:04:05.000Z',
  device: 'Imagined 9000, avx2',
  rivals: { torch: '2.0' },
};
const ROW: Row = {
  ...emptyRow({ suite: 'ops', name: 'matmul 1x2x3', device: 'cpu', samples: 5, spread: 0.104 }),
  dtype: 'bf16',
  median_ms: 1234.5,
  tflops: 0.12345,
  share_of_limit: 0.5,
  compare: {
    torch: {
      median_ms: 2469,
      spread: 0.2,
      cpu_ms: null,
      ratio: 2,
      variant: 'f32',
      difference: null,
      is_inexact: false,
    },
  },
};

test('a text row stands under its header', () => {
  const column = textHeader().indexOf('dtype');
  expect(textRow(ROW).slice(column)).toMatch(/^bf16 /);
  expect(textRow(ROW)).toContain(' 1235 ');
  expect(textRow(ROW)).toContain('torch 2.00x (f32, 2469 ms)');
});

describe('markdown', () => {
  test('leaves out columns that nobody fills', () => {
    const text = markdown({ machine: MACHINE, rows: [ROW] });
    expect(text).toContain('| suite | name | dtype |');
    expect(text).not.toContain('GB/s');
  });

  test('every line of the table has as many cells', () => {
    const lines = markdown({ machine: MACHINE, rows: [ROW, { ...ROW, dtype: null }] })
      .split('\n')
      .filter((line) => line.startsWith('|'));
    expect(lines).toHaveLength(4);
    expect(new Set(lines.map((line) => line.split('|').length)).size).toBe(1);
  });

  test('says where and when', () => {
    expect(markdown({ machine: MACHINE, rows: [] })).toContain(describeMachine(MACHINE));
    expect(describeMachine(MACHINE)).toBe(
      '2026-01-02T03:04Z, commit abc1234, 2 cores of Imagined 9000, 16 GiB, load 0.0 0.5 1.0, ' +
        'Linux 6, node v20.0.0, device Imagined 9000, avx2, torch 2.0',
    );
  });
});
