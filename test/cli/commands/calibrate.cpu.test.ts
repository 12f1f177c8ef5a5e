import { expect, test } from 'vitest';
import { TINY_REQUEST } from '../../pipeline/tiny-request.ts';
import { runCli } from '../run-cli.ts';

test('framepack calibrate prints the line for framepack.json', async () => {
  const { model, prompt, image } = TINY_REQUEST;
  const args = ['--model', model, '--prompt', prompt, '--image', image, '--seconds', '1.2'];
  const { code, stdout } = await runCli(['calibrate', ...args, '--steps', '3']);
  expect(code).toBe(0);
  expect(JSON.parse(stdout).mag_ratios).toHaveLength(3);
}, 60_000);
