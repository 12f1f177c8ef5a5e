import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { FramePackError } from '../../src/errors.ts';
import {
  corruptFile,
  isJsonObject,
  readJsonFile,
  readTextFile,
} from '../../src/tokenizers/checkpoint-file.ts';
import { temporaryFolder } from './temporary-folder.ts';

describe('readJsonFile', () => {
  test('returns the object', async () => {
    const folder = await temporaryFolder({ 'a.json': '{"x": [1]}' });
    expect(await readJsonFile(folder, 'a.json')).toEqual({ x: [1] });
  });

  test.each(['', '{', 'version https://git-lfs.github.com/spec/v1', '[1]', 'null', '"text"'])(
    'refuses %j',
    async (text) => {
      const folder = await temporaryFolder({ 'a.json': text });
      await expect(readJsonFile(folder, 'a.json')).rejects.toMatchObject({
        code: 'ERR_CHECKPOINT',
        details: { file: path.join(folder, 'a.json') },
      });
    },
  );
});

describe('readTextFile', () => {
  test('refuses a folder', async () => {
    const folder = await temporaryFolder({});
    await mkdir(path.join(folder, 'merges.txt'));
    await expect(readTextFile(folder, 'merges.txt')).rejects.toMatchObject({
      code: 'ERR_CHECKPOINT',
      message: expect.stringContaining('EISDIR'),
    });
  });
});

test('corruptFile names the file and says what to do', () => {
  const error = corruptFile('a/vocab.json', 'expected JSON');
  expect(error).toBeInstanceOf(FramePackError);
  expect(error.message).toBe('tokenizer: a/vocab.json expected JSON; download the file again');
});

test.each([
  [{}, true],
  [[], false],
  [null, false],
  [3, false],
])('isJsonObject(%j) is %s', (value, expected) => {
  expect(isJsonObject(value)).toBe(expected);
});
