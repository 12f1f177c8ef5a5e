import { describe, expect, test } from 'vitest';
import { FramePackError, quote } from '../src/errors.ts';

test('carries code, details and cause beside the message', () => {
  const cause = new Error('file not found');
  const details = { tensor: 'norm.weight' };
  const error = new FramePackError('ERR_CHECKPOINT', 'open: path expected a file', details, cause);

  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({ code: 'ERR_CHECKPOINT', details, cause });
  expect(String(error)).toBe('FramePackError: open: path expected a file');
});

test('has no cause and empty details unless given', () => {
  const error = new FramePackError('ERR_SHAPE', 'matmul: a expected rank 2, got 0');

  expect(error.details).toEqual({});
  expect('cause' in error).toBe(false);
});

describe('messages', () => {
  test('are one line without control characters, whatever they quote', () => {
    const { message } = new FramePackError(
      'ERR_ARGUMENT',
      'a\0b\u001b[31m\nc\u202Ed\uD800e \u{1F642}',
    );
    expect(message).toBe('a\\u0000b\\u001b[31m\\nc\\u202ed\\ud800e \u{1F642}');
  });

  test('cut long words and long texts in the middle, and leave the details whole', () => {
    const url = `data:image/png;base64,${'A'.repeat(50_000)}`;
    const error = new FramePackError('ERR_IMAGE', `got ${url} here`, { url });
    expect(error.message).toMatch(/^got data:image\/png.{100,290}\.\.\.A+ here$/);
    expect(error.details.url).toBe(url);
    const long = new FramePackError('ERR_IMAGE', 'word '.repeat(100_000));
    expect(long.message.length).toBeLessThan(4100);
    expect(new FramePackError('ERR_IMAGE', '\u0001'.repeat(20_000)).message.length).toBeLessThan(
      400,
    );
  });

  test.each([
    ['a', '"a"'],
    ['x'.repeat(61), `"${'x'.repeat(60)}..."`],
    [1.5, '1.5'],
    [2n ** 64n, '18446744073709551616'],
    [undefined, 'undefined'],
    [null, 'null'],
    [[1], 'an array'],
    [{}, 'an object'],
    [() => {}, 'a function'],
  ])('quote %o as %s', (value, text) => {
    expect(quote(value)).toBe(text);
  });
});
