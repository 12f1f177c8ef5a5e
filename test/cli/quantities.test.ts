import { expect, test } from 'vitest';
import { duration, size } from '../../src/cli/quantities.ts';

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.0 kB'],
  [25_748_629_632, '25.7 GB'],
  [3e15, '3000.0 TB'],
])('%d bytes are %s', (bytes, text) => {
  expect(size(bytes)).toBe(text);
});

test.each([
  [400, '0 s'],
  [99_000, '99 s'],
  [120_000, '2 min'],
  [9_000_000, '2.5 h'],
])('%d ms are %s', (ms, text) => {
  expect(duration(ms)).toBe(text);
});
