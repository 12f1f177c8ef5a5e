import { expect, test } from 'vitest';
import { FramePackError } from '../src/errors.ts';

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
