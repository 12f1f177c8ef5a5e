import { expect, test } from 'vitest';
import { JsonLinesChild } from '../../../bench/harness/json-lines-child.ts';

function node(program: string): JsonLinesChild {
  return new JsonLinesChild(process.execPath, ['-e', program]);
}

const ECHO = `
  console.log(JSON.stringify({ hello: true }));
  require('node:readline').createInterface({ input: process.stdin })
    .on('line', (line) => console.log(JSON.stringify({ line })));
`;

test('answers line by line and ends with its input', async () => {
  const child = node(ECHO);
  expect(await child.next()).toEqual({ hello: true });
  expect(await child.request('one')).toEqual({ line: 'one' });
  expect(await child.request('two')).toEqual({ line: 'two' });
  await child.close();
  await expect(child.next()).rejects.toThrow('expected an answer');
});

test('says why a child ended', async () => {
  const child = node(`throw new Error('no such library')`);
  await expect(child.next()).rejects.toThrow('no such library');
  await child.close();
});

test('says that there is no such program', async () => {
  const child = new JsonLinesChild('./no-such-program', []);
  await expect(child.next()).rejects.toThrow('no-such-program');
  await child.close();
});
