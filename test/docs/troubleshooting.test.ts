import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { repositoryPath } from '../tokenizers/vocabularies.ts';

const read = (file: string): string => readFileSync(repositoryPath(file), 'utf8');

test('every error code has a chapter, and no chapter is of another', () => {
  const [, union] = /export type ErrorCode =([^;]+);/.exec(read('src/errors.ts'))!;
  const codes = [...union!.matchAll(/'(ERR_\w+)'/g)].map(([, code]) => code);
  const chapters = [...read('docs/troubleshooting.md').matchAll(/^## (.+)$/gm)].map(
    ([, heading]) => heading,
  );
  expect(chapters.toSorted()).toEqual(codes.toSorted());
});
