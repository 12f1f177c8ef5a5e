import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import { repositoryPath } from '../tokenizers/vocabularies.ts';
import { commandsOf, wordsOf } from './code-blocks.ts';
import { BLOCKS, complaintsAbout, DOCUMENTS, read, Scratch, SERVERS } from './documents.ts';

/** Documentation that is run: code blocks are compiled and executed, and commands have to exist. */
const EXAMPLE_MS = 120_000;
/** Commands that need the network, a compiler or a minute; they are only parsed. */
const NOT_RUN = ['pull', 'build', 'demo'];

const scratch = new Scratch('documents');
const examples = BLOCKS.filter(({ language }) => language === 'ts');
const servers = new Set(SERVERS.map(({ block }) => block));
const commands = BLOCKS.filter(({ language }) => language === 'sh').flatMap(({ document, code }) =>
  commandsOf(code).map((command) => ({ document, command })),
);

beforeAll(() => scratch.write(BLOCKS));
afterAll(() => scratch.remove());

describe('code blocks', () => {
  test('every block is TypeScript or shell', () => {
    const strange = BLOCKS.filter(({ language }) => !['ts', 'sh'].includes(language));
    expect(strange.map(({ title, language }) => `${title}: ${language}`)).toEqual([]);
  });

  test(
    'TypeScript compiles',
    () => {
      expect(complaintsAbout(examples.map((block) => scratch.sourceOf(block)))).toEqual([]);
    },
    EXAMPLE_MS,
  );

  test.each(examples.filter((block) => !servers.has(block)))(
    '$title runs',
    (block) => {
      const cwd = scratch.folderOf(block.document);
      execFileSync('node', [scratch.programOf(block)], { cwd, stdio: 'pipe' });
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
    const known = /^(npm|npx framepack|npx tsx|node dist\/cli\/main\.js|sudo apt-get|curl) /;
    expect(commands.filter(({ command }) => !known.test(command))).toEqual([]);
  });

  test('of curl are behind the server that they ask', () => {
    const asked = SERVERS.flatMap(({ requests }) => requests);
    const all = commands.filter(({ command }) => command.startsWith('curl '));
    expect(all.map(({ command }) => command)).toEqual(asked);
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

  test.each(ours.filter(({ document, line }) => runsHere(document, wordsOf(line))))(
    '$document: framepack $line runs',
    ({ document, line }) => {
      const main = repositoryPath('dist/cli/main.js');
      const cwd = scratch.folderOf(document);
      execFileSync('node', [main, ...wordsOf(line)], { cwd, stdio: 'pipe' });
    },
    EXAMPLE_MS,
  );
});

/**
 * Whether a command needs nothing that only a user has: the released weights, a GPU, the network, or the answer of a
 * server, which the servers' own test asks for.
 */
function runsHere(document: string, [name, ...words]: readonly string[]): boolean {
  const model = words[words.indexOf('--model') + 1];
  const isReleased = words.includes('--transformer');
  const isTiny = !words.includes('--model') || model === 'models/tiny-framepack';
  const answers = SERVERS.filter(({ block }) => block.document === document).flatMap(
    ({ requests }) => requests.flatMap(wordsOf),
  );
  const needsAnswer = words.some((word) => word.includes('.') && answers.includes(word));
  return (
    isTiny && !isReleased && !needsAnswer && !words.includes('cuda') && !NOT_RUN.includes(name!)
  );
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

  test('the page of the environment lists exactly the variables that are read, at most five', () => {
    const variables = (text: string): string[] => [
      ...new Set([...text.matchAll(/\bFRAMEPACK_[A-Z_]+\b/g)].map(([name]) => name)),
    ];
    const documented = variables(read('docs/environment.md')).toSorted();
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
