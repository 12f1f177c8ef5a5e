import { describe, expect, it } from 'vitest';
import { runCli } from '../../run-cli.ts';

describe('framepack doctor', { timeout: 60_000 }, () => {
  it('prints a line for each finding and passes on a machine that can run', async () => {
    const { code, stdout } = await runCli(['doctor']);
    expect(code).toBe(0);
    for (const subject of [
      'node',
      'cpu',
      'cuda',
      'memory',
      'disk',
      'cache',
      'temporary',
      'video',
    ]) {
      expect(stdout).toMatch(new RegExp(`^(ok|missing) +${subject} `, 'm'));
    }
  });

  it('is quiet about what does not prevent runs', async () => {
    const { code, stdout, stderr } = await runCli(['doctor', '--quiet']);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '', stderr: '' });
    const broken = await runCli(['doctor', '--quiet', '--model', '/nowhere']);
    expect(broken.code).toBe(1);
    expect(broken.stdout).toMatch(/^BROKEN +model /);
  });

  it('prints JSON', async () => {
    const { stdout } = await runCli(['doctor', '--json']);
    expect(JSON.parse(stdout)).toHaveLength(9);
  });
});
