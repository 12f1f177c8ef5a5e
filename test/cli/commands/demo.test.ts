import { existsSync, readFileSync } from 'node:fs';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { addDemoCommand } from '../../../src/cli/commands/demo.ts';
import { repositoryPath } from '../../tokenizers/vocabularies.ts';

describe('framepack demo', () => {
  it('is a command that may be quiet, on a picture and its sentence from assets/', () => {
    const program = new Command();
    addDemoCommand(program);
    const [demo] = program.commands;
    expect(demo?.name()).toBe('demo');
    expect(demo?.options.map(({ long }) => long)).toEqual(['--quiet']);
    const source = readFileSync(repositoryPath('src/cli/commands/demo.ts'), 'utf8');
    const picture = /'(picture-\d\.png)'/.exec(source)?.[1];
    const prompts = JSON.parse(
      readFileSync(repositoryPath('assets/prompts.json'), 'utf8'),
    ) as Record<string, string>;
    expect(existsSync(repositoryPath(`assets/${picture}`))).toBe(true);
    expect(source).toContain(prompts[picture!]);
  });
});
