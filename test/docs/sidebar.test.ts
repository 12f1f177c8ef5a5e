import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sidebarOf } from '../../docs/.vitepress/sidebar.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'framepack-docs-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});
const write = (file: string, text: string): void => writeFileSync(join(folder, file), text);

test('pages are found, grouped and ordered; one that says nothing is a guide, at the end', () => {
  write('index.md', '# Home');
  write('lora.md', '# LoRA\n\ntext');
  write('late.md', '---\ngroup: Guides\norder: 2\n---\n# Late');
  write('early.md', '---\ntitle: Quite early\ngroup: Guides\norder: 1\n---\n# Early');
  write('install.md', '---\ngroup: Start\n---\n# Install');
  expect(sidebarOf(folder)).toEqual([
    { text: 'Start', items: [{ text: 'Install', link: '/install' }] },
    {
      text: 'Guides',
      items: [
        { text: 'Quite early', link: '/early' },
        { text: 'Late', link: '/late' },
        { text: 'LoRA', link: '/lora' },
      ],
    },
    { text: 'Reference', items: [{ text: 'API', link: '/api/' }] },
  ]);
});

test('a page without a heading or of an unknown group is refused', () => {
  write('a.md', 'text');
  expect(() => sidebarOf(folder)).toThrow('docs/a.md has no heading');
  write('a.md', '---\ngroup: Elsewhere\n---\n# A');
  expect(() => sidebarOf(folder)).toThrow('docs/a.md: group expected Start,');
});
