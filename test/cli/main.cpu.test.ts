import { describe, expect, it } from 'vitest';
import { runCli } from './run-cli.ts';

describe('framepack', { timeout: 60_000 }, () => {
  it('shows its version and its commands', async () => {
    expect(await runCli(['--version'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    });
    const help = await runCli(['--help']);
    for (const command of ['generate', 'doctor', 'inspect', 'demo']) {
      expect(help.stdout).toContain(command);
    }
  });

  it.each([
    [['--nonsense'], /unknown option '--nonsense'/],
    [['paint'], /unknown command 'paint'/],
    [['generate', '--prompt', 'x'], /required option '--model <path>'/],
    [
      ['generate', '--model', 'm', '--prompt', 'x', '--seconds', 'four'],
      /--seconds.*expected a number/,
    ],
    [['generate', '--model', 'm', '--prompt', 'x', '--steps', '2.5'], /--steps.*whole number/],
    [['generate', '--model', 'm', '--prompt', 'x', '--mode', 'up'], /--mode.*i2v, f1/],
    [
      ['generate', '--model', 'm', '--prompt', 'x', '--seconds', '0'],
      /seconds expected a number above 0.*got 0/,
    ],
    [['generate', '--model', 'm', '--prompt', 'x', '--colour', 'red'], /unknown option '--colour'/],
  ])('refuses %j with code 2 and one sentence', async (args, message) => {
    const { code, stdout, stderr } = await runCli(args);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  it.each([
    [['inspect', '--json', '--colour', 'red'], /unknown option '--colour'/],
    [['inspect', '/nowhere', '--json'], /\/nowhere/],
  ])('reports the failure of %j as one JSON line', async (args, message) => {
    const { code, stdout, stderr } = await runCli(args);
    expect(code).toBeGreaterThan(0);
    expect(stderr).toBe('');
    expect(stdout.trim().split('\n')).toHaveLength(1);
    expect(JSON.parse(stdout)).toEqual({
      type: 'error',
      code: expect.stringMatching(/^ERR_/),
      message: expect.stringMatching(message),
    });
  });
});
