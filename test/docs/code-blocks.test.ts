import { expect, test } from 'vitest';
import { blocksOf, commandsOf, wordsOf } from './code-blocks.ts';

test('blocks have a language and are counted', () => {
  const text = 'a\n```ts\nlet x;\n```\nb\n```\ny\n```\n';
  expect(blocksOf('a.md', text)).toEqual([
    { document: 'a.md', title: 'a.md example 1', language: 'ts', code: 'let x;\n' },
    { document: 'a.md', title: 'a.md example 2', language: '', code: 'y\n' },
  ]);
});

test('commands are lines without comments, joined behind a backslash', () => {
  expect(commandsOf("a 1 # not\n\n# no\nb \\\n  2\n'c#d'\n")).toEqual(['a 1', 'b 2', "'c#d'"]);
});

test('words lose their quotes', () => {
  expect(wordsOf(`a 'b c' "d 'e" --f=1`)).toEqual(['a', 'b c', "d 'e", '--f=1']);
});
