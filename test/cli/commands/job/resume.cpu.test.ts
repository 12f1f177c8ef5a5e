import { expect, test } from 'vitest';
import { runCli } from '../../run-cli.ts';

test('a folder that is no job is named with what to do', async () => {
  const { code, stderr, stdout } = await runCli(['resume', 'test/no-such-job']);
  expect(code).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toMatch(/no-such-job expected a folder with request\.json.*again/);
});
