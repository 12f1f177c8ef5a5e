import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bashCompletion } from '../../../src/cli/completion/bash.ts';
import { framepackCommands, linesOf } from './shells.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'framepack-bash-'));
  writeFileSync(path.join(folder, 'framepack.bash'), bashCompletion(framepackCommands()));
  mkdirSync(path.join(folder, 'a model'));
  writeFileSync(path.join(folder, 'a picture.png'), '');
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What bash offers at the end of a command line, asked as its line editor asks. */
function offered(...words: string[]): string[] {
  const program = `
    source ./framepack.bash
    registered=$(complete -p framepack)
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    function=\${registered#*-F }
    \${function%% *} framepack "\${COMP_WORDS[COMP_CWORD]}" "\${COMP_WORDS[COMP_CWORD - 1]}"
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  return linesOf('bash', ['--norc', '-c', program, 'bash', 'framepack', ...words], folder);
}

describe('bash offers', () => {
  test.each([
    [['gen'], ['generate']],
    [
      ['generate', '--mo'],
      ['--model', '--mode'],
    ],
    [
      ['generate', '--mode', ''],
      ['i2v', 'f1'],
    ],
    [['generate', '--mode', 'f'], ['f1']],
    [
      ['generate', '--mode', '='],
      ['i2v', 'f1'],
    ],
    [['generate', '--mode', '=', 'i'], ['i2v']],
    [
      ['generate', '--prompt', 'x', '--device', 'c'],
      ['cpu', 'cuda'],
    ],
    [['generate', '--prompt', ''], []],
    [['generate', '--seconds', '4', ''], []],
    [
      ['generate', '--model', 'a'],
      ['a model', 'a picture.png'],
    ],
    [['generate', '--job', ''], ['a model']],
    [['generate', '--image', 'a p'], ['a picture.png']],
    [
      ['inspect', 'a'],
      ['a model', 'a picture.png'],
    ],
    [['encode', ''], ['a model']],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [['help', 'ca'], ['calibrate']],
    [['nonsense', ''], []],
  ])('%j: %j', (words, expected) => {
    expect(offered(...words).toSorted()).toEqual(expected.toSorted());
  });

  test('all commands, and all options of each', () => {
    const commands = framepackCommands();
    const names = commands.map(({ name }) => name);
    expect(offered('')).toEqual([...names, '--help', '--version']);
    for (const { name, options } of commands) {
      expect(offered(name, '-'), name).toEqual(options.flatMap(({ flags }) => flags));
    }
  });
});
