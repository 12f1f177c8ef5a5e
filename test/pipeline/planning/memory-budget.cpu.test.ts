import { describe, expect, it } from 'vitest';
import { budgetOf, lowerBudget, tierOf } from '../../../src/pipeline/planning/memory-budget.ts';
import { Device } from '../../../src/tensor/device.ts';

const GIB = 2 ** 30;

describe('tierOf', () => {
  it.each([
    [5, undefined],
    [5.6, '6 GB'],
    [7.4, '6 GB'],
    [11.6, '12 GB'],
    [23.5, '24 GB'],
    [79, '48+ GB'],
  ])('%d GiB free are %s', (gibibytes, name) => {
    expect(tierOf(gibibytes * GIB)?.name).toBe(name);
  });
});

describe('lowerBudget', () => {
  it.each([
    [37, 23.5],
    [5.6, 5.5],
    [5.4, 5.4 * 0.75],
  ])('after %d GiB tries %d', (planned, lower) => {
    expect(lowerBudget(planned * GIB)).toBe(Math.floor(lower * GIB));
  });
});

describe('budgetOf', () => {
  it.each(['cpu', 'meta'] as const)('%s has no limit of its own', async (kind) => {
    await using device = Device.open(kind, {});
    expect(budgetOf(device)).toBeNull();
  });
});
