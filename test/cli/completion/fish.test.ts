import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { fishCompletion } from '../../../src/cli/completion/fish.ts';
import { framepackCommands, hasShell, linesOf } from './shells.ts';

test('has a line for every command and option, with choices and kinds of paths', () => {
  const lines = fishCompletion(framepackCommands()).split('\n');
  const start = "complete -c framepack -n '__fish_seen_subcommand_from generate'";
  expect(lines).toContain(`${start} -l device -x -a 'auto cpu cuda' -d 'where to compute'`);
  expect(lines).toContain(`${start} -l image -r -F -d 'start picture'`);
  expect(lines).toContain(`${start} -l json -d 'print events as one JSON object a line'`);
});

test('quotes what the shell would obey', () => {
  const command = { name: 'c', description: String.raw`it's \ $b`, options: [], value: null };
  expect(fishCompletion([command])).toContain(String.raw`-d 'it\'s \\ $b'`);
});

test.skipIf(!hasShell('fish'))('fish offers commands, options and choices', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'framepack-fish-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(path.join(folder, 'framepack.fish'), fishCompletion(framepackCommands()));
  const offered = (line: string): string[] => {
    const program = `source framepack.fish; complete -C '${line}'`;
    const lines = linesOf('fish', ['--no-config', '-c', program], folder);
    return lines.map((text) => text.split('\t')[0]!).toSorted();
  };
  expect(offered('framepack gen')).toEqual(['generate']);
  expect(offered('framepack generate --mode ')).toEqual(['f1', 'i2v']);
  expect(offered('framepack generate --mo')).toEqual(['--mode', '--model']);
  expect(offered('framepack completion ')).toEqual(['bash', 'fish', 'zsh']);
});
