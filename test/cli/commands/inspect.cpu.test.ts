import { describe, expect, it } from 'vitest';
import { TINY_MODEL } from '../../models/tiny-framepack.ts';
import { runCli } from '../run-cli.ts';

describe('framepack inspect', { timeout: 60_000 }, () => {
  it('shows the parts of a model', async () => {
    const { code, stdout } = await runCli(['inspect', TINY_MODEL]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/tiny-framepack: modes i2v f1, 30 fps, sizes 128x96/);
    expect(stdout).toMatch(/transformer +\d+ tensors +[\d.]+ M parameters +[\d.]+ MB BF16/);
    const json = await runCli(['inspect', TINY_MODEL, '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({ parts: expect.any(Array) });
  });

  it('refuses what is no model', async () => {
    const { code, stderr } = await runCli(['inspect', '/nowhere']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^framepack: .*\/nowhere.*\(ERR_CHECKPOINT\)\n$/);
  });
});
