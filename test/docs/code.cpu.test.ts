import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import { repositoryPath } from '../tokenizers/vocabularies.ts';
import { blocksOf, type CodeBlock, commandsOf, wordsOf } from './code-blocks.ts';

/** Documentation that is run: code blocks are compiled and executed, and commands have to exist. */
const ROOT = repositoryPath('.');
const DOCUMENTS = [
  ...['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'],
  ...['src/README.md', 'native/README.md'],
  ...readdirSync(join(ROOT, 'docs'))
    .filter((file) => file.endsWith('.md'))
    .map((file) => `docs/${file}`),
];
const EXAMPLE_MS = 120_000;
/** Commands that need the network, a compiler or a minute; they are only parsed. */
const NOT_RUN = ['pull', 'build', 'demo'];

// Inside the package, so that `framepack-node` means this package; with the folders that examples name.
const scratch = join(ROOT, 'build', 'documents');
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const blocks = DOCUMENTS.flatMap((file) => blocksOf(file, read(file)));
const examples = blocks.filter(({ language }) => language === 'ts');
const commands = blocks
  .filter(({ language }) => language === 'sh')
  .flatMap(({ document, code }) => commandsOf(code).map((command) => ({ document, command })));

beforeAll(() => {
  rmSync(scratch, { recursive: true, force: true });
  for (const folder of DOCUMENTS.map(folderOf)) {
    mkdirSync(folder, { recursive: true });
    for (const name of ['models', 'assets']) symlinkSync(join(ROOT, name), join(folder, name));
  }
  for (const block of examples) writeFileSync(fileOf(block), block.code);
});

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Where the blocks of a document run; a later one finds the files of an earlier one. */
function folderOf(document: string): string {
  return join(scratch, document.replaceAll(/\W+/g, '-'));
}

function fileOf({ document, title }: CodeBlock): string {
  return join(folderOf(document), `${title.replaceAll(/\W+/g, '-')}.mts`);
}

describe('code blocks', () => {
  test('every block is TypeScript or shell', () => {
    const strange = blocks.filter(({ language }) => !['ts', 'sh'].includes(language));
    expect(strange.map(({ title, language }) => `${title}: ${language}`)).toEqual([]);
  });

  test(
    'TypeScript compiles',
    () => {
      const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), ts.sys.readFile);
      const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
      const own = { ...options, isolatedDeclarations: false, declaration: false };
      const program = ts.createProgram(examples.map(fileOf), own);
      const complaints = ts.getPreEmitDiagnostics(program).map(({ file, start, messageText }) => {
        const line = file?.getLineAndCharacterOfPosition(start ?? 0).line ?? 0;
        return `${file?.fileName}:${line + 1}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
      });
      expect(complaints).toEqual([]);
    },
    EXAMPLE_MS,
  );

  test.each(examples)(
    '$title runs',
    (block) => {
      const tsx = join(ROOT, 'node_modules/tsx/dist/cli.mjs');
      const cwd = folderOf(block.document);
      execFileSync('node', [tsx, fileOf(block)], { cwd, stdio: 'pipe' });
    },
    EXAMPLE_MS,
  );
});

describe('commands', () => {
  test('of npm are scripts of package.json', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const unknown = commands.filter(({ command }) => {
      const [program, ...words] = wordsOf(command);
      if (program !== 'npm' || words[0] === 'install' || words[0] === 'pack') return false;
      const script = words[0] === 'run' ? words[1] : words[0];
      return script === undefined || !(script in scripts);
    });
    expect(unknown).toEqual([]);
  });

  test('are ones that this test knows', () => {
    const known = /^(npm|npx framepack|npx tsx|node dist\/cli\/main\.js|sudo apt-get) /;
    expect(commands.filter(({ command }) => !known.test(command))).toEqual([]);
  });

  const ours = commands.flatMap(({ document, command }) => {
    const [, line] = /^(?:npx framepack|node dist\/cli\/main\.js) (.+)$/.exec(command) ?? [];
    return line === undefined ? [] : [{ document, line }];
  });

  test.each(ours)('$document: framepack $line is a command', async ({ line }) => {
    const program = createProgram(false);
    for (const command of program.commands) command.action(() => {});
    await program.parseAsync(wordsOf(line), { from: 'user' });
  });

  test.each(ours.filter(({ line }) => runsHere(wordsOf(line))))(
    '$document: framepack $line runs',
    ({ document, line }) => {
      const main = join(ROOT, 'dist/cli/main.js');
      const cwd = folderOf(document);
      execFileSync('node', [main, ...wordsOf(line)], { cwd, stdio: 'pipe' });
    },
    EXAMPLE_MS,
  );
});

/** Whether a command needs nothing that only a user has: the released weights, a GPU, the network. */
function runsHere([name, ...words]: readonly string[]): boolean {
  const model = words[words.indexOf('--model') + 1];
  const isTiny = !words.includes('--model') || model === 'models/tiny-framepack';
  return isTiny && !words.includes('cuda') && !NOT_RUN.includes(name!);
}

describe('facts', () => {
  test('links lead to files', () => {
    const dead = DOCUMENTS.flatMap((file) => {
      const links = [...read(file).matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(
        ([, to]) => to ?? '',
      );
      // Pages of the API are made with the site, whose own test follows the links to them.
      const written = links.filter((to) => !to.startsWith('api/'));
      return written.filter((to) => !exists(join(file, '..', to))).map((to) => `${file}: ${to}`);
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
