import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { cliReference } from '../../docs/.vitepress/cli-reference.ts';
import { createProgram } from '../../src/cli/program.ts';

const { commands } = createProgram(false);

/** What `--help` prints on a terminal of 80 columns. */
async function helpOf(...args: string[]): Promise<string> {
  const program = createProgram(false);
  let text = '';
  for (const command of [program, ...program.commands]) {
    command.configureOutput({
      writeOut: (part) => {
        text += part;
      },
      getOutHelpWidth: () => 80,
    });
  }
  await program.parseAsync([...args, '--help'], { from: 'user' }).catch(() => {});
  return text;
}

describe('help', () => {
  test('of the program', async () => {
    await expect(await helpOf()).toMatchFileSnapshot('help/framepack.txt');
  });

  test.each(commands.map((command) => command.name()))('of %s', async (name) => {
    await expect(await helpOf(name)).toMatchFileSnapshot(`help/${name}.txt`);
  });

  test('is the page of the command line', async () => {
    await expect(cliReference(createProgram(false))).toMatchFileSnapshot('../../docs/cli.md');
  });

  test('says the default of every option that has one', () => {
    const without = commands.flatMap((command) =>
      command.options
        .filter(
          ({ required, description }) => required && !/\(default: |\(required\b/.test(description),
        )
        .map(({ long }) => `${command.name()} ${long}`),
    );
    expect(without).toEqual([
      'generate --variant',
      'generate --image',
      'generate --negative-prompt',
      'generate --job',
      'estimate --variant',
      'estimate --image',
      'estimate --negative-prompt',
      'plan --svg',
    ]);
  });
});

describe('mistakes in a command line', () => {
  async function mistake(...args: string[]): Promise<string> {
    const program = createProgram(false);
    let text = '';
    for (const command of [program, ...program.commands] as Command[]) {
      command.configureOutput({
        writeErr: (part) => {
          text += part;
        },
      });
    }
    await program.parseAsync(args, { from: 'user' }).catch(() => {});
    return text;
  }

  test.each([
    [['generate', '--promt', 'x'], "did you mean --prompt? unknown option '--promt'"],
    [
      ['generate', '--model', 'm', '--promt', 'x'],
      "did you mean --prompt? unknown option '--promt'",
    ],
    [['encode', 'f', '--crt', '3'], "did you mean --crf? unknown option '--crt'"],
    [['generat'], "did you mean generate? unknown command 'generat'"],
    [['generate', '--qqqqqq'], "unknown option '--qqqqqq'"],
    [['generate', '--model', 'm'], "required option '--prompt <text>' not specified"],
    [
      ['generate', '--model', 'm', '--prompt', 'x', '--quiet', '--json'],
      "option '--quiet' cannot be used with option '--json'",
    ],
  ])('%j: %s', async (args, message) => {
    expect(await mistake(...args)).toBe(`framepack: ${message}\n`);
  });
});
