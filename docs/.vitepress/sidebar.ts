import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DefaultTheme } from 'vitepress';

/** The parts of the sidebar; a page names its own as `group` in its front matter, and `order` within it. */
const GROUPS = ['Start', 'Guides', 'Concepts', 'Reference', 'Project'] as const;
const DEFAULT_GROUP = 'Guides';

interface Page {
  readonly title: string;
  readonly link: string;
  readonly group: string;
  readonly order: number;
}

/**
 * The sidebar of all pages that lie in a folder. A page that says nothing of itself is a guide, behind those with an
 * order, under its first heading.
 *
 * @throws Error for a page without a heading or of an unknown group.
 */
export function sidebarOf(folder: string): DefaultTheme.SidebarItem[] {
  const pages = readdirSync(folder)
    .filter((file) => file.endsWith('.md') && file !== 'index.md')
    .map((file) => readPage(folder, file))
    .toSorted((a, b) => a.order - b.order || a.title.localeCompare(b.title));
  return GROUPS.map((group) => ({
    text: group,
    items: [
      ...pages
        .filter((page) => page.group === group)
        .map(({ title, link }) => ({ text: title, link })),
      ...(group === 'Reference' ? [{ text: 'API', link: '/api/' }] : []),
    ],
  })).filter(({ items }) => items.length > 0);
}

function readPage(folder: string, file: string): Page {
  const text = readFileSync(join(folder, file), 'utf8');
  const [, frontMatter = ''] = /^---\n([\s\S]*?)^---\n/m.exec(text) ?? [];
  const field = (name: string): string | undefined =>
    new RegExp(`^${name}: *(.+)$`, 'm').exec(frontMatter)?.[1];
  const title = field('title') ?? /^# +(.+)$/m.exec(text)?.[1];
  if (title === undefined) throw new Error(`docs/${file} has no heading`);
  const group = field('group') ?? DEFAULT_GROUP;
  if (!GROUPS.some((known) => known === group)) {
    throw new Error(`docs/${file}: group expected ${GROUPS.join(', ')}, got ${group}`);
  }
  const order = Number(field('order') ?? Number.MAX_SAFE_INTEGER);
  return { title, link: `/${file.replace(/\.md$/, '')}`, group, order };
}
