import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseSchedule } from '../../src/framepack/packing.ts';
import { measureSchedule } from '../../src/framepack/schedule-size.ts';
import { repositoryPath } from '../tokenizers/vocabularies.ts';

test('the picture of packing shows the tokens of the released schedule', () => {
  const svg = readFileSync(repositoryPath('docs/pictures/packing.svg'), 'utf8');
  const size = measureSchedule(parseSchedule('f1k1_x_g9_f1k1f2k2f16k4_td'), 640, 608);
  const labels = [...svg.matchAll(/<text[^>]*>([^<]+)<\/text>/g)].map(([, text]) => text!);
  const numbers = labels.filter((text) => /^\d{3,}$/.test(text)).map(Number);
  const perFrame = size.groups[0]!.numTokens;
  const context = size.groups.filter(({ kind }) => kind === 'context');
  // One square for every frame of the plain kernel, then a caption under every group of context.
  const squares = Array<number>(2 + size.generatedFrames).fill(perFrame);
  const captions = context.map(({ numTokens }) => numTokens);
  expect(numbers.toSorted()).toEqual([...squares, ...captions].toSorted());
  const text = labels.join(' ');
  expect(text).toContain(`${size.generatedTokens} tokens`);
  expect(text).toContain(
    `The context is ${size.contextTokens} tokens and the section ${size.generatedTokens}: ${size.numTokens} for`,
  );
  expect(text).toContain(
    `the ${size.contextFrames} frames of context alone would be ${size.contextFrames * perFrame}.`,
  );
});
