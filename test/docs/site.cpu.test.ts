import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { repositoryPath } from '../tokenizers/vocabularies.ts';

const SITE = repositoryPath('build/site');
const BUILD_MS = 300_000;

/** A built page: its address on the site, where its links lead, and what they may lead to. */
interface Page {
  readonly address: string;
  readonly links: readonly string[];
  readonly anchors: ReadonlySet<string>;
}

let output: string;
let pages: readonly Page[];

beforeAll(() => {
  // A warning of TypeDoc and a dead link between pages end it with an error.
  output = execFileSync('npm', ['run', 'docs:build'], {
    cwd: repositoryPath('.'),
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const files = readdirSync(SITE, { recursive: true, encoding: 'utf8' });
  pages = files.filter((file) => file.endsWith('.html')).map(readPage);
}, BUILD_MS);

function readPage(file: string): Page {
  const html = readFileSync(join(SITE, file), 'utf8');
  const values = (attribute: string): string[] =>
    [...html.matchAll(new RegExp(` ${attribute}="([^"]*)"`, 'g'))].map(([, value]) => value!);
  const address = `/${file}`.replace(/\.html$/, '').replace(/\/index$/, '/');
  return {
    address,
    links: [...values('href'), ...values('src')].filter((link) => !/^[a-z]+:/.test(link)),
    anchors: new Set(values('id')),
  };
}

describe('the site', () => {
  test('is built, without a warning of TypeDoc', () => {
    expect(output).toContain('build complete');
    expect(output).not.toMatch(/\[warning\]/);
    expect(pages.map(({ address }) => address)).toContain('/troubleshooting');
  });

  test('has the API of every entry', () => {
    const entries = ['', '/tensor', '/nn', '/models', '/framepack'];
    const addresses = pages.map(({ address }) => address);
    expect(addresses).toEqual(
      expect.arrayContaining(entries.map((entry) => `/api/framepack-node${entry}`)),
    );
  });

  test('has no link into nothing', () => {
    const assets = new Set(
      readdirSync(SITE, { recursive: true, encoding: 'utf8' }).map((file) => `/${file}`),
    );
    const byAddress = new Map(pages.map((page) => [page.address, page]));
    const dead = pages.flatMap(({ address, links }) =>
      links
        .filter((link) => {
          const { pathname, hash } = new URL(link, `http://site${address}`);
          const page = byAddress.get(decodeURIComponent(pathname));
          if (page === undefined) return !assets.has(decodeURIComponent(pathname));
          return hash !== '' && !page.anchors.has(decodeURIComponent(hash.slice(1)));
        })
        .map((link) => `${address}: ${link}`),
    );
    expect(dead).toEqual([]);
  });
});
