import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/** Documentation that is run: code blocks are executed, and commands have to exist. */
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DOCUMENTS = [
  ...['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'],
  ...['src/README.md', 'native/README.md'],
];
const EXAMPLE_MINUTES = 2;

// Inside the package, so that `framepack-node` means this package; with the folders that examples name.
const scratch = join(ROOT, 'build', 'readme');
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

function blocks(file: string, language: string): string[] {
  const fence = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm');
  return [...read(file).matchAll(fence)].map(([, body]) => body ?? '');
}

const examples = DOCUMENTS.flatMap((file) =>
  blocks(file, 'ts').map((code, index) => ({ title: `${file} example ${index + 1}`, code })),
);
const commands = DOCUMENTS.flatMap((file) =>
  blocks(file, 'sh').flatMap((body) => body.trim().split('\n')),
);

beforeAll(() => {
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch, { recursive: true });
  for (const name of ['models', 'assets']) symlinkSync(join(ROOT, name), join(scratch, name));
});

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe('code blocks', () => {
  test('every block is TypeScript or shell', () => {
    const languages = DOCUMENTS.flatMap((file) =>
      [...read(file).matchAll(/^```(\w*)\n[\s\S]*?^```$/gm)].map(([, language]) => language),
    );
    expect(languages.filter((language) => language !== 'ts' && language !== 'sh')).toEqual([]);
  });

  test.each(examples)(
    '$title runs',
    ({ title, code }) => {
      const file = join(scratch, `${title.replaceAll(/\W+/g, '-')}.mts`);
      writeFileSync(file, code);
      const tsx = join(ROOT, 'node_modules/tsx/dist/cli.mjs');
      execFileSync('node', [tsx, file], { cwd: scratch, stdio: 'pipe' });
    },
    EXAMPLE_MINUTES * 60_000,
  );

  test('every command is a script of package.json', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const unknown = commands.filter((command) => {
      const script = /^npm (?:run )?([\w:]+)( -- .*)?$/.exec(command)?.[1];
      return script === undefined || !(script in scripts);
    });
    expect(unknown).toEqual([]);
  });
});

describe('facts', () => {
  test('links lead to files', () => {
    const dead = DOCUMENTS.flatMap((file) => {
      const links = [...read(file).matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(
        ([, to]) => to ?? '',
      );
      return links.filter((to) => !exists(join(file, '..', to))).map((to) => `${file}: ${to}`);
    });
    expect(dead).toEqual([]);
  });

  test('the README lists exactly the environment variables that are read, at most five', () => {
    const variables = (text: string): string[] => [
      ...new Set([...text.matchAll(/\bFRAMEPACK_[A-Z_]+\b/g)].map(([name]) => name)),
    ];
    const documented = variables(read('README.md')).toSorted();
    expect(documented).toEqual(variables(read('src/tensor/device.ts')).toSorted());
    expect(documented.length).toBeLessThanOrEqual(5);
  });
});

function exists(file: string): boolean {
  try {
    return read(file) !== '';
  } catch {
    return false;
  }
}
