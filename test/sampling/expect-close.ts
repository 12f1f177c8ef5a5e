import { expect } from 'vitest';

/** Fails unless every number is within `tolerance` of its counterpart; says which one is farthest off. */
export function expectClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
): void {
  expect(actual.length).toBe(expected.length);
  const errors = Array.from(actual, (value, i) => Math.abs(value - expected[i]!));
  const worst = errors.reduce((at, error, i) => (error > errors[at]! ? i : at), 0);
  const isClose = errors.every((error) => error <= tolerance);
  expect(isClose, `element ${worst}: ${actual[worst]} is not ${expected[worst]}`).toBe(true);
}
