import { Command, Option } from 'commander';
import { expect, test } from 'vitest';
import { commandTree } from '../../../src/cli/completion/command-tree.ts';

test('commands, options, and what may follow them', () => {
  const program = new Command('p');
  program
    .command('paint')
    .description('paint a picture; slowly')
    .argument('<path>', 'canvas')
    .option('-c, --colour <name>', 'colour (of the paint)')
    .addOption(new Option('--brush <kind>', 'brush').choices(['thin', 'wide']))
    .option('--frame <folder>', 'frames')
    .option('--dry', 'no paint');
  program.command('look').description('look at it');
  const [paint, look, help] = commandTree(program);
  expect(paint).toEqual({
    name: 'paint',
    description: 'paint a picture',
    value: { kind: 'file' },
    options: [
      { flags: ['--colour', '-c'], description: 'colour', value: { kind: 'text' } },
      {
        flags: ['--brush'],
        description: 'brush',
        value: { kind: 'words', words: ['thin', 'wide'] },
      },
      { flags: ['--frame'], description: 'frames', value: { kind: 'folder' } },
      { flags: ['--dry'], description: 'no paint', value: null },
      { flags: ['--help', '-h'], description: 'display help for command', value: null },
    ],
  });
  expect(look).toMatchObject({ name: 'look', value: null });
  expect(help).toMatchObject({ options: [], value: { words: ['paint', 'look', 'help'] } });
});
