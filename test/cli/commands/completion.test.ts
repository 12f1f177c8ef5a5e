import { describe, expect, test, vi } from 'vitest';
import { createProgram } from '../../../src/cli/program.ts';

async function printed(...args: string[]): Promise<string> {
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  try {
    await createProgram(true).parseAsync(['completion', ...args], { from: 'user' });
    return write.mock.calls.map(([text]) => String(text)).join('');
  } finally {
    write.mockRestore();
  }
}

describe('framepack completion', () => {
  test.each([
    ['bash', /^# Completion of framepack for bash[\s\S]*\ncomplete -F _framepack framepack\n$/],
    ['zsh', /^#compdef framepack\n/],
    ['fish', /^# Completion of framepack for fish/],
  ])('prints the script for %s', async (shell, text) => {
    expect(await printed(shell)).toMatch(text);
  });

  test('knows no other shell', async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => {});
    await expect(printed('tcsh')).rejects.toThrow(/Allowed choices are bash, zsh, fish/);
    log.mockRestore();
  });
});
