import { expect, test } from 'vitest';
import { checkConversion, FP8_SCHEMES } from '../../../src/pipeline/conversion/convert-options.ts';

test.each(FP8_SCHEMES)('fp8 %s is enough', (fp8) => {
  expect(() => checkConversion('a', 'b.safetensors', { fp8 })).not.toThrow();
});

test.each([
  ['', 'b.safetensors', { fp8: 'tensor' }, 'convert: source expected a path, got ""'],
  ['a', 3, { fp8: 'tensor' }, 'convert: target expected a path, got 3'],
  [
    'a',
    'b.gguf',
    { fp8: 'tensor' },
    'convert: target expected a file name that ends in .safetensors, got "b.gguf"',
  ],
  ['a', 'b.safetensors', undefined, 'convert: request expected an object, got undefined'],
  ['a', 'b.safetensors', {}, 'convert: request expected fp8, dtype or loras, got none of them'],
  [
    'a',
    'b.safetensors',
    { loras: [] },
    'convert: request expected fp8, dtype or loras, got none of them',
  ],
  [
    'a',
    'b.safetensors',
    { fp8: 'block' },
    'convert: fp8 expected block64, channel, tensor, got "block"',
  ],
  [
    'a',
    'b.safetensors',
    { ftp8: 'block64' },
    'convert: request expected only known fields, got "ftp8"; did you mean "fp8"?',
  ],
  [
    'a',
    'b.safetensors',
    { loras: [{ file: 'x', scale: 11 }] },
    'convert: loras expected a list of { file, scale }, scale from -10 to 10, got an array',
  ],
])('%j to %j with %j: %s', (source, target, options, message) => {
  expect(() => checkConversion(source, target, options)).toThrow(
    expect.objectContaining({ code: 'ERR_ARGUMENT', message }),
  );
});
