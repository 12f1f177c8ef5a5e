import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { repositoryPath } from '../tokenizers/vocabularies.ts';

const readme = readFileSync(repositoryPath('README.md'), 'utf8');

test('links of the README lead to files of the installed package', () => {
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const listing = execFileSync('npm', args, { cwd: repositoryPath('.'), encoding: 'utf8' });
  const [{ files }] = JSON.parse(listing) as [{ files: { path: string }[] }];
  const packed = new Set(files.map(({ path }) => path));
  const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, to]) => to!);
  expect(links.length).toBeGreaterThan(10);
  expect(links.filter((to) => !packed.has(to))).toEqual([]);
});

test('the README is of one screen', () => {
  expect(readme.split('\n').length).toBeLessThanOrEqual(60);
});
