import { expect, test } from 'vitest';
import { z } from 'zod';
import { fieldError } from '../../../src/pipeline/inputs/field-errors.ts';

const schema = z.strictObject({ size: z.int(), shade: z.enum(['light', 'dark']).optional() });
const EXPECTED = { size: 'a whole number', shade: 'light or dark' };

test.each([
  [{ size: 1.5 }, 'size', 'generate: size expected a whole number, got 1.5'],
  [{ size: 1, shade: 'x\n' }, 'shade', 'generate: shade expected light or dark, got "x\\n"'],
  [
    { siz: 1 },
    'siz',
    'generate: request expected only known fields, got "siz"; did you mean "size"?',
  ],
  [7, '', 'generate: request expected an object, got 7'],
])('%j', (request, field, message) => {
  const { issues } = schema.safeParse(request).error!;
  expect(
    fieldError({ operation: 'generate', given: request, expected: EXPECTED }, issues),
  ).toMatchObject({
    code: 'ERR_ARGUMENT',
    message,
    details: { field },
  });
});
