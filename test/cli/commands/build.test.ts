import { existsSync } from 'node:fs';
import { Command } from 'commander';
import { expect, test } from 'vitest';
import { addBuildCommand } from '../../../src/cli/commands/build.ts';
import { repositoryPath } from '../../tokenizers/vocabularies.ts';

// That it builds is shown on the packed package, in test/package.cpu.test.ts.
test('framepack build is there, and so is the program that it runs', () => {
  const program = new Command();
  addBuildCommand(program);
  expect(program.commands.map((command) => command.name())).toEqual(['build']);
  expect(existsSync(repositoryPath('native/build.mjs'))).toBe(true);
});
