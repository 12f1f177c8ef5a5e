import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { errorTable, measureErrors, PAGE, readTable } from './fp8-errors.ts';

/** Instruction sets sum in different orders; what they make of eight steps differs a little. */
const TOLERANCE = 0.1;
const LAST_DIGIT = 1e-4;

test('the page shows what is measured', async () => {
  const shown = readTable(readFileSync(PAGE, 'utf8'));
  const measured = await measureErrors();
  expect([...shown.keys()]).toEqual([...measured.keys()]);
  for (const [name, { weights, latents }] of measured) {
    const row = shown.get(name)!;
    expect(Math.abs(row.weights - weights), name).toBeLessThan(TOLERANCE * weights + LAST_DIGIT);
    expect(Math.abs(row.latents - latents), name).toBeLessThan(TOLERANCE * latents + LAST_DIGIT);
  }
}, 600_000);

test('a table is read as it is written', () => {
  const errors = new Map([['`x`', { weights: 0.0123, latents: 0.5 }]]);
  expect(readTable(errorTable(errors))).toEqual(errors);
});
