import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  configFault,
  count,
  epsilon,
  extent,
  rotaryBase,
} from '../../src/weights/config-fields.ts';

describe('ranges', () => {
  it.each([
    [extent, [1, 128_320], [0, -1, 1.5, 1e9, Number.NaN, '1', null]],
    [count, [1, 60], [0, 1001, Number.POSITIVE_INFINITY]],
    [epsilon, [1e-12, 1e-5], [0, -1e-5, 1, Number.NaN]],
    [rotaryBase, [1, 256, 500_000], [0, 0.5, 1e12]],
  ])('%#', (schema, good, bad) => {
    expect(good.every((value) => schema.safeParse(value).success)).toBe(true);
    expect(bad.filter((value) => schema.safeParse(value).success)).toEqual([]);
  });
});

describe('configFault', () => {
  const schema = z.object({ a: z.object({ b: z.tuple([extent]) }) });
  const fault = (json: unknown) => configFault('c.json', json, schema.safeParse(json).error!);

  it('names the file, the field and what is there', () => {
    expect(fault({ a: { b: [0] } })).toMatchObject({
      code: 'ERR_CHECKPOINT',
      message: expect.stringMatching(/^checkpoint: c\.json: a\.b\.0: .*, got 0$/),
      details: { file: 'c.json', field: 'a.b.0' },
    });
    expect(fault({}).message).toMatch(/: a: .*, got nothing$/);
    expect(fault(null).message).toMatch(/: content: .*, got null$/);
    expect(fault({ a: { b: ['x'.repeat(500)] } }).message.length).toBeLessThan(250);
  });
});
