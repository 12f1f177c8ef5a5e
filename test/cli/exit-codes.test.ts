import { CommanderError } from 'commander';
import { describe, expect, it } from 'vitest';
import { EXIT_CODE_HELP, exitCodeOf } from '../../src/cli/exit-codes.ts';
import { FramePackError } from '../../src/errors.ts';

describe('exitCodeOf', () => {
  it.each([
    [new CommanderError(0, 'commander.help', ''), 0],
    [new CommanderError(1, 'commander.unknownOption', ''), 2],
    [new FramePackError('ERR_ARGUMENT', ''), 2],
    [new FramePackError('ERR_ABORTED', ''), 130],
    [new FramePackError('ERR_ABORTED', '', {}, 'SIGINT'), 130],
    [new FramePackError('ERR_ABORTED', '', {}, 'SIGHUP'), 129],
    [new FramePackError('ERR_ABORTED', '', {}, 'SIGTERM'), 143],
    [new FramePackError('ERR_IMAGE', ''), 1],
    [new Error('a mistake'), 1],
    ['thrown text', 1],
  ])('maps %o to %d', (error, code) => {
    expect(exitCodeOf(error)).toBe(code);
  });
});

it('help names every exit code', () => {
  for (const code of [0, 1, 2, 129, 130, 143]) {
    expect(EXIT_CODE_HELP).toMatch(new RegExp(`^  (\\d+, )*${code}\\b`, 'm'));
  }
});
